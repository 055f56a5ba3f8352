"""Actors: which sub-agent the running code belongs to, as traces name it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_acting: ContextVar[str | None] = ContextVar("agent_replay_actor", default=None)


def actor() -> str | None:
    """Name the sub-agent whose code runs; None for the agent itself."""
    return _acting.get()


@contextmanager
def acting(name: str | None) -> Iterator[None]:
    """Let the code inside be a sub-agent's, or the agent's own again for None."""
    token = _acting.set(name)
    try:
        yield
    finally:
        _acting.reset(token)
