"""What a rule sees: the places that a path such as ``args.to[*]`` or ``urls.host`` names in a decision's context.

| root | is |
| --- | --- |
| ``args``, ``tool``, ``effect`` | the call itself |
| ``input``, ``plan``, ``state``, ``retrieved``, ``external`` | what was known before it |
| ``trace`` | the steps so far, a list in the trace's form |
| ``shell``, ``paths``, ``urls``, ``secrets`` | what the analysers found in the arguments, as ``urls.host`` |

Nothing here knows what is done with a value.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import lru_cache
from importlib import import_module
from operator import attrgetter
from typing import Any, Final, TypeAlias

from pytest_agentreplay.checks import CheckError, find, parse_path
from pytest_agentreplay.checks.paths import Path, Wildcard
from pytest_agentreplay.guards.conditions.condition import MissingReferenceError
from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.guards.values import as_json
from pytest_agentreplay.jsonable import MISSING, Value
from pytest_agentreplay.trace import Step
from pytest_agentreplay.trace.verdicts import Record

Place: TypeAlias = Callable[[DecisionContext], Value]
"""Gives the value at the one place that a path names; `MISSING` where it leads nowhere."""

Places: TypeAlias = Callable[[DecisionContext], list[Value]]
"""Gives the values at all the places that a path names; empty where it leads nowhere."""

VALUES: Final = ("args", "tool", "effect", "input", "plan", "state", "retrieved", "external")
FACTS: Final = {"shell": "ShellFacts", "paths": "PathFact", "urls": "UrlFact", "secrets": "SecretFact"}
ROOTS: Final = (*VALUES, "trace", *FACTS)


@lru_cache(maxsize=1024)
def compile_places(text: str) -> Places:
    """Compile a path.

    Raises:
        CheckError: when it is no path, or its first name is nothing that a rule sees.
    """
    root, rest = parse_root(text, ROOTS)
    if root in FACTS:
        return _fact_places(root, rest, text)
    if root == "trace":
        return lambda context: [value for _, value in find(context.history.index(StepViews).views, rest)]
    return _value_places(root, rest)


def parse_root(text: str, roots: tuple[str, ...]) -> tuple[str, Path]:
    """Part a path into its first name, one of the roots, and the rest.

    Raises:
        CheckError: when it is no path, or begins with anything else.
    """
    root, *rest = parse_path(text)
    if root in roots:
        return str(root), tuple(rest)
    close = difflib.get_close_matches(str(root), roots, n=1)
    remedy = f"did you mean {close[0]}?" if close else f"begin it with one of {', '.join(roots)}"
    raise CheckError(f"the path {text!r} begins with nothing that a rule sees", remedy=remedy)


def _value_places(root: str, rest: Path) -> Places:
    place = _place(root, rest)
    if place is not None:
        single = place
        return lambda context: [] if (value := single(context)) is MISSING else [value]
    whole = _root(root)
    return lambda context: [item for _, item in find(whole(context), rest)]


@lru_cache(maxsize=1024)
def compile_place(text: str) -> Place | None:
    """Compile a path that names one place at most; None for any other.

    Raises:
        CheckError: as `compile_places` does.
    """
    root, rest = parse_root(text, ROOTS)
    return _place(root, rest) if root in VALUES else None


def _place(root: str, rest: Path) -> Place | None:
    if any(isinstance(segment, Wildcard) for segment in rest):
        return None
    whole = _root(root)
    if not rest:
        return whole
    first, below = rest[0], rest[1:]

    def place(context: DecisionContext) -> Value:
        value = whole(context)
        if type(value) is not dict:
            return _found(value, rest)
        value = value.get(first, MISSING)
        return _found(value, below) if below else value

    return place


def _found(value: Value, rest: Path) -> Value:
    found = find(value, rest)
    return found[0][1] if found else MISSING


def _root(name: str) -> Place:
    attribute = attrgetter(name)
    if name not in ("args", "external"):
        return attribute

    def mapping(context: DecisionContext) -> Value:
        value = attribute(context)
        return value if type(value) is dict else dict(value)

    return mapping


def _fact_places(root: str, rest: Path, text: str) -> Places:
    if rest and rest[0] is Wildcard.ANY_ITEM:  # urls[*].host is urls.host
        rest = rest[1:]
    if not rest:
        return lambda context: [as_json([_view(fact) for fact in facts])] if (facts := getattr(context, root)) else []
    name, inner = str(rest[0]), rest[1:]
    _check_attribute(root, name, text)

    def places(context: DecisionContext) -> list[Value]:
        found = [as_json(getattr(fact, name)) for fact in getattr(context, root)]
        return [item for value in found for _, item in find(value, inner)] if inner else found

    return places


def _view(fact: Any) -> Any:
    return {name: getattr(fact, name) for name in _attributes(type(fact))}


def _attributes(kind: type) -> list[str]:
    declared = [field.name for field in fields(kind)] if is_dataclass(kind) else list(getattr(kind, "_fields", ()))
    return declared + [name for name, item in vars(kind).items() if isinstance(item, property) and name[0] != "_"]


def _check_attribute(root: str, name: str, text: str) -> None:
    known = _attributes(getattr(import_module(f"pytest_agentreplay.guards.analysis.{root}"), FACTS[root]))
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        remedy = f"did you mean {root}.{close[0]}?" if close else f"{root} has {', '.join(known)}"
        raise CheckError(f"the path {text!r} leads nowhere: {root} has no {name}", remedy=remedy)


class StepViews:
    """The steps as JSON, in the trace's form."""

    def __init__(self) -> None:
        self.views: list[Value] = []

    def read(self, step: Step) -> None:
        """Note one step."""
        self.views.append(step_view(step))


def step_view(step: Step) -> dict[str, Value]:
    """Write a step as a trace has it, without what was not set."""
    values = {name: getattr(step, name) for name in type(step).model_fields if name in step.model_fields_set}
    return {
        name: value.model_dump(exclude_unset=True) if isinstance(value, Record) else value
        for name, value in values.items()
        if value is not MISSING
    }


@lru_cache(maxsize=1024)
def compile_reference(path: str) -> Place:
    """Compile what ``$path`` stands for: a value, or of a path to several places the list of their values.

    Raises:
        CheckError: when it is no path, or names nothing that a rule sees.
    """
    place, places = compile_place(path), compile_places(path)

    def value(context: DecisionContext) -> Value:
        found = places(context) if place is None else place(context)
        if found is MISSING or (place is None and not found):
            raise MissingReferenceError(f"${path} is not known for this call")
        return found

    return value


def refer(context: DecisionContext, path: str) -> Value:
    """Give the value that ``$path`` stands for.

    Raises:
        MissingReferenceError: when it leads nowhere.
    """
    return compile_reference(path)(context)
