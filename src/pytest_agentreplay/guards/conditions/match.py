"""``match``: checks on what a rule sees, all of which must hold.

One place that meets its check is enough. A path that leads nowhere meets
``exists: false`` and nothing else. What an analyser lists, as ``shell.programs``,
is checked item by item, unless the check is about a list: ``contains``, ``any``,
``all``, ``none``, ``length``, ``type`` and ``exists`` are. A redacted text is checked as
what it stands for; where that can't be said, the rule can't say either.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

from pytest_agentreplay.checks import Check, find
from pytest_agentreplay.checks.paths import Path, Wildcard
from pytest_agentreplay.checks.vocabulary import is_number
from pytest_agentreplay.guards.conditions.condition import Condition, all_of
from pytest_agentreplay.guards.conditions.sight import (
    FACTS,
    ROOTS,
    Place,
    Places,
    compile_place,
    compile_places,
    parse_root,
    step_view,
)
from pytest_agentreplay.guards.conditions.specs import Test, compile_spec, refers
from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.guards.history import History
from pytest_agentreplay.guards.rules import Objection, UnavailableError
from pytest_agentreplay.jsonable import MISSING, Value, canonical
from pytest_agentreplay.redaction.placeholders import OPENING
from pytest_agentreplay.trace import Step

_ABOUT_LISTS: Final = frozenset({"contains", "not_contains", "any", "all", "none", "length", "type", "exists"})
_COMPARISONS: Final = {"gt": operator.gt, "ge": operator.ge, "lt": operator.lt, "le": operator.le}
_NOTHING: Final[list[Value]] = [MISSING]
_CONTAINERS: Final = frozenset({list, dict})  # which a placeholder may be in
_NOWHERE: Final = DecisionContext("", {}, effect="read", history=History())  # of a check that refers to nothing


def compile_match(match: Mapping[str, Any], says: Objection | None = None) -> Condition:
    """Compile checks by their paths.

    Args:
        match: checks by paths.
        says: what is objected where they hold; made from the checks where it is left out.

    Raises:
        CheckError: for a path that names nothing a rule sees, or what is no check.
    """
    return all_of([_compile_one(path, spec, says) for path, spec in match.items()], says)


def _compile_one(path: str, spec: Any, says: Objection | None) -> Condition:
    check, test = compile_spec(spec)
    root, rest = parse_root(path, ROOTS)
    says = says or Objection(f"{path} is {check}")
    fixed = not refers(spec) and not check.holds(MISSING)
    if fixed and root == "trace" and rest[:1] == (Wildcard.ANY_ITEM,):
        return _ever(rest[1:], spec, test, says)
    if fixed and root == "args" and len(rest) == 1:
        return _argument(rest[0], spec, check, test, says)
    place = compile_place(path)
    if place is not None:
        return _fixed(place, check, test, says) if fixed else _once(place, test, says)
    places = compile_places(path)
    if root in FACTS and not _is_about_lists(spec):
        places = _itemwise(places)
    return _anywhere(places, test, says)


def _anywhere(places: Places, test: Test, says: Objection) -> Condition:
    def condition(context: DecisionContext) -> Objection | None:
        unsaid: UnavailableError | None = None
        for value in places(context) or _NOTHING:
            try:
                if test(value, context):
                    return says
            except UnavailableError as error:
                unsaid = unsaid or error
        if unsaid is not None:
            raise unsaid
        return None

    return condition


def _once(place: Place, test: Test, says: Objection) -> Condition:
    return lambda context: says if test(place(context), context) else None


# What follows says the same as `_once`, in fewer steps: most checks are such, and each costs at every call.


def _fixed(place: Place, check: Check, test: Test, says: Objection) -> Condition:
    holds = check.holds

    def condition(context: DecisionContext) -> Objection | None:
        value = place(context)
        kind = type(value)
        if (kind is str and OPENING in value) or kind in _CONTAINERS:
            return says if test(value, context) else None
        return says if holds(value) else None

    return condition


def _argument(name: Any, spec: Any, check: Check, test: Test, says: Objection) -> Condition:
    if type(spec) is str:
        text = spec.removeprefix("$") if spec.startswith("$$") else spec

        def is_text(context: DecisionContext) -> Objection | None:
            value = context.args.get(name)
            if type(value) is str and OPENING in value:
                return says if test(value, context) else None
            return says if value == text else None

        return is_text
    if type(spec) is dict and len(spec) == 1:
        comparison, limit = next(iter(spec.items()))
        if comparison in _COMPARISONS and is_number(limit):
            return _number(name, _COMPARISONS[comparison], limit, test, says)
    holds = check.holds

    def condition(context: DecisionContext) -> Objection | None:
        args = context.args
        if name not in args:
            return None
        value = args[name]
        kind = type(value)
        if (kind is str and OPENING in value) or kind in _CONTAINERS:
            return says if test(value, context) else None
        return says if holds(value) else None

    return condition


def _number(name: Any, compare: Callable[[Any, Any], bool], limit: Any, test: Test, says: Objection) -> Condition:
    def condition(context: DecisionContext) -> Objection | None:
        value = context.args.get(name)
        if type(value) is int or type(value) is float:
            return says if compare(value, limit) else None
        return says if type(value) is str and OPENING in value and test(value, context) else None

    return condition


def _ever(rest: Path, spec: Any, test: Test, says: Objection) -> Condition:
    """Ask of each step once whether it meets the check: what was so stays so."""
    known = _Spec(canonical(spec), test)

    def condition(context: DecisionContext) -> Objection | None:
        ever = context.history.index(_Ever, rest, known)
        if ever.unsaid is not None and not ever.found:
            raise ever.unsaid
        return says if ever.found else None

    return condition


class _Spec:
    """The test of a check that is equal to another of the same text."""

    __slots__ = ("_written", "test")

    def __init__(self, written: str, test: Test) -> None:
        self._written = written
        self.test = test

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Spec) and other._written == self._written

    def __hash__(self) -> int:
        return hash(self._written)


class _Ever:
    def __init__(self, rest: Path, spec: _Spec) -> None:
        self.found = False
        self.unsaid: UnavailableError | None = None
        self._rest = rest
        self._test = spec.test

    def read(self, step: Step) -> None:
        for value in () if self.found else _inside(step_view(step), self._rest):
            try:
                self.found = self.found or self._test(value, _NOWHERE)
            except UnavailableError as error:
                self.unsaid = error


def _inside(value: Value, rest: Path) -> list[Value]:
    return [item for _, item in find(value, rest)] if rest else [value]


def _itemwise(places: Places) -> Places:
    def items(context: DecisionContext) -> list[Value]:
        return [item for value in places(context) for item in (value if type(value) is list else [value])]

    return items


def _is_about_lists(spec: Any) -> bool:
    if type(spec) is not dict or not spec:
        return False
    return all(name in _ABOUT_LISTS or (name == "not" and _is_about_lists(inner)) for name, inner in spec.items())
