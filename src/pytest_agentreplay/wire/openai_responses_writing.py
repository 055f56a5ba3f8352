"""OpenAI's responses, written: the items of an answer, whole or as the stream that builds them.

The order of events is that of the live API, since its client builds its own copy of the response from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pytest_agentreplay.jsonable import Value
from pytest_agentreplay.wire.exchanges import json_response, reply_id, sse_response, usage_of, with_ids
from pytest_agentreplay.wire.fields import arguments_object, arguments_text
from pytest_agentreplay.wire.model import ModelReply, ModelRequest, ToolOutput, ToolUse, WireResponse

NAME: Final = "openai-responses"
_STATUSES: Final = frozenset({"completed", "failed", "in_progress", "cancelled", "queued", "incomplete"})
_REASONS: Final = frozenset({"max_output_tokens", "content_filter"})


def write_response(request: ModelRequest, reply: ModelReply) -> WireResponse:
    """Write a response, or the events of one."""
    reply = with_ids(request, reply, "call_{}")
    document = _document(request, reply)
    if not request.stream:
        return json_response(document)
    numbered = ({**event, "sequence_number": number} for number, event in enumerate(_events(document)))
    return sse_response((event["type"], event) for event in numbered)


def write_error(status: int, kind: str | None, message: str) -> Value:
    """Write the body of an error."""
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


def _document(request: ModelRequest, reply: ModelReply) -> dict[str, Any]:
    sent, received = usage_of(reply)
    usage = {
        "input_tokens": sent,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": received,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": sent + received,
    }
    reason = reply.finish if reply.finish in _REASONS else None
    status = reply.finish if reply.finish in _STATUSES else "incomplete" if reason else "completed"
    return {
        "id": reply_id(request, "resp_replay_{}"),
        "object": "response",
        "created_at": 0,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": reason} if reason else None,
        "instructions": None,
        "metadata": {},
        "model": reply.model or request.model,
        "output": list(_items(request, reply)),
        "parallel_tool_calls": True,
        "temperature": request.settings.get("temperature"),
        "tool_choice": request.settings.get("tool_choice", "auto"),
        "tools": [],
        "top_p": request.settings.get("top_p"),
        "usage": usage if reply.usage else None,
    }


def _items(request: ModelRequest, reply: ModelReply) -> Iterator[dict[str, Any]]:
    if reply.reasoning is not None:
        summary = [{"type": "summary_text", "text": reply.reasoning}]
        yield {"id": reply_id(request, "rs_replay_{}"), "type": "reasoning", "summary": summary}
    outputs = {output.id: output for output in reply.tool_outputs}
    for use in reply.tool_uses:
        if use.by_provider:
            yield _provided(use, outputs.get(use.id))
    if reply.content is not None:
        said = {"type": "output_text", "text": reply.content, "annotations": [], "logprobs": []}
        name = reply_id(request, "msg_replay_{}")
        yield {"id": name, "type": "message", "status": "completed", "role": "assistant", "content": [said]}
    for use in reply.tool_uses:
        if not use.by_provider:
            called = {"call_id": use.id, "name": use.name, "arguments": arguments_text(use)}
            yield {"id": f"fc_replay_{use.id}", "type": "function_call", "status": "completed", **called}


def _provided(use: ToolUse, output: ToolOutput | None) -> dict[str, Any]:
    """Write a call that ran at the provider, and what came of it."""
    common = {"id": use.id, "status": "completed"}
    content = None if output is None else output.content
    args = arguments_object(use)
    if use.name == "web_search":
        return {**common, "type": "web_search_call", "action": args}
    if use.name == "file_search":
        return {**common, **args, "type": "file_search_call", "results": content}
    if use.name == "code_interpreter":
        return {**common, **args, "type": "code_interpreter_call", "outputs": content}
    failed = output is not None and output.is_error
    told = {"error": content} if failed else {"output": content, "error": None}
    called = {"name": use.name, "server_label": "", "arguments": arguments_text(use)}
    return {**common, "type": "mcp_call", **called, **told}


def _events(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    started = {**document, "status": "in_progress", "output": [], "usage": None}
    yield {"type": "response.created", "response": started}
    yield {"type": "response.in_progress", "response": started}
    for index, item in enumerate(document["output"]):
        kind = item["type"]
        place = {"item_id": item["id"], "output_index": index}
        if kind == "message":
            yield from _spoken(item, place)
        elif kind == "reasoning":
            yield from _thought(item, place)
        elif kind == "function_call":
            yield from _called(item, place)
        else:
            yield {"type": "response.output_item.added", "output_index": index, "item": item}
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    end = document["status"] if document["status"] in ("incomplete", "failed") else "completed"
    yield {"type": f"response.{end}", "response": document}


def _spoken(item: dict[str, Any], place: dict[str, Any]) -> Iterator[dict[str, Any]]:
    [part] = item["content"]
    inside = {**place, "content_index": 0}
    added = {**item, "status": "in_progress", "content": []}
    yield {"type": "response.output_item.added", "output_index": place["output_index"], "item": added}
    yield {"type": "response.content_part.added", **inside, "part": {**part, "text": ""}}
    yield {"type": "response.output_text.delta", **inside, "delta": part["text"], "logprobs": []}
    yield {"type": "response.output_text.done", **inside, "text": part["text"], "logprobs": []}
    yield {"type": "response.content_part.done", **inside, "part": part}


def _thought(item: dict[str, Any], place: dict[str, Any]) -> Iterator[dict[str, Any]]:
    [part] = item["summary"]
    inside = {**place, "summary_index": 0}
    yield {"type": "response.output_item.added", "output_index": place["output_index"], "item": {**item, "summary": []}}
    yield {"type": "response.reasoning_summary_part.added", **inside, "part": {**part, "text": ""}}
    yield {"type": "response.reasoning_summary_text.delta", **inside, "delta": part["text"]}
    yield {"type": "response.reasoning_summary_text.done", **inside, "text": part["text"]}
    yield {"type": "response.reasoning_summary_part.done", **inside, "part": part}


def _called(item: dict[str, Any], place: dict[str, Any]) -> Iterator[dict[str, Any]]:
    added = {**item, "status": "in_progress", "arguments": ""}
    yield {"type": "response.output_item.added", "output_index": place["output_index"], "item": added}
    yield {"type": "response.function_call_arguments.delta", **place, "delta": item["arguments"]}
    name = {"name": item["name"]}
    yield {"type": "response.function_call_arguments.done", **place, **name, "arguments": item["arguments"]}
