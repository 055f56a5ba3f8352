"""Divergence: the place where a run parts from what its golden trace expects, as data.

Failure is data first and exception second. Nothing here knows how one is found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from pytest_agentreplay.compare.differences import Difference
from pytest_agentreplay.jsonable import MISSING, Value, encode

DivergenceKind: TypeAlias = Literal[
    "arguments", "extra", "missing", "order", "error", "state", "output", "verdict", "budget", "not_observed"
]

_HEADLINES: Final[dict[DivergenceKind, str]] = {
    "arguments": "other arguments at {}",
    "extra": "an unexpected call at {}",
    "missing": "an expected call never came: {}",
    "order": "calls out of order at {}",
    "error": "another ending at {}",
    "state": "another state after {}",
    "output": "another output at {}",
    "verdict": "another verdict on {}",
    "budget": "over budget at {}",
    "not_observed": "not observed: {}",
}


@dataclass(frozen=True, slots=True)
class Divergence:
    """One place where a run parts from its golden trace.

    Attributes:
        kind: what is different.
        address: the golden step's address where there is one, else the run's; ``end`` for the end of the run.
        cause: why, in one sentence.
        expected: what should have been: a call as ``{tool, args}``, a state, an output...; `MISSING` for nothing.
        actual: what was; `MISSING` for nothing.
        differences: where the two differ, if both are there.
        golden_index: where the golden calls part, counted over the agent's own calls; their number past the end.
        run_index: where the run's calls part, likewise.
    """

    kind: DivergenceKind
    address: str
    cause: str
    expected: Value = MISSING
    actual: Value = MISSING
    differences: tuple[Difference, ...] = ()
    golden_index: int | None = None
    run_index: int | None = None

    @property
    def headline(self) -> str:
        """What is different and where, in a few words."""
        return _HEADLINES[self.kind].format(self.address)

    def __str__(self) -> str:
        return f"{self.headline}: {self.cause}"

    def to_dict(self) -> dict[str, Any]:
        """Return the divergence as JSON; a side that is nothing is left out."""
        sides = {"expected": self.expected, "actual": self.actual}
        indices = {"golden_index": self.golden_index, "run_index": self.run_index}
        return {
            "kind": self.kind,
            "address": self.address,
            "headline": self.headline,
            "cause": self.cause,
            **{name: encode(side) for name, side in sides.items() if side is not MISSING},
            **{name: index for name, index in indices.items() if index is not None},
            "differences": [one.to_dict() for one in self.differences],
        }
