"""OpenAI's responses, read: a list of items for what is asked and for what is answered.

Items whose type ends in ``_call`` ran at OpenAI, but for function, custom, computer, shell and
patch calls. An answer's stop is its status, or why it is incomplete. How one is written is another file's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from pytest_agentreplay.jsonable import Value
from pytest_agentreplay.wire.bodies import Headers
from pytest_agentreplay.wire.content import Content
from pytest_agentreplay.wire.dialect import Dialect, Target
from pytest_agentreplay.wire.exchanges import (
    CUT_OFF,
    described_error,
    event_documents,
    joined,
    named_outputs,
    outputs_named,
)
from pytest_agentreplay.wire.fields import (
    WireError,
    counted,
    inner,
    listed,
    mapping,
    mappings,
    others,
    plain,
    text,
    tool_use,
)
from pytest_agentreplay.wire.model import Message, ModelReply, ModelRequest, Role, ToolOutput, ToolUse
from pytest_agentreplay.wire.openai_responses_writing import NAME, write_error, write_response
from pytest_agentreplay.wire.sse import DONE, Event

_PLACED: Final = frozenset({"model", "instructions", "input", "tools", "stream"})
_ROLES: Final[dict[Any, Role]] = {"system": "system", "developer": "system", "assistant": "assistant"}
_BY_AGENT: Final = frozenset(
    {"function_call", "custom_tool_call", "computer_call", "local_shell_call", "shell_call", "apply_patch_call"}
)
_ENDS: Final = frozenset({"response.completed", "response.incomplete", "response.failed"})
# What a provider's call says besides its arguments.
_ABOUT_CALL: Final = frozenset({"id", "type", "status", "call_id", "results", "outputs", "result", "output", "error"})


def _claims(target: Target, headers: Headers) -> bool:
    return target.path.endswith("/responses")


def _read_request(target: Target, body: dict[str, Any]) -> ModelRequest | None:
    if not {"model", "prompt"} & set(body):
        return None
    messages: list[Message] = []
    if (instructions := body.get("instructions")) not in (None, ""):
        messages.append(Message("system", instructions))
    asked = body.get("input")
    if isinstance(asked, list):
        messages.extend(_messages(mappings(asked, "input")))
    elif asked is not None:
        messages.append(Message("user", asked))
    return ModelRequest(
        dialect=NAME,
        model=text(body.get("model")) or "",
        messages=named_outputs(messages),
        tools=tuple(name for name, _ in _offered(body)),
        stream=body.get("stream") is True,
        settings=others(body, _PLACED),
        definitions=dict(_offered(body)),
    )


def _offered(body: dict[str, Any]) -> Iterator[tuple[str, Value]]:
    for tool in mappings(body.get("tools"), "tools"):
        yield text(tool.get("name")) or text(tool.get("server_label")) or text(tool.get("type")) or "", tool


def _add(turn: Content, item: dict[str, Any], path: str) -> None:
    """Add one item of the assistant's to what it said and asked for in its neighbours."""
    kind = text(item.get("type")) or "message"
    if kind == "message":
        content = item.get("content")
        blocks = content if isinstance(content, list) else [content]
        turn.rest.extend(block for block in blocks if block not in (None, ""))
    elif kind == "reasoning":
        turn.thoughts.extend(_thoughts(item, path))
    elif kind.endswith("_call"):
        use, output = _call(kind, item, path)
        turn.uses.append(use)
        turn.outputs.extend([output] if output else [])


def _messages(items: list[dict[str, Any]]) -> Iterator[Message]:
    turn: Content | None = None
    for index, item in enumerate(items):
        path = f"input[{index}]"
        kind = text(item.get("type")) or "message"
        if item.get("role") == "assistant" or kind == "reasoning" or kind.endswith("_call"):
            turn = turn or Content()
            _add(turn, item, path)
            continue
        if turn:
            yield turn.message("assistant", "type")
            turn = None
        if kind.endswith("_output"):
            yield Message("tool", tool_outputs=(_output(item),))
        elif kind == "message":
            content = item.get("content")
            yield Message(
                _ROLES.get(text(item.get("role")), "user"), plain(content) if isinstance(content, list) else content
            )
        else:
            yield Message("user", [item])
    if turn:
        yield turn.message("assistant", "type")


def _output(item: dict[str, Any]) -> ToolOutput:
    content = item.get("output")
    shortened = plain(content) if isinstance(content, list) else content
    return ToolOutput("" if shortened is None else shortened, text(item.get("call_id")) or text(item.get("id")))


def _thoughts(item: dict[str, Any], path: str) -> list[str]:
    parts = [*listed(item.get("summary"), f"{path}.summary"), *listed(item.get("content"), f"{path}.content")]
    return [part["text"] for part in parts if isinstance(part, dict) and text(part.get("text"))]


def _call(kind: str, item: dict[str, Any], path: str) -> tuple[ToolUse, ToolOutput | None]:
    """Read a call, and its output where the provider ran it."""
    if kind == "function_call":
        return tool_use(item.get("name"), item.get("arguments"), path, id=item.get("call_id")), None
    if kind == "custom_tool_call":
        return tool_use(item.get("name"), {"input": item.get("input")}, path, id=item.get("call_id")), None
    if kind in _BY_AGENT:
        args = item.get("action", item.get("operation"))
        return tool_use(kind.removesuffix("_call"), args, path, id=item.get("call_id")), None
    if kind == "mcp_call":
        use = tool_use(item.get("name"), item.get("arguments"), path, id=item.get("id"), by_provider=True)
    else:
        args = item.get("action", others(item, _ABOUT_CALL))
        use = tool_use(kind.removesuffix("_call"), args, path, id=item.get("id"), by_provider=True)
    failure = item.get("error")
    told = failure or next((item[key] for key in ("output", "outputs", "results", "result") if item.get(key)), None)
    return use, None if told is None else ToolOutput(told, use.id, use.name, bool(failure))


def _read_document(body: Value) -> ModelReply:
    document = mapping(body, "the reply")
    if document.get("object") != "response" and document.get("error"):
        return ModelReply(error=described_error(None, document))
    if "output" not in document:
        raise WireError("a response has `output`, this document has none")
    turn = Content()
    for index, item in enumerate(mappings(document["output"], "output")):
        _add(turn, item, f"output[{index}]")
    incomplete = text(inner(document, "incomplete_details").get("reason"))
    return ModelReply(
        model=text(document.get("model")) or "",
        content=joined(_said(block) for block in turn.rest),
        reasoning=turn.reasoning,
        tool_uses=tuple(turn.uses),
        tool_outputs=outputs_named(turn.outputs, turn.uses),
        usage=counted(document.get("usage"), input_tokens="input_tokens", output_tokens="output_tokens"),
        finish=incomplete or text(document.get("status")),
        error=described_error(None, document) if document.get("error") else None,
    )


def _said(block: Any) -> str | None:
    if isinstance(block, dict):
        return text(block.get("text")) or text(block.get("refusal"))
    return text(block)


def _read_events(events: list[Event]) -> ModelReply:
    items: dict[str, dict[str, Any]] = {}
    response: dict[str, Any] = {"object": "response"}
    error: str | None = CUT_OFF
    for path, document in event_documents(event for event in events if event.data.strip() != DONE):
        kind = text(document.get("type")) or ""
        if kind in ("error", "response.error") or (not kind and document.get("error")):
            error = described_error(None, {**document, "type": document.get("code")})
            break
        response |= inner(document, "response")
        if kind in _ENDS:
            error = None
        _grow(items, kind, document, path)
    reply = _read_document({**response, "output": response.get("output") or list(items.values())})
    return reply if error is None else replace(reply, error=error, finish=None)


def _grow(items: dict[str, dict[str, Any]], kind: str, document: dict[str, Any], path: str) -> None:
    """Follow a stream's items, for one that never ends properly."""
    index = str(document.get("output_index"))
    if kind in ("response.output_item.added", "response.output_item.done"):
        items[index] = dict(mapping(document.get("item"), f"{path}.item"))
        return
    item, delta = items.get(index), document.get("delta")
    if item is None or not isinstance(delta, str):
        return
    if kind == "response.output_text.delta":
        said = _said((listed(item.get("content"), "content") or [None])[0]) or ""
        item["content"] = [{"type": "output_text", "text": said + delta}]
    elif kind == "response.function_call_arguments.delta":
        item["arguments"] = (text(item.get("arguments")) or "") + delta


DIALECT: Final = Dialect(NAME, _claims, _read_request, _read_document, _read_events, write_response, write_error)
