"""What a dialect is: which requests are its own, and how its bodies are read and written.

A dialect's file gives these functions; the registry chooses among them. Nothing
here knows a provider.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from pytest_agentreplay.wire.bodies import Headers
from pytest_agentreplay.wire.model import ModelReply, ModelRequest, WireResponse
from pytest_agentreplay.wire.sse import Event


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes.

    Attributes:
        path: percent-decoded, without a slash at its end.
    """

    path: str
    query: dict[str, list[str]]

    @classmethod
    def of(cls, url: str) -> Target:
        """Take a URL apart; one that is no URL has an empty path."""
        try:
            parts = urlsplit(url)
        except ValueError:
            parts = SplitResult("", "", "", "", "")
        return cls(unquote(parts.path).rstrip("/"), parse_qs(parts.query))


@dataclass(frozen=True, slots=True)
class Dialect:
    """One wire format.

    Attributes:
        claims: whether a request's target and body are of this format.
        read_request: the request of a target and a parsed body; None where it is of another format after all.
        read_document: the reply in a parsed JSON body.
        read_events: the reply in a stream of server-sent events.
        write_error: the body of an error, of its status, kind and message.
        read_frames: the reply in Amazon's event stream, for formats that come so.
    """

    name: str
    claims: Callable[[Target, Headers], bool]
    read_request: Callable[[Target, dict[str, Any]], ModelRequest | None]
    read_document: Callable[[Any], ModelReply]
    read_events: Callable[[list[Event]], ModelReply]
    write_reply: Callable[[ModelRequest, ModelReply], WireResponse]
    write_error: Callable[[int, str | None, str], Any]
    read_frames: Callable[[bytes], ModelReply] | None = None
