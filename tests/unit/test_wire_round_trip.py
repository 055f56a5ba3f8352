"""What is written in a provider's format is read back as it was, whole and streamed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.wire import (
    Message,
    ModelReply,
    ModelRequest,
    ToolOutput,
    ToolUse,
    WireError,
    read_reply,
    write_reply,
)

SETTINGS: dict[str, dict[str, Any]] = {
    "openai-chat": {"stream_options": {"include_usage": True}},
    "openai-responses": {},
    "anthropic": {},
    "gemini": {"alt": "sse"},
    "bedrock": {},
    "bedrock-invoke": {},
}
FINISHES = {
    "openai-chat": ["stop", "length", "tool_calls", "content_filter"],
    "openai-responses": ["completed", "max_output_tokens", "content_filter"],
    "anthropic": ["end_turn", "max_tokens", "tool_use", "stop_sequence", "refusal"],
    "gemini": ["STOP", "MAX_TOKENS", "SAFETY"],
    "bedrock": ["end_turn", "tool_use", "guardrail_intervened"],
    "bedrock-invoke": ["end_turn", "tool_use"],
}
# What the provider runs under these names has forms of its own.
HOSTED = {"web_search", "file_search", "code_interpreter", "code_execution"}
SAYS_ARGUMENTS_IN_TEXT = {"openai-chat", "openai-responses"}

texts = st.text(st.characters(exclude_categories=()), min_size=1)
names = st.text("abcdefghijklmnopqrstuvwxyz_-0123456789", min_size=1).filter(lambda name: name not in HOSTED)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(texts, values, max_size=3)


def _is_broken(text: str) -> bool:
    try:
        return bool(text.strip()) and not isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return bool(text.strip())


@st.composite
def _uses(draw: st.DrawFn, dialect: str) -> list[ToolUse]:
    ids = draw(st.lists(names.map("call_{}".format), unique=True, max_size=3))
    uses = []
    for identity in ids:
        if dialect in SAYS_ARGUMENTS_IN_TEXT and draw(st.booleans()):
            broken = draw(st.sampled_from(['{"a": ', "[1]", "7", "look at this"]) | texts.filter(_is_broken))
            uses.append(ToolUse(draw(names), MISSING, identity, broken))
        else:
            uses.append(ToolUse(draw(names), draw(objects), identity))
    return uses


@st.composite
def _provided(draw: st.DrawFn, dialect: str) -> tuple[list[ToolUse], list[ToolOutput]]:
    """Draw what the provider ran, in the forms that its format has."""
    if not draw(st.booleans()):
        return [], []
    if dialect == "openai-responses":
        search = ToolUse("web_search", {"type": "search", "query": draw(texts)}, "ws_1", by_provider=True)
        files = ToolUse("file_search", {"queries": [draw(texts)]}, "fs_1", by_provider=True)
        found = ToolOutput([draw(objects)], "fs_1", "file_search")
        asked = ToolUse(draw(names), draw(objects), "mcp_1", by_provider=True)
        told = ToolOutput(draw(texts), "mcp_1", asked.name, draw(st.booleans()))
        return [search, files, asked], [found, told]
    if dialect in ("anthropic", "bedrock-invoke"):
        search = ToolUse("web_search", {"query": draw(texts)}, "srv_1", by_provider=True)
        found = ToolOutput([{"type": "web_search_result", "title": draw(texts)}], "srv_1", "web_search")
        asked = ToolUse(draw(names), draw(objects), "mcp_1", by_provider=True)
        told = ToolOutput([{"type": "text", "text": draw(texts)}], "mcp_1", asked.name, draw(st.booleans()))
        return [search, asked], [found, told]
    if dialect == "gemini":
        code = ToolUse("code_execution", {"language": "PYTHON", "code": draw(texts)}, by_provider=True)
        return [code], [ToolOutput({"outcome": "OUTCOME_OK", "output": draw(texts)}, None, "code_execution")]
    if dialect == "bedrock":
        return [ToolUse(draw(names), draw(objects), "srv_1", by_provider=True)], []
    return [], []


@st.composite
def replies(draw: st.DrawFn, dialect: str) -> ModelReply:
    provided, outputs = draw(_provided(dialect))
    counts = st.integers(0, 10**9)
    return ModelReply(
        model="" if dialect == "bedrock" else draw(names),
        content=draw(st.none() | texts),
        reasoning=draw(st.none() | texts),
        tool_uses=(*provided, *draw(_uses(dialect))),
        tool_outputs=tuple(outputs),
        usage={"input_tokens": draw(counts), "output_tokens": draw(counts)},
        finish=draw(st.sampled_from(FINISHES[dialect])),
    )


def _request(dialect: str, *, stream: bool, **settings: Any) -> ModelRequest:
    return ModelRequest(dialect, "m-asked", (Message("user", "hi"),), stream=stream, settings=settings)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("dialect", list(SETTINGS))
@given(data=st.data())
def test_a_reply_survives_the_way_through_its_format(dialect: str, stream: bool, data: st.DataObject) -> None:
    """Content, thoughts, calls with any arguments, what the provider ran, tokens, and why the model stopped."""
    reply = data.draw(replies(dialect))
    response = write_reply(_request(dialect, stream=stream, **SETTINGS[dialect]), reply)

    assert response.status == 200
    assert read_reply(dialect, response.status, response.headers, response.body) == reply


@given(reply=replies("gemini"))
def test_gemini_streams_a_list_unless_it_is_asked_for_events(reply: ModelReply) -> None:
    """Both ways there are."""
    response = write_reply(_request("gemini", stream=True), reply)

    assert response.headers["content-type"] == "application/json"
    assert read_reply("gemini", 200, response.headers, response.body) == reply


@pytest.mark.parametrize("dialect", list(SETTINGS))
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("429 rate_limit_error: too fast", 429),
        ("503 ServiceUnavailable: come back\nlater", 503),
        ("500: it: broke", 500),
    ],
)
def test_an_error_survives_the_way_through_its_format(dialect: str, stream: bool, error: str, status: int) -> None:
    """Its status, kind and message."""
    response = write_reply(_request(dialect, stream=stream), ModelReply(error=error))
    expected = error.replace("500:", "500 UNKNOWN:") if dialect == "gemini" else error
    expected = expected.replace("500:", "500 api_error:") if dialect == "anthropic" else expected

    assert response.status == status
    assert read_reply(dialect, response.status, response.headers, response.body).error == expected


@pytest.mark.parametrize("dialect", ["openai-chat", "openai-responses", "anthropic", "gemini"])
def test_an_error_that_ended_a_stream_survives_with_what_came_before(dialect: str) -> None:
    """Overloaded in the middle of a sentence."""
    request = _request(dialect, stream=True, **SETTINGS[dialect])
    response = write_reply(request, ModelReply(content="So", error="overloaded_error: come back later"))
    reply = read_reply(dialect, response.status, response.headers, response.body)

    assert (response.status, reply.error) == (200, "overloaded_error: come back later")
    assert reply.content == "So"


@pytest.mark.parametrize("dialect", list(SETTINGS))
def test_a_stream_that_was_cut_off_is_written_whole(dialect: str) -> None:
    """With all that came of it."""
    request = _request(dialect, stream=True, **SETTINGS[dialect])
    response = write_reply(request, ModelReply(content="So", error="the stream was cut off"))

    assert read_reply(dialect, response.status, response.headers, response.body).content == "So"


@pytest.mark.parametrize("dialect", ["openai-chat", "openai-responses", "anthropic", "bedrock"])
@pytest.mark.parametrize("stream", [False, True])
def test_calls_without_ids_are_numbered_on_from_the_request(dialect: str, stream: bool) -> None:
    """The ids that a format needs are made up, none twice in a conversation, the same in every run."""
    taken = ToolUse("f", {}, "call_3")
    asked = ModelRequest(dialect, "m", (Message("assistant", tool_uses=(ToolUse("f", {}, "a"), taken)),), stream=stream)
    response = write_reply(asked, ModelReply(tool_uses=(ToolUse("f", {}), ToolUse("g", {"a": 1}))))
    reply = read_reply(dialect, 200, response.headers, response.body)

    ids = [use.id for use in reply.tool_uses]
    assert len({*ids, "a", "call_3"}) == 4 and None not in ids
    assert write_reply(asked, ModelReply(tool_uses=(ToolUse("f", {}), ToolUse("g", {"a": 1})))) == response


@pytest.mark.parametrize("dialect", list(SETTINGS))
@pytest.mark.parametrize("stream", [False, True])
def test_a_reply_of_another_provider_can_be_written(dialect: str, stream: bool) -> None:
    """What the format has no place or word for is left out, or said in its own."""
    foreign = ModelReply(
        content="hi",
        reasoning="hm",
        tool_uses=(ToolUse("f", MISSING, "x", '{"a"'), ToolUse("search", {"q": 1}, "y", by_provider=True)),
        tool_outputs=(ToolOutput({"found": []}, "y", "search"),),
        finish="some other word",
    )
    response = write_reply(_request(dialect, stream=stream), foreign)
    reply = read_reply(dialect, 200, response.headers, response.body)

    assert (reply.content, [use.name for use in reply.tool_uses if not use.by_provider]) == ("hi", ["f"])
    assert reply.error is None
    assert reply.model == ("" if dialect == "bedrock" else "m-asked")


def test_openais_older_functions_are_called_as_they_were_offered() -> None:
    """A request that offers `functions` is answered by a `function_call`."""
    request = _request("openai-chat", stream=False, functions=[{"name": "f"}])
    response = write_reply(request, ModelReply(tool_uses=(ToolUse("f", {"a": 1}),)))

    message = json.loads(response.body)["choices"][0]["message"]
    assert message["function_call"] == {"name": "f", "arguments": '{"a":1}'}
    assert "tool_calls" not in message


def test_openais_stream_counts_tokens_only_when_asked() -> None:
    """A chunk without choices surprises those that didn't ask for one."""
    reply = ModelReply(content="hi", usage={"input_tokens": 1, "output_tokens": 2})

    assert b'"usage"' not in write_reply(_request("openai-chat", stream=True), reply).body


def test_an_unknown_dialect_is_told_with_those_there_are() -> None:
    """By name."""
    with pytest.raises(WireError, match="no dialect is called 'x'") as caught:
        read_reply("x", 200, {}, b"{}")

    assert "bedrock" in caught.value.details["next"]
