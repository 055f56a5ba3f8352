"""What several dialects share when a reply is read or written: errors, ids, HTTP responses.

Nothing here knows a format.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from pytest_agentreplay.jsonable import Value
from pytest_agentreplay.wire import sse
from pytest_agentreplay.wire.fields import WireError, dumps, inner, mapping, parse_json, text
from pytest_agentreplay.wire.model import Message, ModelReply, ModelRequest, ToolOutput, ToolUse, WireResponse

CUT_OFF: Final = "the stream was cut off"
_ERROR: Final = re.compile(r"(?:([45]\d\d)(?: ([\w.-]+))?: |([\w.-]+): )?(.*)", re.DOTALL)
_MOST_OF_A_PAGE: Final = 300


def json_response(body: Value, status: int = 200) -> WireResponse:
    """Make a response of JSON."""
    return WireResponse(status, {"content-type": "application/json"}, dumps(body).encode())


def sse_response(events: Iterable[tuple[str, Value]], *, end: str | None = None) -> WireResponse:
    """Make a response of server-sent events."""
    return WireResponse(200, {"content-type": sse.CONTENT_TYPE}, sse.render_events(events, end=end))


def error_text(status: int | None, kind: str | None, message: str) -> str:
    """Say in one text what a provider said went wrong: ``429 rate_limit_error: too many requests``."""
    label = " ".join(part for part in (str(status) if status else None, kind) if part)
    return f"{label}: {message}" if label else message


def error_parts(error: str) -> tuple[int | None, str | None, str]:
    """Take an error's text apart again: status, kind, message; None for what it doesn't name."""
    found = _ERROR.fullmatch(error)
    status, kind, other, message = found.groups() if found else (None, None, None, error)
    return int(status) if status else None, kind or other, message


def read_error(status: int | None, body: bytes, kind: str = "") -> str:
    """Say what a reply's body says went wrong, whatever its provider's form; `kind` is what its headers call it."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = body.decode("utf-8", "replace").strip()[:_MOST_OF_A_PAGE]
    return described_error(status, document, kind)


def described_error(status: int | None, document: Value, kind: str = "") -> str:
    """Say what a document says went wrong."""
    if isinstance(document, list) and document:
        document = document[0]
    if not isinstance(document, dict):
        return error_text(status, kind or None, document if isinstance(document, str) else "")
    error = document.get("error")
    if isinstance(error, str):
        return error_text(status, kind or None, error)
    holder = inner(document, "error") or document
    names = (text(holder.get(key)) for key in ("type", "__type", "status", "code"))
    named = next((name for name in names if name and " " not in name), "")
    message = text(holder.get("message")) or text(holder.get("Message"))
    return error_text(status, named or kind or None, dumps(holder) if message is None else message)


def event_documents(events: Iterable[sse.Event]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the JSON mapping of every event, and its path; a last one that was cut off is left out.

    Raises:
        WireError: when another one is no JSON mapping.
    """
    listed_events = list(events)
    for number, event in enumerate(listed_events, start=1):
        path = f"event {number}"
        try:
            document = parse_json(event.data, path)
        except WireError:
            if number == len(listed_events):
                return
            raise
        yield path, mapping(document, path)


def with_ids(request: ModelRequest, reply: ModelReply, form: str) -> ModelReply:
    """Give every tool use of a reply an id of a form such as ``call_{}``, numbered on from the request's."""
    if all(use.id is not None for use in reply.tool_uses):
        return reply
    taken = {use.id for message in request.messages for use in message.tool_uses} | {use.id for use in reply.tool_uses}
    number = sum(len(message.tool_uses) for message in request.messages)
    uses: list[ToolUse] = []
    for use in reply.tool_uses:
        number += 1
        while use.id is None and form.format(number) in taken:
            number += 1
        uses.append(use if use.id is not None else replace(use, id=form.format(number)))
    return replace(reply, tool_uses=tuple(uses))


def reply_id(request: ModelRequest, form: str) -> str:
    """Name a reply by its place in the conversation, the same in every run."""
    return form.format(len(request.messages))


def named_outputs(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Name the tool of every output by the call that it answers, where the format doesn't."""
    names: dict[str, str] = {}
    named: list[Message] = []
    for message in messages:
        names |= {use.id: use.name for use in message.tool_uses if use.id is not None}
        outputs = tuple(_named(output, names) for output in message.tool_outputs)
        named.append(replace(message, tool_outputs=outputs) if outputs else message)
    return tuple(named)


def outputs_named(outputs: Iterable[ToolOutput], uses: Iterable[ToolUse]) -> tuple[ToolOutput, ...]:
    """Name the tool of every output of a reply by the use that it answers."""
    names = {use.id: use.name for use in uses if use.id is not None}
    return tuple(_named(output, names) for output in outputs)


def _named(output: ToolOutput, names: dict[str, str]) -> ToolOutput:
    if output.name is not None or output.id not in names:
        return output
    return replace(output, name=names[output.id])


def usage_of(reply: ModelReply) -> tuple[int, int]:
    """Return the counts of input and output tokens, zero where not told: clients want both."""
    return reply.usage.get("input_tokens", 0), reply.usage.get("output_tokens", 0)


def word(reply: ModelReply, known: frozenset[str], calls: str, stop: str) -> str:
    """Choose the format's word for why the model stopped; another format's word becomes the nearest there is."""
    if reply.finish in known:
        return str(reply.finish)
    return calls if any(not use.by_provider for use in reply.tool_uses) else stop


def joined(parts: Iterable[Any], between: str = "") -> str | None:
    """Join what is text among parts; None where nothing is."""
    return between.join(part for part in parts if isinstance(part, str)) or None
