"""Cleaning: an interaction without what must not be kept, and without what changes from day to day.

Bodies and URLs are redacted as the trace is, by the same session, so that one
secret has one placeholder in both files. Of headers only those stay that a
client needs to read the answer. Nothing here knows files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode, urlunsplit

from pytest_agentreplay.cassettes.interactions import HttpRequest, HttpResponse, Interaction
from pytest_agentreplay.cassettes.keys import safe_query
from pytest_agentreplay.jsonable import MISSING, Value
from pytest_agentreplay.redaction import Redaction
from pytest_agentreplay.wire import ModelReply, ToolUse, write_reply

_KEPT_OF_REQUEST: Final = frozenset({"content-type"})
_KEPT_OF_RESPONSE: Final = frozenset({"content-type", "location", "x-amzn-errortype", "mcp-session-id"})
_DATA: Final = "data:"


def provider_traffic(interactions: Sequence[Interaction]) -> list[Interaction]:
    """Keep what went to the hosts that a model was asked at: embeddings, files; and what tools' servers said."""
    hosts = {one.request.host for one in interactions if one.request.asked is not None}
    return [one for one in interactions if one.request.host in hosts or one.request.is_beside_calls]


def cleaned(interaction: Interaction, redaction: Redaction) -> Interaction:
    """Give an interaction as it may be kept."""
    request, response = interaction.request, interaction.response
    clean = HttpRequest(
        request.method, _url(request, redaction), _body(request, redaction), _kept(request, _KEPT_OF_REQUEST)
    )
    return Interaction(
        clean,
        HttpResponse(
            response.status,
            _answer(interaction, redaction),
            {name: values for name, values in response.headers.items() if name in _KEPT_OF_RESPONSE},
            response.reason,
        ),
    )


def _url(request: HttpRequest, redaction: Redaction) -> str:
    parts = request.parts
    query: dict[str, Any] = redaction.redact(dict(safe_query(request)))
    host = parts.hostname or ""
    place = f"[{host}]" if ":" in host else host
    if parts.port is not None:
        place += f":{parts.port}"
    return urlunsplit((parts.scheme, place, redaction.redact_text(parts.path), urlencode(query), ""))


def _kept(request: HttpRequest, names: frozenset[str]) -> dict[str, str]:
    return {name.lower(): str(value) for name, value in request.headers.items() if name.lower() in names}


def _body(request: HttpRequest, redaction: Redaction) -> bytes:
    value = request.value
    if isinstance(value, dict | list):
        return dumped(_redacted(value, redaction))
    if isinstance(value, str):
        return str(redaction.spread(redaction.redact_text(value))).encode()
    return value if isinstance(value, bytes) else b""


def _answer(interaction: Interaction, redaction: Redaction) -> bytes:
    """Redact an answer; a stream whose parts hide what the whole shows is written anew."""
    body = interaction.response.body
    asked = interaction.request.asked
    if asked is not None and asked.stream and interaction.response.status < 400:
        reply = interaction.reply()
        clean = clean_reply(reply, redaction)
        if clean != reply:
            return write_reply(asked, clean).body
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return body
    try:
        return dumped(_redacted(json.loads(text), redaction))
    except (ValueError, RecursionError):
        pass
    lines = (_line(line, redaction) for line in text.split("\n"))
    return "\n".join(lines).encode()


def _line(line: str, redaction: Redaction) -> str:
    """Redact a line of an answer that is no JSON: the data of a server-sent event, or text."""
    if line.startswith(_DATA):
        try:
            value = json.loads(line.removeprefix(_DATA))
        except (ValueError, RecursionError):
            return line if "[DONE]" in line else redaction.redact_text(line)
        clean = _redacted(value, redaction)
        return line if clean is value else f"{_DATA} {dumped(clean).decode()}"
    return redaction.redact_text(line)


def clean_reply(reply: ModelReply, redaction: Redaction) -> ModelReply:
    """Redact what a model said."""

    def clean(value: Value) -> Any:
        return value if value is None or value is MISSING else _redacted(value, redaction)

    def clean_use(use: ToolUse) -> ToolUse:
        return replace(use, args=clean(use.args), raw_args=clean(use.raw_args))

    return replace(
        reply,
        content=clean(reply.content),
        reasoning=clean(reply.reasoning),
        tool_uses=_each(clean_use, reply.tool_uses),
        tool_outputs=_each(lambda output: replace(output, content=clean(output.content)), reply.tool_outputs),
    )


def _each(change: Any, items: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(change(item) for item in items)


def _redacted(value: Value, redaction: Redaction) -> Value:
    return redaction.spread(redaction.redact(value))


def dumped(value: Value) -> bytes:
    """Write JSON as providers do, in one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
