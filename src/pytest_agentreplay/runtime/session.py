"""The session of one run: admits calls, finds their outcomes, keeps what happened.

Every decision is made at once, in memory and under one lock, so that one session
serves threads and event loops alike. Nothing here judges the run against its
golden trace, or knows pytest.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, NoReturn, TypeAlias

from pytest_agentreplay.errors import GuardBlocked, RunStopped, SettingsError, ToolError, UnrecordedCallError
from pytest_agentreplay.jsonable import MISSING, Missing, Value, canonical, equal
from pytest_agentreplay.matching import AnswerBook, Call, Equivalent, Unanswered
from pytest_agentreplay.redaction import Redactor
from pytest_agentreplay.runtime import bound_guards, lineage
from pytest_agentreplay.runtime.boundary import Raises, Returns, Runs
from pytest_agentreplay.runtime.call_keys import CallKeys
from pytest_agentreplay.runtime.guarding import RunGuard
from pytest_agentreplay.runtime.limits import Limits
from pytest_agentreplay.runtime.observed_calls import Note, ObservedCall, ObservedState, ParallelGroups
from pytest_agentreplay.runtime.problems import Problem, ProblemKind, StoppedError
from pytest_agentreplay.runtime.recorded_errors import raise_again, record_error
from pytest_agentreplay.runtime.stand_ins import StandIns
from pytest_agentreplay.runtime.values import codec_for, json_args, lenient
from pytest_agentreplay.tools.binding import bind
from pytest_agentreplay.tools.effects import EffectResolver
from pytest_agentreplay.tools.spec import ToolSpec
from pytest_agentreplay.trace import Answer, ToolStep, Trace

Outcome: TypeAlias = Returns | Raises | Runs
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
    _book: AnswerBook | None = field(init=False, default=None)
    _stand_ins: StandIns | None = field(init=False, default=None)
    _expected: list[ToolStep] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._keys = CallKeys(self.options.ignore_args)
        if self.golden is not None and self.options.mode == "replay":
            self._expected = [step for step in self.golden.tool_steps if step.by_agent]
            self._stand_ins = StandIns(self.golden, self.options.redactor)
            same = partial(_same_args, self._keys, self._stand_ins, self.options.equivalent)  # holds no session
            self._book = AnswerBook(self._expected, self.golden.replay, self._keys.of_step, same)

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
            if self.options.mode == "record":
                outcome = Raises(refused) if refused is not None else self._run_for_real(call)
            else:
                outcome = self._answer(call, misfit, refused)
            if not isinstance(outcome, Runs):
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
        return lineage.outside()

    def note_result(self, call: ObservedCall, result: Any) -> None:
        """Note what a real tool returned; what can't be recorded is a problem that names the tool."""
        with self._lock:
            self._groups.end(call)
            try:
                call.result = codec_for(call.spec).encode(result)
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
        calls, expected = self.calls, self._expected
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
        misfit = raw_args = None
        arguments: dict[str, Value] = {}
        try:
            arguments = json_args(bind(spec, args, kwargs))
        except TypeError as error:
            misfit = error
            raw_args = canonical({"positional": lenient(list(args)), "keywords": lenient(kwargs)})
        key = self._keys.of_call(spec, arguments) if raw_args is None else raw_args
        call = ObservedCall(len(self.calls), spec, arguments, key, effect, source, raw_args)
        self.calls.append(call)
        self.notes.append(call)
        self._unsampled.append(call)
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
        for guard in call.judged_by:
            guard.remember(call.to_step())

    def _guards(self) -> list[RunGuard]:
        own = [self.options.guard] if self.options.guard is not None else []
        return [run for run in (*own, *(bound.run for bound in bound_guards.in_charge())) if run.guard.mode != "off"]

    def _run_for_real(self, call: ObservedCall) -> Outcome:
        call.answered_by = "live"
        self._groups.begin(call)
        return Runs(call)

    def _answer(self, call: ObservedCall, misfit: TypeError | None, refused: GuardBlocked | None) -> Outcome:
        assert self._book is not None
        taken = self._book.take(Call(call.tool, call.args, call.key, repeats=call.effect == "read"))
        if isinstance(taken, Unanswered):
            return Raises(refused) if refused is not None else self._unmatched(call, taken, misfit)
        if isinstance(taken, Answer):
            call.answered_by = "answers"
        else:
            call.golden = taken
            call.answered_by = "recording"
            same_key = self._keys.of_step(taken) == call.key
            call.same_args = same_key and taken.raw_args == call.raw_args
            call.stands_in = not same_key and self._book.by_args
            if taken.verdict is not None and taken.blocked:
                return Raises(refused or GuardBlocked(call.tool, taken.verdict, taken.verdict.reason))
        if refused is not None:
            return Raises(refused)
        if self.options.live_reads and call.effect == "read":
            return self._run_for_real(call)
        return self._recorded_outcome(call, taken, misfit)

    def _recorded_outcome(self, call: ObservedCall, taken: ToolStep | Answer, misfit: TypeError | None) -> Outcome:
        if taken.error is not None:
            call.error = taken.error
            self.serve(taken.error.message)
            return Raises(misfit or raise_again(taken.error))
        if taken.result is MISSING:
            return self._without_outcome(call, misfit)
        try:
            value = codec_for(call.spec).decode(taken.result)
        except ToolError as error:
            self.note_problem("tool", error, call)
            return Raises(error)
        call.result = taken.result
        self.serve(taken.result)
        return Returns(value, turns=_turns(taken))

    def _without_outcome(self, call: ObservedCall, misfit: TypeError | None) -> Outcome:
        """The recording holds the call but no outcome: it stopped there."""
        last = self._expected[-1] if self._expected else None
        if call.golden is last or _same_group(call.golden, last):
            self.stop(f"the recording ends in {call.tool}, without an outcome")
            return Raises(RunStopped(self.stopped))
        return self._unmatched(call, Unanswered("used", 0, call.golden), misfit)

    def _unmatched(self, call: ObservedCall, why: Unanswered, misfit: TypeError | None) -> Outcome:
        assert self.golden is not None
        policy = self.golden.replay.unmatched
        if policy == "live" and self.options.live_reads and call.effect == "read" and misfit is None:
            return self._run_for_real(call)
        error = self._explain(call, why)
        call.unmatched = True
        if policy != "error":
            self.note_problem("unmatched", error, call)
        return Raises(misfit or error)

    def _explain(self, call: ObservedCall, why: Unanswered) -> UnrecordedCallError:
        shown = call.raw_args if call.raw_args is not None else _shown(call.args)
        details: dict[str, str] = {}
        if self.golden is not None and self.golden.path is not None:
            details["trace"] = str(self.golden.path)
        if why.reason == "used" and why.closest is not None:
            times = "once" if why.recorded == 1 else f"{why.recorded} times"
            details["closest"] = f"{why.closest.address} was made {times} in the recording, and is a {call.effect}"
        elif why.closest is not None:
            details["closest"] = f"{why.closest.address}, with {_shown(why.closest.args or {})}"
        details["next"] = "add an answer under replay.answers, or record it with --agent-record=rewrite"
        error = UnrecordedCallError(f"no recorded result answers {call.tool}({shown})", **details)
        error.tool = call.tool
        error.tool_args = call.args
        return error

    # -- placeholders and drift ----------------------------------------------------------------

    def with_defaults(self, tool: str, args: dict[str, Value]) -> dict[str, Value]:
        """Fill in the defaults of the arguments that a call left out."""
        return self._keys.with_defaults(tool, args)

    def with_placeholders(self, recorded: Value | Missing, actual: Value | Missing) -> Value | Missing:
        """Put the recorded placeholders in the place of the parts of an actual value that they stand for."""
        return actual if self._stand_ins is None else self._stand_ins.with_placeholders(recorded, actual)

    def stands_for(self, recorded: Value | Missing, actual: Value | Missing) -> bool:
        """Tell whether a recorded value with redacted parts stands for an actual one."""
        return self._stand_ins is not None and self._stand_ins.stands_for(recorded, actual)

    def serve(self, value: Value) -> None:
        """Note that the agent was given a recorded value, so that it now has the placeholders in it."""
        if self._stand_ins is not None:
            self._stand_ins.serve(value)

    def _note_drift(self, call: ObservedCall) -> None:
        golden = call.golden
        if golden is None or self.options.mode != "replay":
            return
        live = call.error.model_dump() if call.error else call.result
        recorded = golden.error.model_dump() if golden.error else golden.result
        if not equal(live, recorded):
            self.drifts.append(Drift(golden.address, recorded, live))


def _same_args(
    keys: CallKeys,
    stand_ins: StandIns,
    equivalent: Equivalent | None,
    tool: str,
    recorded: Mapping[str, Any],
    incoming: Mapping[str, Any],
) -> bool:
    if stand_ins.any and stand_ins.stands_for(keys.compared(tool, recorded), keys.compared(tool, incoming)):
        return True
    return equivalent is not None and equivalent(tool, recorded, incoming)


def _turns(taken: ToolStep | Answer) -> int:
    return taken.finished or 0 if isinstance(taken, ToolStep) and taken.group is not None else 0


def _same_group(step: ToolStep | None, last: ToolStep | None) -> bool:
    return step is not None and last is not None and step.group is not None and step.group == last.group


def _shown(args: Mapping[str, Any], limit: int = 200) -> str:
    text = ", ".join(f"{name}={value!r}" for name, value in args.items())
    return text if len(text) <= limit else text[: limit - 3] + "..."
