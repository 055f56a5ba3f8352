"""What runs side by side, so that the order of its calls is nobody's decision: a graph's tasks, a node's tools.

A step's tasks are known by the namespace that LangGraph gives to whatever they
do. Nothing here knows tools, or what becomes of a batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

_batches: dict[str, Hashable] = {}
_labels: dict[str, str] = {}
_together: ContextVar[Hashable | None] = ContextVar("agent_replay_langchain_together", default=None)


def begin_step(tasks: Mapping[str, str]) -> None:
    """Note the tasks of a step, the names of their nodes by their ids, in LangGraph's order."""
    if len(tasks) > 1:
        _batches.update(dict.fromkeys(tasks, object()))
    several = Counter(tasks.values())
    numbers: Counter[str] = Counter()
    for task, node in tasks.items():
        numbers[node] += 1
        _labels[task] = f"{node}[{numbers[node]}]" if several[node] > 1 else node


def add_to_step(task: str, starter: str) -> None:
    """Note a task that another one started: nobody says how many of them run before the first is waited for."""
    _batches[task] = ("started by", starter)


def end_step(tasks: Collection[str]) -> None:
    """Forget them."""
    for task in tasks:
        _batches.pop(task, None)
        _labels.pop(task, None)


def forget_steps() -> None:
    """Forget all tasks: those of graphs that failed in the midst of a step."""
    _batches.clear()
    _labels.clear()


def nodes_in(namespace: Collection[str]) -> list[str]:
    """Name the nodes that hold a subgraph, the outermost first, and by number where one ran several times at once."""
    parts = [part.partition(":") for part in namespace]
    return [_labels.get(task, node) for node, colon, task in parts if colon]


def batch_in(namespace: str) -> Hashable | None:
    """Find the batch of what is done in a checkpoint namespace; None for what is done alone."""
    batch = _together.get()
    if batch is not None:
        return batch
    tasks = (part.rpartition(":")[2] for part in namespace.split("|"))
    return next((_batches[task] for task in tasks if task in _batches), None)


@contextmanager
def together(batch: Hashable | None) -> Iterator[None]:
    """Let what the code inside does be of a batch, unless it is of one already."""
    outer = _together.get()
    token = _together.set(batch if outer is None else outer)
    try:
        yield
    finally:
        _together.reset(token)


def spread(many: Callable[..., bool]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make the wrapper of what runs several things at once, if `many` says so of its arguments."""

    def wrap(run: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(run)
        def running(*args: Any, **kwargs: Any) -> Any:
            with together(object() if many(*args) else None):
                return run(*args, **kwargs)

        return running

    return wrap


def aspread(many: Callable[..., bool]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make the wrapper of what does so and is awaited."""

    def wrap(run: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(run)
        async def running(*args: Any, **kwargs: Any) -> Any:
            with together(object() if many(*args) else None):
                return await run(*args, **kwargs)

        return running

    return wrap
