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
    empty = _slope(used, "empty", 100, 1000)
    for kind, goal in (("warm", 0.15), ("cold", 2.0)):
        above = _slope(used, kind, 100, 1000) - empty
        yield Row(f"{kind}: a golden trace above an empty test", above * 1000, "ms", goal)
        yield Row(f"{kind}: a golden trace, to an empty test", (above + empty) / empty, "x")
    for kind in COMMANDS:
        for (low, middle), (_, high) in pairwise(pairwise(SIZES)):
            ratio = _slope(used, kind, middle, high) / _slope(used, kind, low, middle)
            yield Row(f"{kind}: each of {middle:,} to {high:,}, to each of {low:,} to {middle:,}", ratio, "x", 1.2)
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
