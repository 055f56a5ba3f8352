"""``grounded``: every value at a path comes from a place that the rule trusts.

From a text (``input``, ``plan``, ``state``, ``retrieved``, ``external``, or a path
into them) a value comes when it occurs there as whole words, an account or a telephone
number also in groups; see `words`. From
``results.TOOL.path`` it comes when it equals a value at that path in an earlier
result of that tool, an item of a list that stands there included; ``results.TOOL``
alone means any value that is no list or mapping. Equality is JSON's, type-strict;
occurring inside a longer result is never enough, since whoever can't choose the
recipient of a transaction can still write its subject.

Null and empty texts name nothing and need no source.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, TypeAlias

from pytest_agentreplay.checks import CheckError, find, parse_path
from pytest_agentreplay.checks.paths import Path, Wildcard
from pytest_agentreplay.guards.conditions.condition import Condition, any_of
from pytest_agentreplay.guards.conditions.sight import compile_places, parse_root
from pytest_agentreplay.guards.conditions.words import fold, occurs, occurs_in_groups
from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.guards.patterns import ToolPattern
from pytest_agentreplay.guards.rules import Objection
from pytest_agentreplay.guards.values import identity, leaves
from pytest_agentreplay.jsonable import MISSING, Value
from pytest_agentreplay.trace import Step, ToolStep

SOURCES: Final = ("input", "plan", "state", "retrieved", "external", "results")
Source: TypeAlias = Callable[[DecisionContext, Value], bool]
"""Tells whether a value comes from one place."""


def compile_grounded(grounded: Mapping[str, Sequence[str]]) -> Condition:
    """Hold where a value comes from none of the places that its path trusts.

    Raises:
        CheckError: for a path or a source that is none.
    """
    return any_of([_ungrounded(path, sources) for path, sources in grounded.items()])


def _ungrounded(path: str, names: Sequence[str]) -> Condition:
    places = compile_places(path)
    sources = [compile_source(name) for name in names]
    says = Objection(f"{path} comes from none of: {', '.join(names)}")

    def comes_from_none(context: DecisionContext, value: Value) -> bool:
        names_something = value is not None and value != ""
        return names_something and not any(comes_from(context, value) for comes_from in sources)

    def condition(context: DecisionContext) -> Objection | None:
        for place in places(context):
            for value in [place] if type(place) is str else leaves(place, opened=False):
                if comes_from_none(context, value):
                    return says
        return None

    return condition


def compile_source(source: str) -> Source:
    """Compile a place that is trusted.

    Raises:
        CheckError: for one that can't be.
    """
    root, rest = parse_root(source, SOURCES)
    if root != "results":
        places = compile_places(source)
        return lambda context, value: _occurs(value, places(context))
    if not rest or not (type(rest[0]) is str or rest[0] is Wildcard.ANY_KEY):
        raise CheckError(f"{source!r} names no tool", remedy="write results.TOOL, or results.TOOL.path")
    return lambda context, value: identity(value) in context.history.index(Trusted, source).values


def _occurs(value: Value, places: list[Value]) -> bool:
    looked_for = fold(_text(value))
    for place in places:
        for leaf in [place] if type(place) is str and place[:1] not in ("{", "[", " ") else leaves(place):
            if occurs(looked_for, _text(leaf)) or occurs_in_groups(looked_for, _text(leaf)):
                return True
    return False


def _text(value: Value) -> str:
    """Write a value as somebody would in a sentence; nothing for what nobody would."""
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is float and value.is_integer():
        return str(int(value))
    return str(value) if kind is int or kind is float else ""


class Trusted:
    """The values that earlier results hold where a source says.

    Args:
        source: ``results.TOOL`` with or without a path.

    Attributes:
        values: as `identity` writes them.
    """

    def __init__(self, source: str) -> None:
        self.values: set[Hashable] = set()
        self._fields = _fields(source)

    def read(self, step: Step) -> None:
        """Note what a result holds."""
        if type(step) is not ToolStep or step.result is MISSING:
            return
        for tools, rest in self._fields:
            if tools(step.tool):
                found = _at(step.result, rest) if rest else leaves(step.result)
                self.values.update(identity(value) for value in found)


@lru_cache(maxsize=256)
def _fields(source: str) -> tuple[tuple[ToolPattern, Path], ...]:
    """List the ways to read a source: the names of tools may have dots, as ``results.email.send.to`` shows."""
    _, first, *rest = parse_path(source)
    if first is Wildcard.ANY_KEY:
        return ((ToolPattern(["*"]), tuple(rest)),)
    name = str(first)
    fields = [(ToolPattern([name]), tuple(rest))]
    while rest and type(rest[0]) is str:
        name = f"{name}.{rest.pop(0)}"
        fields.append((ToolPattern([name]), tuple(rest)))
    return tuple(fields)


def _at(result: Value, rest: Path) -> Iterator[Value]:
    """Give the values at a path; of a list its items, but nothing of what a mapping holds."""
    waiting = [value for _, value in find(result, rest)]
    while waiting:
        value = waiting.pop()
        if type(value) is list:
            waiting.extend(value)
        else:
            yield value
