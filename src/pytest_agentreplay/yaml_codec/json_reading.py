"""Reading JSON as JSON, for the documents that are JSON and that libyaml refuses.

Tabs before a colon, raw DEL, keys over 1,024 characters, surrogate escapes. The
same limits hold as for YAML. Knows nothing of events.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pytest_agentreplay.yaml_codec.problems import Refusal
from pytest_agentreplay.yaml_codec.scalars import MAX_DEPTH, finite, integer, too_deep


class NotJson(ValueError):  # noqa: N818 - says what the text is; never leaves the room
    """The text is no JSON."""


class _Pairs(list[tuple[str, Any]]):
    """An object with all its keys, doubled ones too."""


class _Number:
    __slots__ = ("read", "text")

    def __init__(self, text: str, read: Callable[[str], Any]) -> None:
        self.text = text
        self.read = read


def _refuse_constant(name: str) -> Any:
    raise NotJson(name)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_Pairs,
    parse_int=lambda text: _Number(text, integer),
    parse_float=lambda text: _Number(text, finite),
    parse_constant=_refuse_constant,
)


def read_json(text: str, trail: list[str | int]) -> Any:
    """Read a JSON document.

    Args:
        text: the document.
        trail: takes the keys and indices that lead to what was refused, innermost first.

    Raises:
        NotJson: when it is none.
        Refusal: for a key that occurs twice, or past a limit.
    """
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)) from None
    return _settle(value, trail, 0)


def _settle(value: Any, trail: list[str | int], depth: int) -> Any:
    kind = type(value)
    if kind is _Number:
        return value.read(value.text)
    if kind is not _Pairs and kind is not list:
        return value
    if depth == MAX_DEPTH:
        raise too_deep(None)
    if kind is list:
        return _settle_list(value, trail, depth + 1)
    return _settle_object(value, trail, depth + 1)


def _settle_object(pairs: _Pairs, trail: list[str | int], depth: int) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, item in pairs:
        try:
            if key in result:
                raise Refusal(f"the key {key[:60]!r} twice", "keep one of the two")
            result[key] = _settle(item, trail, depth)
        except Refusal:
            trail.append(key)
            raise
    return result


def _settle_list(items: list[Any], trail: list[str | int], depth: int) -> list[Any]:
    for index, item in enumerate(items):
        try:
            items[index] = _settle(item, trail, depth)
        except Refusal:
            trail.append(index)
            raise
    return items
