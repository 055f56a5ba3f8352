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

from collections.abc import Mapping
from functools import partial
from typing import Any, Final, NamedTuple

from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.guards.packs.options import refuse_unknown, take_count
from pytest_agentreplay.guards.rules import Objection, Rule
from pytest_agentreplay.jsonable import MISSING, Value
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

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.total = 0
        self.last: list[_Call] = []
        self.runs = [0] * _LONGEST_CYCLE
        self._empty: list[tuple[_Call, int]] = []

    def read(self, step: Step) -> None:
        """Take in one step."""
        if type(step) is not ToolStep or not step.by_agent:
            return
        call = _Call(step.tool, step.args if step.args is not None else step.raw_args)
        self.runs = [self.run_with(call, length) for length in range(1, _LONGEST_CYCLE + 1)]
        self.last = [call, *self.last[: _LONGEST_CYCLE - 1]]
        self.counts[step.tool] = self.counts.get(step.tool, 0) + 1
        self.total += 1
        self._note_result(call, step)

    def run_with(self, call: _Call, length: int) -> int:
        """Tell how many calls, this one included, repeat the one `length` before."""
        return self.runs[length - 1] + 1 if len(self.last) >= length and call.repeats(self.last[length - 1]) else 0

    def times_empty(self, call: _Call) -> int:
        """Tell how often a call came back empty since anything was written."""
        return next((times for known, times in self._empty if call.repeats(known)), 0)

    def _note_result(self, call: _Call, step: ToolStep) -> None:
        if step.result is not MISSING and _is_empty(step.result):
            times = self.times_empty(call) + 1
            others = [entry for entry in self._empty if not call.repeats(entry[0])]
            self._empty = [(call, times), *others[: _REMEMBERED - 1]]
        elif self._empty and step.effect == "write":
            self._empty = []


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
    repeated = patterns.run_with(_Call(context.tool, context.args), 1)
    return (
        Objection(f"{context.tool} was called {repeated} times in a row with the same arguments")
        if repeated >= most
        else None
    )


def _cycle(rounds: int, context: DecisionContext) -> Objection | None:
    patterns = _patterns(context)
    if patterns.counts.get(context.tool, 0) < rounds:
        return None
    call = _Call(context.tool, context.args)
    for length in range(2, _LONGEST_CYCLE + 1):
        if patterns.run_with(call, length) > length * (rounds - 1) and patterns.runs[0] < length - 1:
            names = ", ".join(known.tool for known in reversed(patterns.last[:length]))
            return Objection(f"the calls {names} went round {rounds} times with the same arguments")
    return None


def _empty(context: DecisionContext) -> Objection | None:
    times = _patterns(context).times_empty(_Call(context.tool, context.args))
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
