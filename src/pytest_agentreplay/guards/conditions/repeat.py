"""``repeat``: the same call more often in a row than a rule allows.

In a row means with no other tool call between; model calls, messages and states
don't count, blocked calls do, or a loop that the guard stops would go on for ever.
Calls count from their beginning on, in the order in which they began.
"""

from __future__ import annotations

from collections.abc import Mapping

from pytest_agentreplay.checks import find
from pytest_agentreplay.guards.conditions.condition import Condition
from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.guards.rules import Objection
from pytest_agentreplay.jsonable import Value, canonical
from pytest_agentreplay.trace import Step, ToolStep


def compile_repeat(same: tuple[str, ...], most: int) -> Condition:
    """Hold where a call would be one more in a row than allowed.

    Args:
        same: what has to be equal: ``tool``, ``args``, or paths such as ``args.query``.
        most: how many in a row are allowed.
    """

    def condition(context: DecisionContext) -> Objection | None:
        row = context.history.index(Row, same)
        if row.length < most or not row.goes_on(context.tool, context.args):
            return None
        return Objection(f"{context.tool} was called {row.length} times in a row with the same {' and '.join(same)}")

    return condition


class Row:
    """The row of equal calls at the end of a trace.

    Args:
        same: what has to be equal.

    Attributes:
        length: how many calls it has.
    """

    of_beginnings = True

    def __init__(self, same: tuple[str, ...]) -> None:
        self.length = 0
        self._by_tool = "tool" in same
        self._paths = tuple(path for path in same if path != "tool")
        self._tool = ""
        self._args: Mapping[str, Value] = {}
        self._compared = ""

    def read(self, step: Step) -> None:
        """Add a call to the row, or begin a new one."""
        if type(step) is not ToolStep:
            return
        args = step.args if step.args is not None else {"raw_args": step.raw_args}
        if self.length and self.goes_on(step.tool, args):
            self.length += 1
        else:
            self.length, self._tool, self._args, self._compared = 1, step.tool, args, ""

    def goes_on(self, tool: str, args: Mapping[str, Value]) -> bool:
        """Tell whether a call would go on with the row."""
        if self._by_tool and tool != self._tool:
            return False
        self._compared = self._compared or self._text(self._args)
        return self._text(args) == self._compared

    def _text(self, args: Mapping[str, Value]) -> str:
        return canonical([args if path == "args" else _found(args, path) for path in self._paths])


def _found(args: Mapping[str, Value], path: str) -> list[Value]:
    return [value for _, value in find({"args": args}, path)]
