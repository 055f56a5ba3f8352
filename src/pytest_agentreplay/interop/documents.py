"""Bytes to JSON records: one document, or one a line, and what can't be read by its line.

Nothing here knows what the records mean.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pytest_agentreplay.interop.transcript import Refusal

MAX_DEPTH = 100
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_TEXT_REMEDY = "give JSON or JSON Lines in UTF-8, unpacked"
_JSON_REMEDY = "give JSON or JSON Lines; if it is, export it again: it may have been cut off"


@dataclass(frozen=True, slots=True)
class Record:
    """One JSON value and its place: the source, with ``:line`` in JSON Lines."""

    place: str
    value: Any


@dataclass(frozen=True, slots=True)
class Documents:
    """The records of a source.

    Attributes:
        lines: the source is JSON Lines.
    """

    records: list[Record] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    lines: bool = False


class _UnreadableError(ValueError):
    """A text that is no JSON value which can be held; its message says why."""


def read_documents(data: str | bytes, source: str) -> Documents:
    """Read JSON or JSON Lines; whatever can't be read is refused, nothing raises."""
    try:
        text = data.removeprefix("\ufeff") if isinstance(data, str) else _decode(data)
    except _UnreadableError as error:
        return Documents(refused=[Refusal(source, str(error), _TEXT_REMEDY)])
    if not text.strip():
        return Documents(refused=[Refusal(source, "the file is empty", _TEXT_REMEDY)])
    try:
        return Documents([Record(source, _parse(text))])
    except _UnreadableError as error:
        lines = _read_lines(text, source)
        if lines is not None:
            return lines
        return Documents(refused=[Refusal(source, str(error), _JSON_REMEDY)])


def parse_json(text: str) -> Any:
    """Parse a JSON value nested at most `MAX_DEPTH` deep.

    Raises:
        ValueError: in any other case, with a one-line message.
    """
    return _parse(text)


def _decode(data: bytes) -> str:
    if data.startswith(b"PK\x03\x04"):
        raise _UnreadableError("the file is a zip archive")
    encoding = next((name for bom, name in _BOMS if data.startswith(bom)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise _UnreadableError(f"not text: byte {error.start} is not {encoding}") from None


def _parse(text: str) -> Any:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise _UnreadableError(f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise _UnreadableError(f"nested deeper than {MAX_DEPTH} levels") from None
    except ValueError:
        raise _UnreadableError("not JSON: a number with too many digits") from None
    if _deeper_than(value, MAX_DEPTH):
        raise _UnreadableError(f"nested deeper than {MAX_DEPTH} levels")
    return value


def _deeper_than(value: Any, limit: int) -> bool:
    level: list[Any] = [value]
    for _ in range(limit + 1):
        level = [item for parent in level for item in _children(parent) if item.__class__ in (dict, list)]
        if not level:
            return False
    return True


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _read_lines(text: str, source: str) -> Documents | None:
    """Read JSON Lines, or return None where most lines are no records: then it is one broken document."""
    documents = Documents(lines=True)
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{source}:{number}"
        try:
            documents.records.append(Record(place, _parse(line)))
        except _UnreadableError as error:
            documents.refused.append(Refusal(place, str(error).replace(" at line 1,", " at"), _JSON_REMEDY))
    records = sum(isinstance(record.value, dict | list) for record in documents.records)
    return documents if records >= max(1, len(documents.refused)) else None
