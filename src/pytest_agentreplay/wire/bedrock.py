"""Amazon Bedrock: its converse, and its invoke where the body is Anthropic's.

The model is in the path and in no reply. Streams are Amazon's event stream: converse's events
by name, invoke's packed in ``chunk`` events. Other bodies of invoke are no known format.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from pytest_agentreplay.jsonable import Value
from pytest_agentreplay.wire import anthropic, event_stream
from pytest_agentreplay.wire.bodies import Headers
from pytest_agentreplay.wire.content import Content
from pytest_agentreplay.wire.dialect import Dialect, Target
from pytest_agentreplay.wire.event_stream import Frame
from pytest_agentreplay.wire.exchanges import (
    CUT_OFF,
    error_text,
    json_response,
    named_outputs,
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
    parse_json,
    plain,
    text,
    tool_use,
)
from pytest_agentreplay.wire.model import Message, ModelReply, ModelRequest, Role, ToolOutput, WireResponse
from pytest_agentreplay.wire.sse import Event

NAME: Final = "bedrock"
INVOKE: Final = "bedrock-invoke"
_PATH: Final = re.compile(r"/model/(.+)/(converse|converse-stream|invoke|invoke-with-response-stream)$")
_PLACED: Final = frozenset({"messages", "system", "toolConfig"})
_FINISHES: Final = frozenset(
    {
        *("end_turn", "tool_use", "max_tokens", "stop_sequence", "guardrail_intervened", "content_filtered"),
        *("malformed_model_output", "malformed_tool_use", "model_context_window_exceeded"),
    }
)


def _claims(target: Target, headers: Headers) -> bool:
    found = _PATH.search(target.path)
    return found is not None and found[2].startswith("converse")


def _claims_invoke(target: Target, headers: Headers) -> bool:
    found = _PATH.search(target.path)
    return found is not None and found[2].startswith("invoke")


def _model_and_verb(target: Target) -> tuple[str, str]:
    found = _PATH.search(target.path)
    return (found[1], found[2]) if found else ("", "")


def _read_request(target: Target, body: dict[str, Any]) -> ModelRequest:
    model, verb = _model_and_verb(target)
    system = plain(mappings(body.get("system"), "system"), None)
    messages = [] if system is None else [Message("system", system)]
    for index, item in enumerate(mappings(body.get("messages"), "messages")):
        messages.append(_message(item, f"messages[{index}]"))
    config = inner(body, "toolConfig")
    tools = list(_offered(config))
    return ModelRequest(
        dialect=NAME,
        model=model,
        messages=named_outputs(messages),
        tools=tuple(name for name, _ in tools),
        stream=verb.endswith("stream"),
        settings={**others(body, _PLACED), **others(config, {"tools"})},
        definitions=dict(tools),
    )


def _offered(config: dict[str, Any]) -> Iterator[tuple[str, Value]]:
    for tool in mappings(config.get("tools"), "toolConfig.tools"):
        if name := text(inner(tool, "toolSpec").get("name")) or text(inner(tool, "systemTool").get("name")):
            yield name, tool


def _read_invoke(target: Target, body: dict[str, Any]) -> ModelRequest | None:
    if "anthropic_version" not in body:
        return None
    model, verb = _model_and_verb(target)
    return anthropic.read_messages(INVOKE, model, verb.endswith("stream"), body)


def _message(item: dict[str, Any], path: str) -> Message:
    role: Role = "assistant" if item.get("role") == "assistant" else "user"
    return _taken_apart(mappings(item.get("content"), f"{path}.content"), f"{path}.content").message(role, None)


def _taken_apart(blocks: Iterable[dict[str, Any]], path: str) -> Content:
    content = Content()
    for index, block in enumerate(blocks):
        use, output = block.get("toolUse"), block.get("toolResult")
        if isinstance(use, dict):
            provided = use.get("type") == "server_tool_use"
            identity = use.get("toolUseId")
            content.uses.append(
                tool_use(use.get("name"), use.get("input"), f"{path}[{index}]", id=identity, by_provider=provided)
            )
        elif isinstance(output, dict):
            content.outputs.append(_output(output, f"{path}[{index}]"))
        elif "reasoningContent" in block:
            thought = text(inner(block, "reasoningContent", "reasoningText").get("text"))
            content.thoughts.extend([thought] if thought else [])
        else:
            content.rest.append(block)
    return content


def _output(result: dict[str, Any], path: str) -> ToolOutput:
    blocks = mappings(result.get("content"), f"{path}.content")
    content = blocks[0]["json"] if len(blocks) == 1 and set(blocks[0]) == {"json"} else plain(blocks, None)
    failed = result.get("status") == "error"
    return ToolOutput("" if content is None else content, text(result.get("toolUseId")), None, failed)


def _read_document(body: Value) -> ModelReply:
    document = mapping(body, "the reply")
    if "output" not in document:
        raise WireError("an answer of converse has `output`, this document has none")
    message = inner(document, "output", "message")
    return _reply(mappings(message.get("content"), "output.message.content"), document)


def _reply(blocks: list[dict[str, Any]], document: dict[str, Any], error: str | None = None) -> ModelReply:
    content = _taken_apart(blocks, "output.message.content")
    return ModelReply(
        content=content.said,
        reasoning=content.reasoning,
        tool_uses=tuple(content.uses),
        tool_outputs=tuple(content.outputs),
        usage=counted(document.get("usage"), input_tokens="inputTokens", output_tokens="outputTokens"),
        finish=text(document.get("stopReason")),
        error=error,
    )


def _read_events(events: list[Event]) -> ModelReply:
    raise WireError("Bedrock answers in Amazon's event stream, this is server-sent events")


def _events(body: bytes) -> tuple[list[tuple[str, dict[str, Any]]], str | None]:
    """Take a stream apart: events by name, and what went wrong."""
    frames, complete = event_stream.parse_frames(body)
    events: list[tuple[str, dict[str, Any]]] = []
    for number, frame in enumerate(frames, start=1):
        document = parse_json(frame.payload or b"{}", f"frame {number}")
        if frame.headers.get(":message-type") in ("exception", "error"):
            kind = frame.headers.get(":exception-type") or frame.headers.get(":error-code")
            message = text(document.get("message")) if isinstance(document, dict) else None
            return events, error_text(None, kind, message or frame.headers.get(":error-message", ""))
        events.append((frame.headers.get(":event-type", ""), mapping(document, f"frame {number}")))
    return events, None if complete else CUT_OFF


def _read_frames(body: bytes) -> ModelReply:
    events, error = _events(body)
    document: dict[str, Any] = {}
    blocks: dict[str, dict[str, Any]] = {}
    for name, event in events:
        index = str(event.get("contentBlockIndex"))
        if name == "contentBlockStart":
            blocks[index] = {key: dict(inner(event, "start", key)) for key in inner(event, "start")}
        elif name == "contentBlockDelta":
            _grow(blocks.setdefault(index, {}), inner(event, "delta"))
        elif name in ("messageStop", "metadata"):
            document |= event
    if error is None and "stopReason" not in document:
        error = CUT_OFF
    return _reply(list(blocks.values()), document, error)


def _grow(block: dict[str, Any], delta: dict[str, Any]) -> None:
    if isinstance(delta.get("text"), str):
        block["text"] = (text(block.get("text")) or "") + delta["text"]
    if part := text(inner(delta, "toolUse").get("input")):
        use = block.setdefault("toolUse", {})
        use["input"] = (text(use.get("input")) or "") + part
    if part := text(inner(delta, "reasoningContent").get("text")):
        thought = block.setdefault("reasoningContent", {}).setdefault("reasoningText", {})
        thought["text"] = thought.get("text", "") + part


def _read_invoke_frames(body: bytes) -> ModelReply:
    events, error = _events(body)
    documents = [_unpacked(event) for name, event in events if name == "chunk"]
    if error:
        documents.append({"type": "error", "error": {"message": error}})
    return anthropic.read_message_events(documents)


def _unpacked(event: dict[str, Any]) -> dict[str, Any]:
    try:
        packed = base64.b64decode(text(event.get("bytes")) or "", validate=True)
    except (binascii.Error, ValueError):
        raise WireError("a chunk of the event stream is no base64") from None
    return mapping(parse_json(packed, "a chunk"), "a chunk")


def _write_reply(request: ModelRequest, reply: ModelReply) -> WireResponse:
    reply = with_ids(request, reply, "tooluse_{}")
    finish = word(reply, _FINISHES, "tool_use", "end_turn")
    sent, received = usage_of(reply)
    counts = {"inputTokens": sent, "outputTokens": received, "totalTokens": sent + received}
    about = {"usage": counts, "metrics": {"latencyMs": 0}}
    if request.stream:
        return _stream_response(_converse_events(reply, finish, about))
    message = {"role": "assistant", "content": list(_blocks(reply))}
    return json_response({"output": {"message": message}, "stopReason": finish, **about})


def _blocks(reply: ModelReply) -> Iterator[dict[str, Any]]:
    if reply.reasoning is not None:
        yield {"reasoningContent": {"reasoningText": {"text": reply.reasoning}}}
    if reply.content is not None:
        yield {"text": reply.content}
    for use in reply.tool_uses:
        called = {"toolUseId": use.id, "name": use.name, "input": arguments_object(use)}
        yield {"toolUse": {**called, "type": "server_tool_use"} if use.by_provider else called}


def _converse_events(reply: ModelReply, finish: str, about: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "messageStart", {"role": "assistant"}
    for index, block in enumerate(_blocks(reply)):
        place = {"contentBlockIndex": index}
        use = block.get("toolUse")
        if use:
            started = {key: value for key, value in use.items() if key != "input"}
            yield "contentBlockStart", {**place, "start": {"toolUse": started}}
            yield "contentBlockDelta", {**place, "delta": {"toolUse": {"input": dumps(use["input"])}}}
        elif "reasoningContent" in block:
            yield "contentBlockDelta", {**place, "delta": {"reasoningContent": {"text": reply.reasoning}}}
        else:
            yield "contentBlockDelta", {**place, "delta": {"text": reply.content}}
        yield "contentBlockStop", place
    yield "messageStop", {"stopReason": finish}
    yield "metadata", about


def _stream_response(events: Iterable[tuple[str, dict[str, Any]]]) -> WireResponse:
    frames = (
        Frame(
            {":event-type": name, ":content-type": "application/json", ":message-type": "event"},
            dumps(event).encode(),
        )
        for name, event in events
    )
    return WireResponse(200, {"content-type": event_stream.CONTENT_TYPE}, event_stream.render_frames(frames))


def _write_invoke(request: ModelRequest, reply: ModelReply) -> WireResponse:
    reply = with_ids(request, reply, "toolu_bdrk_{}")
    if not request.stream:
        return json_response(anthropic.written_message(request, reply))
    packed = (base64.b64encode(dumps(event).encode()) for event in anthropic.message_events(request, reply))
    return _stream_response(("chunk", {"bytes": part.decode()}) for part in packed)


def _write_error(status: int, kind: str | None, message: str) -> Value:
    return {"message": message, "__type": kind} if kind else {"message": message}


DIALECT: Final = Dialect(
    NAME, _claims, _read_request, _read_document, _read_events, _write_reply, _write_error, _read_frames
)
INVOKE_DIALECT: Final = Dialect(
    INVOKE,
    _claims_invoke,
    _read_invoke,
    anthropic.read_message,
    _read_events,
    _write_invoke,
    _write_error,
    _read_invoke_frames,
)
