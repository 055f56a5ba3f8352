"""What a golden trace of ten calls costs beside an empty test, and how that and memory grow with their number.

CPU time of whole processes, round robin; the slope between two sizes, so that what a session costs once is not in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import projects
from measuring import PYTEST, Row, Used, run

SIZES = {10: 5, 100: 5, 1000: 3, 10_000: 1}
"""Number of traces -> rounds."""

COMMANDS = {
    "empty": ("test_empty.py",),
    "cold": ("-p", "no:cacheprovider", "--agent-replay", "golden_traces"),
    "warm": ("--agent-replay", "golden_traces"),
}


def rows(folder: Path) -> Iterator[Row]:
    """Measure."""
    used = {size: _measure(projects.make(folder / str(size), size), rounds) for size, rounds in SIZES.items()}
    for kind, goal in (("warm", 0.15), ("cold", 2.0)):
        yield Row(f"{kind}: a golden trace above an empty test", _above_empty(used, kind, 100, 1000) * 1e3, "ms", goal)
        ratio = _slope(used, kind, 100, 1000) / _slope(used, "empty", 100, 1000)
        yield Row(f"{kind}: a golden trace, to an empty test", ratio, "x")
    for kind in ("warm", "cold"):
        for (low, middle), (_, high) in pairwise(pairwise(SIZES)):
            grows = _above_empty(used, kind, middle, high) / _above_empty(used, kind, low, middle)
            yield Row(f"{kind}: each of {middle:,} to {high:,}, to each of {low:,} to {middle:,}", grows, "x", 1.25)
    for kind in COMMANDS:
        kept = (used[10_000][kind].memory - used[1000][kind].memory) / 9000
        yield Row(f"{kind}: memory that an item keeps to the end of the session", kept, "KiB")


def _measure(root: Path, rounds: int) -> dict[str, Used]:
    run([*PYTEST, *COMMANDS["warm"]], root)  # fills the cache, and writes the bytecode
    found: dict[str, list[Used]] = {kind: [] for kind in COMMANDS}
    for _ in range(rounds):
        for kind, arguments in COMMANDS.items():
            found[kind].append(run([*PYTEST, *arguments], root))
    return {kind: min(each, key=lambda used: used.seconds) for kind, each in found.items()}


def _slope(used: dict[int, dict[str, Used]], kind: str, low: int, high: int) -> float:
    return (used[high][kind].seconds - used[low][kind].seconds) / (high - low)


def _above_empty(used: dict[int, dict[str, Used]], kind: str, low: int, high: int) -> float:
    return _slope(used, kind, low, high) - _slope(used, "empty", low, high)
