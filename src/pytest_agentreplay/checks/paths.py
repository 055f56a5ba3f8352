"""Paths into JSON values: ``docs[0].id``, ``recipients[*]``, ``headers.*``, ``**.email``, ``a["odd.key"]``.

| segment | selects |
| --- | --- |
| ``name`` | that key of a mapping |
| ``["a.b"]``, ``['a.b']`` | a key with dots, brackets or stars; a backslash escapes |
| ``[0]``, ``[-1]`` | that item of a list |
| ``[*]`` | any item of a list |
| ``*`` | any key of a mapping |
| ``**`` | the value itself and everything below it |

Text that is a JSON object or array is seen parsed, as far as a path leads into
it. Nothing here knows what a path is used for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from enum import Enum
from functools import lru_cache
from typing import Any, Final, TypeAlias

from pytest_agentreplay.checks.errors import CheckError
from pytest_agentreplay.jsonable import Value


class Wildcard(Enum):
    """A segment that selects more than one place."""

    ANY_ITEM = "[*]"
    ANY_KEY = "*"
    ANY_DEPTH = "**"


Location: TypeAlias = tuple[str | int, ...]
"""Where a value is: the keys and indices that lead to it."""

Path: TypeAlias = tuple[str | int | Wildcard, ...]

_SEGMENT: Final = re.compile(
    r"""(?P<dot>\.)?(?P<bare>[^.\[\]]+)
      | \[(?P<index>-?\d{1,9})\]
      | (?P<item>\[\*\])
      | \["(?P<double>(?:[^"\\]|\\.)*)"\]
      | \['(?P<single>(?:[^'\\]|\\.)*)'\]""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_PLAIN_KEY: Final = re.compile(r"[^.\[\]*\s\"'\\]+")
_REMEDY: Final = 'write names with dots between them, as a.b[0], a[*].c, **.d or a["odd.key"]'


@lru_cache(maxsize=1024)
def parse_path(text: str) -> Path:
    """Parse a path.

    Raises:
        CheckError: when the text is no path.
    """
    segments: list[str | int | Wildcard] = []
    position = 0
    while position < len(text):
        found = _SEGMENT.match(text, position)
        if found is None or (found["bare"] and bool(found["dot"]) != bool(segments)):
            raise CheckError(f"{text!r} is no path: it makes no sense from {text[position:]!r} on", remedy=_REMEDY)
        segments.append(_segment(found, text))
        position = found.end()
    if not segments:
        raise CheckError("an empty path leads nowhere", remedy=_REMEDY)
    return tuple(segments)


def _segment(found: re.Match[str], text: str) -> str | int | Wildcard:
    if found["index"]:
        return int(found["index"])
    if found["item"]:
        return Wildcard.ANY_ITEM
    bare = found["bare"]
    if not bare:
        return _ESCAPE.sub(r"\1", found["double"] or found["single"] or "")
    if bare in ("*", "**"):
        return Wildcard(bare)
    if "*" in bare:
        raise CheckError(
            f"{text!r} is no path: {bare!r} is neither a name nor a wildcard", remedy=f'quote it: ["{bare}"]'
        )
    return bare


def render_path(location: Iterable[str | int]) -> str:
    """Write a location as `parse_path` reads it; the root is the empty text."""
    text = ""
    for key in location:
        if isinstance(key, int):
            text += f"[{key}]"
        elif _PLAIN_KEY.fullmatch(key):
            text += f".{key}" if text else key
        else:
            escaped = key.replace("\\", "\\\\").replace('"', '\\"')
            text += f'["{escaped}"]'
    return text


def find(value: Value, path: str | Path) -> list[tuple[Location, Value]]:
    """Find every place that a path selects, in the order of the value; empty if there is none.

    Raises:
        CheckError: when the path is a text that is no path.
    """
    return _find(value, path, into_text=True)


def _find(value: Value, path: str | Path, *, into_text: bool) -> list[tuple[Location, Value]]:
    places: list[tuple[Location, Value]] = [((), value)]
    for segment in parse_path(path) if isinstance(path, str) else path:
        if segment is Wildcard.ANY_DEPTH:
            # A dict, since two ** reach the same place on many ways.
            places = list({place[0]: place for start in places for place in _below(start, into_text)}.values())
        else:
            places = [
                ((*location, key), item)
                for location, container in places
                for key, item in _select(_opened(container) if into_text else container, segment)
            ]
    return places


def _select(container: Any, segment: str | int | Wildcard) -> Iterator[tuple[str | int, Value]]:
    if type(container) is dict:
        if segment is Wildcard.ANY_KEY:
            yield from container.items()
        elif type(segment) is str and segment in container:
            yield segment, container[segment]
    elif type(container) is list:
        if segment is Wildcard.ANY_ITEM:
            yield from enumerate(container)
        elif type(segment) is int and -len(container) <= segment < len(container):
            yield segment % len(container), container[segment]


def _below(start: tuple[Location, Value], into_text: bool) -> Iterator[tuple[Location, Value]]:
    waiting = [start]  # a stack, not recursion: depth is the recording's, not ours
    while waiting:
        location, value = place = waiting.pop()
        yield place
        container = _opened(value) if into_text else value
        kind = Wildcard.ANY_KEY if type(container) is dict else Wildcard.ANY_ITEM
        children = [((*location, key), item) for key, item in _select(container, kind)]
        waiting.extend(reversed(children))


def _opened(value: Value) -> Value:
    """Parse text that is a JSON object or array; anything else is itself."""
    if type(value) is not str or value.lstrip()[:1] not in ("{", "["):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def remove_paths(value: Value, paths: Iterable[str]) -> Value:
    """Copy a value without what the paths select; text is not opened, the value itself is never removed.

    Raises:
        CheckError: when one of the texts is no path.
    """
    doomed: dict[str | int, Any] = {}
    for path in paths:
        for location, _ in _find(value, path, into_text=False):
            _mark(doomed, location)
    return _without(value, doomed) if doomed else value


def _mark(doomed: dict[str | int, Any], location: Location) -> None:
    if not location:
        return
    for key in location[:-1]:
        inner = doomed.setdefault(key, {})
        if inner is None:  # the place above goes already
            return
        doomed = inner
    doomed[location[-1]] = None


def _without(value: Value, doomed: dict[str | int, Any]) -> Value:
    if type(value) is dict:
        kept = ((key, item) for key, item in value.items() if doomed.get(key, value) is not None)
        return {key: _without(item, doomed[key]) if key in doomed else item for key, item in kept}
    indexed = ((index, item) for index, item in enumerate(value) if doomed.get(index, value) is not None)
    return [_without(item, doomed[index]) if index in doomed else item for index, item in indexed]
