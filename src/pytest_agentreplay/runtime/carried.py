"""Callables that carry a run's mark to wherever they are called.

Nothing here knows who hands them out.
"""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing.pool import mapstar, starmapstar  # type: ignore[attr-defined]
from typing import Any

from pytest_agentreplay.runtime.lineage import Kind, Mark, carrying


class Carried:
    """A callable that runs, wherever it is called, as work of the run that handed it out."""

    __slots__ = ("__weakref__", "function", "kind", "mark")

    def __init__(self, function: Callable[..., Any], kind: Kind, mark: Mark) -> None:
        self.function = function
        self.kind = kind
        self.mark = mark

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the function, counted as work in flight while it runs."""
        is_batch = self.function is mapstar or self.function is starmapstar
        with carrying(self.mark), self.mark.lineage.working(self.kind, args[0][0] if is_batch else self.function):
            self.mark.lineage.take_up(self)
            return self.function(*args, **kwargs)


def carry(function: Any, kind: Kind, mark: Mark) -> Any:
    """Make a callable carry a mark; what already does, or can't be called, is returned as it is."""
    if isinstance(function, Carried) or not callable(function):
        return function
    return Carried(function, kind, mark)


def carry_job(function: Any, mark: Mark) -> Any:
    """Make a pool's job carry a mark; the run waits a while for it to begin."""
    carried = carry(function, "pool job", mark)
    if isinstance(carried, Carried):
        mark.lineage.queue(carried)
    return carried
