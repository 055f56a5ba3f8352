"""Answers: which recorded outcome a call of the run gets.

By arguments (the n-th identical call gets the n-th answer), by order, or by
name; a trace's extra `answers` come last. Matching chooses an answer and judges
nothing: whether the call should have been made is the comparison's business.
Not thread-safe: the session calls it under its lock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from pytest_agentreplay.checks import compile_check, find
from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.trace import Answer, ReplayOptions, ToolStep

KeyOf: TypeAlias = Callable[[ToolStep], str]
Equivalent: TypeAlias = Callable[[str, Mapping[str, Any], Mapping[str, Any]], bool]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the run, as far as matching sees it.

    Attributes:
        key: canonical arguments; two calls of one tool are identical when their keys are equal.
        repeats: a call more than recorded gets the last answer again (reads do, writes don't).
    """

    tool: str
    args: Mapping[str, Any]
    key: str
    repeats: bool


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Why no recorded outcome answers a call.

    Attributes:
        reason: ``unknown`` (nothing like it was recorded) or ``used`` (all its answers were given).
        recorded: how many identical calls the recording holds.
        closest: the recorded call that is nearest, if the tool was called at all.
    """

    reason: Literal["unknown", "used"]
    recorded: int = 0
    closest: ToolStep | None = None


@dataclass(slots=True)
class _Queue:
    """Recorded calls that answer one after the other."""

    steps: list[ToolStep] = field(default_factory=list)
    given: int = 0

    def take(self, *, repeats: bool) -> ToolStep | None:
        if self.given < len(self.steps):
            self.given += 1
            return self.steps[self.given - 1]
        return self.steps[-1] if repeats and self.steps else None


class AnswerBook:
    """The recorded outcomes of one golden trace, handed out call by call.

    Args:
        steps: the recorded calls that the agent itself made, in file order.
        options: how to match.
        key_of: the canonical arguments of a recorded call.
        equivalent: tells for a tool whether recorded arguments stand for others (redacted ones, a
            third party's matcher); asked only where the keys differ. None when nothing can.
    """

    def __init__(
        self,
        steps: Sequence[ToolStep],
        options: ReplayOptions,
        key_of: KeyOf,
        equivalent: Equivalent | None = None,
    ) -> None:
        self._options = options
        self._key_of = key_of
        self._equivalent = equivalent
        self._steps = list(steps)
        self._by_tool: defaultdict[str, list[ToolStep]] = defaultdict(list)
        for step in steps:
            self._by_tool[step.tool].append(step)
        self._queues: dict[str, dict[str, _Queue]] = {}
        self._positions: dict[str, _Positions] = {}
        self._extra = [(answer, _compile_args(answer)) for answer in options.answers]

    @property
    def by_args(self) -> bool:
        """Whether an answer means that the arguments were the recorded ones, or stand for them."""
        return self._options.match == "args"

    def take(self, call: Call) -> ToolStep | Answer | Unanswered:
        """Hand out the answer of a call, or say why there is none."""
        found = self._take_by_args(call) if self.by_args else self._take_by_position(call)
        return found or self._take_extra(call) or self._explain(call)

    def _take_by_args(self, call: Call) -> ToolStep | None:
        queue = self._queue(call)
        return queue.take(repeats=call.repeats) if queue else None

    def _queue(self, call: Call) -> _Queue | None:
        queues = self._queues.get(call.tool)
        if queues is None:
            queues = self._queues[call.tool] = defaultdict(_Queue)
            for step in self._by_tool[call.tool]:
                queues[self._key_of(step)].steps.append(step)
        if call.key in queues:
            return queues[call.key]
        if self._equivalent is not None:
            for queue in queues.values():
                if self._equivalent(call.tool, queue.steps[0].args or {}, call.args):
                    return queue
        return None

    def _take_by_position(self, call: Call) -> ToolStep | None:
        by_name = self._options.match == "name"
        scope = call.tool if by_name else ""
        if scope not in self._positions:
            self._positions[scope] = _Positions(self._by_tool[call.tool] if by_name else self._steps)
        return self._positions[scope].take(call, self._key_of, repeats=call.repeats and by_name)

    def _take_extra(self, call: Call) -> Answer | None:
        for answer, checks in self._extra:
            if answer.tool == call.tool and all(check(call.args) for check in checks):
                return answer
        return None

    def _explain(self, call: Call) -> Unanswered:
        recorded = self._by_tool[call.tool]
        if not recorded:
            return Unanswered("unknown")
        identical = [step for step in recorded if self._key_of(step) == call.key]
        if identical:
            return Unanswered("used", len(identical), identical[-1])
        return Unanswered("unknown", closest=max(recorded, key=lambda step: _likeness(step.args or {}, call.args)))


class _Positions:
    """Recorded calls answered by position; the calls of one parallel group in any order."""

    def __init__(self, steps: Sequence[ToolStep]) -> None:
        self._blocks: list[list[ToolStep]] = []
        for step in steps:
            previous = self._blocks[-1][-1] if self._blocks else None
            if previous is not None and step.group is not None and step.group == previous.group:
                self._blocks[-1].append(step)
            else:
                self._blocks.append([step])
        self._last = steps[-1] if steps else None
        self._next = 0
        self._left = list(self._blocks[0]) if self._blocks else []

    def take(self, call: Call, key_of: KeyOf, *, repeats: bool) -> ToolStep | None:
        if not self._left:
            return self._last if repeats else None
        same_tool = [step for step in self._left if step.tool == call.tool]
        chosen = next((step for step in same_tool if key_of(step) == call.key), same_tool[0] if same_tool else None)
        self._left = [step for step in self._left if step is not (chosen or self._left[0])]
        if not self._left:
            self._next += 1
            self._left = list(self._blocks[self._next]) if self._next < len(self._blocks) else []
        return chosen


def _compile_args(answer: Answer) -> list[Callable[[Mapping[str, Any]], bool]]:
    return [_argument_check(path, spec) for path, spec in (answer.args or {}).items()]


def _argument_check(path: str, spec: Any) -> Callable[[Mapping[str, Any]], bool]:
    check = compile_check(spec)

    def holds(args: Mapping[str, Any]) -> bool:
        values = [value for _, value in find(args, path)] or [MISSING]
        return any(check.test(value) is None for value in values)

    return holds


def _likeness(recorded: Mapping[str, Any], incoming: Mapping[str, Any]) -> int:
    return sum(name in incoming and recorded[name] == incoming[name] for name in recorded)
