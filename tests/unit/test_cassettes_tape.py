"""A tape gives every recorded answer once, to the request that it was recorded for."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from pytest_agentreplay.cassettes import (
    Cassette,
    HttpRequest,
    HttpResponse,
    Interaction,
    Tape,
    UnrecordedModelCallError,
    cleaned,
)
from pytest_agentreplay.redaction import Redactor
from pytest_agentreplay.wire import ModelReply, write_reply

URL = "https://api.openai.com:8443/v1/chat/completions"
REDACTOR = Redactor()


def asking(*messages, url=URL, model="m-1", **more) -> HttpRequest:
    """A request in OpenAI's chat format; a text is a user message."""
    said = [one if isinstance(one, dict) else {"role": "user", "content": one} for one in messages]
    return HttpRequest("POST", url, json.dumps({"model": model, "messages": said, **more}).encode())


def answered(request: HttpRequest, text: str, status: int = 200) -> Interaction:
    written = write_reply(request.asked, ModelReply(model="m-1", content=text))
    return Interaction(request, HttpResponse(status, written.body, {"content-type": ["application/json"]}))


def tape_of(*interactions: Interaction, drop=()) -> Tape:
    return Tape(Cassette(Path("x.http.yaml"), interactions), REDACTOR, drop)


def said(tape: Tape, request: HttpRequest) -> str:
    _, reply = tape.answer(request)
    return reply.content


def turn(call_id: str) -> list[dict]:
    """A tool call of the model and its output, under some id."""
    use = {"id": call_id, "type": "function", "function": {"name": "search", "arguments": '{"q": 1}'}}
    return [
        {"role": "assistant", "content": None, "tool_calls": [use]},
        {"role": "tool", "tool_call_id": call_id, "content": "found"},
    ]


def test_the_nth_identical_request_gets_the_nth_answer():
    """A question that is asked twice has two answers, in the order they were given."""
    tape = tape_of(answered(asking("a"), "1"), answered(asking("b"), "2"), answered(asking("a"), "3"))

    assert [said(tape, asking(text)) for text in "aab"] == ["1", "3", "2"]
    assert tape.unplayed() == []


def test_another_run_s_ids_and_port_are_the_same_request():
    """Providers make up ids, and an imitation listens where there is room."""
    tape = tape_of(answered(asking("a", *turn("call_x")), "1"))

    other = asking("a", *turn("call_y"), url=URL.replace("8443", "9999"))
    assert said(tape, other) == "1"


def test_fields_that_a_project_ignores_do_not_count():
    """What changes with every run is named once."""
    tape = tape_of(answered(asking("a", trace_id="1"), "1"), drop=("trace_id",))

    assert said(tape, asking("a", trace_id="2")) == "1"


def test_a_changed_message_is_told_with_what_changed():
    """The failure names the message and both texts, not that nothing matched."""
    tape = tape_of(answered(asking("a"), "1"), answered(asking("a", *turn("c"), "now answer"), "2"))
    said(tape, asking("a"))

    with pytest.raises(UnrecordedModelCallError) as caught:
        tape.answer(asking("a", *turn("c"), "now answer, please"))

    assert caught.value.details["closest"] == "model call 2 of 2 in the cassette"
    assert "message 4 (user): 'now answer' -> 'now answer, please'" in caught.value.details["changed"]


def test_a_change_outside_messages_is_told_by_its_path():
    """Where messages, tools and settings agree, the bodies are compared."""
    tape = tape_of(answered(asking({"role": "user", "content": "a", "name": "ann"}), "1"))

    with pytest.raises(UnrecordedModelCallError) as caught:
        tape.answer(asking({"role": "user", "content": "a", "name": "bob"}))

    assert caught.value.details["changed"] == 'messages[0].name: "ann" -> "bob"'


def test_one_request_too_many_is_told_as_that():
    """An agent that asks once more than it did is not told of a difference that isn't there."""
    tape = tape_of(answered(asking("a"), "1"))
    said(tape, asking("a"))

    with pytest.raises(UnrecordedModelCallError) as caught:
        tape.answer(asking("a"))

    assert "all given already" in caught.value.details["closest"]


def test_recorded_requests_that_nobody_made_are_listed():
    """The first of them is described by what the model would have been told."""
    tape = tape_of(answered(asking("a"), "1"), answered(asking("a", *turn("c")), "2"))
    said(tape, asking("a"))
    error = tape.unplayed_error()

    assert error.fact == "the agent made 1 of 2 recorded model calls"
    assert "after the result of search" in error.details["missing"]


def test_a_request_with_a_secret_finds_its_redacted_recording():
    """What is asked in a replay is redacted as the recording was, before the two are compared."""
    redaction = REDACTOR.session()
    requests = [asking("mail ann@example.com"), asking("mail ann@example.com and bob@example.com")]
    recorded = [cleaned(answered(one, str(n)), redaction) for n, one in enumerate(requests)]
    tape = tape_of(*recorded)

    assert b"example.com" not in b"".join(one.request.body for one in recorded)
    assert said(tape, asking("mail eve@example.com and dan@example.com")) == "1"
    assert said(tape, asking("mail eve@example.com")) == "0"


def test_what_was_redacted_is_no_change_in_a_failure():
    """Only what truly differs is told."""
    tape = tape_of(cleaned(answered(asking("mail ann@example.com", "x"), "1"), REDACTOR.session()))

    with pytest.raises(UnrecordedModelCallError) as caught:
        tape.answer(asking("mail ann@example.com", "y"))

    assert caught.value.details["changed"] == "message 2 (user): 'x' -> 'y'"


def test_a_failure_is_played_so_that_a_client_tries_again_at_once():
    """A recorded 429 with its retry costs no waiting."""
    busy = Interaction(asking("a"), HttpResponse(429, b"{}", {"retry-after": ["20"]}))
    response, reply = tape_of(busy).answer(asking("a"))

    assert response.headers["retry-after-ms"] == ["1"]
    assert reply.error is not None


def test_other_requests_of_a_provider_are_answered_by_where_they_go():
    """Telemetry and token counts differ from run to run and decide nothing."""
    url = "https://api.openai.com/v1/traces/ingest"
    recorded = [Interaction(HttpRequest("POST", url, b'{"n": 1}'), HttpResponse(204, b"")) for _ in range(2)]
    tape = tape_of(*recorded)

    found = [tape.answer(HttpRequest("POST", url, json.dumps({"n": n}).encode())) for n in range(4)]
    assert [response.status for response, _ in found] == [204] * 4
    assert tape.answer(HttpRequest("POST", url + "/other", b"{}")) is None
    assert tape.unplayed_error() is None


def test_an_embedding_is_found_by_what_was_asked():
    """Its answer decides what an agent retrieves, so another text has none."""
    url = "https://api.openai.com/v1/embeddings"
    recorded = [
        Interaction(HttpRequest("POST", url, json.dumps({"input": text}).encode()), HttpResponse(200, text.encode()))
        for text in "ab"
    ]
    tape = tape_of(*recorded)

    assert [tape.answer(one.request)[0].body for one in reversed(recorded)] == [b"b", b"a"]
    with pytest.raises(UnrecordedModelCallError) as caught:
        tape.answer(HttpRequest("POST", url, b'{"input": "c"}'))
    assert caught.value.details["changed"] == 'input: "a" -> "c"'


def test_threads_share_a_tape():
    """Of many identical requests at once each gets an answer of its own."""
    tape = tape_of(*(answered(asking("a"), str(number)) for number in range(64)))
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.extend(said(tape, asking("a")) for _ in range(8))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(found, key=int) == [str(number) for number in range(64)]


def test_the_order_of_requests_is_free():
    """Parallel sub-agents ask in another order each time."""
    tape = tape_of(*(answered(asking(text), text.upper()) for text in "abc"))

    assert [said(tape, asking(text)) for text in "cab"] == ["C", "A", "B"]
