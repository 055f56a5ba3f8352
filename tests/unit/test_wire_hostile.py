"""Whatever comes over the wire: a reply, an error in it, or a `WireError`; never another exception."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_agentreplay.wire import (
    Message,
    ModelReply,
    ModelRequest,
    ToolUse,
    WireError,
    explain,
    normal_form,
    read_reply,
    read_request,
    write_reply,
)

URLS = {
    "openai-chat": "https://api.openai.com/v1/chat/completions",
    "openai-responses": "https://api.openai.com/v1/responses",
    "anthropic": "https://api.anthropic.com/v1/messages",
    "gemini": "https://generativelanguage.googleapis.com/v1beta/models/g:generateContent",
    "bedrock": "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse",
    "bedrock-invoke": "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/invoke",
}
dialects = pytest.mark.parametrize("dialect", list(URLS))

KEYS = [
    *("messages", "role", "content", "text", "type", "id", "name", "input", "arguments", "tool_calls", "function"),
    *("tool_use_id", "choices", "message", "delta", "index", "output", "summary", "contents", "parts", "functionCall"),
    *(
        "functionResponse",
        "response",
        "args",
        "candidates",
        "model",
        "tools",
        "system",
        "usage",
        "toolUse",
        "toolUseId",
    ),
    *("toolResult", "status", "reasoningContent", "error", "stream", "finish_reason", "content_block", "item"),
    *("anthropic_version", "instructions", "output_index", "call_id", "custom", "function_call", "toolConfig"),
]
VALUES = st.sampled_from(
    ["assistant", "tool", "tool_use", "tool_result", "text", "function_call", "message", "message_start", "", "7"]
)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=25,
)
REPLY = ModelReply("m", "Grüße 👋", "hm", (ToolUse("f", {"a": "ü"}, "call_1"), ToolUse("g", {}, "call_2")))


def _read(dialect: str, body: Any, **headers: str) -> ModelReply | None:
    try:
        return read_reply(dialect, 200, headers, body)
    except WireError:
        return None


@dialects
@given(document=documents)
def test_any_document_is_read_or_refused(dialect: str, document: Any) -> None:
    """As a request and as a reply."""
    try:
        request = read_request("POST", URLS[dialect], {}, document)
    except WireError:
        request = None
    reply = _read(dialect, json.dumps(document).encode())

    assert request is None or explain(request, request) == []
    assert reply is None or isinstance(reply.tool_uses, tuple)


WRONG: list[Any] = [None, -1, "x", [], [None], [{}], {"a": []}, "\ud800"]
CALL = {"id": "c1", "call_id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
BLOCKS = [
    {"type": "text", "text": "a"},
    {"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1}},
    {"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "a"}]},
    {"toolUse": {"toolUseId": "c1", "name": "f", "input": {}}},
    {"toolResult": {"toolUseId": "c1", "content": [{"text": "a"}], "status": "error"}},
]
PARTS = [
    {"text": "a", "thought": True},
    {"functionCall": {"name": "f", "args": {}}},
    {"functionResponse": {"name": "f", "response": {}}},
    {"executableCode": {"code": "1"}},
]
REQUEST = {
    "model": "m",
    "stream": False,
    "anthropic_version": "1",
    "instructions": "a",
    "system": [{"type": "text", "text": "a"}],
    "systemInstruction": {"parts": [{"text": "a"}]},
    "messages": [
        {"role": "user", "content": BLOCKS},
        {
            "role": "assistant",
            "content": BLOCKS,
            "tool_calls": [CALL],
            "function_call": {"name": "f", "arguments": "{}"},
        },
        {"role": "tool", "tool_call_id": "c1", "content": "a"},
    ],
    "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "a"}]},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "a"}]},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "a"},
        {"type": "web_search_call", "id": "w1", "action": {"query": "a"}},
        {"type": "mcp_call", "id": "m1", "name": "f", "arguments": "{}", "output": "a", "error": None},
    ],
    "contents": [{"role": "model", "parts": PARTS}],
    "tools": [{"type": "function", "function": {"name": "f"}, "name": "f", "functionDeclarations": [{"name": "f"}]}],
    "toolConfig": {"tools": [{"toolSpec": {"name": "f"}}]},
    "functions": [{"name": "f"}],
}


def _changed_anywhere(value: Any) -> Iterator[Any]:
    """Put everything wrong at every place in a document, one at a time."""
    yield from WRONG
    if isinstance(value, dict):
        for key, item in value.items():
            yield {other: held for other, held in value.items() if other != key}
            yield from ({**value, key: changed} for changed in _changed_anywhere(item))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from ([*value[:index], changed, *value[index + 1 :]] for changed in _changed_anywhere(item))


@dialects
def test_a_request_with_anything_wrong_anywhere_is_read_or_refused(dialect: str) -> None:
    """Wrong types, keys that are gone."""
    for document in _changed_anywhere(REQUEST):
        normal_form(dialect, document, ["a"])
        with suppress(WireError):
            request = read_request("POST", URLS[dialect], {}, document)
            assert request is None or explain(request, request) == []


@dialects
@pytest.mark.parametrize("stream", [False, True])
def test_a_reply_with_anything_wrong_anywhere_is_read_or_refused(dialect: str, stream: bool) -> None:
    """In a document, and in every event of a stream."""
    settings = {"alt": "sse"} if dialect == "gemini" else {}
    request = ModelRequest(dialect, "m", (Message("user", "hi"),), stream=stream, settings=settings)
    response = write_reply(request, REPLY)
    if not stream:
        for document in _changed_anywhere(json.loads(response.body)):
            _read(dialect, document)
        return
    events = [line[6:] for line in response.body.split(b"\n") if line.startswith(b"data: {")]
    for index, event in enumerate(events):
        for document in _changed_anywhere(json.loads(event)):
            changed = [*events[:index], json.dumps(document).encode(), *events[index + 1 :]]
            _read(dialect, b"".join(b"data: " + one + b"\n\n" for one in changed))


@dialects
@given(events=st.lists(documents, max_size=6), kinds=st.lists(VALUES, max_size=6))
def test_any_events_are_read_or_refused(dialect: str, events: list[Any], kinds: list[str]) -> None:
    """In any order, of any type, with or without an end."""
    for event, kind in zip(events, kinds, strict=False):
        if isinstance(event, dict):
            event["type"] = kind
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode() or b"data: {}\n\n"
    reply = _read(dialect, body)

    assert reply is None or isinstance(reply, ModelReply)


@dialects
@given(body=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(dialect: str, body: bytes) -> None:
    """Also under the headers of what they are not."""
    for content_type in ("", "text/event-stream", "application/vnd.amazon.eventstream"):
        for encoding in ("", "gzip", "deflate", "br, gzip", "zstd", "unheard-of"):
            _read(dialect, body, **{"content-type": content_type, "content-encoding": encoding})
    with suppress(WireError):
        read_request("POST", URLS[dialect], {"content-encoding": "gzip"}, body)


@dialects
@pytest.mark.parametrize("stream", [False, True])
def test_a_reply_that_was_cut_off_anywhere_is_never_a_good_one(dialect: str, stream: bool) -> None:
    """A document is refused; a stream gives what came, and says so."""
    settings = {"alt": "sse"} if dialect == "gemini" else {}
    request = ModelRequest(dialect, "m", (Message("user", "hi"),), stream=stream, settings=settings)
    response = write_reply(request, REPLY)
    whole = read_reply(dialect, 200, response.headers, response.body)
    partial = 0
    for length in range(1, len(response.body) - 2, 1 + len(response.body) // 1000):
        try:
            cut = read_reply(dialect, 200, response.headers, response.body[:length])
        except WireError:
            assert not stream or length < 40
            continue
        partial += cut.error is not None
        assert stream
        # What is lost at the very end of a stream may say nothing but that it ended.
        assert cut.error is not None or (cut.content, cut.tool_uses) == (whole.content, whole.tool_uses)

    assert bool(partial) == stream


@dialects
def test_an_error_reply_says_what_the_provider_said(dialect: str) -> None:
    """A page, a text, nothing at all: the status is there, and what can be read."""
    page = b"<html><body>Bad gateway</body></html>"

    assert read_reply(dialect, 502, {}, page).error == "502: <html><body>Bad gateway</body></html>"
    assert read_reply(dialect, 500, {}, b"").error == "500: "
    assert read_reply(dialect, 429, {}, b'{"message": "slow", "__type": "Throttling"}').error == "429 Throttling: slow"
    assert read_reply(dialect, 404, {}, b'{"error": "no model"}').error == "404: no model"
    assert read_reply(dialect, 400, {}, b'[{"error": {"status": "BAD", "message": "no"}}]').error == "400 BAD: no"
    assert read_reply(dialect, 429, {"x-amzn-errortype": "Slow:http://x"}, b'{"message": "m"}').error == "429 Slow: m"


@dialects
def test_what_is_nested_too_deep_is_refused(dialect: str) -> None:
    """Before anything recurses over it, also when it is parsed already."""
    deep: Any = "x"
    for _ in range(5000):
        deep = [deep]
    body = b'{"messages": ' + b"[" * 100_000

    with pytest.raises(WireError, match="nested deeper"):
        read_request("POST", URLS[dialect], {}, {"messages": deep})
    with pytest.raises(WireError, match=r"nested deeper|not JSON"):
        read_request("POST", URLS[dialect], {}, body)
    with pytest.raises(WireError, match="nested deeper"):
        read_reply(dialect, 200, {}, {"messages": deep})


@pytest.mark.parametrize("dialect", ["openai-chat", "openai-responses", "anthropic"])
def test_an_error_in_the_middle_of_a_stream_is_told(dialect: str) -> None:
    """Overloaded after the first words."""
    body = (
        'data: {"type": "response.created", "response": {"output": []}}\n\n'
        if dialect == "openai-responses"
        else 'data: {"type": "message_start", "message": {"content": [], "model": "m"}}\n\n'
        if dialect == "anthropic"
        else 'data: {"choices": [{"index": 0, "delta": {"content": "So"}}]}\n\n'
    )
    error = {"type": "error", "code": "overloaded", "error": {"type": "overloaded", "message": "later"}}

    reply = read_reply(dialect, 200, {}, f"{body}event: error\ndata: {json.dumps(error)}\n\n".encode())
    assert reply.error == "overloaded: later"


def test_bodies_of_another_provider_are_refused() -> None:
    """A message of Anthropic's is no chat completion, and the other way round."""
    written = {
        dialect: write_reply(ModelRequest(dialect, "m", ()), REPLY).body
        for dialect in ("openai-chat", "openai-responses", "anthropic", "gemini")
    }
    for claimed in written:
        for real, body in written.items():
            if claimed != real:
                with pytest.raises(WireError):
                    read_reply(claimed, 200, {}, body)
