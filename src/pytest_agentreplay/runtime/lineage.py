"""Lineage: which run started this thread, pool job or task, and what of it is still at work.

A ContextVar holds a mark that names the run; `propagation` hands it on to what
a run starts, and tells the run when that work begins and ends. Nothing here
knows what a run is for, or what happens to work that outlives it.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
import weakref
from asyncio import AbstractEventLoop, Task
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final, Literal, TypeAlias

from pytest_agentreplay.runtime.places import name_work

Kind: TypeAlias = Literal["thread", "pool job", "task"]

_SLICE: Final = 0.01
"""Seconds between two looks at the work in flight."""


@dataclass(frozen=True, slots=True)
class Work:
    """Something that a run began and that is not done.

    Attributes:
        kind: what it is.
        name: readable, with the place of its code: ``thread 'worker-3' running shop.sync:push (shop/sync.py:41)``.
        age: seconds since it began.
    """

    kind: Kind
    name: str
    age: float


class Mark:
    """What the ContextVar holds: a run, and whether this code works on the run's behalf.

    `aside` is the mark of the same run's boundary and real tool bodies, whose
    reach for the world is no escape; it is inherited like any other mark.
    """

    __slots__ = ("__weakref__", "aside", "lineage")

    def __init__(self, lineage: Lineage, aside: Mark | None) -> None:
        self.lineage = lineage
        self.aside = aside

    @property
    def is_aside(self) -> bool:
        """Whether this is the mark of the boundary or of a real tool body."""
        return self.aside is None


@dataclass(frozen=True, slots=True)
class _Begun:
    kind: Kind
    subject: Any
    since: float


class Lineage:
    """One run, as what it starts remembers it.

    Attributes:
        closed: whether the run has ended; what still carries this lineage outlived it.
        pid: the process that the run belongs to.
        on_withheld: told of every tool that was called on the run's behalf after its end.
    """

    def __init__(self) -> None:
        self.closed = False
        self.pid = os.getpid()
        self.on_withheld: Callable[[str], None] | None = None
        self._begun: dict[int, _Begun] = {}
        self._tasks: dict[weakref.ref[Task[Any]], float] = {}
        self._queued: weakref.WeakSet[Any] = weakref.WeakSet()
        self._keys = itertools.count()

    def close(self) -> None:
        """End the run: whatever carries the lineage from now on outlived it."""
        self.closed = True

    @contextmanager
    def entered(self) -> Iterator[Lineage]:
        """Make the code inside, and all that it starts, this run's."""
        with carrying(_new_mark(self)):
            yield self

    @contextmanager
    def working(self, kind: Kind, subject: Any) -> Iterator[None]:
        """Count the code inside as work in flight; `subject` is held only as long."""
        key = next(self._keys)
        self._begun[key] = _Begun(kind, subject, monotonic())
        try:
            yield
        finally:
            del self._begun[key]

    def queue(self, job: Any) -> None:
        """Expect a job to begin soon, for as long as somebody holds it: an idle worker takes a moment."""
        self._queued.add(job)

    def take_up(self, job: Any) -> None:
        """Note that a job began."""
        self._queued.discard(job)

    def track(self, task: Task[Any]) -> None:
        """Count a task until it is done, without keeping it alive."""
        tasks = self._tasks
        tasks.setdefault(weakref.ref(task, lambda ref: tasks.pop(ref, None)), monotonic())

    def in_flight(self) -> list[Work]:
        """List what has begun and is not done, the oldest first; the current task is not in it."""
        now = monotonic()
        works = [Work(b.kind, _name(b), now - b.since) for b in list(self._begun.values())]
        works += [Work("task", _name_task(task), now - since) for task, since in self._live_tasks()]
        return sorted(works, key=lambda work: -work.age)

    def wait_idle(self, timeout: float) -> list[Work]:
        """Block until nothing that can end is in flight, at most `timeout` seconds, and list what is left.

        A queued job is awaited, and is not in the list before it begins.
        Tasks of a loop that is not running in another thread can't go on meanwhile: they are listed, not awaited.
        """
        pause = threading.Event()  # not time.sleep or a clock, which tests freeze and replace
        for _ in range(round(timeout / _SLICE)):
            if (
                not self._begun
                and not self._queued
                and not any(_runs_elsewhere(task.get_loop()) for task, _ in self._live_tasks())
            ):
                break
            pause.wait(_SLICE)
        return self.in_flight()

    async def wait_idle_async(self, timeout: float) -> list[Work]:
        """Like `wait_idle`, inside a running loop, whose tasks go on meanwhile; the current task is not awaited."""
        loop = asyncio.get_running_loop()
        for _ in range(round(timeout / _SLICE)):
            if not self._begun and not self._queued and not self._live_tasks():
                break
            pause: asyncio.Future[None] = loop.create_future()  # not asyncio.sleep, which tests replace
            loop.call_later(_SLICE, _wake, pause)
            await pause
        return self.in_flight()

    def _live_tasks(self) -> list[tuple[Task[Any], float]]:
        current = asyncio.current_task() if _running_loop() else None
        pairs = [(ref(), since) for ref, since in list(self._tasks.items())]
        return [
            (task, since)
            for task, since in pairs
            if task is not None and task is not current and not task.done() and not task.get_loop().is_closed()
        ]


_mark: Final[ContextVar[Mark | None]] = ContextVar("pytest_agentreplay_lineage", default=None)
_alive: Final[set[weakref.ref[Mark]]] = set()
_once_forgotten: Final[set[Callable[[], None]]] = set()

current_mark: Final = _mark.get
"""The mark of the running code, or None."""


def current() -> Lineage | None:
    """Tell which run the running code belongs to."""
    mark = _mark.get()
    return None if mark is None else mark.lineage


def mark_in(context: Context) -> Mark | None:
    """Read the mark that another context holds."""
    return context.get(_mark)


@contextmanager
def carrying(mark: Mark | None) -> Iterator[None]:
    """Put a mark in force for the code inside."""
    previous = _mark.get()
    _mark.set(mark)
    try:
        yield
    finally:
        _mark.set(previous)  # not by token: an async fixture may leave in another context than it entered


@contextmanager
def outside() -> Iterator[None]:
    """Mark the code inside as the boundary or a real tool's body: it may reach for the world.

    What it starts inherits the mark. Around a generator's body, enter it for each step and not across a yield.
    """
    mark = _mark.get()
    if mark is None or mark.is_aside:
        yield
        return
    _mark.set(mark.aside)
    try:
        yield
    finally:
        _mark.set(mark)


def is_outside() -> bool:
    """Tell whether the running code is a real tool's body, or what one started."""
    mark = _mark.get()
    return mark is not None and mark.is_aside


def once_forgotten(callback: Callable[[], None]) -> None:
    """Call `callback` when no context, thread or job holds the mark of any run: at once, or when the last one goes."""
    if _alive:
        _once_forgotten.add(callback)
    else:
        callback()


def is_forked_child(lineage: Lineage) -> bool:
    """Tell whether this process is a fork of the one that the run belongs to."""
    return os.getpid() != lineage.pid


def _new_mark(lineage: Lineage) -> Mark:
    aside = Mark(lineage, None)
    _alive.add(weakref.ref(aside, _forget))  # every other mark of the run holds this one
    return Mark(lineage, aside)


def _forget(ref: weakref.ref[Mark]) -> None:
    _alive.discard(ref)
    if not _alive:
        callbacks = _once_forgotten.copy()
        _once_forgotten.difference_update(callbacks)
        for callback in callbacks:
            callback()


def _running_loop() -> AbstractEventLoop | None:
    return asyncio._get_running_loop()


def _runs_elsewhere(loop: AbstractEventLoop) -> bool:
    return loop.is_running() and loop is not _running_loop()


def _wake(pause: asyncio.Future[None]) -> None:
    if not pause.done():
        pause.set_result(None)


def _name(begun: _Begun) -> str:
    subject = begun.subject
    if not isinstance(subject, threading.Thread):
        return f"{begun.kind} running {name_work(subject)}"
    return f"thread {subject.name!r} running {name_work(thread_entry(subject))}"


def _name_task(task: Task[Any]) -> str:
    return f"task {task.get_name()!r} running {name_work(task.get_coro())}"


def thread_entry(thread: threading.Thread) -> Callable[..., Any]:
    """Name the code that a thread runs: its target, or its class's `run`."""
    target: Callable[..., Any] | None = getattr(thread, "_target", None)
    return type(thread).run if target is None else target
