"""``called`` and ``unless_called``: whether a tool was called before, with which arguments, how long ago.

A call that the guard blocked never happened. A call that ended in an error did, and so
did one that is still at work: both satisfy ``called``, and neither satisfies
``unless_called``, which asks for a call that came back. Arguments that are to equal something are looked up; of the
other checks only those with a ``$path`` are asked again, once for each set of
values that earlier calls had.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from pytest_agentreplay.checks import Check, find
from pytest_agentreplay.checks.paths import Wildcard, parse_path
from pytest_agentreplay.guards.conditions.condition import Condition
from pytest_agentreplay.guards.conditions.sight import compile_reference
from pytest_agentreplay.guards.conditions.specs import Test, compile_spec, references, refers
from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.guards.patterns import ToolPattern
from pytest_agentreplay.guards.rules import Objection
from pytest_agentreplay.guards.values import identity
from pytest_agentreplay.jsonable import MISSING, Value, canonical
from pytest_agentreplay.trace import Step, ToolStep

Key: TypeAlias = tuple[Hashable, ...]


class _Asked(NamedTuple):
    """A check on an argument of earlier calls."""

    path: str
    check: Check
    test: Test


class CallQuery:
    """Which earlier calls count; equal for equal queries, so that rules share what they remember.

    Args:
        tools: names or patterns.
        args: checks by argument path.
        max_steps_ago: the last step is one step ago; None for any time.
        returned: only calls that are over and did not end in an error count.
    """

    def __init__(
        self, tools: Sequence[str], args: Mapping[str, Any], max_steps_ago: int | None = None, *, returned: bool = False
    ) -> None:
        self._written = canonical([sorted(tools), dict(args), returned])
        self._max_steps_ago = max_steps_ago
        self.is_tool = ToolPattern(tools)
        self.returned = returned
        self.fixed = [(path, compile_spec(spec)[0]) for path, spec in args.items() if not refers(spec)]
        self.keys = [(path, compile_reference(spec[1:])) for path, spec in args.items() if _is_key(path, spec)]
        self.asked = [
            _Asked(path, *compile_spec(spec)) for path, spec in args.items() if refers(spec) and not _is_key(path, spec)
        ]
        self._known = [compile_reference(path) for spec in args.values() for path in references(spec) if self.asked]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CallQuery) and other._written == self._written

    def __hash__(self) -> int:
        return hash(self._written)

    def found(self, context: DecisionContext) -> bool:
        """Tell whether such a call was made.

        Raises:
            MissingReferenceError: when what the arguments are compared with is not known.
        """
        key = tuple([identity(value(context)) for _, value in self.keys])
        for value in self._known:  # what is not known is told, also where no call was made
            value(context)
        calls = context.history.index(_Calls, self).by_key.get(key)
        if not calls or (self._max_steps_ago is None and not self.asked):
            return bool(calls)
        steps = context.history.steps if self.returned else context.history.begun
        earliest = len(steps) - self._max_steps_ago if self._max_steps_ago is not None else 0
        return any(
            call.position >= earliest and all(_meets(call.values[each.path], each, context) for each in self.asked)
            for call in list(calls.values())
        )


def compile_called(query: CallQuery) -> Condition:
    """Hold where such a call was made."""
    return _condition(query, wanted=True)


def compile_unless_called(query: CallQuery) -> Condition:
    """Hold where no such call was made."""
    return _condition(query, wanted=False)


def _condition(query: CallQuery, *, wanted: bool) -> Condition:
    says = Objection(f"{' or '.join(sorted(query.is_tool.names))} was {'' if wanted else 'not '}called before")
    return lambda context: says if query.found(context) is wanted else None


def _is_key(path: str, spec: Any) -> bool:
    """Tell whether a check is that one place equals a reference: then a lookup answers it."""
    alone = type(spec) is str and refers(spec)
    return alone and not any(isinstance(segment, Wildcard) for segment in parse_path(path))


def _meets(values: list[Value], asked: _Asked, context: DecisionContext) -> bool:
    return any(asked.test(value, context) for value in values or [MISSING])


class _Call:
    """The last of the calls that had the same values where a query looks.

    Attributes:
        values: by the paths of the checks that are asked again.
        position: of its step, from 0.
    """

    __slots__ = ("position", "values")

    def __init__(self, values: dict[str, list[Value]]) -> None:
        self.values = values
        self.position = 0


class _Calls:
    """The calls that a query is about, by the values that it looks up."""

    def __init__(self, query: CallQuery) -> None:
        self.by_key: dict[Key, dict[Key, _Call]] = {}
        self.of_beginnings = not query.returned
        self._query = query
        self._position = -1

    def read(self, step: Step) -> None:
        """Note a call."""
        self._position += 1
        if type(step) is not ToolStep or not self._counts(step):
            return
        args = step.args or {}
        key = tuple([identity(_one(args, path)) for path, _ in self._query.keys])
        values = {asked.path: [value for _, value in find(args, asked.path)] for asked in self._query.asked}
        same = tuple([canonical(found) for found in values.values()])
        call = self.by_key.setdefault(key, {}).setdefault(same, _Call(values))
        call.position = self._position

    def _counts(self, step: ToolStep) -> bool:
        query = self._query
        if not query.is_tool(step.tool) or step.blocked or (query.returned and step.error is not None):
            return False
        args = step.args or {}
        return all(_holds_at(check, args, path) for path, check in query.fixed)


def _one(args: Mapping[str, Value], path: str) -> Value:
    found = find(args, path)
    return found[0][1] if found else MISSING


def _holds_at(check: Check, args: Mapping[str, Value], path: str) -> bool:
    found = find(args, path)
    return any(check.holds(value) for _, value in found) if found else check.holds(MISSING)
