"""What a verdict costs: all packs and fifty or five hundred rules of a user's own, on calls of 1 KB, no two alike.

In process, one verdict at a time, in CPU time, on texts that were never seen before: nothing is answered from
memory but where a row says so. A figure is the median, or the 99th percentile, of the best of three rounds of 200
calls. What the user's rules look back at is there: a trace of a hundred steps, up to 10,000 where growth is measured.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from operator import attrgetter
from pathlib import Path
from time import thread_time
from typing import NamedTuple

from guarded_calls import PACKS, SHAPES, Call, calls_of, policy_text, trace_steps
from measuring import Row, best, run

from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.guards.document import parse_policy
from pytest_agentreplay.guards.evaluator import Guard
from pytest_agentreplay.guards.history import History, parse_step

ROUNDS, CALLS, WARMING = 3, 200, 400
SCRIPT = "a shell script of 1 KB"
TRACES = (10, 100, 1000, 10_000)
GIVEN, PLAN = {"order": "A-1"}, {"most": 500}


class Cost(NamedTuple):
    """CPU seconds of one verdict, and of one `json.dumps` of the same call just before."""

    judged: float
    written: float


def rows(folder: Path) -> Iterator[Row]:
    """Measure."""
    yield from _verdicts(50, 25, 100)
    yield from _verdicts(500, None, 150)
    yield from _growth()
    yield from _starting(folder)


def _verdicts(rules: int, median: float | None, p99: float) -> Iterator[Row]:
    guard = _guard(rules)
    history = History(trace_steps(100))
    found = {shape: _rounds(guard, history, shape) for shape in SHAPES}
    for shape, rounds in found.items():
        yield from _two_rows(shape, rounds, rules, median, p99)
    for name, left_out in (("all of these", ()), ("all but the script", (SCRIPT,))):
        kept = [rounds for shape, rounds in found.items() if shape not in left_out]
        joined = [[time for each in number for time in each] for number in zip(*kept, strict=True)]
        yield from _two_rows(name, joined, rules, median, p99)
    again = [call for shape in SHAPES for call in calls_of(shape, 1, 5)]
    seen = [_timed(guard, history, again) for _ in range(20)][5:]
    yield from _two_rows("all of these once more", seen, rules, median, p99)


def _two_rows(name: str, rounds: list[list[Cost]], rules: int, median: float | None, p99: float) -> Iterator[Row]:
    written = _at(rounds, 0.5, attrgetter("written"))
    for share, words, goal in ((0.5, "median", median), (0.99, "p99", p99)):
        judged = _at(rounds, share, attrgetter("judged"))
        note = f"{rules} rules, {judged / written:.0f} json.dumps"
        yield Row(f"{name}, {words}", judged * 1e6, "us", goal, note)


def _guard(rules: int) -> Guard:
    return Guard([parse_policy(policy_text(rules).encode(), "bench.yaml")])


def _rounds(guard: Guard, history: History, shape: str) -> list[list[Cost]]:
    _timed(guard, history, calls_of(shape, 0, WARMING))
    return [_timed(guard, history, calls_of(shape, number, CALLS)) for number in range(1, ROUNDS + 1)]


def _timed(guard: Guard, history: History, calls: Iterable[Call]) -> list[Cost]:
    costs = []
    for call in calls:
        begin = thread_time()
        json.dumps(call.args)
        between = thread_time()
        verdict = guard.judge(_context(call, history))
        end = thread_time()
        costs.append(Cost(end - between, between - begin))
        if verdict.unavailable:
            raise RuntimeError(f"a rule failed: {verdict.reason}")
    return costs


def _context(call: Call, history: History) -> DecisionContext:
    return DecisionContext(call.tool, call.args, effect=call.effect, history=history, input=GIVEN, plan=PLAN)


def _at(rounds: Iterable[list[Cost]], share: float, of: Callable[[Cost], float]) -> float:
    """Give a quantile of the round in which it is least."""
    return min(sorted(map(of, costs))[int(len(costs) * share)] for costs in rounds)


def _growth() -> Iterator[Row]:
    guard = _guard(50)
    call = calls_of("a nested payload of 1 KB", 1, 1)[0]
    steps = [parse_step(step) for step in trace_steps(TRACES[-1])]
    after, along = {}, {}
    for count in TRACES:
        history = History(steps[:count])
        after[count] = best(lambda history=history: guard.judge(_context(call, history)))
        along[count] = min(_along(guard, call, steps[:count]) for _ in range(3)) / count
    for low, high in pairwise(TRACES):
        yield Row(f"a verdict after {high:,} steps, to one after {low:,}", after[high] / after[low], "x", 1.1)
    for low, high in pairwise(TRACES[1:]):
        subject = f"a step and a verdict along {high:,}, to those along {low:,}"
        yield Row(subject, along[high] / along[low], "x", 1.1)


def _along(guard: Guard, call: Call, steps: list) -> float:
    history = History()
    begin = thread_time()
    for step in steps:
        history.add(step)
        guard.judge(_context(call, history))
    return thread_time() - begin


def _starting(folder: Path) -> Iterator[Row]:
    (folder / "policy.yaml").write_text(policy_text(0))
    (folder / "light.yaml").write_text(policy_text(1, ()))
    (folder / "call.json").write_text(json.dumps({"tool": "bash", "args": {"command": "ls -la src"}}))
    checked = f'exec "{sys.executable}" -m pytest_agentreplay check --policy {{}} < call.json'
    empty = _seconds(folder, [sys.executable, "-c", "pass"])
    for name, policy in ((f"{len(PACKS)} packs", "policy.yaml"), ("no pack", "light.yaml")):
        used = _seconds(folder, ["/bin/sh", "-c", checked.format(policy)])
        yield Row(f"`agent-replay check`, {name}, to an empty Python", used / empty, "x", None, f"{used * 1e3:.0f} ms")


def _seconds(folder: Path, command: list[str]) -> float:
    return min(run(command, folder).seconds for _ in range(7))
