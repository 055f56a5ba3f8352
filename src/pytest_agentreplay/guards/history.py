"""The history: the earlier steps of a trace, read once by whoever needs to remember something of them.

A rule that looks back keeps an index: the history hands it every step once, in
order, when it is next asked for. So a call costs the same after ten steps and
after ten thousand. What is kept is a reference to each step and what the indexes
take from it: nothing is copied, nothing that no rule asks for is indexed.

A call is told twice: when it begins, and when it is over. What counts calls reads the
beginnings, so that calls made in parallel are judged with each other; what asks for
outcomes reads the ends. Nothing here knows what is remembered, or why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from threading import RLock
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from pytest_agentreplay.checks import render_path
from pytest_agentreplay.errors import TraceFormatError
from pytest_agentreplay.jsonable import MISSING, MarkError, Missing, Value, decode
from pytest_agentreplay.trace import MessageStep, ModelStep, StateStep, Step, ToolStep, Trace
from pytest_agentreplay.trace.problems import explain

P = ParamSpec("P")


class Index(Protocol):
    """What is remembered of a trace.

    One with a true attribute ``of_beginnings`` is given calls as they begin, without
    what they return; any other is given them once they are over.
    """

    def read(self, step: Step) -> None:
        """Take from one step, the next in order, what is to be remembered; steps never change."""


I = TypeVar("I", bound=Index)  # noqa: E741 - one letter, as type variables are named


class _Reading(Generic[I]):
    """An index, the steps that it reads, and how many of them it has read."""

    __slots__ = ("done", "index", "steps")

    def __init__(self, index: I, steps: list[Step]) -> None:
        self.index = index
        self.steps = steps
        self.done = 0


class History:
    """The steps so far. Threads may share it.

    Args:
        steps: earlier steps, as `Step`s or as mappings in the trace's form.

    Attributes:
        steps: those that are over, in the order of their ends.
        begun: all of them, in the order of their beginnings; calls stand there as they were made.
        plan: what the last model step that told a plan told; `MISSING` where none did.
        state: the agent's state after the last step that shows it; `MISSING` where none does.

    Raises:
        TraceFormatError: for a mapping that is no step.
    """

    __slots__ = ("_lock", "_readings", "begun", "plan", "state", "steps")

    def __init__(self, steps: Iterable[Step | Mapping[str, Any]] = ()) -> None:
        self.steps: list[Step] = []
        self.begun: list[Step] = []
        self.plan: Value | Missing = MISSING
        self.state: Value | Missing = MISSING
        self._readings: dict[tuple[Any, ...], _Reading[Any]] = {}
        self._lock = RLock()
        for step in steps:
            self.add(step)

    def __len__(self) -> int:
        return len(self.steps)

    def add(self, step: Step | Mapping[str, Any]) -> None:
        """Add what happened next, from its beginning to its end.

        Raises:
            TraceFormatError: for a mapping that is no step.
        """
        added = step if isinstance(step, _STEPS) else parse_step(step, len(self.steps))
        self.begun.append(added)
        self.end(added)

    def begin(self, call: ToolStep) -> None:
        """Add a call that begins, without an outcome; `end` tells what became of it."""
        self.begun.append(call)

    def end(self, added: Step) -> None:
        """Add what became of a call that was told to begin."""
        if type(added) is ModelStep and added.plan is not None:
            self.plan = added.plan
        if added.state is not MISSING:
            self.state = added.state
        self.steps.append(added)

    def index(self, kind: Callable[P, I], *args: P.args, **kwargs: P.kwargs) -> I:
        """Give an index that has read every step so far.

        The first call makes it, the next ones with equal arguments give the same.

        Args:
            kind: makes the index, as its class does.
            args: for `kind`, hashable.
            kwargs: none.
        """
        reading = self._readings.get((kind, *args))
        if reading is None or reading.done < len(reading.steps):
            return cast(I, self._caught_up((kind, *args)))
        return cast(I, reading.index)

    def _caught_up(self, key: tuple[Any, ...]) -> Any:
        with self._lock:
            reading = self._readings.get(key)
            if reading is None:
                index = key[0](*key[1:])
                steps = self.begun if getattr(index, "of_beginnings", False) else self.steps
                reading = self._readings[key] = _Reading(index, steps)
            while reading.done < len(reading.steps):
                reading.index.read(reading.steps[reading.done])
                reading.done += 1  # only now: a step that can't be read is not skipped, whoever asks next fails too
            return reading.index


_STEPS = (ToolStep, ModelStep, MessageStep, StateStep)


def parse_step(step: Any, position: int = 0) -> Step:
    """Read a step in the trace's form.

    Args:
        step: a mapping, as a trace file has it.
        position: counted from 0, for the error.

    Raises:
        TraceFormatError: for what is no step, with the path to what is wrong.
    """
    if isinstance(step, _STEPS):
        return step
    document = dict(step) if isinstance(step, Mapping) else step
    try:
        parsed: Step = _adapter().validate_python(decode(document))
    except ValidationError as error:
        # Once more as a part of a trace, where problems are told by paths and with typos named.
        problem = explain(_as_trace_error(document) or error, {"steps": [document]}, Trace)[0]
        path = render_path(("steps", position, *problem.path[2:]))
        raise TraceFormatError(problem.fact, path=path, next=problem.remedy or "write it as a trace does") from None
    except MarkError as error:
        path = render_path(("steps", position, *error.path))
        raise TraceFormatError(error.problem, path=path, next="write it as a trace does") from None
    return parsed


@cache
def _adapter() -> TypeAdapter[Step]:
    return TypeAdapter(Step)


def _as_trace_error(step: Any) -> ValidationError | None:
    try:
        Trace.model_validate({"steps": [step]})
    except ValidationError as error:
        return error
    return None
