"""What is kept of an exchange holds no secret, and nothing that changes from day to day."""

from __future__ import annotations

import json

import pytest

from pytest_agentreplay.cassettes import HttpRequest, HttpResponse, Interaction, cleaned, provider_traffic
from pytest_agentreplay.redaction import Redactor
from pytest_agentreplay.wire import ModelReply, ToolUse, read_reply, write_reply

URLS = {
    "openai-chat": "https://api.openai.com/v1/chat/completions",
    "openai-responses": "https://api.openai.com/v1/responses",
    "anthropic": "https://api.anthropic.com/v1/messages",
}
MAIL = "ann@example.com"


def exchange(dialect: str, reply: ModelReply, *, stream: bool) -> Interaction:
    asked = {"input": "hi"} if dialect == "openai-responses" else {"messages": [{"role": "user", "content": "hi"}]}
    body = json.dumps({"model": "m-1", "max_tokens": 9, "stream": stream, **asked}).encode()
    request = HttpRequest("POST", URLS[dialect], body)
    written = write_reply(request.asked, reply)
    return Interaction(request, HttpResponse(200, written.body, {"content-type": [written.headers["content-type"]]}))


def split_up(interaction: Interaction, text: str) -> Interaction:
    """Let a stream tell a text in two parts, as models do."""
    body = interaction.response.body.decode()
    events = body.split("\n\n")
    at = next(index for index, event in enumerate(events) if text in event and "delta" in event)
    first, second = (events[at].replace(text, part) for part in (text[:5], text[5:]))
    parts = "\n\n".join([*events[:at], first, second, *events[at + 1 :]])
    return Interaction(interaction.request, HttpResponse(200, parts.encode(), interaction.response.headers))


@pytest.mark.parametrize("dialect", URLS)
def test_a_secret_that_a_stream_tells_in_parts_is_found(dialect):
    """No part holds it, the whole does: the stream is written anew."""
    reply = ModelReply(model="m-1", content=MAIL, tool_uses=(ToolUse("mail", {"to": MAIL}, "c1"),))
    kept = cleaned(split_up(exchange(dialect, reply, stream=True), MAIL), Redactor().session())
    found = read_reply(dialect, 200, kept.response.headers, kept.response.body)

    assert "example" not in kept.response.body.decode()
    assert found.content == "[redacted:email:1]"
    assert found.tool_uses[0].args == {"to": "[redacted:email:1]"}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("dialect", URLS)
def test_what_holds_no_secret_stays_as_it_is(dialect, stream):
    """A clean answer says the same after cleaning."""
    one = exchange(dialect, ModelReply(model="m-1", content="hello", usage={"input_tokens": 3}), stream=stream)
    kept = cleaned(one, Redactor().session())

    assert kept.reply() == one.reply()
    assert kept.response.body == one.response.body or not stream


def test_headers_and_url_keep_only_what_replaying_needs():
    """No key, cookie, account or request id is written."""
    url = f"https://me:pw@example.org:8080/v1/{MAIL}/x?key=AIzaSecret&alt=sse&X-Amz-Signature=abc&mail={MAIL}"
    headers = {"Authorization": "Bearer sk-1", "Content-Type": "application/json", "x-api-key": "k", "User-Agent": "u"}
    told = {"content-type": ["application/json"], "set-cookie": ["s=1"], "x-request-id": ["r"], "date": ["today"]}
    kept = cleaned(
        Interaction(HttpRequest("POST", url, b"{}", headers), HttpResponse(200, b"{}", told)), Redactor().session()
    )

    assert kept.request.headers == {"content-type": "application/json"}
    assert kept.response.headers == {"content-type": ["application/json"]}
    assert kept.request.parts.query.startswith("alt=sse&mail=")
    assert kept.request.host == "example.org"
    assert not any(secret in kept.request.url for secret in ("AIza", "abc", "ann@", "ann%40", "me:pw"))


def test_bodies_are_redacted_by_key_and_by_what_they_hold():
    """One session numbers what is in requests and answers."""
    request = HttpRequest("POST", "https://x.org/", json.dumps({"password": "hunter2", "text": MAIL}).encode())
    kept = cleaned(Interaction(request, HttpResponse(200, f"told {MAIL}, hunter2".encode())), Redactor().session())

    assert json.loads(kept.request.body) == {"password": "[redacted:password:1]", "text": "[redacted:email:1]"}
    assert kept.response.body.startswith(b"told [redacted:email:1]")


def test_only_traffic_with_the_model_s_providers_is_kept():
    """An agent's other requests are none of a cassette's business: they are tools, or escapes."""
    chat = exchange("openai-chat", ModelReply(content="x"), stream=False)
    embedding = Interaction(
        HttpRequest("POST", "https://api.openai.com/v1/embeddings", b"{}"), HttpResponse(200, b"{}")
    )
    shop = Interaction(HttpRequest("POST", "https://shop.example/refund", b"{}"), HttpResponse(200, b"{}"))

    assert provider_traffic([embedding, chat, shop]) == [embedding, chat]
    assert provider_traffic([embedding, shop]) == []
