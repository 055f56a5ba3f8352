"""Google's generateContent, as the Gemini API and Vertex carry it.

The model is in the path. Calls mostly have no ids: an output belongs to the call of its
name. A stream is events with ``alt=sse``, and a JSON list without.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
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
    json_response,
    reply_id,
    sse_response,
    usage_of,
)
from pytest_agentreplay.wire.fields import (
    WireError,
    arguments_object,
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
from pytest_agentreplay.wire.sse import Event

NAME: Final = "gemini"
_PATH: Final = re.compile(r"/([^/:]+):(generateContent|streamGenerateContent)$")
_PLACED: Final = frozenset({"model", "contents", "systemInstruction", "system_instruction", "tools"})
_CODE: Final = "code_execution"
_CODE_OK: Final = "OUTCOME_OK"


def _claims(target: Target, headers: Headers) -> bool:
    return bool(_PATH.search(target.path)) and "/publishers/anthropic/" not in target.path


def _read_request(target: Target, body: dict[str, Any]) -> ModelRequest:
    found = _PATH.search(target.path)
    model, verb = found.groups() if found else ("", "")
    system = _either(body, "systemInstruction", "system_instruction")
    instructions = plain(_parts(system, "systemInstruction"), None) if isinstance(system, dict) else system
    messages = [Message("system", instructions)] if instructions not in (None, "") else []
    messages += [
        _message(item, f"contents[{index}]") for index, item in enumerate(mappings(body.get("contents"), "contents"))
    ]
    settings = others(body, _PLACED)
    if "sse" in target.query.get("alt", ()):
        settings["alt"] = "sse"
    tools = list(_offered(body))
    return ModelRequest(
        dialect=NAME,
        model=model,
        messages=tuple(messages),
        tools=tuple(name for name, _ in tools),
        stream=verb == "streamGenerateContent",
        settings=settings,
        definitions=dict(tools),
    )


def _either(holder: dict[str, Any], camel: str, snake: str) -> Value:
    """Read a field by either of its names: the API takes both."""
    return holder.get(camel, holder.get(snake))


def _offered(body: dict[str, Any]) -> Iterator[tuple[str, Value]]:
    for index, tool in enumerate(mappings(body.get("tools"), "tools")):
        declared = _either(tool, "functionDeclarations", "function_declarations")
        for declaration in mappings(declared, f"tools[{index}].functionDeclarations"):
            yield text(declaration.get("name")) or "", declaration
        yield from ((key, tool[key]) for key in tool if key not in ("functionDeclarations", "function_declarations"))


def _parts(content: dict[str, Any], path: str) -> list[dict[str, Any]]:
    parts = content.get("parts")
    return [parts] if isinstance(parts, dict) else mappings(parts, f"{path}.parts")


def _message(item: dict[str, Any], path: str) -> Message:
    role: Role = "assistant" if item.get("role") == "model" else "user"
    return _taken_apart(_parts(item, path), path).message(role, None)


def _taken_apart(parts: Iterable[dict[str, Any]], path: str) -> Content:
    content = Content()
    for index, part in enumerate(parts):
        call = _either(part, "functionCall", "function_call")
        code = _either(part, "executableCode", "executable_code")
        output = _output(part)
        if isinstance(call, dict):
            content.uses.append(
                tool_use(call.get("name"), call.get("args"), f"{path}.parts[{index}]", id=call.get("id"))
            )
        elif isinstance(code, dict):
            content.uses.append(ToolUse(_CODE, dict(code), text(code.get("id")), by_provider=True))
        elif output:
            content.outputs.append(output)
        elif part.get("thought") is True:
            content.thoughts.extend(filter(None, [text(part.get("text"))]))
        elif set(part) - {"thoughtSignature", "thought_signature"}:
            content.rest.append(part)
    return content


def _output(part: dict[str, Any]) -> ToolOutput | None:
    response = _either(part, "functionResponse", "function_response")
    if isinstance(response, dict):
        # An `error` in it is Google's advice to agents, and no mark of the format.
        return ToolOutput(response.get("response"), text(response.get("id")), text(response.get("name")))
    result = _either(part, "codeExecutionResult", "code_execution_result")
    if isinstance(result, dict):
        return ToolOutput(result, text(result.get("id")), _CODE, result.get("outcome", _CODE_OK) != _CODE_OK)
    return None


def _read_document(body: Value) -> ModelReply:
    if isinstance(body, list):
        return _read_chunks(mappings(body, "the reply"))
    document = mapping(body, "the reply")
    if not document.get("error") and not {"candidates", "promptFeedback", "usageMetadata"} & set(document):
        raise WireError("generated content has `candidates`, this document has none")
    return _read_chunks([document], whole=True)


def _read_events(events: list[Event]) -> ModelReply:
    return _read_chunks([document for _, document in event_documents(events)])


def _read_chunks(chunks: list[dict[str, Any]], *, whole: bool = False) -> ModelReply:
    """Read a stream's chunks, or the one chunk that is a whole reply."""
    parts: list[dict[str, Any]] = []
    reply = ModelReply()
    error: str | None = None
    for chunk in chunks:
        if chunk.get("error"):
            error = described_error(None, chunk)
            break
        candidates = mappings(chunk.get("candidates"), "candidates")
        candidate = candidates[0] if candidates else {}
        parts += _parts(mapping(candidate.get("content") or {}, "candidates[0].content"), "candidates[0].content")
        blocked = text(inner(chunk, "promptFeedback").get("blockReason"))
        reply = replace(
            reply,
            model=text(chunk.get("modelVersion")) or reply.model,
            usage=reply.usage
            | counted(
                chunk.get("usageMetadata"), input_tokens="promptTokenCount", output_tokens="candidatesTokenCount"
            ),
            finish=text(candidate.get("finishReason")) or blocked or reply.finish,
        )
    content = _taken_apart(parts, "candidates[0].content")
    return replace(
        reply,
        content=content.said,
        # A stream gives thoughts in pieces, a whole reply in paragraphs.
        reasoning=joined(content.thoughts, "\n" if whole else ""),
        tool_uses=tuple(content.uses),
        tool_outputs=tuple(content.outputs),
        error=error or (None if whole or reply.finish else CUT_OFF),
    )


def _write_reply(request: ModelRequest, reply: ModelReply) -> WireResponse:
    chunks = list(_chunks(request, reply))
    if not request.stream:
        parts = [part for chunk in chunks for part in chunk["candidates"][0]["content"]["parts"]]
        chunks[-1]["candidates"][0]["content"]["parts"] = parts
        return json_response(chunks[-1])
    if request.settings.get("alt") == "sse":
        return sse_response(("", chunk) for chunk in chunks)
    return json_response(chunks)


def _chunks(request: ModelRequest, reply: ModelReply) -> Iterator[dict[str, Any]]:
    """Write what was thought and said, and then what was called."""
    said: list[dict[str, Any]] = [] if reply.reasoning is None else [{"text": reply.reasoning, "thought": True}]
    outputs = [output for output in reply.tool_outputs if output.name == _CODE]
    for use in reply.tool_uses:
        if use.by_provider and use.name == _CODE:
            said.append({"executableCode": arguments_object(use)})
            said += [{"codeExecutionResult": outputs.pop(0).content}] if outputs else []
    said += [] if reply.content is None else [{"text": reply.content}]
    called = [{"functionCall": _written_call(use)} for use in reply.tool_uses if not use.by_provider]
    if said and called:
        yield _chunk(request, reply, said)
    sent, received = usage_of(reply)
    counts = {"promptTokenCount": sent, "candidatesTokenCount": received, "totalTokenCount": sent + received}
    last = _chunk(request, reply, called or said, finishReason=reply.finish if _is_word(reply) else "STOP")
    yield {**last, "usageMetadata": counts} if reply.usage else last


def _is_word(reply: ModelReply) -> bool:
    return reply.finish is not None and reply.finish.isupper()


def _chunk(request: ModelRequest, reply: ModelReply, parts: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    candidate = {"content": {"parts": parts, "role": "model"}, "index": 0, **more}
    name = reply_id(request, "replay-{}")
    return {"candidates": [candidate], "modelVersion": reply.model or request.model, "responseId": name}


def _written_call(use: ToolUse) -> dict[str, Any]:
    call = {"name": use.name, "args": arguments_object(use)}
    return call if use.id is None else {"id": use.id, **call}


def _write_error(status: int, kind: str | None, message: str) -> Value:
    return {"error": {"code": status, "message": message, "status": kind or "UNKNOWN"}}


DIALECT: Final = Dialect(NAME, _claims, _read_request, _read_document, _read_events, _write_reply, _write_error)
