"""Values as rules look at them: any Python value as JSON, and the leaves of a JSON value.

A rule must see what a tool is about to get, also where that is a tuple, an enum or
a dataclass. Nothing here knows what rules look for.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Hashable, Iterator, Mapping, Set
from dataclasses import fields, is_dataclass
from typing import Any

from pytest_agentreplay.jsonable import Missing, Opaque, Value, canonical, type_name

_PLAIN = frozenset({str, int, float, bool, bytes, type(None), Opaque, Missing})


def as_json(value: Any) -> Value:
    """Copy a value as JSON, with `Opaque` for what has no such form.

    Raises:
        RecursionError: for one that is nested too deeply, or holds itself.
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is dict or isinstance(value, Mapping):
        return {key if type(key) is str else str(as_json(key)): as_json(item) for key, item in value.items()}
    if kind is list or isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    if isinstance(value, enum.Enum):
        return as_json(value.value)
    if isinstance(value, Set):
        return sorted((as_json(item) for item in value), key=canonical)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_json(getattr(value, field.name)) for field in fields(value)}
    return _atom(value)


def _atom(value: Any) -> Value:
    for kind in (str, int, float):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    dump = getattr(value, "model_dump", None)  # a pydantic model's
    return as_json(dump()) if callable(dump) and not isinstance(value, type) else Opaque(type_name(value))


def leaves(value: Value, *, opened: bool = True) -> Iterator[Value]:
    """Give every value of a value that is neither list nor mapping, in order.

    Args:
        value: any JSON.
        opened: of JSON in texts the leaves come as well.
    """
    waiting = [value]  # a stack, not recursion: depth is the tool's, not ours
    while waiting:
        item = waiting.pop()
        kind = type(item)
        if kind is dict:
            waiting.extend(reversed(item.values()))
        elif kind is list:
            waiting.extend(reversed(item))
        else:
            yield item
            if opened and kind is str and (inner := _opened(item)) is not None:
                waiting.append(inner)


def _opened(text: str) -> Value:
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # then it is text and nothing else
        return None


def identity(value: Value) -> Hashable:
    """Make a key that is equal for equal values, as JSON has it: 2 is 2.0, true is no 1."""
    kind = type(value)
    if kind is str or kind is int:
        return value  # type: ignore[no-any-return]
    if kind is float and value == value:
        return value  # type: ignore[no-any-return]
    return (kind is bool, canonical(value))
