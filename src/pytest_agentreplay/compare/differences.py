"""Differences: where two unequal JSON values differ, as paths.

The one door to DeepDiff. It sees only canonical texts in the place of leaves, so
that its idea of equality (1 equals True in a list) can't stand in for ours. What
is too big or too deep for it is compared place by place. Nothing here knows what
the values mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from pytest_agentreplay.checks import brief, render_path
from pytest_agentreplay.checks.vocabulary import is_number, same
from pytest_agentreplay.jsonable import MISSING, Value, canonical, encode

Kind: TypeAlias = Literal["changed", "added", "removed", "type"]
Location: TypeAlias = tuple[str | int, ...]

_BIG: Final = 4000
_DEEP: Final = 60
_CONTAINERS: Final = frozenset({dict, list})


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two values differ.

    Attributes:
        path: where, as ``args.items[2].price``; empty for the whole.
        expected: what was expected there; `MISSING` if nothing was.
        actual: what was there; `MISSING` if nothing was.
        kind: ``type`` where the JSON types differ.
    """

    path: str
    expected: Value
    actual: Value
    kind: Kind

    def __str__(self) -> str:
        where = self.path or "the value"
        if self.kind == "added":
            return f"{where} is {brief(self.actual)}, which was not expected"
        if self.kind == "removed":
            return f"{where} is gone, expected {brief(self.expected)}"
        return f"{where} is {brief(self.actual)}, expected {brief(self.expected)}"

    def to_dict(self) -> dict[str, Any]:
        """Return the difference as JSON; a side that had nothing is left out."""
        sides = {"expected": self.expected, "actual": self.actual}
        return {
            "path": self.path,
            "kind": self.kind,
            **{name: encode(side) for name, side in sides.items() if side is not MISSING},
        }


def differences(expected: Value, actual: Value, *, at: str = "", limit: int = 50) -> list[Difference]:
    """List the places where two values differ, in the order of their paths; none if they are equal.

    Args:
        expected: a JSON value, or `MISSING`.
        actual: a JSON value, or `MISSING`.
        at: what the paths start with.
        limit: the most places that are listed.
    """
    if type(expected) is not type(actual) or type(expected) not in _CONTAINERS:
        found = [] if same(expected, actual) else [_difference((), expected, actual)]
    elif _is_small(expected) and _is_small(actual):
        found = _diff(expected, actual)
    else:
        found = list(_walk(expected, actual, limit))
    return [Difference(_below(at, one.path), one.expected, one.actual, one.kind) for one in found[:limit]]


def _below(at: str, path: str) -> str:
    return f"{at}.{path}" if at and path and not path.startswith("[") else at + path


def _difference(location: Location, expected: Value, actual: Value) -> Difference:
    kind: Kind = "changed"
    if expected is MISSING:
        kind = "added"
    elif actual is MISSING:
        kind = "removed"
    elif type(expected) is not type(actual) and not (is_number(expected) and is_number(actual)):
        kind = "type"
    return Difference(render_path(location), expected, actual, kind)


def _is_small(value: Value) -> bool:
    """Tell whether a value has few enough places, and no place too deep, for DeepDiff."""
    seen, waiting = 0, [(value, 0)]
    while waiting:
        item, depth = waiting.pop()
        children = list(item.values()) if type(item) is dict else item if type(item) is list else ()
        seen += len(children)
        if seen > _BIG or depth > _DEEP:
            return False
        waiting.extend((child, depth + 1) for child in children)
    return True


def _diff(expected: Value, actual: Value) -> list[Difference]:
    from deepdiff import DeepDiff  # here, since only a failure pays for its import

    # Keys that start with __ are "private" to DeepDiff; ours are data.
    report = DeepDiff(
        _texts(expected),
        _texts(actual),
        view="tree",
        ignore_private_variables=False,
        threshold_to_diff_deeper=0,
    )
    places = set()
    for kind, levels in report.items():
        for level in levels:
            left = None if kind.endswith("_added") else tuple(level.path(output_format="list"))
            right = None if kind.endswith("_removed") else tuple(level.path(output_format="list", use_t2=True))
            places.add((left, right))
    ordered = sorted(places, key=lambda place: _order(place[0] if place[0] is not None else place[1] or ()))
    return [
        _difference(left if left is not None else right or (), _at(expected, left), _at(actual, right))
        for left, right in ordered
    ]


def _texts(value: Value) -> Any:
    if type(value) is dict:
        return {key: _texts(item) for key, item in value.items()}
    if type(value) is list:
        return [_texts(item) for item in value]
    return canonical(value)


def _order(location: Location) -> list[tuple[bool, int, str]]:
    return [(isinstance(key, str), 0, key) if isinstance(key, str) else (False, key, "") for key in location]


def _at(value: Value, location: Location | None) -> Value:
    if location is None:
        return MISSING
    for key in location:
        value = value[key]
    return value


def _walk(expected: Value, actual: Value, limit: int) -> Iterator[Difference]:
    """Compare place by place, at most `limit` differences; items of lists by their index."""
    waiting: list[tuple[Location, Value, Value]] = [((), expected, actual)]
    while waiting and limit > 0:
        location, left, right = waiting.pop()
        if type(left) is type(right) and type(left) in _CONTAINERS:
            pairs = _paired(left, right)
            waiting.extend(((*location, key), one, other) for key, one, other in reversed(pairs))
        elif not same(left, right):
            limit -= 1
            yield _difference(location, left, right)


def _paired(left: Any, right: Any) -> list[tuple[str | int, Value, Value]]:
    if type(left) is dict:
        keys = [*left, *(key for key in right if key not in left)]
        return [(key, left.get(key, MISSING), right.get(key, MISSING)) for key in keys]
    longest = max(len(left), len(right))
    return [
        (index, left[index] if index < len(left) else MISSING, right[index] if index < len(right) else MISSING)
        for index in range(longest)
    ]
