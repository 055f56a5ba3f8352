"""The boundary: the one path that every tool call takes.

Admit the call, get its outcome (recorded, stubbed, or the real tool's), note
it, hand it to the agent. The four entry points differ only in how Python calls
them. The decisions are the session's, made at once and in memory; only a real
tool is ever waited for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from pytest_agentreplay.errors import RunStopped, UnrecordedCallError
from pytest_agentreplay.jsonable import Missing, Value
from pytest_agentreplay.runtime import lineage
from pytest_agentreplay.runtime.observed_calls import ObservedCall
from pytest_agentreplay.tools.gate import Asides
from pytest_agentreplay.tools.spec import ToolSpec


@dataclass(slots=True)
class Returns:
    """The agent gets a value, after letting others run `turns` times (async only)."""

    value: Any
    turns: int = 0


@dataclass(slots=True)
class Raises:
    """The agent gets an exception."""

    error: BaseException


@dataclass(slots=True)
class Runs:
    """The real tool runs, and what it does is noted on the call."""

    call: ObservedCall


class Decides(Protocol):
    """The session, as the boundary needs it."""

    def admit(self, spec: ToolSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Returns | Raises | Runs:
        """Decide what a call gets."""

    def admit_nested(self, spec: ToolSpec) -> None:
        """Refuse a call that a real tool makes, if it may not run."""

    def note_result(self, call: ObservedCall, result: Any) -> None:
        """Note what a real tool returned."""

    def note_error(self, call: ObservedCall, error: BaseException) -> None:
        """Note what a real tool raised."""

    def running(self, call: ObservedCall) -> AbstractContextManager[None]:
        """Mark the time that a real tool runs: what it does is no escape, and no call of the agent."""

    def note_checkpoint(self, state: Value | Missing, at: str | None, context: dict[str, Any]) -> None:
        """Note a checkpoint."""


class Boundary:
    """The gate that a session puts in force.

    Args:
        session: decides.
        asides: keeps what adapters note beside calls; None where a replay has nothing of it.
    """

    asks_bound_guards = True  # through its session, so no guard's gate goes over it
    in_test = True

    def __init__(self, session: Decides, asides: Asides | None = None) -> None:
        self._session = session
        self.asides = asides

    def call(self, spec: ToolSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Answer a call of a plain function."""
        __tracebackhide__ = True
        if self._is_nested(spec):
            return spec.body(*args, **kwargs)
        outcome = self._session.admit(spec, args, kwargs)
        if isinstance(outcome, Runs):
            return self._run(outcome.call, lambda: spec.body(*args, **kwargs))
        return _deliver(outcome)

    async def acall(self, spec: ToolSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Answer a call of a coroutine function."""
        __tracebackhide__ = True
        if self._is_nested(spec):
            return await spec.body(*args, **kwargs)
        outcome = self._session.admit(spec, args, kwargs)
        if isinstance(outcome, Runs):
            return await self._arun(outcome.call, lambda: spec.body(*args, **kwargs))
        if isinstance(outcome, Returns) and outcome.turns:
            await _let_others_run(outcome.turns)
        return _deliver(outcome)

    def generate(self, spec: ToolSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Generator[Any, Any, Any]:
        """Answer a call of a generator function, once its first item is asked for."""
        __tracebackhide__ = True
        if self._is_nested(spec):
            return (yield from spec.body(*args, **kwargs))
        outcome = self._session.admit(spec, args, kwargs)
        if not isinstance(outcome, Runs):
            yield from _deliver(outcome)
            return
        yielded: list[Any] = []
        source = spec.body(*args, **kwargs)
        try:
            while True:
                with self._session.running(outcome.call):
                    item = next(source, _END)
                if item is _END:
                    break
                yielded.append(item)
                yield item
        except GeneratorExit:
            self._session.note_result(outcome.call, yielded)
            raise
        except BaseException as error:
            self._session.note_error(outcome.call, error)
            raise
        self._session.note_result(outcome.call, yielded)

    async def agenerate(self, spec: ToolSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> AsyncIterator[Any]:
        """Answer a call of an async generator function, once its first item is asked for."""
        __tracebackhide__ = True
        if self._is_nested(spec):
            async for item in spec.body(*args, **kwargs):
                yield item
            return
        outcome = self._session.admit(spec, args, kwargs)
        if not isinstance(outcome, Runs):
            for item in _deliver(outcome):
                yield item
            return
        yielded: list[Any] = []
        source = spec.body(*args, **kwargs)
        try:
            while True:
                with self._session.running(outcome.call):
                    item = await anext(source, _END)
                if item is _END:
                    break
                yielded.append(item)
                yield item
        except GeneratorExit:
            self._session.note_result(outcome.call, yielded)
            raise
        except BaseException as error:
            self._session.note_error(outcome.call, error)
            raise
        self._session.note_result(outcome.call, yielded)

    def checkpoint(self, state: Value | Missing, at: str | None, context: dict[str, Any]) -> None:
        """Note a checkpoint of the agent; one inside a real tool is not the agent's."""
        if not lineage.is_outside() and not _is_survivor():
            self._session.note_checkpoint(state, at, context)

    def _is_nested(self, spec: ToolSpec) -> bool:
        """Tell whether a real tool makes the call: the outermost boundary wins."""
        _refuse_survivor(spec)
        if not lineage.is_outside():
            return False
        self._session.admit_nested(spec)
        return True

    def _run(self, call: ObservedCall, body: Callable[[], Any]) -> Any:
        __tracebackhide__ = True
        try:
            with self._session.running(call):
                result = body()
        except BaseException as error:
            self._session.note_error(call, error)
            raise
        self._session.note_result(call, result)
        return result

    async def _arun(self, call: ObservedCall, body: Callable[[], Awaitable[Any]]) -> Any:
        __tracebackhide__ = True
        try:
            with self._session.running(call):
                result = await body()
        except BaseException as error:
            self._session.note_error(call, error)
            raise
        self._session.note_result(call, result)
        return result


class Quarantine:
    """The gate after a run: what belongs to a run that is over is withheld, all else passes.

    Args:
        may_run: tells of a tool whether calls of it pass that belong to no run; None for all.
    """

    in_test = True

    def __init__(self, may_run: Callable[[ToolSpec], bool] | None = None) -> None:
        self._may_run = may_run

    def call(self, spec: ToolSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a plain function."""
        self._withhold(spec)
        return spec.body(*args, **kwargs)

    async def acall(self, spec: ToolSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a coroutine function."""
        self._withhold(spec)
        return await spec.body(*args, **kwargs)

    def generate(self, spec: ToolSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[Any]:
        """Call a generator function."""
        self._withhold(spec)
        stream: Iterator[Any] = spec.body(*args, **kwargs)
        return stream

    def agenerate(self, spec: ToolSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> AsyncIterator[Any]:
        """Call an async generator function."""
        self._withhold(spec)
        stream: AsyncIterator[Any] = spec.body(*args, **kwargs)
        return stream

    def checkpoint(self, state: Value | Missing, at: str | None, context: dict[str, Any]) -> None:
        """Take no notice: there is no run."""

    def _withhold(self, spec: ToolSpec) -> None:
        _refuse_survivor(spec)
        if self._may_run is not None and not self._may_run(spec):
            raise UnrecordedCallError(
                f"{spec.name} is a write and was called outside the replayed run",
                next="call it inside the run; a test that uses agent_replay writes nothing without --agent-record",
            )


def _is_survivor() -> bool:
    """Tell whether the running code belongs to a run that is over."""
    run = lineage.current()
    return run is not None and run.closed


def _refuse_survivor(spec: ToolSpec) -> None:
    run = lineage.current()
    if run is not None and run.closed:
        if run.on_withheld is not None:
            run.on_withheld(spec.name)
        raise RunStopped(f"{spec.name} was withheld: the run that started this work is over")


_END = object()


def _deliver(outcome: Returns | Raises) -> Any:
    __tracebackhide__ = True
    if isinstance(outcome, Raises):
        raise outcome.error
    return outcome.value


class _Turn:
    def __await__(self) -> Generator[None]:
        yield


async def _let_others_run(turns: int) -> None:
    """Give way to the event loop, so that a parallel group comes back in the recorded order."""
    from asyncio import get_running_loop

    try:
        get_running_loop()
    except RuntimeError:
        return  # another event loop than asyncio's, which a bare yield would break
    for _ in range(turns):
        await _Turn()


__all__ = ["Boundary", "Decides", "Quarantine", "Raises", "Returns", "Runs"]
