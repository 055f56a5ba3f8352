"""The pack `loops`: an agent that goes round in circles is stopped.

| rule | objects to |
| --- | --- |
| ``loops/same`` | the same call more than `max` times in a row |
| ``loops/cycle`` | the same two to eight calls, in their order, more than `cycle` times over |
| ``loops/empty`` | a call that came back empty twice, with nothing written since |
| ``loops/budget`` | more calls than `budget` allows, of all tools or of one |

Nothing here looks at what a call does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.guards.packs.options import refuse_unknown, take_count
from pytest_agentreplay.guards.rules import Objection, Rule
from pytest_agentreplay.jsonable import MISSING, Missing, Value
from pytest_agentreplay.redaction.keys import words
from pytest_agentreplay.trace import Step, ToolStep

VERSION: Final = 1

_TAKES: Final = {
    "max": "a whole number: identical calls in a row",
    "cycle": "a whole number: times that a round of calls may be made",
    "budget": "a whole number, or a mapping of tool names and `total` to whole numbers",
}
_DEFAULT_MAX: Final = 3
_DEFAULT_CYCLE: Final = 3
_LONGEST_CYCLE: Final = 8
_MOST_EMPTY: Final = 2  # empty answers after which asking again is a loop
_PATIENCE: Final = 10  # times as many calls as else, where every one brings something new
_WAITING: Final = re.compile(r"(?i)(?:^|[^a-z])(?:sleep|wait|delay|pause)(?:[^a-z]|$)")
_REMEMBERED: Final = 64  # calls with empty answers
_COUNTS: Final = words("count total total_count n num_results total_results size hits found")


class _Call(NamedTuple):
    tool: str
    args: Value

    def repeats(self, other: _Call) -> bool:
        return self.tool == other.tool and self.args == other.args


class CallPatterns:
    """What the calls so far look like, kept up to date call by call.

    Attributes:
        counts: calls by tool.
        total: all calls.
        last: the last ones, newest first, as many as the longest cycle has.
        runs: for each cycle length, from 1 on, how many of the newest calls repeat the one that many before it.
    """

    of_beginnings = True  # calls that are made in parallel are counted together

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.total = 0
        self.last: list[_Call] = []
        self.runs = [0] * _LONGEST_CYCLE

    def read(self, step: Step) -> None:
        """Take in one step."""
        if type(step) is not ToolStep or not step.by_agent:
            return
        call = _call_of(step)
        self.runs = [self.run_with(call, length) for length in range(1, _LONGEST_CYCLE + 1)]
        self.last = [call, *self.last[: _LONGEST_CYCLE - 1]]
        self.counts[step.tool] = self.counts.get(step.tool, 0) + 1
        self.total += 1

    def run_with(self, call: _Call, length: int) -> int:
        """Tell how many calls, this one included, repeat the one `length` before."""
        return self.runs[length - 1] + 1 if len(self.last) >= length and call.repeats(self.last[length - 1]) else 0


class EmptyAnswers:
    """The calls that came back with nothing, since anything was written."""

    def __init__(self) -> None:
        self._empty: list[tuple[_Call, int]] = []

    def times_empty(self, call: _Call) -> int:
        """Tell how often a call came back empty since anything was written."""
        return next((times for known, times in self._empty if call.repeats(known)), 0)

    def read(self, step: Step) -> None:
        """Take in what became of one call."""
        if type(step) is not ToolStep or not step.by_agent:
            return
        call = _call_of(step)
        if step.result is not MISSING and _is_empty(step.result):
            times = self.times_empty(call) + 1
            others = [entry for entry in self._empty if not call.repeats(entry[0])]
            self._empty = [(call, times), *others[: _REMEMBERED - 1]]
        elif self._empty and step.effect == "write":
            self._empty = []


def _call_of(step: ToolStep) -> _Call:
    return _Call(step.tool, step.args if step.args is not None else {"raw_args": step.raw_args})


class Progress:
    """Which of the last calls still bring something new: asking until a job is done is no loop while it moves on."""

    def __init__(self) -> None:
        self._answers: list[tuple[_Call, Value | Missing, bool]] = []

    def read(self, step: Step) -> None:
        """Take in one step."""
        if type(step) is not ToolStep or not step.by_agent:
            return
        call = _call_of(step)
        before = next((answer for known, answer, _ in self._answers if call.repeats(known)), MISSING)
        moves = before is not MISSING and step.result is not MISSING and step.result != before
        others = [known for known in self._answers if not call.repeats(known[0])]
        self._answers = [
            (call, step.result, moves),
            *others[: _LONGEST_CYCLE - 1],
        ]

    def moves(self, call: _Call) -> bool:
        """Tell whether a call came back with something else than the time before."""
        return any(moves for known, _, moves in self._answers if call.repeats(known))


def _waits(tool: str) -> bool:
    return _WAITING.search(tool) is not None


def _is_empty(result: Value) -> bool:
    if (
        result is None
        or result in ("", [], {})
        or (type(result) is str and result.strip() in ("", "[]", "{}", "null", "None"))
    ):
        return True
    if type(result) is not dict:
        return False
    return (
        bool(result)
        and all(
            item in ([], {}, "", None, False) or (key.lower() in _COUNTS and item == 0)
            for key, item in result.items()
            if key not in ("query", "ok", "status")
        )
        and any(item == [] or item == {} or (key.lower() in _COUNTS and item == 0) for key, item in result.items())
    )


def rules(options: Mapping[str, Any]) -> list[Rule]:
    """Make the pack's rules.

    Args:
        options: ``max`` and ``cycle`` (3 each), ``budget`` (none).

    Raises:
        ValueError: for any other option, or a value that is no whole number.
    """
    refuse_unknown("loops", options, _TAKES)
    most = take_count("loops", options, "max", _DEFAULT_MAX)
    rounds = take_count("loops", options, "cycle", _DEFAULT_CYCLE)
    budget = _budget(options)
    made = [
        Rule("loops/same", partial(_same, most), version=VERSION, meaning={"max": most}),
        Rule("loops/cycle", partial(_cycle, rounds), version=VERSION, meaning={"cycle": rounds}),
        Rule("loops/empty", _empty, severity="medium", version=VERSION),
    ]
    if budget:
        made.append(Rule("loops/budget", partial(_over_budget, budget), version=VERSION, meaning={"budget": budget}))
    return made


def _budget(options: Mapping[str, Any]) -> dict[str, int]:
    given = options.get("budget", {})
    if not isinstance(given, Mapping):
        return {"total": take_count("loops", options, "budget", 0, least=0)}
    for name in given:
        take_count("loops.budget", given, name, 0, least=0)
    return dict(given)


def _patterns(context: DecisionContext) -> CallPatterns:
    return context.history.index(CallPatterns)


def _same(most: int, context: DecisionContext) -> Objection | None:
    patterns = _patterns(context)
    if patterns.counts.get(context.tool, 0) < most:
        return None
    call = _Call(context.tool, context.args)
    repeated = patterns.run_with(call, 1)
    if repeated < most or (repeated < most * _PATIENCE and _moves_on(context, [call])):
        return None
    return Objection(f"{context.tool} was called {repeated} times in a row with the same arguments")


def _moves_on(context: DecisionContext, calls: Sequence[_Call]) -> bool:
    """Tell whether calls wait for something that changes: one asks and is told something new, the others only wait."""
    asking = [call for call in calls if not _waits(call.tool)]
    return (
        context.effect == "read"
        and len(asking) == 1
        and asking[0].tool == context.tool
        and context.history.index(Progress).moves(asking[0])
    ) or (_waits(context.tool) and len(asking) == 1 and context.history.index(Progress).moves(asking[0]))


def _cycle(rounds: int, context: DecisionContext) -> Objection | None:
    patterns = _patterns(context)
    if patterns.counts.get(context.tool, 0) < rounds:
        return None
    call = _Call(context.tool, context.args)
    for length in range(2, _LONGEST_CYCLE + 1):
        repeated = patterns.run_with(call, length)
        if repeated > length * (rounds - 1) and patterns.runs[0] < length - 1:
            if repeated < length * rounds * _PATIENCE and _moves_on(context, patterns.last[:length]):
                continue
            names = ", ".join(known.tool for known in reversed(patterns.last[:length]))
            return Objection(f"the calls {names} went round {rounds} times with the same arguments")
    return None


def _empty(context: DecisionContext) -> Objection | None:
    times = context.history.index(EmptyAnswers).times_empty(_Call(context.tool, context.args))
    return (
        Objection(f"{context.tool} came back empty {times} times for these arguments") if times >= _MOST_EMPTY else None
    )


def _over_budget(budget: Mapping[str, int], context: DecisionContext) -> Objection | None:
    patterns = _patterns(context)
    if "total" in budget and patterns.total >= budget["total"]:
        return Objection(f"the budget of {budget['total']} calls is used up")
    most = budget.get(context.tool)
    if most is not None and patterns.counts.get(context.tool, 0) >= most:
        return Objection(f"the budget of {most} calls of {context.tool} is used up")
    return None
