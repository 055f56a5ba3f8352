"""What finding the first divergence costs, up to 10,000 calls.

In process; the best of five rounds of at least 20 ms each.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from measuring import Row, best

from pytest_agentreplay.compare import align, calls_of
from pytest_agentreplay.trace import ToolStep, Trace

CALLS = (100, 1000, 10_000)


def rows(folder: Path) -> Iterator[Row]:
    """Measure."""
    same = {calls: _cost(calls) for calls in CALLS}
    yield Row("holding 10,000 calls against as many", same[10_000] * 1000, "ms", 500)
    yield Row("the same with one of them changed", _cost(10_000, different=5000) / same[10_000], "x", 2)
    for low, high in pairwise(CALLS):
        yield Row(f"each of {high:,} calls, to each of {low:,}", same[high] / same[low] / (high / low), "x", 1.2)


def _cost(calls: int, different: int | None = None) -> float:
    golden, run = _trace(calls), _trace(calls, different)
    return best(lambda: align(calls_of(golden.steps), calls_of(run.steps)))


def _trace(calls: int, different: int | None = None) -> Trace:
    numbers = [-1 if number == different else number for number in range(calls)]
    return Trace(steps=[ToolStep(tool=f"tool{n % 7}", args={"n": n, "q": "x" * 20}) for n in numbers])
