"""Running an agent against a golden trace: the session in force around it, and its end.

Independent of pytest: the plugin gives the settings and decides what a failure
does to a test. One run is active at a time in a process.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache
from typing import Any

from pytest_agentreplay.api.model_traffic import ModelTraffic
from pytest_agentreplay.errors import (
    AgentReplayError,
    RunStopped,
    SettingsError,
)
from pytest_agentreplay.jsonable import MISSING, snapshot
from pytest_agentreplay.runtime import propagation
from pytest_agentreplay.runtime.boundary import Boundary, Quarantine
from pytest_agentreplay.runtime.children import run_marker
from pytest_agentreplay.runtime.failure import failure_of
from pytest_agentreplay.runtime.lineage import Lineage, Work
from pytest_agentreplay.runtime.run import Run
from pytest_agentreplay.runtime.sealing import Escape, Seal, sealed
from pytest_agentreplay.runtime.session import Session
from pytest_agentreplay.tools import gate
from pytest_agentreplay.tools.children import ChildGate
from pytest_agentreplay.tools.effects import EffectResolver
from pytest_agentreplay.trace import Expect

SURVIVOR_PATIENCE = 1.0
"""Seconds that unfinished work has after the run's end (contract, section 4)."""

_one_at_a_time = threading.Lock()


class SurvivorError(AgentReplayError):
    """Work that the run started was not done one second after its end."""


class ActiveRun:
    """One run, from the moment its session is in force until it is judged.

    Args:
        session: admits the calls.
        expect: what the run is judged by; the golden trace's own where None.
        check: whether expectations are judged at the end; what went wrong at the boundary always is.
        seal: what the run may reach around its tools; None for recordings, which aren't sealed.
        traffic: what stands between the run and its model; None for nothing.
    """

    def __init__(
        self,
        session: Session,
        *,
        expect: Expect | None,
        check: bool,
        seal: Seal | None,
        traffic: ModelTraffic | None = None,
    ) -> None:
        self.session = session
        self.run = Run(session)
        self.traffic = traffic
        self._expect = expect
        self._check = check
        self._seal = seal
        self._lineage = Lineage()
        self._scope = ExitStack()
        self._left_to_loop = False
        self._is_on = False
        self._withheld: list[Exception] = []
        self._lineage.on_withheld = self._note_withheld

    def begin(self) -> Run:
        """Put the session in force.

        Raises:
            SettingsError: when another run is active in this process.
        """
        if not _one_at_a_time.acquire(blocking=False):
            raise SettingsError(
                "another replay is still running in this process",
                next="let the first agent_replay end before the next begins",
            )
        with ExitStack() as scope:
            scope.callback(_one_at_a_time.release)
            _withhold_in_forks()
            propagation.install()
            scope.callback(propagation.uninstall)
            scope.enter_context(run_marker())
            scope.callback(gate.set_active, gate.active or Quarantine())
            gate.set_active(Boundary(self.session, self.traffic))
            scope.enter_context(self._lineage.entered())
            permit: Callable[[str], None] | None = None
            if self._seal is not None:
                permit = scope.enter_context(sealed(self._lineage, replace(self._seal, report=self._note_escape)))
            if self.traffic is not None:
                scope.enter_context(self.traffic.in_force(self._lineage, permit))
            if self.session.options.frozen is not None:
                scope.enter_context(self.session.options.frozen.in_force())
            self._scope = scope.pop_all()
        self._is_on = True
        return self.run

    def end(self) -> None:
        """Wait for unfinished work, then let nothing of this run through any more.

        Tasks of a running event loop can't go on while this waits; `late_survivors` looks at them again.
        """
        survivors = self._lineage.wait_idle(SURVIVOR_PATIENCE)
        left = [work for work in survivors if work.kind == "task" and _has_running_loop()]
        self._left_to_loop = bool(left)
        self._close([work for work in survivors if work not in left])

    async def aend(self) -> None:
        """Do what `end` does, inside a running event loop."""
        self._close(await self._lineage.wait_idle_async(SURVIVOR_PATIENCE))

    def late_survivors(self) -> Exception | None:
        """Tell of what the run left at work and `end` could not see: tasks of a loop, calls withheld since."""
        late = self._lineage.in_flight() if self._left_to_loop else []
        if late:
            return _survivor_error(late[0])
        return self._withheld[0] if self._withheld else None

    def left_open(self) -> Exception | None:
        """End a run that was begun and never left, now that its test is over; tells of it."""
        if not self._is_on:
            return None
        self._close([])
        return SettingsError(
            "a replay was begun and never left, so nothing was checked",
            next="write `with agent_replay(...) as run:` in the test itself, and let the block end",
        )

    def _close(self, survivors: list[Work]) -> None:
        self._is_on = False
        self.session.end()
        self._lineage.close()
        self._scope.close()
        for work in survivors:
            self.session.note_problem("survivor", _survivor_error(work))
        if self.traffic is not None:
            self.traffic.note_bypassed()

    def _note_withheld(self, tool: str) -> None:
        """Note a call that came too late, if work was left to the loop: what had not begun is no survivor."""
        if not self._left_to_loop:
            return
        error = SurvivorError(
            f"{tool} was called after the run's end by work that it had started; the call was withheld",
            next="wait for that work in the agent: join the thread, await the task, shut the pool down",
        )
        self._withheld.append(error)

    def _note_escape(self, escape: Escape) -> None:
        self.session.note_problem("escape", escape.error())

    @property
    def began_at(self) -> str | None:
        """When the run began, if it is recorded and what its agent does depends on that."""
        frozen = self.session.options.frozen
        return None if frozen is None else frozen.began_at

    @property
    def held_by_test(self) -> bool:
        """Whether the run is held to expectations of its test in the place of the trace's own."""
        return self._expect is not None

    def verdict(self) -> Exception | None:
        """Judge the run; what a test should see, or None when all is as expected."""
        golden = self.run.trace
        expect = self._expect or (golden.expect if golden else None)
        judged = self._check and (self.run.mode == "replay" or expect is not None)
        divergences = self.run.judge(expect) if judged else []
        self.run.divergences.extend(divergences)
        if judged and expect is None and not divergences and not self.session.problems:
            self._note_unplayed()
        failure = failure_of(self.run, divergences, by_test=self.held_by_test)
        first = getattr(failure, "divergence", None)
        if first is not None and first not in divergences:
            self.run.divergences.insert(0, first)
        return failure

    def _note_unplayed(self) -> None:
        """Object to a run that went as recorded and left out calls of the model."""
        unplayed = self.traffic.unplayed() if self.traffic is not None and self.run.mode == "replay" else None
        if unplayed is not None:
            self.session.note_problem("model", unplayed)


@cache
def _withhold_in_forks() -> None:
    """Let a forked child of a run call no tools; its answers and notes would be lost."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_enter_child)


def _has_running_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _enter_child() -> None:
    if isinstance(gate.active, Boundary):
        gate.set_active(ChildGate())


def _survivor_error(work: Work) -> AgentReplayError:
    return SurvivorError(
        f"{work.name} was still at work {SURVIVOR_PATIENCE:g} s after the run's end; its calls are withheld",
        next="wait for it in the agent: join the thread, await the task, shut the pool down",
    )


@contextmanager
def nothing_written(effects: EffectResolver) -> Iterator[None]:
    """Withhold every write that belongs to no run, as long as the code inside runs."""
    gate.set_active(Quarantine(may_run=lambda spec: effects.resolve(spec)[0] == "read"))
    try:
        yield
    finally:
        gate.set_active(Quarantine())


def call_agent(agent: Callable[..., Any], given: Any) -> Any:
    """Call an agent with a trace's input: a mapping as keyword arguments, anything else as the one argument."""
    __tracebackhide__ = True
    if given is MISSING:
        return agent()
    if isinstance(given, Mapping):
        return agent(**given)
    return agent(given)


def finish_output(result: Any) -> Any:
    """Bring what an agent returned to its end: a coroutine is run, a stream is read."""
    __tracebackhide__ = True
    if inspect.isawaitable(result) or inspect.isasyncgen(result):
        try:
            refuse_running_loop()
        except SettingsError:
            if inspect.iscoroutine(result):
                result.close()  # or Python warns that it was never awaited
            raise
        return asyncio.run(_collected(result) if inspect.isasyncgen(result) else _awaited(result))
    return list(result) if inspect.isgenerator(result) else result


def refuse_running_loop() -> None:
    """Refuse to run an async agent to its end where an event loop is running.

    Raises:
        SettingsError: naming the async form.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise SettingsError(
        "the agent is async and an event loop is running here", next="write `await agent_replay.arun(...)`"
    )


async def afinish_output(result: Any) -> Any:
    """Do what `finish_output` does, inside a running event loop."""
    __tracebackhide__ = True
    if inspect.isawaitable(result):
        return await result
    if inspect.isasyncgen(result):
        return await _collected(result)
    return list(result) if inspect.isgenerator(result) else result


async def _awaited(result: Any) -> Any:
    return await result


async def _collected(stream: Any) -> list[Any]:
    return [item async for item in stream]


def input_of(run: Run, given: Any) -> Any:
    """The agent's input: what the test gives, else a copy of what the trace recorded."""
    used = _input_of(run, given)
    run.note_input(used)
    return used


def _input_of(run: Run, given: Any) -> Any:
    if given is not None:
        run.bind_input(given)
        return given
    recorded = run.trace.input if run.trace is not None else MISSING
    if recorded is MISSING:
        return MISSING
    run.hand_over(recorded)
    return snapshot(recorded)


def ends_the_run(error: BaseException) -> bool:
    """Tell whether an exception is the agent's own end, and not the test session's."""
    if isinstance(error, BaseExceptionGroup):  # a task group wraps what its tasks raise
        return all(ends_the_run(one) for one in error.exceptions)
    return isinstance(error, Exception | RunStopped | SystemExit)


__all__ = [
    "ActiveRun",
    "SurvivorError",
    "afinish_output",
    "call_agent",
    "ends_the_run",
    "finish_output",
    "input_of",
    "refuse_running_loop",
]
