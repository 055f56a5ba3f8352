"""Parting: where two traces part, why, and what else is different between them.

Compares what the runs did: calls, answers, states, verdicts, output. What the
models said, when, and what the files say about the runs is left out. Nothing here
knows of files or terminals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_agentreplay.compare import Call, Difference, Divergence, align, calls_of, differences
from pytest_agentreplay.jsonable import MISSING, Value
from pytest_agentreplay.trace import ErrorInfo, StateStep, ToolStep, Trace


@dataclass(frozen=True, slots=True)
class Contrast:
    """One thing that both traces have, and have differently.

    Attributes:
        subject: ``input``, ``end``, or the address in the golden trace.
        differences: as paths, as ``result.docs[0]``.
    """

    subject: str
    differences: tuple[Difference, ...]

    @property
    def is_answer(self) -> bool:
        """Whether a tool answered differently."""
        return any(one.path.startswith(("result", "error")) for one in self.differences) and self.subject != "end"


@dataclass(frozen=True, slots=True)
class Parting:
    """How two traces compare.

    Attributes:
        calls: the golden calls and the other's, of the agent itself.
        divergence: where the calls part; None where they are the same.
        contrasts: what else differs, up to where they part and at the end.
    """

    calls: tuple[list[Call], list[Call]]
    divergence: Divergence | None
    contrasts: tuple[Contrast, ...]

    @property
    def identical(self) -> bool:
        """Whether the runs did the same."""
        return self.divergence is None and not self.contrasts

    @property
    def why(self) -> str:
        """What may have led to the divergence: an input or an answer that differed before it, or neither."""
        earlier = [one for one in self.contrasts if one.is_answer]
        if any(one.subject == "input" for one in self.contrasts):
            return "the runs were given different inputs"
        if earlier:
            return f"{earlier[0].subject} had answered differently before: {earlier[0].differences[0]}"
        if self.divergence is None or not self.divergence.run_index:
            return "nothing differs before it: the agent decided differently"
        return "every call before it is the same and had the same answer: the agent decided differently"


def part(golden: Trace, other: Trace) -> Parting:
    """Compare two traces; the arguments that the golden one ignores are ignored."""
    ignored = golden.replay.ignore_args
    calls = (calls_of(golden.steps, ignore_args=ignored), calls_of(other.steps, ignore_args=ignored))
    alignment = align(*calls)
    pairs = [(calls[0][left], calls[1][right]) for left, right in sorted(alignment.pairs.items())]
    return Parting(calls, alignment.divergence, tuple(_contrasts(golden, other, pairs)))


def _contrasts(golden: Trace, other: Trace, pairs: list[tuple[Call, Call]]) -> Iterator[Contrast]:
    yield from _contrast("input", _known(input=golden.input), _known(input=other.input))
    for left, right in pairs:
        yield from _contrast(left.address, _seen(golden, left), _seen(other, right))
    marks, others = _checkpoints(golden), _checkpoints(other)
    for key, (address, state) in marks.items():
        yield from _contrast(address, _known(state=state), _known(state=others.pop(key, ("", MISSING))[1]))
    for address, state in others.values():
        yield from _contrast(address, {}, _known(state=state))
    yield from _contrast("end", _end(golden), _end(other))


def _contrast(subject: str, left: Mapping[str, Value], right: Mapping[str, Value]) -> Iterator[Contrast]:
    if found := tuple(differences(dict(left), dict(right))):
        yield Contrast(subject, found)


def _known(**values: Any) -> dict[str, Value]:
    return {name: value for name, value in values.items() if value is not MISSING and value is not None}


def _seen(trace: Trace, call: Call) -> dict[str, Value]:
    step = trace.steps[call.position]
    assert isinstance(step, ToolStep)
    seen: dict[str, Value] = {"result": step.result, "state": step.state}
    seen = {name: value for name, value in seen.items() if value is not MISSING}
    return seen | _known(error=_error(step.error), verdict=step.verdict.effective if step.verdict else None)


def _end(trace: Trace) -> dict[str, Value]:
    output = {} if trace.output is MISSING else {"output": trace.output}
    return output | _known(error=_error(trace.error))


def _error(error: ErrorInfo | None) -> Value:
    return None if error is None else {"type": error.type, "message": error.message}


def _checkpoints(trace: Trace) -> dict[tuple[str | None, int], tuple[str, Value]]:
    """Find the checkpoints by where they were taken and for which time."""
    met: Counter[str | None] = Counter()
    found = {}
    for step in trace.steps:
        if type(step) is StateStep and step.actor is None:
            met[step.at] += 1
            found[step.at, met[step.at]] = (step.address, step.state)
    return found
