"""What a run did, noted while it happens: calls and checkpoints in the order of their start.

Notes are cheap and mutable; the steps of a trace are made from them when
somebody asks. Nothing here decides anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from pytest_agentreplay.jsonable import MISSING, Value
from pytest_agentreplay.runtime.guarding import RunGuard
from pytest_agentreplay.tools.spec import ToolSpec
from pytest_agentreplay.trace import Effect, ErrorInfo, StateStep, ToolStep, Verdict

AnsweredBy: TypeAlias = Literal["recording", "answers", "live", "nothing"]


@dataclass(slots=True, eq=False)
class ObservedCall:
    """One call at the boundary.

    Attributes:
        index: its position among the run's calls, from 0.
        key: canonical arguments, ignored ones left out and defaults filled in.
        golden: the recorded step that answered it.
        answered_by: where its outcome came from.
        same_args: its arguments are the golden ones.
        stands_in: its arguments differ from the golden ones as text, and count as equal.
        state: the agent's state once it went on after this call.
        judged_by: the guards that were asked about it, and are told what became of it.
    """

    index: int
    spec: ToolSpec
    args: dict[str, Value]
    key: str
    effect: Effect
    effect_source: str
    raw_args: str | None = None
    golden: ToolStep | None = None
    answered_by: AnsweredBy = "nothing"
    result: Value = MISSING
    error: ErrorInfo | None = None
    verdict: Verdict | None = None
    state: Value = MISSING
    group: int | None = None
    finished: int | None = None
    unmatched: bool = False
    same_args: bool = False
    stands_in: bool = False
    judged_by: list[RunGuard] = field(default_factory=list)

    @property
    def tool(self) -> str:
        """The tool's name."""
        return self.spec.name

    def to_step(self, *, compared: bool = False) -> ToolStep:
        """Make the step that a trace records of this call.

        Args:
            compared: give the golden arguments in the place of those that count as equal to them.
        """
        optional = {
            "result": self.result,
            "error": self.error,
            "state": self.state,
            "verdict": self.verdict,
            "group": self.group,
            "finished": self.finished,
        }
        given: dict[str, Any] = {
            name: item for name, item in optional.items() if item is not MISSING and item is not None
        }
        if self.result is None:
            given["result"] = None
        if self.state is None:
            given["state"] = None
        args = self.golden.args if compared and self.stands_in and self.golden is not None else self.args
        arguments: dict[str, Any] = {"args": args} if self.raw_args is None else {"raw_args": self.raw_args}
        step = ToolStep(tool=self.tool, **arguments, **given)
        step._classify(self.effect)
        return step


@dataclass(slots=True, eq=False)
class ObservedState:
    """One checkpoint.

    Attributes:
        at: where in the agent it was taken.
    """

    state: Value
    at: str | None = None

    def to_step(self, *, compared: bool = False) -> StateStep:
        """Make the step that a trace records of this checkpoint; it is compared as it is."""
        return StateStep(state=self.state) if self.at is None else StateStep(state=self.state, at=self.at)


Note: TypeAlias = ObservedCall | ObservedState


@dataclass(slots=True)
class ParallelGroups:
    """Finds calls that overlap in time: they form one group, as traces record it."""

    _in_flight: list[ObservedCall] = field(default_factory=list)
    _groups: int = 0
    _returned: dict[int, int] = field(default_factory=dict)

    def begin(self, call: ObservedCall) -> None:
        """Note that a call began."""
        if self._in_flight:
            group = next((other.group for other in self._in_flight if other.group is not None), None)
            if group is None:
                self._groups += 1
                group = self._groups
            for member in (*self._in_flight, call):
                member.group = group
        self._in_flight.append(call)

    def end(self, call: ObservedCall) -> None:
        """Note that a call came back."""
        self._in_flight.remove(call)
        if call.group is not None:
            call.finished = self._returned[call.group] = self._returned.get(call.group, 0) + 1
