"""The session of one run: admits calls, finds their outcomes, keeps what happened.

Every decision is made at once, in memory and under one lock, so that one session
serves threads and event loops alike. Nothing here judges the run against its
golden trace, or knows pytest.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

from pytest_agentreplay.errors import GuardBlocked, RunStopped, SettingsError, ToolError, UnrecordedCallError
from pytest_agentreplay.jsonable import MISSING, Missing, Value, canonical, equal
from pytest_agentreplay.matching import Equivalent
from pytest_agentreplay.redaction import Redactor
from pytest_agentreplay.runtime import bound_guards, lineage
from pytest_agentreplay.runtime.boundary import Raises, Runs
from pytest_agentreplay.runtime.call_keys import CallKeys
from pytest_agentreplay.runtime.freezing import Frozen
from pytest_agentreplay.runtime.guarding import RunGuard
from pytest_agentreplay.runtime.limits import Limits
from pytest_agentreplay.runtime.observed_calls import Note, ObservedCall, ObservedModel, ObservedState, ParallelGroups
from pytest_agentreplay.runtime.problems import Problem, ProblemKind, StoppedError
from pytest_agentreplay.runtime.recorded_errors import record_error
from pytest_agentreplay.runtime.replayer import Outcome, Replayer
from pytest_agentreplay.runtime.values import json_args, lenient
from pytest_agentreplay.tools.binding import bind
from pytest_agentreplay.tools.effects import EffectResolver
from pytest_agentreplay.tools.framework_calls import framework_call
from pytest_agentreplay.tools.spec import ToolSpec
from pytest_agentreplay.trace import Trace
from pytest_agentreplay.wire.model import ModelReply, ModelRequest

SWALLOWED_STOPS = 1000


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """How a session treats its calls.

    Attributes:
        mode: ``replay`` answers from the golden trace, ``record`` runs the real tools.
        live_reads: run read tools for real and note drift.
        guard: judges every call; None where no policy does.
        state: sampled once the agent goes on after a tool call; None for agents that call `checkpoint`.
        equivalent: a third party's opinion whether recorded arguments stand for others.
        redactor: recognises what a golden trace holds a placeholder for.
        abandon: ends the process for an agent that can't be stopped otherwise; given the reason.
        frozen: what of the agent's world is frozen; None for nothing.
    """

    mode: Literal["replay", "record"]
    effects: EffectResolver
    redactor: Redactor
    ignore_args: tuple[str, ...] = ()
    live_reads: bool = False
    state: Callable[[], Any] | None = None
    guard: RunGuard | None = None
    equivalent: Equivalent | None = None
    abandon: Callable[[str], NoReturn] | None = None
    frozen: Frozen | None = None


@dataclass(frozen=True, slots=True)
class Drift:
    """A live read that answered something else than the recording."""

    address: str
    recorded: Value
    live: Value


@dataclass(slots=True)
class Session:
    """One run in progress.

    Attributes:
        golden: the recording that answers; None while the first one is made.
        notes: calls and checkpoints in the order of their start.
        problems: all that went wrong, in order; sticky.
        stopped: why the run was stopped; empty while it goes on.
        over: the run has ended; what it did stands.
    """

    golden: Trace | None
    options: SessionOptions
    limits: Limits
    notes: list[Note] = field(default_factory=list)
    calls: list[ObservedCall] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    drifts: list[Drift] = field(default_factory=list)
    stopped: str = ""
    over: bool = False
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _groups: ParallelGroups = field(default_factory=ParallelGroups)
    _unsampled: list[ObservedCall] = field(default_factory=list)
    _swallowed: int = 0
    _keys: CallKeys = field(init=False)
    _replayer: Replayer | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._keys = CallKeys(self.options.ignore_args)
        if self.golden is not None and self.options.mode == "replay":
            options = self.options
            self._replayer = Replayer(
                self.golden, self._keys, options.redactor, options.equivalent, live_reads=options.live_reads
            )

    # -- the boundary's side -------------------------------------------------------------------

    def admit(self, spec: ToolSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Outcome:
        """Decide what a call of the agent gets."""
        with self._lock:
            self.sample_state()
            if self.stopped:
                self._refuse_to_go_on(spec)
            call, misfit = self._note_call(spec, args, kwargs)
            refused = self._refused(call)  # first: a call that a limit stops has its verdict all the same
            reason = self.limits.broken_by(call)
            if reason:
                self.stop(reason)
                self.note_problem("stopped", StoppedError(f"the run was stopped: {reason}"), call)
                raise RunStopped(reason)
            if self._replayer is not None:
                outcome = self._replayer.answer(call, misfit, refused, self)
            else:
                outcome = Raises(refused) if refused is not None else self.run_for_real(call)
            if not isinstance(outcome, Runs):
                self._read_state(call)
                self._remember(call)
            return outcome

    def admit_nested(self, spec: ToolSpec) -> None:
        """Let a real tool call others: any while recording, reads inside a live read."""
        if self.options.mode == "record":
            return
        effect, _ = self.options.effects.resolve(spec)
        if effect == "write":
            error = UnrecordedCallError(
                f"{spec.name} is a write and was called inside a live read",
                next="classify the outer tool as a write, or run without --agent-replay-live-reads",
            )
            self.note_problem("nested", error)
            raise error

    def running(self, call: ObservedCall) -> AbstractContextManager[None]:
        """Mark the time that a real tool runs."""
        return lineage.outside() if self.options.frozen is None else self.options.frozen.outside()

    def note_result(self, call: ObservedCall, result: Any) -> None:
        """Note what a real tool returned; what can't be recorded is a problem that names the tool."""
        with self._lock:
            self._groups.end(call)
            self._read_state(call)
            try:
                call.result = call.encode(result)
            except ToolError as error:
                self.note_problem("tool", error, call)
                return
            finally:
                self._remember(call)
            self._note_drift(call)

    def note_error(self, call: ObservedCall, error: BaseException) -> None:
        """Note what a real tool raised; one that was cancelled or interrupted stays without an outcome."""
        with self._lock:
            self._groups.end(call)
            self._read_state(call)
            if isinstance(error, Exception):
                call.error = record_error(error)
                self._note_drift(call)
            self._remember(call)

    def note_checkpoint(self, state: Value | Missing, at: str | None, context: dict[str, Any]) -> None:
        """Note a checkpoint of the agent."""
        with self._lock:
            self.sample_state()
            seen = MISSING if state is MISSING else lenient(state)
            if seen is not MISSING:
                self.notes.append(ObservedState(seen, at))
            for guard in self._guards():
                guard.tell(seen, {name: lenient(value) for name, value in context.items()})

    def note_model(self, request: ModelRequest, reply: ModelReply) -> None:
        """Note a call of the model, whoever answered it."""
        with self._lock:
            self.sample_state()
            note = ObservedModel(request, reply)
            self.notes.append(note)
            for guard in self._guards():
                guard.note(note.to_step())

    # -- the run's side ------------------------------------------------------------------------

    def note_problem(self, kind: ProblemKind, error: Exception, call: ObservedCall | None = None) -> None:
        """Keep what went wrong."""
        with self._lock:
            self.problems.append(Problem(kind, error, call.index if call else None))

    def stop(self, reason: str) -> None:
        """Let no further call through."""
        with self._lock:
            self.stopped = reason

    def end(self) -> None:
        """Sample the state a last time: from now on, what the run did stands."""
        self.sample_state()
        self.over = True

    def sample_state(self) -> None:
        """Sample the agent's state for the calls made since the last sample."""
        if self.options.state is None or not self._unsampled:
            return
        calls, self._unsampled = self._unsampled, []
        try:
            state = lenient(self.options.state())
        except Exception as error:
            told = SettingsError(f"state= raised {type(error).__name__}: {error}", next="let it only read the state")
            self.note_problem("tool", told, calls[-1])
            return
        for call in calls:
            call.state = state

    @property
    def went_as_recorded(self) -> bool:
        """Whether the run made the recorded calls, all of them, in their order, with their arguments."""
        calls, expected = self.calls, self._replayer.expected if self._replayer is not None else []
        return len(calls) == len(expected) and all(
            call.golden is step and call.same_args for call, step in zip(calls, expected, strict=True)
        )

    # -- one call ------------------------------------------------------------------------------

    def _refuse_to_go_on(self, spec: ToolSpec) -> NoReturn:
        self._swallowed += 1
        if not any(problem.kind == "stopped" for problem in self.problems):
            self.note_problem("stopped", StoppedError(f"{spec.name} was called although {self.stopped}"))
        if self._swallowed > SWALLOWED_STOPS and self.options.abandon is not None:
            self.options.abandon(self.stopped)
        raise RunStopped(self.stopped)

    def _note_call(
        self, spec: ToolSpec, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[ObservedCall, TypeError | None]:
        effect, source = self.options.effects.resolve(spec)
        misfit = None
        framework = framework_call(spec, args)
        raw_args = framework.raw_args if framework is not None else None
        arguments: dict[str, Value] = {}
        if raw_args is None:
            try:
                arguments = json_args(bind(spec, args, kwargs))
            except TypeError as error:
                misfit = error
                raw_args = canonical({"positional": lenient(list(args)), "keywords": lenient(kwargs)})
        key = self._keys.of_call(spec, arguments) if raw_args is None else raw_args
        call = ObservedCall(len(self.calls), spec, arguments, key, effect, source, raw_args, framework=framework)
        self.calls.append(call)
        self.notes.append(call)
        self._unsampled.append(call)
        if self.options.frozen is not None:
            self.options.frozen.begin_call(call)
        return call, misfit

    def _refused(self, call: ObservedCall) -> GuardBlocked | None:
        """Ask the guards, this run's own and those that the agent itself put in force."""
        call.judged_by = self._guards()
        args = call.args if call.raw_args is None else {"raw_args": call.raw_args}
        verdicts = [guard.judge(call.tool, args, call.effect) for guard in call.judged_by]
        blocking = next((verdict for verdict in verdicts if verdict.decision == "block"), None)
        call.verdict = blocking or (verdicts[0] if verdicts else None)
        return None if blocking is None else GuardBlocked(call.tool, blocking, blocking.reason)

    def _remember(self, call: ObservedCall) -> None:
        if self.options.frozen is not None:
            self.options.frozen.end_call(call)
        for guard in call.judged_by:
            guard.remember(call.to_step())

    def _guards(self) -> list[RunGuard]:
        own = [self.options.guard] if self.options.guard is not None else []
        return [run for run in (*own, *(bound.run for bound in bound_guards.in_charge())) if run.guard.mode != "off"]

    def run_for_real(self, call: ObservedCall) -> Outcome:
        """Let the real tool run."""
        call.answered_by = "live"
        self._groups.begin(call)
        return Runs(call)

    def _read_state(self, call: ObservedCall) -> None:
        """Take what a framework's call left in its state, unless the test samples the state itself."""
        if call.framework is not None and self.options.state is None:
            state = call.framework.read_state()
            call.state = MISSING if state is MISSING else lenient(state)

    # -- placeholders and drift ----------------------------------------------------------------

    def with_defaults(self, tool: str, args: dict[str, Value]) -> dict[str, Value]:
        """Fill in the defaults of the arguments that a call left out."""
        return self._keys.with_defaults(tool, args)

    def with_placeholders(self, recorded: Value | Missing, actual: Value | Missing) -> Value | Missing:
        """Put the recorded placeholders in the place of the parts of an actual value that they stand for."""
        return actual if self._replayer is None else self._replayer.stand_ins.with_placeholders(recorded, actual)

    def stands_for(self, recorded: Value | Missing, actual: Value | Missing) -> bool:
        """Tell whether a recorded value with redacted parts stands for an actual one."""
        return self._replayer is not None and self._replayer.stand_ins.stands_for(recorded, actual)

    def serve(self, value: Value) -> None:
        """Note that the agent was given a recorded value, so that it now has the placeholders in it."""
        if self._replayer is not None:
            self._replayer.stand_ins.serve(value)

    def _note_drift(self, call: ObservedCall) -> None:
        golden = call.golden
        if golden is None or self.options.mode != "replay":
            return
        live = call.error.model_dump() if call.error else call.result
        recorded = golden.error.model_dump() if golden.error else golden.result
        if not equal(live, recorded):
            self.drifts.append(Drift(golden.address, recorded, live))
