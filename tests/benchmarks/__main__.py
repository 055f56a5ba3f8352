"""Run the benchmarks, all or those that are named, and print what they found beside the goals.

A goal that is missed is told and fails nothing: figures of a shared machine are no gate.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).parent


def main(named: list[str]) -> None:
    """Print one table."""
    known = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    for name in named or known:
        print(f"\n{name.replace('_', ' ')}", flush=True)
        with TemporaryDirectory(prefix="agentreplay-bench-") as folder:
            for row in import_module(f"bench_{name}").rows(Path(folder)):
                goal = "" if row.goal is None else f"goal {row.goal:g}"
                missed = "" if row.goal is None or row.value <= row.goal else "  missed"
                subject = f"{row.subject} ({row.note})" if row.note else row.subject
                print(f"  {subject:<78} {row.value:>9.3f} {row.unit:<10} {goal:<10}{missed}", flush=True)


main(sys.argv[1:])
