"""Cassettes of any origin are read; one that can't be trusted is an error, never an empty cassette."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path

import pytest

from pytest_agentreplay.cassettes import CassetteError, HttpRequest, HttpResponse, Interaction, load_cassette
from pytest_agentreplay.cassettes.writing import render_cassette

URL = "https://api.openai.com/v1/chat/completions"
ASKED = {"model": "m-1", "messages": [{"role": "user", "content": "hi"}]}
ANSWER = {"model": "m-1", "choices": [{"message": {"role": "assistant", "content": "hello"}}]}
SAID = json.dumps(ANSWER).encode()
JSON = {"content-type": ["application/json"]}


def exchange(text: str = "hi", answer: bytes = SAID) -> Interaction:
    body = {"model": "m-1", "messages": [{"role": "user", "content": text}]}
    return Interaction(HttpRequest("POST", URL, json.dumps(body).encode()), HttpResponse(200, answer, JSON, "OK"))


def written(path: Path, request: dict, response: dict) -> Path:
    """Write a cassette of one interaction as JSON, which every YAML reader reads."""
    one = {
        "request": {"method": "POST", "uri": URL, "headers": {}, **request},
        "response": {"status": {"code": 200, "message": "OK"}, "headers": JSON, **response},
    }
    path.write_text(json.dumps({"version": 1, "interactions": [one]}))
    return path


BODIES = {
    "a text": ({"body": json.dumps(ASKED)}, {"body": {"string": SAID.decode()}}),
    "parsed": ({"parsed_body": ASKED, "body": ""}, {"parsed_body": ANSWER}),
    "base64": ({"body": json.dumps(ASKED)}, {"body": {"base64_string": base64.b64encode(SAID).decode()}}),
    "a mapping with a string": ({"body": {"string": json.dumps(ASKED)}}, {"body": {"string": SAID.decode()}}),
}


@pytest.mark.parametrize("ending", ["yaml", "json"])
@pytest.mark.parametrize("form", BODIES)
def test_bodies_are_read_in_every_form_that_cassettes_have(form, ending, tmp_path):
    """vcrpy, pytest-recording and pydantic-ai keep bodies differently; each is one model call."""
    request, response = BODIES[form]
    cassette = load_cassette(written(tmp_path / f"x.{ending}", request, response))
    [one] = cassette.interactions

    assert one.request.asked.messages[0].content == "hi"
    assert one.reply().content == "hello"
    assert cassette.trace is None


def test_a_packed_answer_is_unpacked_and_its_headers_go(tmp_path):
    """A client that is given plain bytes must not be told that they are gzip."""
    packed = base64.b64encode(gzip.compress(SAID)).decode()
    text = f"""\
interactions:
- request: {{method: POST, uri: "{URL}", headers: {{}}, body: '{json.dumps(ASKED)}'}}
  response:
    body:
      string: !!binary |
        {packed}
    headers:
      Content-Encoding: [gzip]
      Content-Length: ['99']
      Transfer-Encoding: [chunked]
      Content-Type: [application/json]
    status: {{code: 200, message: OK}}
version: 1
"""
    path = tmp_path / "x.yaml"
    path.write_text(text)
    [one] = load_cassette(path).interactions

    assert one.response.body == SAID
    assert one.response.headers == JSON


def test_an_answer_in_the_form_of_old_releases_is_read(tmp_path):
    """An earlier vcrpy wrote httpx answers with their content at the top."""
    told = {"status_code": 429, "content": "slow down", "http_version": "HTTP/1.1"}
    path = written(tmp_path / "x.yaml", {"body": json.dumps(ASKED)}, told)
    [one] = load_cassette(path).interactions

    assert (one.response.status, one.response.body) == (429, b"slow down")


BROKEN = {
    "an empty file": "",
    "blank lines": "\n \n",
    "no YAML": "interactions: [",
    "no mapping": "- 1",
    "no interactions": "version: 1\n",
    "an empty list": "version: 1\ninteractions: []\n",
    "no list": "version: 1\ninteractions: 3\n",
    "an interaction without a response": "version: 1\ninteractions: [{request: {method: GET, uri: x, headers: {}}}]\n",
    "an interaction of text": "version: 1\ninteractions: [text]\n",
    "another format": "metadata: {agentreplay: {format: agentreplay.cassette/9}}\nversion: 1\ninteractions: [{}]\n",
    "a tag that builds objects": "interactions: !!python/object/apply:os.system ['true']\n",
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_cassette_is_an_error_that_names_the_file(what, tmp_path, monkeypatch):
    """It is never taken for an empty one, which would let every request through."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "x.http.yaml"
    path.write_text(BROKEN[what])

    with pytest.raises(CassetteError) as caught:
        load_cassette(path)

    assert caught.value.details["at"].startswith("x.http.yaml")
    assert "--agent-record=rewrite" in caught.value.details["next"]


def test_a_missing_cassette_is_an_error(tmp_path):
    """A trace that names a cassette can't be replayed without it."""
    with pytest.raises(CassetteError, match="no such cassette"):
        load_cassette(tmp_path / "x.http.yaml")


def test_a_cassette_that_is_cut_off_anywhere_is_an_error(tmp_path):
    """Whatever byte a copy ended at: fewer answers than were recorded are never all there were."""
    whole = render_cassette([exchange("hi"), exchange("you", b"data: 1\n\ndata: [DONE]\n\n")], "x.yaml")
    path = tmp_path / "x.http.yaml"
    for end in range(0, len(whole.rstrip()) - 1):
        path.write_bytes(whole[:end])
        with pytest.raises(CassetteError):
            load_cassette(path, trace=tmp_path / "x.yaml")

    path.write_bytes(whole)
    assert len(load_cassette(path, trace=tmp_path / "x.yaml").interactions) == 2


def test_the_cassette_of_another_trace_is_refused(tmp_path):
    """Its answers belong to another agent's questions."""
    path = tmp_path / "x.http.yaml"
    path.write_bytes(render_cassette([exchange()], "other.yaml"))

    with pytest.raises(CassetteError, match=r"another trace, other\.yaml"):
        load_cassette(path, trace=tmp_path / "x.yaml")


@pytest.mark.parametrize(
    "answer",
    [
        SAID,
        b"data: {}\n\ndata: [DONE]\n\n",
        b"",
        "über\r\n".encode(),
        b"\x00\x01\xff\xfe",
        b"yes",
        b"2023-06-01",
        b"\t x ",
    ],
)
def test_what_is_written_is_read_the_same(answer, tmp_path):
    """Streams, blanks, control bytes and binary answers come back byte for byte, to vcrpy too."""
    path = tmp_path / "x.http.yaml"
    path.write_bytes(render_cassette([exchange(answer=answer)], "x.yaml"))
    [one] = load_cassette(path).interactions

    assert one.response.body == answer
    assert one.response.headers == JSON
    assert json.loads(one.request.body) == {"model": "m-1", "messages": [{"role": "user", "content": "hi"}]}

    from vcr.persisters.filesystem import FilesystemPersister
    from vcr.serializers import yamlserializer

    requests, responses, metadata = FilesystemPersister.load_cassette(path, yamlserializer)
    assert requests[0].uri == URL
    assert responses[0]["body"]["string"] == answer
    assert metadata["agentreplay"]["trace"] == "x.yaml"
