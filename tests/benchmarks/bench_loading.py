"""What the parsed cache saves when a golden trace is loaded, and how loading grows with the trace.

In process; the best of five rounds of at least 20 ms each.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import projects
from measuring import Row, best

from pytest_agentreplay.storage import TraceCache, load_trace

STEPS = (10, 100, 1000)


def rows(folder: Path) -> Iterator[Row]:
    """Measure."""
    os.environ["XDG_STATE_HOME"] = str(folder / "state")  # where the user's key of the cache is
    cache = TraceCache(folder / "cache")
    cold, warm = {}, {}
    for steps in STEPS:
        path = folder / f"calls{steps}.yaml"
        path.write_text(projects.trace_text(1, steps))
        cold[steps] = best(lambda path=path: load_trace(path))
        warm[steps] = best(lambda path=path: cache.load(path))
        yield Row(f"loading {steps:,} steps from the cache, to parsing them", warm[steps] / cold[steps], "x", 0.25)
    for low, high in pairwise(STEPS):
        grows = cold[high] / cold[low] / (high / low)
        yield Row(f"parsing a step of {high:,}, to one of {low:,}", grows, "x", 1.2)
