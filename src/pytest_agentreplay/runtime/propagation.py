"""Propagation: a run's lineage handed on to the threads, pool jobs and tasks that it starts.

Replaces the places where the standard library starts work, each by one that
carries the mark of the starter; code that belongs to no run passes through
with one ContextVar read. Pool workers and other standing machinery carry
nothing themselves: their jobs do. Nothing here knows what a lineage is used for.
"""

from __future__ import annotations

import _thread
import functools
import threading
from asyncio import Task
from asyncio.base_events import BaseEventLoop
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.thread import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.pool import Pool
from typing import Any, Final

from pytest_agentreplay.errors import RunStopped
from pytest_agentreplay.runtime.carried import carry
from pytest_agentreplay.runtime.lineage import Mark, carrying, current_mark, mark_in, once_forgotten, thread_entry
from pytest_agentreplay.runtime.patching import Patches
from pytest_agentreplay.runtime.pools import (
    carry_initializer,
    carrying_apply,
    carrying_done_callback,
    carrying_generation,
    carrying_map,
    carrying_submit,
)

_MACHINERY: Final = frozenset(
    {
        "anyio._backends._asyncio",
        "concurrent.futures.process",
        "concurrent.futures.thread",
        "logging.handlers",
        "multiprocessing.pool",
        "multiprocessing.queues",
        "trio._core._thread_cache",
    }
)
"""Modules whose threads stand and wait for jobs: no work of whoever happened to start them."""

_lock: Final = threading.RLock()  # reentrant: a collected mark may settle in the middle of an install
_patches: Final = Patches()
_installs = 0


def install() -> None:
    """Hand lineages on from now on. Counted: each call needs its `uninstall`."""
    global _installs
    with _lock:
        _installs += 1
        if not _patches:
            _replace_all()


def uninstall() -> None:
    """Take back one `install`.

    After the last one every original is back as soon as nothing carries a lineage any more: what
    outlived its run could otherwise start work that escapes it.
    """
    global _installs
    with _lock:
        if not _installs:
            raise RuntimeError("uninstall without install")
        _installs -= 1
    once_forgotten(_settle)


def _settle() -> None:
    with _lock:
        if not _installs:
            _patches.undo()


def _replace_all() -> None:
    _patches.replace(threading.Thread, "start", _carrying_start)
    _patches.replace(_thread, "start_new_thread", _carrying_start_new_thread)
    _patches.replace(ThreadPoolExecutor, "submit", carrying_submit)
    _patches.replace(Future, "add_done_callback", carrying_done_callback)
    _patches.replace(Pool, "apply_async", carrying_apply)
    _patches.replace(Pool, "_map_async", carrying_map)
    _patches.replace(Pool, "_guarded_task_generation", carrying_generation)
    _patches.replace(BaseEventLoop, "create_task", _tracking_create_task)


# threads


def _carrying_start(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def start(self: threading.Thread) -> None:
        mark = current_mark()
        if mark is None or isinstance(vars(self).get("run"), _Body):
            return original(self)
        if getattr(thread_entry(self), "__module__", None) in _MACHINERY:
            carry_initializer(self, mark)
            return original(self)
        body = _Body(self, mark)
        try:
            return original(self)
        except BaseException:
            body.withdraw()
            raise

    return start


class _Body:
    """Stands in for a thread's `run` until the thread begins, so that subclasses and later looks see their own."""

    def __init__(self, thread: threading.Thread, mark: Mark) -> None:
        self.mark = mark
        self.thread = thread
        self.own = vars(thread).get("run")
        vars(thread)["run"] = self

    def withdraw(self) -> None:
        """Put back what the thread had."""
        attributes = vars(self.thread)
        if attributes.get("run") is self:
            del attributes["run"]
            if self.own is not None:
                attributes["run"] = self.own

    def __call__(self) -> None:
        self.withdraw()
        with carrying(self.mark):
            if isinstance(self.thread, threading.Timer) and type(self.thread).run is threading.Timer.run:
                self._run_timer(self.thread)
            else:
                with self.mark.lineage.working("thread", self.thread), suppress(RunStopped):  # its run is over
                    self.thread.run()

    def _run_timer(self, timer: threading.Timer) -> None:
        """Run a timer, whose work begins only when it fires."""
        function = timer.function
        carried = timer.function = carry(function, "thread", self.mark)
        try:
            with suppress(RunStopped):
                timer.run()
        finally:
            if timer.function is carried:
                timer.function = function


def _carrying_start_new_thread(original: Callable[..., int]) -> Callable[..., int]:
    def start_new_thread(function: Callable[..., Any], /, *rest: Any) -> int:
        mark = current_mark()
        return original(function if mark is None else carry(function, "thread", mark), *rest)

    return start_new_thread


# tasks


def _tracking_create_task(original: Callable[..., Task[Any]]) -> Callable[..., Task[Any]]:
    @functools.wraps(original)
    def create_task(self: BaseEventLoop, coro: Any, **options: Any) -> Task[Any]:
        mark = current_mark()
        if mark is None:
            return original(self, coro, **options)
        context = options.get("context")
        if context is None or mark_in(context) is not None:
            task = original(self, coro, **options)
        else:
            task = _create_lent(original, self, coro, options, mark)
        if not task.done():
            mark.lineage.track(task)
        return task

    return create_task


def _create_lent(
    original: Callable[..., Task[Any]], loop: BaseEventLoop, coro: Any, options: dict[str, Any], mark: Mark
) -> Task[Any]:
    """Create a task in a context made before the run, as a Runner's is; the mark is lent to it until the task ends."""
    lent = carrying(mark)
    lending = loop.call_soon(lent.__enter__, context=options["context"])  # before the task's own first step
    try:
        task = original(loop, coro, **options)
    except BaseException:
        lending.cancel()
        raise
    task.add_done_callback(lambda _: lent.__exit__(None, None, None), context=options["context"])
    return task
