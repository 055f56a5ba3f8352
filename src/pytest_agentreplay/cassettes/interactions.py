"""One exchange over HTTP, as a cassette holds it.

A request's body is read once, as JSON where it is that, and so is what it asks
of a model. Nothing here knows files, matching or vcrpy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

from pytest_agentreplay.jsonable import Value
from pytest_agentreplay.wire import ModelReply, ModelRequest, WireError, read_reply, read_request

_MAY_TRY_AGAIN: Final = frozenset({408, 409, 429})
ASIDE: Final = "aside"
"""The scheme of what an adapter noted that went over no HTTP, such as the pipe to a server of its own."""
_AT_ONCE: Final = {"retry-after-ms": ["1"]}


class HttpRequest:
    """What was sent.

    Args:
        method: in any case.
        url: whole.
        body: bytes, or a value where it is parsed already.
        headers: by name, in any case.
    """

    def __init__(
        self, method: str, url: str, body: bytes | Value = b"", headers: Mapping[str, Any] | None = None
    ) -> None:
        self.method = method.upper()
        self.url = url
        self.body = body
        self.headers = dict(headers or {})

    @cached_property
    def parts(self) -> SplitResult:
        """The URL, taken apart; one that can't be is empty."""
        try:
            return urlsplit(self.url)
        except ValueError:
            return SplitResult("", "", "", "", "")

    @property
    def host(self) -> str:
        """The host without its port, which changes where gateways and imitations listen anywhere."""
        return (self.parts.hostname or "").lower()

    @cached_property
    def is_beside_calls(self) -> bool:
        """Whether it asks a server of tools something other than a call, over HTTP or as an adapter noted it."""
        asked = self.value
        is_rpc = isinstance(asked, dict) and asked.get("jsonrpc") == "2.0" and asked.get("method") != "tools/call"
        return is_rpc or self.parts.scheme == ASIDE

    @property
    def path(self) -> str:
        """The path, percent-decoded."""
        return unquote(self.parts.path) or "/"

    @property
    def target(self) -> str:
        """Where it goes, for comparing and for showing: ``POST api.openai.com/v1/responses``."""
        return f"{self.method} {self.host}{self.path}"

    @cached_property
    def value(self) -> Value:
        """The body: parsed where it is JSON, else a text, else bytes; None for none."""
        if not isinstance(self.body, bytes):
            return self.body if isinstance(self.body, dict | list | str) else None  # a form, a stream
        if not self.body:
            return None
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return _text_or_bytes(self.body)

    @cached_property
    def asked(self) -> ModelRequest | None:
        """What it asks of a model; None for a request of another kind."""
        try:
            return read_request(self.method, self.url, self.headers, self.value)
        except WireError:
            return None


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What came back.

    Attributes:
        headers: values by name, in lower case.
        body: unpacked.
    """

    status: int
    body: bytes
    headers: dict[str, list[str]] = field(default_factory=dict)
    reason: str = ""

    def as_played(self) -> HttpResponse:
        """Give it as an agent gets it again: a client that tries again after it need not wait."""
        if self.status < 500 and self.status not in _MAY_TRY_AGAIN:
            return self
        return HttpResponse(self.status, self.body, {**self.headers, **_AT_ONCE}, self.reason)


@dataclass(frozen=True, slots=True)
class Interaction:
    """A request and its response."""

    request: HttpRequest
    response: HttpResponse

    def reply(self) -> ModelReply:
        """What the model answered, as far as it can be read.

        Raises:
            ValueError: when the request asks nothing of a model.
        """
        asked = self.request.asked
        if asked is None:
            raise ValueError(f"{self.request.target} asks nothing of a model")
        try:
            return read_reply(asked.dialect, self.response.status, self.response.headers, self.response.body)
        except WireError as error:
            return ModelReply(error=str(error))


def _text_or_bytes(body: bytes) -> str | bytes:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body
