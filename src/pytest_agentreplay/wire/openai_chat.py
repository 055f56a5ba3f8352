"""OpenAI's chat completions, as OpenAI, Azure and the many that imitate it speak it.

Reasoning is in ``reasoning_content`` or ``reasoning``, as the imitators have it; OpenAI's
own never says it. The older ``functions`` are tools of which one is called at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pytest_agentreplay.jsonable import Value
from pytest_agentreplay.wire.bodies import Headers
from pytest_agentreplay.wire.dialect import Dialect, Target
from pytest_agentreplay.wire.exchanges import (
    CUT_OFF,
    described_error,
    event_documents,
    joined,
    json_response,
    named_outputs,
    reply_id,
    sse_response,
    usage_of,
    with_ids,
    word,
)
from pytest_agentreplay.wire.fields import (
    WireError,
    arguments_text,
    counted,
    inner,
    mapping,
    mappings,
    others,
    plain,
    text,
    tool_use,
)
from pytest_agentreplay.wire.model import Message, ModelReply, ModelRequest, Role, ToolOutput, ToolUse, WireResponse
from pytest_agentreplay.wire.sse import DONE, Event

NAME: Final = "openai-chat"
_PLACED: Final = frozenset({"model", "messages", "tools", "stream"})
_ROLES: Final[dict[Any, Role]] = {
    "system": "system",
    "developer": "system",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
_FINISHES: Final = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call"})


def _claims(target: Target, headers: Headers) -> bool:
    return target.path.endswith("/chat/completions")


def _read_request(target: Target, body: dict[str, Any]) -> ModelRequest:
    messages = mappings(body.get("messages"), "messages")
    return ModelRequest(
        dialect=NAME,
        model=text(body.get("model")) or _deployment(target),
        messages=named_outputs(_message(item, f"messages[{index}]") for index, item in enumerate(messages)),
        tools=tuple(name for name, _ in _offered(body)),
        stream=body.get("stream") is True,
        settings=others(body, _PLACED),
        definitions=dict(_offered(body)),
    )


def _deployment(target: Target) -> str:
    """Name the model of an Azure request, which has it in the path."""
    _, _, rest = target.path.partition("/deployments/")
    return rest.partition("/")[0]


def _offered(body: dict[str, Any]) -> Iterator[tuple[str, Value]]:
    for tool in mappings(body.get("tools"), "tools"):
        kind = text(tool.get("type")) or ""
        yield text(inner(tool, kind).get("name")) or text(tool.get("name")) or kind, tool
    for function in mappings(body.get("functions"), "functions"):
        yield text(function.get("name")) or "", function


def _message(item: dict[str, Any], path: str) -> Message:
    role = _ROLES.get(text(item.get("role")), "user")
    content = item.get("content")
    if isinstance(content, list):
        content = plain(content)
    if role == "tool":
        output = ToolOutput("" if content is None else content, text(item.get("tool_call_id")), text(item.get("name")))
        return Message(role, tool_outputs=(output,))
    said = content if content not in ("", None) else text(item.get("refusal"))
    return Message(role, said, _reasoning(item), _uses(item, path))


def _reasoning(holder: dict[str, Any]) -> str | None:
    return text(holder.get("reasoning_content")) or text(holder.get("reasoning"))


def _uses(message: dict[str, Any], path: str) -> tuple[ToolUse, ...]:
    uses = [
        _use(call, f"{path}.tool_calls[{index}]")
        for index, call in enumerate(mappings(message.get("tool_calls"), f"{path}.tool_calls"))
    ]
    if (legacy := message.get("function_call")) is not None and not uses:
        function = mapping(legacy, f"{path}.function_call")
        uses.append(tool_use(function.get("name"), function.get("arguments"), f"{path}.function_call"))
    return tuple(uses)


def _use(call: dict[str, Any], path: str) -> ToolUse:
    custom = inner(call, "custom")
    if custom:
        return tool_use(custom.get("name"), {"input": custom.get("input")}, path, id=call.get("id"))
    function = mapping(call.get("function"), f"{path}.function")
    return tool_use(function.get("name"), function.get("arguments"), path, id=call.get("id"))


def _read_document(body: Value) -> ModelReply:
    document = mapping(body, "the reply")
    if document.get("error"):
        return ModelReply(error=described_error(None, document))
    if "choices" not in document:
        raise WireError("a chat completion has `choices`, this document has none")
    choices = mappings(document["choices"], "choices")
    choice = choices[0] if choices else {}
    message = mapping(choice.get("message") or {}, "choices[0].message")
    content = message.get("content")
    said = joined(inner({"part": part}, "part").get("text") for part in content) if isinstance(content, list) else None
    return ModelReply(
        model=text(document.get("model")) or "",
        content=said or text(content) or text(message.get("refusal")),
        reasoning=_reasoning(message),
        tool_uses=_uses(message, "choices[0].message"),
        usage=_usage(document.get("usage")),
        finish=text(choice.get("finish_reason")),
    )


def _usage(usage: Value) -> dict[str, int]:
    return counted(usage, input_tokens="prompt_tokens", output_tokens="completion_tokens")


def _read_events(events: list[Event]) -> ModelReply:
    reader = _Chunks()
    reader.done = any(event.data.strip() == DONE for event in events)
    for path, chunk in event_documents(event for event in events if event.data.strip() != DONE):
        if reader.error is None:
            reader.add(chunk, path)
    return reader.reply()


class _Chunks:
    """A reply as it grows out of chunks."""

    def __init__(self) -> None:
        self.done = False
        self.error: str | None = None
        self._model = ""
        self._usage: dict[str, int] = {}
        self._finish: str | None = None
        self._said: dict[str, list[str]] = {"content": [], "refusal": [], "reasoning": []}
        self._calls: list[dict[str, Any]] = []
        self._by_index: dict[Any, dict[str, Any]] = {}

    def add(self, chunk: dict[str, Any], path: str) -> None:
        if chunk.get("error"):
            self.error = described_error(None, chunk)
            return
        self._model = text(chunk.get("model")) or self._model
        self._usage |= _usage(chunk.get("usage"))
        for choice in mappings(chunk.get("choices"), f"{path}.choices"):
            if choice.get("index", 0) == 0:
                self._finish = text(choice.get("finish_reason")) or self._finish
                self._delta(mapping(choice.get("delta") or {}, f"{path}.delta"), f"{path}.delta")

    def _delta(self, delta: dict[str, Any], path: str) -> None:
        spoken = {"content": delta.get("content"), "refusal": delta.get("refusal"), "reasoning": _reasoning(delta)}
        for name, said in spoken.items():
            if isinstance(said, str):
                self._said[name].append(said)
        for call in mappings(delta.get("tool_calls"), f"{path}.tool_calls"):
            self._grow(call.get("index", call.get("id")), call, inner(call, "function"))
        if isinstance(delta.get("function_call"), dict):
            self._grow("function_call", {}, delta["function_call"])

    def _grow(self, index: Any, call: dict[str, Any], function: dict[str, Any]) -> None:
        # Some imitators leave out the index; then what names no call goes on with the last.
        key = str(index) if index is not None or not self._calls else next(reversed(self._by_index))
        grown = self._by_index.get(key)
        if grown is None:
            grown = self._by_index[key] = {"id": None, "name": "", "arguments": []}
            self._calls.append(grown)
        grown["id"] = grown["id"] or text(call.get("id"))
        grown["name"] = grown["name"] or text(function.get("name")) or ""
        if isinstance(function.get("arguments"), str):
            grown["arguments"].append(function["arguments"])

    def reply(self) -> ModelReply:
        cut_off = self.error is None and not self.done and self._finish is None
        return ModelReply(
            model=self._model,
            content=joined(self._said["content"]) or joined(self._said["refusal"]),
            reasoning=joined(self._said["reasoning"]),
            tool_uses=tuple(
                tool_use(call["name"], "".join(call["arguments"]), f"tool_calls[{index}]", id=call["id"])
                for index, call in enumerate(self._calls)
                if call["name"] or not cut_off
            ),
            usage=self._usage,
            finish=self._finish,
            error=CUT_OFF if cut_off else self.error,
        )


def _write_reply(request: ModelRequest, reply: ModelReply) -> WireResponse:
    reply = with_ids(request, reply, "call_{}")
    finish = word(reply, _FINISHES, "tool_calls", "stop")
    if request.stream:
        return sse_response((("", chunk) for chunk in _chunks(request, reply, finish)), end=DONE)
    message: dict[str, Any] = {"role": "assistant", "content": reply.content, "refusal": None}
    if reply.reasoning is not None:
        message["reasoning_content"] = reply.reasoning
    message |= _written_calls(request, reply)
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    envelope = _envelope(request, reply, "chat.completion")
    return json_response({**envelope, "choices": [choice], "usage": _written_usage(reply)})


def _envelope(request: ModelRequest, reply: ModelReply, kind: str) -> dict[str, Any]:
    name = reply_id(request, "chatcmpl-replay-{}")
    return {"id": name, "object": kind, "created": 0, "model": reply.model or request.model}


def _written_usage(reply: ModelReply) -> dict[str, int] | None:
    if not reply.usage:
        return None
    sent, received = usage_of(reply)
    return {"prompt_tokens": sent, "completion_tokens": received, "total_tokens": sent + received}


def _written_calls(request: ModelRequest, reply: ModelReply) -> dict[str, Any]:
    calls = [
        {"id": use.id, "type": "function", "function": {"name": use.name, "arguments": arguments_text(use)}}
        for use in reply.tool_uses
        if not use.by_provider
    ]
    if "functions" in request.settings and calls:
        return {"function_call": calls[0]["function"]}
    return {"tool_calls": calls} if calls else {}


def _chunks(request: ModelRequest, reply: ModelReply, finish: str) -> Iterator[dict[str, Any]]:
    envelope = _envelope(request, reply, "chat.completion.chunk")

    def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return {**envelope, "choices": [choice]}

    yield chunk({"role": "assistant", "content": None if reply.content is None else ""})
    if reply.reasoning is not None:
        yield chunk({"reasoning_content": reply.reasoning})
    if reply.content is not None:
        yield chunk({"content": reply.content})
    called = _written_calls(request, reply)
    for index, call in enumerate(called.pop("tool_calls", ())):
        yield chunk({"tool_calls": [{"index": index, **call}]})
    if called:
        yield chunk(called)
    yield chunk({}, finish)
    if reply.usage and inner(request.settings, "stream_options").get("include_usage") is True:
        yield {**envelope, "choices": [], "usage": _written_usage(reply)}


def _write_error(status: int, kind: str | None, message: str) -> Value:
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


DIALECT: Final = Dialect(NAME, _claims, _read_request, _read_document, _read_events, _write_reply, _write_error)
