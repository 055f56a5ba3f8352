"""The run: what the agent under test did, as a test looks at it.

A view on a session's notes while the run goes on and after it. Judging is the
comparison's work; a run only asks for it and raises what it says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pytest_agentreplay.compare import Divergence, Observed, judge
from pytest_agentreplay.compare.observed import tokens
from pytest_agentreplay.errors import GuardBlocked, RunStopped, SettingsError
from pytest_agentreplay.jsonable import MISSING, Missing, Value
from pytest_agentreplay.runtime.failure import divergence_error
from pytest_agentreplay.runtime.guarding import RunGuard
from pytest_agentreplay.runtime.observed_calls import Note, ObservedCall, ObservedModel
from pytest_agentreplay.runtime.problems import Problem
from pytest_agentreplay.runtime.recorded_errors import record_error
from pytest_agentreplay.runtime.session import Drift, Session
from pytest_agentreplay.runtime.values import lenient
from pytest_agentreplay.trace import (
    Effect,
    ErrorInfo,
    Expect,
    ModelStep,
    StateStep,
    ToolStep,
    Trace,
    Verdict,
    assign_addresses,
)
from pytest_agentreplay.trace.expect import parse_expect

_ALLOWED = Verdict(decision="allow")


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a run looked like at one moment.

    Attributes:
        states: the agent's state after each step, by address, and at the ``end``.
        is_final: the run was over.
    """

    steps: list[ToolStep | ModelStep | StateStep]
    states: dict[str, Value]
    is_final: bool


class Run:
    """One run of an agent against a golden trace.

    Attributes:
        trace: the golden trace; None while the first recording is made.
        error: the exception that left the agent, as recorded; None if it ended in an output.
        ended_by: the problem at the boundary whose exception left the agent.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._seen: _Seen | None = None
        self._output: Any = MISSING
        self.trace: Trace | None = session.golden
        self.error: ErrorInfo | None = None
        self.ended_in_block = False
        self.ended_by: Problem | None = None
        self.divergences: list[Divergence] = []

    @property
    def mode(self) -> Literal["replay", "record"]:
        """Whether the run is answered from its golden trace, or records one with real tools."""
        return self._session.options.mode

    @property
    def tools(self) -> list[str]:
        """The names of the tools that the agent called, in order; unmatched and blocked calls included."""
        return [call.tool for call in self._session.calls]

    @property
    def steps(self) -> list[ToolStep | ModelStep | StateStep]:
        """The run's own steps, in order; those of the model as far as its traffic passed the plugin."""
        return self._look().steps

    def _look(self) -> _Seen:
        """Make the run's steps: each time while it goes on, once when it is over."""
        if self._seen is None or not self._seen.is_final:
            is_final = self._session.over
            self._session.sample_state()
            steps = [note.to_step() for note in self.notes]
            assign_addresses(steps, self._effects(), at_boundary=True)
            self._seen = _Seen(steps, _states_after(steps), is_final)
        return self._seen

    def _effects(self) -> dict[str, Effect]:
        return {call.tool: call.effect for call in self._session.calls}

    def calls(self, tool: str | None = None) -> list[ToolStep]:
        """The calls of one tool, or of all, in order."""
        return [step for step in self.steps if isinstance(step, ToolStep) and tool in (None, step.tool)]

    @property
    def output(self) -> Any:
        """What the agent returned; in the context-manager form, what the test assigned."""
        return None if self._output is MISSING else self._output

    @output.setter
    def output(self, value: Any) -> None:
        self._output = value

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """The verdict on every call, by address."""
        return {step.address: step.verdict or _ALLOWED for step in self.calls()}

    def verdict(self, address: str) -> Verdict:
        """The verdict on one call.

        Raises:
            SettingsError: when the run made no such call.
        """
        verdicts = self.verdicts
        if address not in verdicts:
            raise self._unknown(address)
        return verdicts[address]

    def state_after(self, address: str) -> Any:
        """The agent's state after one step, or at the ``end``.

        Raises:
            SettingsError: when the run has no such step, or no state was observed by then.
        """
        if address != "end" and address not in {step.address for step in self.steps}:
            raise self._unknown(address)
        state = self.find_state(address)
        if state is MISSING:
            raise SettingsError(
                f"no state was observed after {address}",
                next="call checkpoint({...}) in the agent, or give agent_replay(..., state=lambda: vars(agent))",
            )
        return state

    def find_state(self, address: str) -> Value | Missing:
        """The agent's state after one step, or at the ``end``; `MISSING` when none was observed."""
        return self._look().states.get(address, MISSING)

    @property
    def problems(self) -> list[Problem]:
        """All that went wrong at the boundary, whatever the agent did with it."""
        return list(self._session.problems)

    @property
    def model_calls(self) -> list[ObservedModel]:
        """The calls of the model that were seen: what was asked and what was answered, in order."""
        return [note for note in self._session.notes if isinstance(note, ObservedModel)]

    @property
    def drifts(self) -> list[Drift]:
        """Live reads that answered something else than the recording."""
        return list(self._session.drifts)

    @property
    def notes(self) -> list[Note]:
        """Calls and checkpoints as the boundary noted them, in order."""
        return list(self._session.notes)

    @property
    def recorded_output(self) -> Value | Missing:
        """The output as a trace records it; `MISSING` when there was none."""
        return MISSING if self._output is MISSING else lenient(self._output)

    @property
    def observed_calls(self) -> list[ObservedCall]:
        """The calls as the boundary noted them."""
        return list(self._session.calls)

    def judge(self, expect: Expect | None) -> list[Divergence]:
        """Compare the run with its golden trace, or with other expectations."""
        return judge(expect, self.trace or Trace(), self.observed())

    @property
    def _guard_is_off(self) -> bool:
        return self.guard is not None and self.guard.guard.mode == "off"

    @property
    def cut_short(self) -> bool:
        """Whether the run ended because the boundary ended it, so that what is missing after that is no news."""
        return bool(self._session.stopped) or self.ended_by is not None

    def note_input(self, given: Any) -> None:
        """Note what the agent was given, for rules that ask where a value came from."""
        guard = self._session.options.guard
        if guard is not None and given is not MISSING:
            guard.given = lenient(given)

    @property
    def guard(self) -> RunGuard | None:
        """What judges the calls of the run; None where no policy does."""
        return self._session.options.guard

    def bind_input(self, given: Any) -> None:
        """Note what the placeholders of the recorded input stand for, where a test gives the agent the real one."""
        if self.trace is not None:
            self._session.stands_for(self.trace.input, lenient(given))

    def hand_over(self, recorded: Value) -> None:
        """Note that the agent was given a recorded value as it is, placeholders and all."""
        self._session.serve(recorded)

    def note_end(self, output: Any = MISSING, error: BaseException | None = None) -> None:
        """Note how the agent ended: what it returned, or the exception that left it."""
        if output is not MISSING:
            self._output = output
        if error is not None and not isinstance(error, RunStopped):
            self.error = record_error(error)
            self.ended_in_block = isinstance(error, GuardBlocked)
            self.ended_by = next((problem for problem in self.problems if problem.error is error), None)

    def observed(self) -> Observed:
        """The run as the comparison sees it: redacted recordings count as what they stand for."""
        steps = self.steps
        if any(call.stands_in for call in self._session.calls):
            steps = [note.to_step(compared=True) for note in self.notes]
            assign_addresses(steps, self._effects(), at_boundary=True)
        models = [step for step in steps if isinstance(step, ModelStep)]
        return Observed(
            steps=steps,
            messages=[step.content for step in models if step.content is not None] if models else None,
            model_calls=len(models) or None,
            input_tokens=tokens(models, "input_tokens"),
            output_tokens=tokens(models, "output_tokens"),
            output=self.recorded_output,
            error=self.error,
            verdicts=None if self._guard_is_off else self.verdicts,
            state_after=self.find_state,
            with_defaults=self._session.with_defaults,
            with_placeholders=self._session.with_placeholders,
            ignore_args=self._session.options.ignore_args,
            as_recorded=self._session.went_as_recorded,
        )

    def check(self, **expectations: Any) -> None:
        """Hold the run to expectations, in the words of a golden trace's `expect`.

        Raises:
            DivergenceError: naming the first place where it parts from them.
            SettingsError: when the expectations are not well-formed.
        """
        __tracebackhide__ = True
        expect = parse_expect(expectations)
        divergences = self.judge(expect)
        self.divergences.extend(divergences)
        if divergences:
            raise divergence_error(self.trace or Trace(), self.observed(), divergences, by_test=True)

    def _unknown(self, address: str) -> SettingsError:
        known = ", ".join(step.address for step in self.steps) or "nothing"
        return SettingsError(f"the run has no step {address}", closest=f"it did {known}", next="name one of these")


def _states_after(steps: Sequence[ToolStep | ModelStep | StateStep]) -> dict[str, Value]:
    """Find the state after each step: its own, else the last one observed before the next call."""
    states: dict[str, Value] = {}
    latest: Value = MISSING
    for step in reversed(steps):
        if latest is MISSING:
            latest = step.state
        found = latest if step.state is MISSING else step.state
        if found is not MISSING:
            states[step.address] = found
            states.setdefault("end", found)
        if type(step) is ToolStep:
            latest = MISSING
    return states
