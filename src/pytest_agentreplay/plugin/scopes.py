"""Scopes: one replay of a test from its begin to its end, and what the test was told of it.

Nothing here knows where traces come from or what may be written.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from pytest_agentreplay.api.replaying import (
    ActiveRun,
    afinish_output,
    call_agent,
    ends_the_run,
    finish_output,
    input_of,
)
from pytest_agentreplay.errors import AgentReplayError, RunStopped, SettingsError
from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.plugin.agents import importable_name
from pytest_agentreplay.runtime.run import Run
from pytest_agentreplay.trace import Trace


class ReplayingTest(Protocol):
    """The test that replays, as its scopes and its call phase need it.

    Attributes:
        results: its replays so far, in order.
        unentered: its scopes that have not begun.
        streamed: facts about traces without an agent that were judged by policies alone.
    """

    results: list[Result]
    streamed: list[dict[str, Any]]
    unentered: list[ReplayScope]

    def judge(self, result: Result) -> Exception | None:
        """Judge a run that ended."""

    def outside_runs(self) -> AbstractContextManager[None]:
        """Withhold writes that belong to no run while the test runs."""

    def keep(self) -> None:
        """Write what was recorded or updated, now that the test passed."""


class Result:
    """One replay of a test, and whether the test was told how it ended.

    Attributes:
        path: the trace's file; None for a trace that was never in one.
        failure: what the run ended in; None while it goes on, and when all is as expected.
        told: the failure was raised to the test, which may catch it.
        pending: the trace that is written if the test passes.
        cassette: where the model's traffic is written with it, and the file's bytes.
        outdated: the cassette of the last recording, removed then where the run asked no model any more.
        done: ``recorded`` or ``updated`` once that is written.
        given: the agent's input.
        agent: how a trace can name the agent; None where it can't.
    """

    def __init__(self, active: ActiveRun, path: Path | None, name: str) -> None:
        self.active = active
        self.path = path
        self.name = name
        self.failure: Exception | None = None
        self.told = False
        self.pending: Trace | None = None
        self.cassette: tuple[Path, bytes] | None = None
        self.outdated: Path | None = None
        self.done = ""
        self.given: Any = MISSING
        self.agent: str | None = None

    @property
    def run(self) -> Run:
        """The run."""
        return self.active.run


class ReplayScope:
    """A run as a context manager: any code inside is the agent."""

    def __init__(self, test: ReplayingTest, result: Result) -> None:
        self._test = test
        self._result = result
        self._active = result.active

    @property
    def name(self) -> str:
        """The trace's name."""
        return self._result.name

    def run_agent(self, agent: Callable[..., Any], given: Any) -> Run:
        """Run an agent to its end and raise what the run ended in."""
        __tracebackhide__ = True
        self._result.agent = importable_name(agent)
        run = self._begin()
        cause: BaseException | None = None
        try:
            self._result.given = input_of(run, given)
            self._result.run.note_end(finish_output(call_agent(agent, self._result.given)))
        except BaseException as error:
            cause = error
            self._result.run.note_end(error=error)
        finally:
            self._active.end()
        self._judge(cause)
        return run

    async def arun_agent(self, agent: Callable[..., Any], given: Any) -> Run:
        """Do what `run_agent` does, inside a running event loop."""
        __tracebackhide__ = True
        self._result.agent = importable_name(agent)
        run = self._begin()
        cause: BaseException | None = None
        try:
            self._result.given = input_of(run, given)
            self._result.run.note_end(await afinish_output(call_agent(agent, self._result.given)))
        except BaseException as error:
            cause = error
            self._result.run.note_end(error=error)
        finally:
            await self._active.aend()
        self._judge(cause)
        return run

    def __enter__(self) -> Run:
        return self._begin()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        __tracebackhide__ = True
        self._result.run.note_end(error=error)
        self._active.end()
        return self._leave(error)

    async def __aenter__(self) -> Run:
        return self._begin()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        __tracebackhide__ = True
        self._result.run.note_end(error=error)
        await self._active.aend()
        return self._leave(error)

    def _begin(self) -> Run:
        if self in self._test.unentered:
            self._test.unentered.remove(self)
        self._test.results.append(self._result)
        return self._active.begin()

    def _judge(self, cause: BaseException | None) -> None:
        """Raise what the run ended in; the agent's own exception becomes its cause."""
        __tracebackhide__ = True
        failure = self._result.failure = self._test.judge(self._result)
        if isinstance(cause, SettingsError):
            self._result.told = True  # a misuse is no way in which an agent parts from its recording
            raise cause
        if cause is not None and (not ends_the_run(cause) or (failure is None and not self._expects(cause))):
            raise cause
        if failure is None:
            return
        self._result.told = True
        foreign = cause is not None and not isinstance(cause, AgentReplayError) and isinstance(cause, Exception)
        raise failure from (cause if foreign else None)

    def _expects(self, cause: BaseException) -> bool:
        """Tell whether a run that nothing objects to may end so: stopped, or in the error that was recorded."""
        golden = self._result.run.trace
        recorded = golden is not None and golden.error is not None and self._result.run.mode == "replay"
        return recorded or isinstance(cause, RunStopped)

    def _leave(self, error: BaseException | None) -> bool:
        __tracebackhide__ = True
        failure = self._result.failure = self._test.judge(self._result)
        if failure is None:
            return False
        if error is None:
            self._result.told = True
            raise failure
        error.add_note(str(failure))
        nothing_more = not self._result.run.divergences and all(
            problem.error is error for problem in self._result.run.problems
        )
        self._result.told = failure is error or nothing_more
        return False
