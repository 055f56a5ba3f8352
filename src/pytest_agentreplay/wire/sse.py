"""Server-sent events, as the HTML standard has them (section 9.2).

Nothing here knows what the events mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pytest_agentreplay.jsonable import Value
from pytest_agentreplay.wire.fields import dumps

CONTENT_TYPE: Final = "text/event-stream"
DONE: Final = "[DONE]"
_LINE_END: Final = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes:
        type: as the ``event`` field names it; empty where there is none.
    """

    data: str
    type: str = ""


def looks_like_events(body: bytes) -> bool:
    """Tell whether a body starts as a stream of events does."""
    return body.lstrip(b"\xef\xbb\xbf\r\n").startswith((b"data:", b"event:", b"id:", b"retry:", b":"))


def parse_events(body: bytes) -> list[Event]:
    """Parse a stream; one that is cut off gives what was complete, and its last data as far as it came."""
    lines = _LINE_END.split(body.decode("utf-8", "replace").removeprefix("\ufeff"))
    events: list[Event] = []
    data: list[str] = []
    kind = ""
    for line in (*lines, ""):
        if not line:
            if data:
                events.append(Event("\n".join(data), kind))
            data, kind = [], ""
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            data.append(value)
        elif name == "event":
            kind = value
    return events


def unfinished(body: bytes) -> bytes:
    """Take the mark off a written stream that says that no more will come."""
    return body.removesuffix(f"data: {DONE}\n\n".encode())


def render_events(events: Iterable[tuple[str, Value]], *, end: str | None = None) -> bytes:
    """Write events of a type (or of none) and a JSON value each; `end` is data that closes the stream as it is."""
    parts = [
        f"event: {kind}\ndata: {dumps(value)}\n\n" if kind else f"data: {dumps(value)}\n\n" for kind, value in events
    ]
    if end is not None:
        parts.append(f"data: {end}\n\n")
    return "".join(parts).encode()
