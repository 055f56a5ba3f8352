"""What a decorated tool costs outside a run, and a replayed call inside one.

In process; the best of five rounds of at least 20 ms each.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import projects
from measuring import PYTEST, Row, run


def rows(folder: Path) -> Iterator[Row]:
    """Measure."""
    root = projects.make(folder, traces=1)
    here = Path(__file__).parent
    for name in ("probe_calls.py", "measuring.py"):
        shutil.copy(here / name, root)
    for calls in (10, 100, 1000):
        (root / f"calls{calls}.yaml").write_text(projects.trace_text(calls, calls))
    run([*PYTEST, "-p", "no:cacheprovider", "probe_calls.py"], root)
    found = json.loads((root / "found.json").read_text())
    for when, words in (("outside", "outside a run"), ("after", "once a run is over")):
        yield Row(f"a decorated tool adds, {words}", (found[when] - found["plain"]) * 1e9, "ns", 300)
    yield Row("a decorated tool outside a run, to a plain call", found["outside"] / found["plain"], "x", 2.5)
    yield Row("the same once a run is over", found["after"] / found["plain"], "x")
    yield Row("a decorated coroutine outside a run, to a plain one", found["aoutside"] / found["aplain"], "x", 2.5)
    yield Row("the same once a run is over", found["aafter"] / found["aplain"], "x")
    yield Row("a run of 10 calls, to a plain call", found["run10"] / 10 / found["plain"], "x a call")
    yield Row("a run of 10 calls", found["run10"] / 10 * 1e6, "us a call", 50)
    yield Row("a call in a run of 100, to one in a run of 10", found["run100"] / 10 / found["run10"], "x", 1.1)
    yield Row("a call in a run of 1,000, to one in a run of 100", found["run1000"] / 10 / found["run100"], "x", 1.1)
