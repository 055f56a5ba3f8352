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
    same, changed, subset = {}, {}, {}
    for calls in CALLS:
        golden, run, other = _trace(calls), _trace(calls), _trace(calls, different=calls // 2)
        same[calls] = best(lambda golden=golden, run=run: align(calls_of(golden.steps), calls_of(run.steps)))
        changed[calls] = best(lambda golden=golden, run=other: align(calls_of(golden.steps), calls_of(run.steps)))
        subset[calls] = (
            best(
                lambda golden=golden, run=run: align(
                    calls_of(golden.steps), calls_of(run.steps), trajectory="unordered", args="subset"
                )
            )
            if calls < 10_000
            else float("nan")
        )
    yield Row("holding 10,000 calls against as many", same[10_000] * 1000, "ms", 500)
    yield Row("the same with one of them changed", changed[10_000] / same[10_000], "x", 2)
    for low, high in pairwise(CALLS):
        yield Row(f"each of {high:,} calls, to each of {low:,}", same[high] / same[low] / (high / low), "x", 1.2)
    yield Row("unordered, by subset of arguments: 1,000 calls to 100", subset[1000] / subset[100] / 10, "x")


def _trace(calls: int, different: int | None = None) -> Trace:
    steps = [
        ToolStep(tool=f"tool{n % 7}", args={"n": -1 if n == different else n, "q": "x" * 20}) for n in range(calls)
    ]
    return Trace(steps=steps)
