"""Jobs of thread pools: carried from who submits them to the worker that runs them.

Covers concurrent.futures and multiprocessing's ThreadPool, with callbacks and
initializers, also for pools that were warmed up before the run. A queued job
counts once it runs. Each function here makes the replacement of one method.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures.thread import ThreadPoolExecutor
from multiprocessing.pool import Pool, ThreadPool
from typing import Any, Final

from pytest_agentreplay.runtime.carried import carry, carry_job
from pytest_agentreplay.runtime.lineage import Mark, carrying, current_mark

_INITIALIZER: Final = 2
"""Where the arguments of a pool worker, concurrent.futures' and multiprocessing's alike, hold its initializer."""


def carrying_submit(original: Callable[..., Any]) -> Callable[..., Any]:
    """Make `ThreadPoolExecutor.submit`."""

    @functools.wraps(original)
    def submit(self: ThreadPoolExecutor, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        mark = current_mark()
        return original(self, fn if mark is None else carry_job(fn, mark), *args, **kwargs)

    return submit


def carrying_done_callback(original: Callable[..., None]) -> Callable[..., None]:
    """Make `Future.add_done_callback`: callbacks run in the worker, after the job."""

    @functools.wraps(original)
    def add_done_callback(self: Future[Any], fn: Callable[..., Any]) -> None:
        mark = current_mark()
        return original(self, fn if mark is None else carry(fn, "pool job", mark))

    return add_done_callback


def carrying_apply(original: Callable[..., Any]) -> Callable[..., Any]:
    """Make `Pool.apply_async`; callbacks run in a thread of the pool."""

    @functools.wraps(original)
    def apply_async(
        self: Pool,
        func: Any,
        args: Any = (),
        kwds: Any = {},  # noqa: B006 - the signature of the original
        callback: Any = None,
        error_callback: Any = None,
    ) -> Any:
        mark = current_mark()
        if mark is not None:
            callback, error_callback = (carry(each, "pool job", mark) for each in (callback, error_callback))
            func = carry_job(func, mark) if isinstance(self, ThreadPool) else func
        return original(self, func, args, kwds, callback, error_callback)

    return apply_async


def carrying_map(original: Callable[..., Any]) -> Callable[..., Any]:
    """Make `Pool._map_async`, which carries the callbacks; the jobs go through the generation."""

    @functools.wraps(original)
    def _map_async(
        self: Pool,
        func: Any,
        iterable: Any,
        mapper: Any,
        chunksize: Any = None,
        callback: Any = None,
        error_callback: Any = None,
    ) -> Any:
        mark = current_mark()
        if mark is not None:
            callback, error_callback = (carry(each, "pool job", mark) for each in (callback, error_callback))
        return original(self, func, iterable, mapper, chunksize, callback, error_callback)

    return _map_async


def carrying_generation(original: Callable[..., Any]) -> Callable[..., Any]:
    """Make `Pool._guarded_task_generation`, which every kind of map calls in the submitting thread."""

    @functools.wraps(original)
    def _guarded_task_generation(self: Pool, result_job: Any, func: Any, iterable: Any) -> Any:
        mark = current_mark()
        if mark is not None:
            func, iterable = _carry_job(self, func, mark), _carried_items(iterable, mark)
        return original(self, result_job, func, iterable)

    return _guarded_task_generation


def _carry_job(pool: Pool, function: Any, mark: Mark) -> Any:
    """Carry a job of a thread pool; a job for another process can't carry anything."""
    return carry(function, "pool job", mark) if isinstance(pool, ThreadPool) else function


def _carried_items(iterable: Iterable[Any], mark: Mark) -> Iterator[Any]:
    """Iterate as the run, since a pool draws its items in a thread of its own."""
    end = object()
    with carrying(mark):
        items = iter(iterable)
    while (item := _draw(items, end, mark)) is not end:
        yield item


def _draw(items: Iterator[Any], end: object, mark: Mark) -> Any:
    with carrying(mark), mark.lineage.working("pool job", items):
        return next(items, end)


def carry_initializer(worker: threading.Thread, mark: Mark) -> None:
    """Carry the initializer of a pool worker, which is the run's work although the worker is not."""
    args: tuple[Any, ...] = getattr(worker, "_args", ())
    if len(args) > _INITIALIZER:
        initializer = carry(args[_INITIALIZER], "pool job", mark)
        vars(worker)["_args"] = (*args[:_INITIALIZER], initializer, *args[_INITIALIZER + 1 :])
