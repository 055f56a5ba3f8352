"""Anthropic's messages, as its own API, Vertex and Bedrock's invoke carry them.

Blocks of ``server_tool_use`` and ``mcp_tool_use`` ran at the provider, and their outputs
are in the same reply. Nothing here knows how Bedrock packs the events.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from pytest_agentreplay.jsonable import Value
from pytest_agentreplay.wire.bodies import Headers, header
from pytest_agentreplay.wire.content import Content
from pytest_agentreplay.wire.dialect import Dialect, Target
from pytest_agentreplay.wire.exchanges import (
    CUT_OFF,
    described_error,
    event_documents,
    json_response,
    named_outputs,
    outputs_named,
    reply_id,
    sse_response,
    usage_of,
    with_ids,
    word,
)
from pytest_agentreplay.wire.fields import (
    WireError,
    arguments_object,
    counted,
    dumps,
    inner,
    mapping,
    mappings,
    others,
    plain,
    text,
    tool_use,
)
from pytest_agentreplay.wire.model import Message, ModelReply, ModelRequest, Role, ToolOutput, WireResponse
from pytest_agentreplay.wire.sse import Event

NAME: Final = "anthropic"
_PLACED: Final = frozenset({"model", "system", "messages", "tools", "stream"})
_USES: Final = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})
_THOUGHTS: Final = frozenset({"thinking", "redacted_thinking"})
_FINISHES: Final = frozenset(
    {"end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal", "model_context_window_exceeded"}
)
_BY_MCP: Final = "mcp_tool_result"


def _claims(target: Target, headers: Headers) -> bool:
    if target.path.endswith((":rawPredict", ":streamRawPredict")):
        return "/publishers/anthropic/" in target.path
    return target.path.endswith("/v1/messages") or (
        target.path.endswith("/messages") and bool(header(headers, "anthropic-version"))
    )


def _read_request(target: Target, body: dict[str, Any]) -> ModelRequest:
    _, _, hosted = target.path.partition("/publishers/anthropic/models/")
    stream = body.get("stream") is True or target.path.endswith(":streamRawPredict")
    return read_messages(NAME, text(body.get("model")) or hosted.partition(":")[0], stream, body)


def read_messages(dialect: str, model: str, stream: bool, body: dict[str, Any]) -> ModelRequest:
    """Read a request whose target said what its model is and whether it is a stream."""
    messages: list[Message] = []
    if (system := body.get("system")) not in (None, "", []):
        messages.append(Message("system", plain(system) if isinstance(system, list) else system))
    for index, item in enumerate(mappings(body.get("messages"), "messages")):
        messages.append(_message(item, f"messages[{index}]"))
    offered = mappings(body.get("tools"), "tools")
    tools = [(text(tool.get("name")) or text(tool.get("type")) or "", tool) for tool in offered]
    return ModelRequest(
        dialect=dialect,
        model=model,
        messages=named_outputs(messages),
        tools=tuple(name for name, _ in tools),
        stream=stream,
        settings=others(body, _PLACED),
        definitions=dict(tools),
    )


def _message(item: dict[str, Any], path: str) -> Message:
    role: Role = "assistant" if item.get("role") == "assistant" else "user"
    content = item.get("content")
    if not isinstance(content, list):
        return Message(role, content if content != "" else None)
    return _taken_apart(mappings(content, f"{path}.content"), f"{path}.content").message(role, "type")


def _taken_apart(blocks: Iterable[dict[str, Any]], path: str) -> Content:
    content = Content()
    for index, block in enumerate(blocks):
        kind = text(block.get("type")) or ""
        if kind in _USES:
            provided = kind != "tool_use"
            where = f"{path}[{index}]"
            content.uses.append(
                tool_use(block.get("name"), block.get("input"), where, id=block.get("id"), by_provider=provided)
            )
        elif kind == "tool_result" or kind.endswith("_tool_result"):
            content.outputs.append(_output(block))
        elif kind in _THOUGHTS:
            if thought := text(block.get("thinking")):
                content.thoughts.append(thought)
        else:
            content.rest.append(block)
    return content


def _output(block: dict[str, Any]) -> ToolOutput:
    content = block.get("content")
    failed = block.get("is_error") is True
    if block.get("type") == "tool_result":
        content = (plain(content) if isinstance(content, list) else content) or ""
    elif isinstance(content, dict):
        failed = failed or (text(content.get("type")) or "").endswith("_tool_result_error")
    return ToolOutput(content, text(block.get("tool_use_id")), None, failed)


def read_message(body: Value) -> ModelReply:
    """Read the JSON of a message."""
    document = mapping(body, "the reply")
    if document.get("type") == "error" or document.get("error"):
        return ModelReply(error=described_error(None, document))
    if "content" not in document:
        raise WireError("a message has `content`, this document has none")
    return _reply(document, mappings(document["content"], "content"))


def _reply(document: dict[str, Any], blocks: list[dict[str, Any]], error: str | None = None) -> ModelReply:
    content = _taken_apart(blocks, "content")
    return ModelReply(
        model=text(document.get("model")) or "",
        content=content.said,
        reasoning=content.reasoning,
        tool_uses=tuple(content.uses),
        tool_outputs=outputs_named(content.outputs, content.uses),
        usage=counted(document.get("usage"), input_tokens="input_tokens", output_tokens="output_tokens"),
        finish=text(document.get("stop_reason")),
        error=error,
    )


def _read_events(events: list[Event]) -> ModelReply:
    return read_message_events(document for _, document in event_documents(events))


def read_message_events(documents: Iterable[dict[str, Any]]) -> ModelReply:
    """Read a stream of message events, whatever it was packed in."""
    message: dict[str, Any] = {}
    usage: dict[str, Any] = {}
    blocks: dict[Any, dict[str, Any]] = {}
    error: str | None = CUT_OFF
    for document in documents:
        kind = document.get("type")
        if kind == "error":
            error = described_error(None, document)
        elif kind == "message_start":
            message = dict(mapping(document.get("message"), "message_start.message"))
            usage |= inner(message, "usage")
        elif kind == "content_block_start":
            blocks[str(document.get("index"))] = dict(mapping(document.get("content_block"), "content_block"))
        elif kind == "content_block_delta":
            _grow(blocks.setdefault(str(document.get("index")), {"type": "text"}), inner(document, "delta"))
        elif kind == "message_delta":
            message |= {key: value for key, value in inner(document, "delta").items() if value is not None}
            usage |= {key: value for key, value in inner(document, "usage").items() if value is not None}
        elif kind == "message_stop":
            error = None
    return _reply({**message, "usage": usage}, [_whole(block) for block in blocks.values()], error)


def _grow(block: dict[str, Any], delta: dict[str, Any]) -> None:
    for key in ("text", "thinking", "partial_json"):
        if isinstance(delta.get(key), str):
            block[key] = (text(block.get(key)) or "") + delta[key]


def _whole(block: dict[str, Any]) -> dict[str, Any]:
    """Put the JSON that came in parts where it belongs."""
    arguments = block.pop("partial_json", None)
    return {**block, "input": arguments} if text(arguments) else block


def _write_reply(request: ModelRequest, reply: ModelReply) -> WireResponse:
    reply = with_ids(request, reply, "toolu_{}")
    if request.stream:
        return sse_response((event["type"], event) for event in message_events(request, reply))
    return json_response(written_message(request, reply))


def written_message(request: ModelRequest, reply: ModelReply) -> dict[str, Any]:
    """Write the JSON of a message."""
    sent, received = usage_of(reply)
    usage = {"input_tokens": sent, "output_tokens": received}
    return {
        "id": reply_id(request, "msg_replay_{}"),
        "type": "message",
        "role": "assistant",
        "model": reply.model or request.model,
        "content": list(_blocks(reply)),
        "stop_reason": word(reply, _FINISHES, "tool_use", "end_turn"),
        "stop_sequence": None,
        "usage": usage,
    }


def _blocks(reply: ModelReply) -> Iterator[dict[str, Any]]:
    if reply.reasoning is not None:
        yield {"type": "thinking", "thinking": reply.reasoning, "signature": ""}
    if reply.content is not None:
        yield {"type": "text", "text": reply.content}
    outputs = {output.id: output for output in reply.tool_outputs}
    for use in reply.tool_uses:
        output = outputs.get(use.id)
        by_mcp = use.by_provider and (output is None or _is_mcp(output))
        kind = "tool_use" if not use.by_provider else "mcp_tool_use" if by_mcp else "server_tool_use"
        block = {"type": kind, "id": use.id, "name": use.name, "input": arguments_object(use)}
        yield {**block, "server_name": ""} if by_mcp else block
        if output is not None:
            answer = {"tool_use_id": use.id, "content": output.content}
            yield (
                {"type": _BY_MCP, **answer, "is_error": output.is_error}
                if by_mcp
                else {
                    "type": f"{use.name}_tool_result",
                    **answer,
                }
            )


def _is_mcp(output: ToolOutput) -> bool:
    return isinstance(output.content, str) or (
        isinstance(output.content, list) and all(inner({"b": b}, "b").get("type") == "text" for b in output.content)
    )


def message_events(request: ModelRequest, reply: ModelReply) -> Iterator[dict[str, Any]]:
    """Write the events of a message, one delta a block."""
    message = written_message(request, reply)
    blocks, finish, usage = message["content"], message["stop_reason"], message["usage"]
    started = {**message, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 0}}
    yield {"type": "message_start", "message": started}
    for index, block in enumerate(blocks):
        empty, deltas = _in_parts(block)
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    stop = {"stop_reason": finish, "stop_sequence": None}
    yield {"type": "message_delta", "delta": stop, "usage": {"output_tokens": usage["output_tokens"]}}
    yield {"type": "message_stop"}


def _in_parts(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Split a block into what starts it and the deltas that fill it."""
    kind = block["type"]
    if kind == "text":
        return {**block, "text": ""}, [{"type": "text_delta", "text": block["text"]}]
    if kind == "thinking":
        return {**block, "thinking": ""}, [{"type": "thinking_delta", "thinking": block["thinking"]}]
    if kind in _USES:
        delta = {"type": "input_json_delta", "partial_json": dumps(block["input"])}
        return {**block, "input": {}}, [delta]
    return block, []


def write_error(status: int, kind: str | None, message: str) -> Value:
    """Write the body of an error."""
    return {"type": "error", "error": {"type": kind or "api_error", "message": message}}


DIALECT: Final = Dialect(NAME, _claims, _read_request, read_message, _read_events, _write_reply, write_error)
