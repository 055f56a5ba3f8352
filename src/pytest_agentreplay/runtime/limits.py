"""Limits: the call at which a run is stopped, so that a loop can't hang a test session.

Those that the golden trace states (`calls.max`, `no_repeats`, `budget.tool_calls`)
and, for want of one, ten times the recorded calls plus 100.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from pytest_agentreplay.checks import compile_check, find
from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.runtime.observed_calls import ObservedCall
from pytest_agentreplay.trace import Expect

_MOST_RECORDED: Final = 1000
"""Calls in a recording, which run real tools: more than any real run in our collection, few enough to stop a loop."""


class Limits:
    """The limits of one run.

    Args:
        expect: what the run is held to; None for recordings.
        recorded_calls: how many tool calls the golden trace holds; None while it is recorded.
    """

    def __init__(self, expect: Expect | None, recorded_calls: int | None) -> None:
        self._total = _MOST_RECORDED if recorded_calls is None else 10 * recorded_calls + 100
        self._budget = expect.budget.tool_calls if expect and expect.budget else None
        self._no_repeats = expect.no_repeats if expect else None
        self._most = {
            tool: (most, _narrowing(limit.args))
            for tool, limit in ((expect.calls if expect else None) or {}).items()
            if (most := limit.max if limit.exactly is None else limit.exactly) is not None
        }
        self._made: Counter[str] = Counter()
        self._previous: tuple[str, str] | None = None
        self._in_a_row = 0

    def broken_by(self, call: ObservedCall) -> str:
        """Tell which limit this call breaks, if any; to be asked once for every call."""
        return self._repeats(call) or self._per_tool(call) or self._over_all(call)

    def _repeats(self, call: ObservedCall) -> str:
        same = (call.tool, call.key)
        self._in_a_row = self._in_a_row + 1 if same == self._previous else 1
        self._previous = same
        if self._no_repeats is None or self._in_a_row <= self._no_repeats:
            return ""
        return f"{call.tool} was called with the same arguments more than {self._no_repeats} times in a row"

    def _per_tool(self, call: ObservedCall) -> str:
        if call.tool not in self._most:
            return ""
        most, counts = self._most[call.tool]
        self._made[call.tool] += counts(call.args)
        if self._made[call.tool] <= most or not counts(call.args):
            return ""
        return f"{call.tool} may not be called" if most == 0 else f"{call.tool} may be called {most} times at most"

    def _over_all(self, call: ObservedCall) -> str:
        made = call.index + 1
        if self._budget is not None and made > self._budget:
            return f"the budget is {self._budget} tool calls"
        if made > self._total:
            return f"{made} tool calls are far more than the recording holds: a loop that does not end"
        return ""


def _narrowing(args: Mapping[str, Any] | None) -> Callable[[Mapping[str, Any]], bool]:
    checks = [(path, compile_check(spec)) for path, spec in (args or {}).items()]

    def counts(call_args: Mapping[str, Any]) -> bool:
        return all(
            any(check.test(value) is None for value in [value for _, value in find(call_args, path)] or [MISSING])
            for path, check in checks
        )

    return counts
