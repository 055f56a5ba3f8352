"""Batches: which calls a framework makes side by side, whether or not they overlap in time.

A framework that runs the calls of one turn in a pool of threads may finish one
before the next begins. Nothing here knows a framework.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_batch: ContextVar[Hashable | None] = ContextVar("agent_replay_batch", default=None)


def batch() -> Hashable | None:
    """Give the batch that the running code is of; None for code that runs alone."""
    return _batch.get()


@contextmanager
def of_batch(one: Hashable | None) -> Iterator[None]:
    """Let what the code inside calls be of a batch, unless it is of one already."""
    outer = _batch.get()
    token = _batch.set(one if outer is None else outer)
    try:
        yield
    finally:
        _batch.reset(token)
