"""How benchmarks measure: processes by the CPU time they used, functions by their best run, and rows of a table.

Everything is told as a ratio of two figures of one session, since absolute times say more
about the machine than about the code. Nothing here knows what is measured.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "pytest_agentreplay.plugin")
"""A pytest that `run` lets load this plugin, and no other one of the environment."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        goal: the most that `value` should be; None for what only stands for comparison.
    """

    subject: str
    value: float
    unit: str
    goal: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Used:
    """What one process used: CPU seconds of user and system, and its largest resident set in KiB."""

    seconds: float
    memory: int


def run(command: Sequence[str], cwd: Path, **extra: str) -> Used:
    """Run a process to its end and tell what it used.

    Raises:
        RuntimeError: when it fails, with what it printed.
    """
    output = cwd / "output.txt"
    environment = _environment(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", **extra)
    actions = [
        (os.POSIX_SPAWN_OPEN, 1, str(output), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    before = Path.cwd()
    os.chdir(cwd)
    try:
        pid = os.posix_spawn(command[0], command, environment, file_actions=actions)
    finally:
        os.chdir(before)
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(command)} in {cwd} failed:\n{output.read_text()}")
    return Used(usage.ru_utime + usage.ru_stime, usage.ru_maxrss)


def instructions(command: Sequence[str], cwd: Path) -> int:
    """Count the instructions of a process, which two runs of one program agree on to a few in a hundred million.

    Raises:
        RuntimeError: when it fails, with what it printed.
    """
    counting = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={os.devnull}", *command]
    environment = _environment(PYTHONHASHSEED="0", PYTHONMALLOC="malloc")
    done = subprocess.run(counting, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    found = re.search(r"Collected\s*:\s*(\d+)", done.stderr)
    if done.returncode or found is None:
        raise RuntimeError(f"{' '.join(counting)} failed:\n{done.stdout}{done.stderr}")
    return int(found[1])


def can_count() -> bool:
    """Tell whether the machine can count instructions."""
    return shutil.which("valgrind") is not None


def best(function: Callable[[], object], rounds: int = 5, least: float = 0.02) -> float:
    """Give the seconds of one call: the best of several rounds, each of at least `least` seconds."""
    times = 1
    while _timed(function, times) < least:
        times *= 2
    return min(_timed(function, times) for _ in range(rounds)) / times


def _timed(function: Callable[[], object], times: int) -> float:
    begin = perf_counter()
    for _ in range(times):
        function()
    return perf_counter() - begin


def _environment(**extra: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHONDONTWRITE"))}
    return {**kept, **extra}
