"""The `agent_replay` fixture: replays golden traces inside one test.

Turns settings, marker and arguments into runs, and remembers what went wrong
until the test has been told.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, overload

import pytest

from pytest_agentreplay.api.frameworks import frameworks_joined
from pytest_agentreplay.api.model_traffic import cassette_name, keep_both, own_cassette
from pytest_agentreplay.api.recording import keep, record_trace, refuses_update, updated_trace
from pytest_agentreplay.api.replaying import ActiveRun, nothing_written, refuse_running_loop
from pytest_agentreplay.api.sessions import SessionMaker
from pytest_agentreplay.compare import Observed
from pytest_agentreplay.errors import AgentReplayError, SettingsError
from pytest_agentreplay.plugin.agents import import_agent, refuse_pytest_marks
from pytest_agentreplay.plugin.call_phase import CallPhase, settle
from pytest_agentreplay.plugin.facts import facts_of_stream
from pytest_agentreplay.plugin.scopes import ReplayScope, Result
from pytest_agentreplay.plugin.seals import abandon_session, seal_options
from pytest_agentreplay.plugin.settings import Settings, marker_options, settings_of
from pytest_agentreplay.runtime.failure import divergence_error
from pytest_agentreplay.runtime.freezing import parse_subjects
from pytest_agentreplay.runtime.lineage import once_forgotten
from pytest_agentreplay.runtime.run import Run
from pytest_agentreplay.tools.swap import swap, wrap
from pytest_agentreplay.trace import Effect, Trace

_RECORDED = pytest.StashKey[dict[Path | None, tuple[str, int]]]()


@contextmanager
def replaying(request: pytest.FixtureRequest) -> Iterator[AgentReplay]:
    """Set the fixture up for one test, and undo what it swapped."""
    CallPhase.watch(request.config)
    fixture = AgentReplay(request)
    request.node.stash[CallPhase.KEY] = fixture
    with fixture.undo, fixture.outside_runs():
        fixture.prepare()
        yield fixture
        settle(fixture, None)  # what was left open after the test, as in the teardown of another fixture
    del request.node.stash[CallPhase.KEY]  # a session keeps its items, and the runs would stay with them


class AgentReplay:
    """Replays golden traces; calling it runs an agent against one.

    Attributes:
        results: the runs of this test so far, in order.
        streamed: facts about a trace without an agent, once it was judged.
        undo: what is undone when the test ends.
    """

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request
        self._settings: Settings = settings_of(request.config)
        self._options = marker_options(request.node)
        self._freeze = (
            parse_subjects(self._options["freeze"], "the marker agent_replay")
            if "freeze" in self._options
            else self._settings.freeze
        )
        self._maker = SessionMaker(
            dirs=self._settings.dirs,
            root=self._settings.root,
            load=self._settings.load,
            effects=self._settings.effects,
            ignore_args=self._settings.ignore_args,
            record=self._settings.record,
            live_reads=self._settings.live_reads,
            redactor=self._settings.redactor,
            guards=self._settings.guards,
            abandon=abandon_session(request.config),
            model=self._settings.model,
            ignore_body=self._settings.ignore_body,
            ignore_tools=self._settings.ignore_tools,
        )
        self.undo = ExitStack()
        self.results: list[Result] = []
        self.streamed: list[dict[str, Any]] = []
        self.unentered: list[ReplayScope] = []
        self._stands_alone = True

    def prepare(self) -> None:
        """Put the swaps of the ini file and the frameworks' seams in place."""
        for target, effect in self._settings.swaps.items():
            self.undo.callback(once_forgotten, swap(target, effect=effect).undo)
        self.undo.enter_context(frameworks_joined())

    @overload
    def __call__(
        self,
        trace: str | Path | Trace,
        agent: None = None,
        *,
        input: Any = None,
        check: bool = True,
        expect: Mapping[str, Any] | None = None,
        state: Callable[[], Any] | None = None,
    ) -> ReplayScope: ...

    @overload
    def __call__(
        self,
        trace: str | Path | Trace,
        agent: Callable[..., Any],
        *,
        input: Any = None,
        check: bool = True,
        expect: Mapping[str, Any] | None = None,
        state: Callable[[], Any] | None = None,
    ) -> Run: ...

    def __call__(
        self,
        trace: str | Path | Trace,
        agent: Callable[..., Any] | None = None,
        *,
        input: Any = None,
        check: bool = True,
        expect: Mapping[str, Any] | None = None,
        state: Callable[[], Any] | None = None,
    ) -> Run | ReplayScope:
        """Run an agent against a golden trace and check what the trace expects.

        Args:
            trace: a trace's name under ``agent_replay_dirs``, a path, or a loaded trace.
            agent: the agent under test, sync or async; without one a context manager is returned.
            input: given to the agent in the place of the recorded input.
            check: whether expectations are checked; what went wrong at the boundary always is.
            expect: the keys of a trace's `expect`, in its place.
            state: sampled after every tool call, for agents that don't call `checkpoint`.

        Raises:
            DivergenceError: when the run parts from its golden trace.
            EscapeError: when the agent reached for the world around its tools.
            TraceFormatError: when the trace is missing or broken.
            SettingsError: when the agent needs a running event loop; use `arun` there.
        """
        __tracebackhide__ = True
        scope = self._scope(trace, check=check, expect=expect, state=state)
        if agent is None:
            self.unentered.append(scope)
            return scope
        _refuse_running_loop(agent)
        return scope.run_agent(agent, input)

    def arun(
        self,
        trace: str | Path | Trace,
        agent: Callable[..., Any],
        *,
        input: Any = None,
        check: bool = True,
        expect: Mapping[str, Any] | None = None,
        state: Callable[[], Any] | None = None,
    ) -> Coroutine[Any, Any, Run]:
        """Do what calling the fixture does, inside a running event loop; to be awaited, or the test fails."""
        __tracebackhide__ = True
        scope = self._scope(trace, check=check, expect=expect, state=state)
        self.unentered.append(scope)
        return scope.arun_agent(agent, input)

    def swap(self, target: str | Callable[..., Any], *, effect: Effect | None = None, name: str | None = None) -> None:
        """Put the boundary into a Python function, by ``module:qualified.name``, until the test ends.

        Raises:
            ToolError: for what can't be swapped in place, naming the alternative.
        """
        self._stands_alone = False  # a trace recorded now needs this test around it
        self.undo.callback(once_forgotten, swap(target, effect=effect, name=name).undo)

    def wrap(self, tools: Any, *, effect: Effect | None = None, effects: Mapping[str, Effect] | None = None) -> Any:
        """Put the boundary into every tool of a dict or list, until the test ends; gives the container back.

        Raises:
            ToolError: for what can be neither swapped nor replaced in its container.
        """
        self._stands_alone = False
        self.undo.callback(once_forgotten, wrap(tools, effect=effect, effects=effects or {}).undo)
        return tools

    def outside_runs(self) -> AbstractContextManager[None]:
        """Withhold writes that belong to no run while the test runs, unless it records."""
        return nullcontext() if self._settings.record != "none" else nothing_written(self._maker.resolver())

    def judge(self, result: Result) -> Exception | None:
        """Judge a run that ended; prepare what is recorded or updated if the test passes."""
        failure = result.active.verdict()
        if result.run.mode == "record":
            if failure is None:
                failure = self._recorded_before(result)
            if failure is None:
                self._record(result)
        elif failure is not None and self._settings.update:
            refusal = refuses_update(result.run, result.run.divergences, by_test=result.active.held_by_test)
            if not refusal:
                result.pending = updated_trace(result.run, result.given, self._settings.redactor)
                return None
            failure.add_note(f"  update   refused: {refusal}")
        return failure

    def _record(self, result: Result) -> None:
        """Make the trace of a run, and the cassette of its model's traffic, that are written if the test passes."""
        redaction = self._settings.redactor.session()
        traffic, path = result.active.traffic, result.path
        name = None
        if traffic is not None and path is not None and traffic.asked_model:
            name = cassette_name(result.run.trace, path)
        result.pending = record_trace(
            result.run,
            result.given,
            self._settings.redactor,
            result.agent if self._stands_alone else None,
            cassette=name,
            redaction=redaction,
            began_at=result.active.began_at,
        )
        if traffic is not None and path is not None and name is not None:
            result.cassette = (path.parent / name, traffic.cassette(path, redaction))
        elif path is not None:
            result.outdated = own_cassette(result.run.trace, path)

    def _recorded_before(self, result: Result) -> SettingsError | None:
        """Refuse a second recording of one trace in a session: the last would win in silence."""
        recorded = self._request.config.stash.setdefault(_RECORDED, {})
        first = recorded.setdefault(result.path, (self._request.node.nodeid, len(self.results)))
        if first == (self._request.node.nodeid, len(self.results)):
            return None
        return SettingsError(
            f"{result.name} was recorded in this session already, by {first[0]}", next="record each trace by one run"
        )

    def keep(self) -> None:
        """Write what was recorded or updated, now that the test passed."""
        for result in self.results:
            if result.pending is not None and result.path is not None and not result.done:
                keep_both(result.cassette, partial(keep, result.pending, result.path))
                if result.outdated is not None:
                    result.outdated.unlink(missing_ok=True)
                result.done = "recorded" if result.run.mode == "record" else "updated"

    def replay_file(self, agent: Callable[..., Any] | None = None) -> None:
        """Replay the trace file that is the test, with the agent that it names, or that the session has for it."""
        __tracebackhide__ = True
        path = self._request.path
        trace = self._settings.load(path)
        refuse_pytest_marks(trace.tags, path)
        found = agent or self._find_agent(trace, path)
        if found is not None:
            self(trace, found)
        elif not self._judge_recorded_calls(trace):
            pytest.skip("not checked: the trace names no agent, and without one only its format can be checked")

    def _judge_recorded_calls(self, trace: Trace) -> bool:
        """Hold a trace without an agent against today's policies; False where there is nothing to hold."""
        guard = self._settings.guards.for_trace(trace, self._options.get("env"))
        if guard is None or guard.mode == "off":
            return False
        from pytest_agentreplay.api.streaming import judge_stream, says_of_verdicts

        if not says_of_verdicts(trace):
            return False
        verdicts, divergences = judge_stream(trace, guard)
        failure = divergence_error(trace, Observed.from_trace(trace), divergences) if divergences else None
        if failure is not None:
            failure.details["next"] = "mend the policy, or change the verdict that the trace expects"
        self.streamed.append(facts_of_stream(trace, verdicts.values(), failure))
        if failure is not None:
            raise failure
        return True

    def _find_agent(self, trace: Trace, path: Path) -> Callable[..., Any] | None:
        if trace.agent:
            return import_agent(trace.agent, str(path))
        if self._settings.agent:
            return import_agent(self._settings.agent, "agent_replay_agent")
        try:
            agent: Callable[..., Any] = self._request.getfixturevalue("agent_under_test")
        except pytest.FixtureLookupError as error:
            if error.argname != "agent_under_test":
                raise
            return None
        return agent

    def _scope(
        self,
        trace: str | Path | Trace,
        *,
        check: bool,
        expect: Mapping[str, Any] | None,
        state: Callable[[], Any] | None,
    ) -> ReplayScope:
        __tracebackhide__ = True
        self._stands_alone = self._stands_alone and state is None
        try:
            prepared = self._maker.prepare(
                trace,
                check=check,
                environment=self._options.get("env"),
                expect=expect,
                state=state,
                model=self._options.get("model"),
                freeze=self._freeze,
            )
        except AgentReplayError as error:
            raise error.with_traceback(None) from None  # the frames of finding a trace mend nothing
        seal = seal_options(self._request, self._options) if prepared.session.options.mode == "replay" else None
        active = ActiveRun(prepared.session, expect=prepared.expect, check=check, seal=seal, traffic=prepared.traffic)
        result = Result(active, prepared.path, prepared.name)
        return ReplayScope(self, result)


def _refuse_running_loop(agent: Callable[..., Any]) -> None:
    call = agent if inspect.isroutine(agent) else type(agent).__call__
    if inspect.iscoroutinefunction(call) or inspect.isasyncgenfunction(call):
        refuse_running_loop()
