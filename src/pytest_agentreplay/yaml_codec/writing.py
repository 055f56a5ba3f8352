"""Writing: YAML text that reads back as exactly the value it was written from.

Block style, small leaves in flow style, texts of several lines as literal
blocks, never a folded line. Knows nothing of which keys a document has.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from pytest_agentreplay.yaml_codec.problems import Refusal, YamlError
from pytest_agentreplay.yaml_codec.scalars import MAX_DEPTH, MAX_DIGITS, too_deep
from pytest_agentreplay.yaml_codec.texts import fits_literal, write_literal, write_scalar, write_text

_WIDTH: Final = 100
_TINY: Final = 40
# YAML's readers look 1,024 characters ahead for the colon after a key.
_LONGEST_KEY: Final = 1000


def render(document: Any) -> str:
    """Write a JSON value as YAML.

    Raises:
        YamlError: for what isn't JSON: other types, NaN and infinities, lone surrogates, keys that are no text.
    """
    check_writable(document)
    writer = _Writer(keep=True)
    if type(document) is dict and document:
        writer.mapping(document, 0)
    elif type(document) is list and document:
        writer.sequence(document, 0)
    else:
        writer.lines.append(_inline(document, _WIDTH) or write_text(document))
    return "\n".join(writer.lines) + "\n"


def closed_entry(key: str, value: Any) -> list[str]:
    """Write the lines of a top-level entry; the last is not blank, so that no line that follows can join its value."""
    return _closed(lambda writer: writer.mapping({key: value}, 0))


def closed_item(value: Any, column: int) -> list[str]:
    """Write the lines of a list's item whose dash stands in `column`; the last is not blank, as in `closed_entry`."""
    return _closed(lambda writer: writer.sequence([value], column))


def _closed(fill: Callable[[_Writer], None]) -> list[str]:
    for keep in (True, False):
        writer = _Writer(keep)
        fill(writer)
        if writer.lines[-1]:
            break
    return writer.lines


def check_writable(document: Any) -> None:
    """Check that a value is JSON, within the limits that reading has.

    Raises:
        YamlError: with the path to what is not.
    """
    trail: list[str | int] = []
    try:
        _check(document, 0, trail)
    except Refusal as refusal:
        raise YamlError(refusal.problem, refusal.remedy, path=tuple(reversed(trail))) from None


def _check(value: Any, depth: int, trail: list[str | int]) -> None:
    kind = type(value)
    if kind is str:
        _check_text(value)
    elif kind is dict or kind is list:
        if depth == MAX_DEPTH:
            raise too_deep(None)
        for key, item in value.items() if kind is dict else enumerate(value):
            try:
                if kind is dict:
                    _check_key(key)
                _check(item, depth + 1, trail)
            except Refusal:
                trail.append(key)
                raise
    elif kind is float:
        if not math.isfinite(value):
            raise Refusal(f"{value} is no JSON number", "write it as a text")
    elif kind is int:
        if abs(value) >= _BEYOND_DIGITS:
            raise Refusal(f"an integer of more than {MAX_DIGITS} digits", "write it as a text")
    elif kind is not bool and value is not None:
        raise Refusal(f"a {kind.__name__} is no JSON value", "convert it first")


_BEYOND_DIGITS: Final = 10**MAX_DIGITS


def _check_key(key: Any) -> None:
    if type(key) is not str:
        raise Refusal(f"a {type(key).__name__} as a key", "write a text as the key")
    _check_text(key)


def _check_text(text: str) -> None:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Refusal("a text with half of a surrogate pair", "encode it first") from None


class _Writer:
    """Writes lines; a `lead` is what already stands on the line that comes next.

    With `keep`, texts that end in blank lines are blocks that end in blank lines; else they are quoted.
    """

    def __init__(self, keep: bool) -> None:
        self.lines: list[str] = []
        self._keep = keep

    def mapping(self, mapping: dict[str, Any], column: int, first: str = "") -> None:
        pad = " " * column
        lead = first or pad
        for key, value in mapping.items():
            written = write_text(key)
            if len(written) <= _LONGEST_KEY:
                self._value(f"{lead}{written}:", value, column)
            else:
                self.lines.append(f"{lead}? {written}")
                self._value(f"{pad}:", value, column)
            lead = pad

    def sequence(self, items: list[Any], column: int, first: str = "") -> None:
        pad = " " * column
        lead = f"{first or pad}- "
        for item in items:
            if type(item) is dict and item:
                self.mapping(item, column + 2, lead)
            elif type(item) is list and _inline(item, _WIDTH - len(lead)) is None:
                self.sequence(item, column + 2, lead)
            else:
                self._value(lead[:-1], item, column)
            lead = f"{pad}- "

    def _value(self, lead: str, value: Any, column: int) -> None:
        line = _inline(value, _WIDTH - len(lead) - 1)
        if line is not None:
            self.lines.append(f"{lead} {line}")
        elif type(value) is str:
            self._text(lead, value, column)
        elif type(value) is dict:
            self.lines.append(lead)
            self.mapping(value, column + 2)
        else:
            self.lines.append(lead)
            self.sequence(value, column + 2)

    def _text(self, lead: str, text: str, column: int) -> None:
        if text.endswith("\n\n") and not self._keep:
            self.lines.append(f"{lead} {write_text(text)}")
        else:
            header, *lines = write_literal(text, " " * (column + 2))
            self.lines.append(f"{lead} {header}")
            self.lines.extend(lines)


def _inline(value: Any, room: int) -> str | None:
    """Write a value on the line of its key; None where it needs lines of its own."""
    kind = type(value)
    if kind is dict or kind is list:
        return _flow(value, room, nested=False)
    if kind is str and fits_literal(value):
        return None
    return write_scalar(value)


def _flow(collection: Any, room: int, *, nested: bool) -> str | None:
    """Write a collection of scalars and tiny collections in flow style, if it is one and there is room."""
    if not collection:
        return "{}" if type(collection) is dict else "[]"
    if 3 * len(collection) > room:
        return None
    if type(collection) is dict:
        parts = []
        for key, item in collection.items():
            written = _flow_item(item, room, nested=nested)
            if written is None or len(key) > room:
                return None
            parts.append(f"{write_text(key, in_flow=True)}: {written}")
        text = "{" + ", ".join(parts) + "}"
    else:
        items = [_flow_item(item, room, nested=nested) for item in collection]
        if None in items or any(type(item) is dict and item for item in collection):
            return None
        text = "[" + ", ".join(items) + "]"  # type: ignore[arg-type]
    return text if len(text) <= room else None


def _flow_item(item: Any, room: int, *, nested: bool) -> str | None:
    kind = type(item)
    if kind is dict or kind is list:
        return None if nested and item else _flow(item, min(room, _TINY), nested=True)
    if kind is str and (len(item) > room or "\n" in item):
        return None
    return write_scalar(item, in_flow=True)
