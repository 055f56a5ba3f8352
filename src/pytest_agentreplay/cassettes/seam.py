"""The seam: where vcrpy stands between the HTTP libraries and the network.

vcrpy's stubs ask a cassette object what to do with each request. The one given
to them here keeps and matches nothing: it asks the traffic of the run in force,
and so costs the same for every request. Nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Final, Protocol

from pytest_agentreplay.cassettes.door import vcrpy
from pytest_agentreplay.cassettes.interactions import HttpRequest, HttpResponse, Interaction
from pytest_agentreplay.cassettes.threads import stubs_kept
from pytest_agentreplay.wire.bodies import unpacked

_ANSWER: Final = "_agent_replay_answer"


class Traffic(Protocol):
    """Who decides on requests."""

    def answer(self, request: HttpRequest) -> HttpResponse | None:
        """Answer a request, or let it through to the network: None. What it raises reaches the agent."""

    def observe(self, interaction: Interaction) -> None:
        """Take notice of a request that went to the network, and what came back."""


@contextmanager
def intercepted(traffic: Traffic) -> Iterator[bool]:
    """Lead the requests of every HTTP library through `traffic` while the code inside runs.

    Yields:
        whether it does; False under a cassette that the test itself has in force, which keeps precedence.
    """
    with ExitStack() as scope:
        free = not _has_cassette_in_force()
        if free:
            scope.enter_context(stubs_kept())
            for patcher in vcrpy("patch").CassettePatcherBuilder(_Asking(traffic)).build():
                scope.enter_context(patcher)
        yield free


def _has_cassette_in_force() -> bool:
    import http.client

    return getattr(http.client.HTTPConnection, "cassette", None) is not None


class _Asking:
    """What vcrpy's stubs take for a cassette."""

    _path = "AgentReplay"  # becomes part of the names of the classes that vcrpy makes
    custom_patches = ()
    skip_patchers = ()
    write_protected = False

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic

    def can_play_response_for(self, request: Any) -> bool:
        """Decide on a request, once, however often its stub asks."""
        if _ANSWER not in request.__dict__:
            request.__dict__[_ANSWER] = self._traffic.answer(_request_of(request))
        return request.__dict__[_ANSWER] is not None

    def play_response(self, request: Any) -> dict[str, Any]:
        """Give the decided answer, in a mapping of its own, since stubs change it."""
        self.can_play_response_for(request)
        answer: HttpResponse = request.__dict__[_ANSWER]
        return {
            "status": {"code": answer.status, "message": answer.reason},
            "headers": {name: list(values) for name, values in answer.headers.items()},
            "body": {"string": answer.body},
        }

    def append(self, request: Any, response: Mapping[str, Any]) -> None:
        """Take notice of an exchange that went to the network."""
        headers = {name.lower(): list(map(str, values)) for name, values in response["headers"].items()}
        body = unpacked(response["body"].get("string") or b"", headers)
        status = response["status"]
        answer = HttpResponse(status["code"], body, headers, status.get("message") or "")
        self._traffic.observe(Interaction(_request_of(request), answer))

    def filter_request(self, request: Any) -> Any:
        """Leave every request as it is."""
        return request

    def find_requests_with_most_matches(self, request: Any) -> list[Any]:
        """Know nothing alike; asked for where a recorded answer redirects."""
        return []


def _request_of(request: Any) -> HttpRequest:
    body = request.body_bytes
    if isinstance(body, str):
        body = body.encode()
    elif isinstance(body, bytearray | memoryview):
        body = bytes(body)
    return HttpRequest(request.method, request.uri, body if body is not None else b"", dict(request.headers))
