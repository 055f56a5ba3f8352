"""What a run did, noted while it happens: calls and checkpoints in the order of their start.

Notes are cheap and mutable; the steps of a trace are made from them when
somebody asks. Nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from pytest_agentreplay.errors import ToolError
from pytest_agentreplay.jsonable import MISSING, NotJsonError, Value
from pytest_agentreplay.runtime.guarding import RunGuard
from pytest_agentreplay.runtime.values import codec_for
from pytest_agentreplay.tools.framework_calls import FrameworkCall
from pytest_agentreplay.tools.spec import ToolSpec
from pytest_agentreplay.trace import Effect, ErrorInfo, ModelStep, StateStep, ToolStep, Verdict
from pytest_agentreplay.wire.model import ModelReply, ModelRequest

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
        framework: the call as the framework that makes it sees it; None for a Python function's.
        started_at: by the agent's clock, where a recording freezes it.
        duration_ms: by how much that clock moved on.
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
    framework: FrameworkCall | None = None
    started_at: str | None = None
    duration_ms: int | None = None
    judged_by: list[RunGuard] = field(default_factory=list)

    @property
    def tool(self) -> str:
        """The tool's name."""
        return self.spec.name

    def encode(self, result: Any) -> Value:
        """Write the tool's result as JSON.

        Raises:
            ToolError: when it can't be.
        """
        if self.framework is None:
            return codec_for(self.spec).encode(result)
        try:
            return self.framework.encode(result)
        except NotJsonError as error:
            raise ToolError(
                f"the result of {self.tool} can't be recorded",
                cause=f"it holds {error.type_name}, which is not JSON",
                next=f"return JSON from {self.tool}",
            ) from None

    def decode(self, recorded: Value) -> Any:
        """Make the tool's result of a recorded one.

        Raises:
            ToolError: when the recorded value is no result of this tool.
        """
        if self.framework is None:
            return codec_for(self.spec).decode(recorded)
        try:
            return self.framework.decode(recorded)
        except Exception as failure:  # a framework's own validators may raise anything
            raise ToolError(
                f"the recorded result of {self.tool} is none that {self.spec.effect_source} takes",
                cause=str(failure),
                next="record the trace again, or bring the recorded result into the framework's shape",
            ) from None

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
            "started_at": self.started_at,
            "duration_ms": self.duration_ms,
            "group": self.group,
            "finished": self.finished,
            "id": self.framework.id if self.framework is not None else None,
            "actor": self.framework.actor if self.framework is not None else None,
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


@dataclass(slots=True, eq=False)
class ObservedModel:
    """One call of the model."""

    request: ModelRequest
    reply: ModelReply

    def to_step(self, *, compared: bool = False) -> ModelStep:
        """Make the step that a trace records of this call; it is compared as it is."""
        reply = self.reply
        told = {"content": reply.content, "reasoning": reply.reasoning, "usage": dict(reply.usage) or None}
        given: dict[str, Any] = {name: item for name, item in told.items() if item is not None}
        return ModelStep(model=reply.model or self.request.model or "unnamed", **given)


Note: TypeAlias = ObservedCall | ObservedState | ObservedModel


@dataclass(slots=True)
class ParallelGroups:
    """Finds calls that overlap in time, or that a framework makes side by side: they form one group in traces."""

    _in_flight: list[ObservedCall] = field(default_factory=list)
    _batches: dict[Hashable, list[ObservedCall]] = field(default_factory=dict)
    _groups: int = 0
    _returned: dict[int, int] = field(default_factory=dict)

    def begin(self, call: ObservedCall) -> None:
        """Note that a call began."""
        beside = list(dict.fromkeys((*self._in_flight, *self._batch_of(call))))
        if beside:
            group = next((other.group for other in beside if other.group is not None), None)
            if group is None:
                self._groups += 1
                group = self._groups
            for member in (*beside, call):
                member.group = group
            for member in beside:
                if member not in self._in_flight and member.finished is None:
                    self._note_return(member, group)
        self._in_flight.append(call)

    def end(self, call: ObservedCall) -> None:
        """Note that a call came back."""
        self._in_flight.remove(call)
        if call.group is not None:
            self._note_return(call, call.group)

    def _batch_of(self, call: ObservedCall) -> list[ObservedCall]:
        """Give the calls that the framework makes side by side with this one, as far as they began."""
        batch = call.framework.batch if call.framework is not None else None
        if batch is None:
            return []
        members = self._batches.setdefault(batch, [])
        members.append(call)
        return members[:-1]

    def _note_return(self, call: ObservedCall, group: int) -> None:
        call.finished = self._returned[group] = self._returned.get(group, 0) + 1
