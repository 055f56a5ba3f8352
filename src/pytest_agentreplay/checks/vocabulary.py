"""The names of the check vocabulary: what each takes, when it holds, and how it reads.

A check never guesses: a value of a kind that it isn't about makes it false,
negative ones included (``not_contains`` on a number is false, and so is
``not_contains: 5`` on a text). Nothing here knows how checks are combined.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from pytest_agentreplay.jsonable import MISSING, Missing, Opaque, Value, equal

JSON_TYPES: Final = ("null", "boolean", "integer", "number", "string", "array", "object")


def same(left: Value, right: Value) -> bool:
    """Tell whether two values are equal, type-strictly; the short way where the types say it."""
    kind = type(left)
    if kind is not type(right) and (kind in _PLAIN or type(right) in _PLAIN):
        return False
    if kind is type(right) and kind in _ATOMS:
        return bool(left == right)
    try:
        return equal(left, right)
    except RecursionError:  # text can hold deeper JSON than any document that a check is written in
        return False


_PLAIN: Final = frozenset({str, list, dict, bool, type(None)})
_ATOMS: Final = frozenset({str, int, bool, type(None)})


def is_number(value: Value) -> bool:
    """Tell whether a value is a number; booleans are none."""
    return type(value) is int or type(value) is float


def has_type(value: Value, names: str | list[str]) -> bool:
    """Tell whether a value is of one of the JSON types; 2.0 is an integer, as it equals 2."""
    return any(_IS_TYPE[name](value) for name in ([names] if isinstance(names, str) else names) if name in _IS_TYPE)


_IS_TYPE: Final[dict[str, Callable[[Value], bool]]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: type(value) is bool,
    "integer": lambda value: type(value) is int or (type(value) is float and value.is_integer()),
    "number": is_number,
    "string": lambda value: type(value) is str,
    "array": lambda value: type(value) is list,
    "object": lambda value: type(value) is dict,
}


def _holds(value: Value, part: Value) -> bool | None:
    """Tell whether a container holds a part; None where the question makes no sense."""
    if type(value) is list:
        return any(same(item, part) for item in value)
    if type(value) in (str, dict) and type(part) is str:
        return part in value
    return None


def _ordered(left: Value, right: Value) -> bool:
    return (is_number(left) and is_number(right)) or (type(left) is str and type(right) is str)


def _begins(value: Value, part: Value) -> bool:
    return type(value) is str and type(part) is str and value.startswith(part)


def _ends(value: Value, part: Value) -> bool:
    return type(value) is str and type(part) is str and value.endswith(part)


def _among(value: Value, options: Value) -> bool | None:
    return any(same(value, option) for option in options) if type(options) is list else None


Test: TypeAlias = Callable[[Value, Value], bool]

SIMPLE_TESTS: Final[dict[str, Test]] = {
    "equals": same,
    "in": lambda value, options: _among(value, options) is True,
    "not_in": lambda value, options: _among(value, options) is False,
    "contains": lambda value, part: _holds(value, part) is True,
    "not_contains": lambda value, part: _holds(value, part) is False,
    "starts_with": _begins,
    "ends_with": _ends,
    "gt": lambda value, limit: _ordered(value, limit) and value > limit,
    "ge": lambda value, limit: _ordered(value, limit) and value >= limit,
    "lt": lambda value, limit: _ordered(value, limit) and value < limit,
    "le": lambda value, limit: _ordered(value, limit) and value <= limit,
    "type": has_type,
}
"""The checks that compare a value with an operand: name -> test of (value, operand)."""


def _is_ordered(operand: Any) -> bool:
    return is_number(operand) or type(operand) is str


def _is_type(operand: Any) -> bool:
    names = operand if type(operand) is list else [operand]
    return bool(names) and all(type(name) is str and name in _IS_TYPE for name in names)


OPERANDS: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "in": (lambda operand: type(operand) is list, "a list of values"),
    "not_in": (lambda operand: type(operand) is list, "a list of values"),
    "starts_with": (lambda operand: type(operand) is str, "a text"),
    "ends_with": (lambda operand: type(operand) is str, "a text"),
    "matches": (lambda operand: type(operand) is str, "a regular expression as a text"),
    "gt": (_is_ordered, "a number or a text"),
    "ge": (_is_ordered, "a number or a text"),
    "lt": (_is_ordered, "a number or a text"),
    "le": (_is_ordered, "a number or a text"),
    "type": (_is_type, f"one or a list of {', '.join(JSON_TYPES)}"),
    "exists": (lambda operand: type(operand) is bool, "true or false"),
    "length": (lambda operand: type(operand) is dict or (type(operand) is int and operand >= 0), "a count or a check"),
    "any": (lambda operand: type(operand) is list and bool(operand), "a list of checks"),
    "all": (lambda operand: type(operand) is list and bool(operand), "a list of checks"),
    "none": (lambda operand: type(operand) is list and bool(operand), "a list of checks"),
}
"""Which operands a check takes, where not any: name -> (test, in words)."""

PHRASES: Final = {
    "equals": "{}",
    "in": "one of {}",
    "not_in": "none of {}",
    "contains": "something that contains {}",
    "not_contains": "something that doesn't contain {}",
    "matches": "something that matches {}",
    "starts_with": "something that starts with {}",
    "ends_with": "something that ends with {}",
    "gt": "more than {}",
    "ge": "at least {}",
    "lt": "less than {}",
    "le": "at most {}",
    "type": "a value of type {}",
}


CHECK_NAMES: Final = frozenset({*SIMPLE_TESTS, "not", "matches", "length", "exists", "any", "all", "none"})


def brief(value: Value, limit: int = 80) -> str:
    """Write a value on one line of at most `limit` characters, safe for a terminal."""
    if value is MISSING:
        return "nothing"
    pieces: list[str] = []
    size = 0
    try:
        for piece in _BRIEF.iterencode(value[: limit + 1] if type(value) is str else value):
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                break
    except RecursionError:
        pieces.append("...")
    text = "".join(pieces)[: limit + 1]
    text = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
    return text if len(text) <= limit else text[: max(limit - 3, 0)] + "..."


def _mark(value: object) -> Any:
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, Opaque):
        return f"<{value.type_name}>"
    return "nothing" if isinstance(value, Missing) else f"<{type(value).__name__}>"


_BRIEF: Final = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": "), default=_mark)
