"""Reading: from parser events straight to JSON values.

Strict: no tags, no second document, no key twice, nothing deeper or larger than
the limits. Never raises anything but `YamlError`. Knows nothing of traces.
"""

from __future__ import annotations

from typing import Any, Final

import yaml
from yaml import AliasEvent, MappingEndEvent, MappingStartEvent, ScalarEvent, SequenceEndEvent, SequenceStartEvent
from yaml.reader import ReaderError

from pytest_agentreplay.yaml_codec.events import (
    INVALID_ESCAPE,
    NextEvent,
    Unreadable,
    decode,
    open_events,
    start_of,
    unreadable,
)
from pytest_agentreplay.yaml_codec.json_reading import NotJson, read_json
from pytest_agentreplay.yaml_codec.places import locate
from pytest_agentreplay.yaml_codec.problems import Path, Refusal, YamlError, place_of, syntax_error
from pytest_agentreplay.yaml_codec.scalars import MAX_DEPTH, resolve, too_deep

# What aliases may add to a document, in characters, a node counted as 64: far beyond any use, far below harm.
MAX_EXPANSION: Final = 16 * 1024 * 1024
_NODE_SIZE: Final = 64
_JSON_STARTS: Final = ("{", "[", '"')


def parse(text: str | bytes) -> Any:
    """Read one document of JSON values.

    Raises:
        YamlError: for anything else, whatever the input is.
    """
    text = decode(text)
    try:
        return _read(text, pure=False)
    except RecursionError:
        raise YamlError("nested deeper than there is stack to read it with", "read it from a shallower call") from None


def _read(text: str, *, pure: bool) -> Any:
    trail: list[str | int] = []
    try:
        return _Reader(open_events(text, pure=pure), trail).document()
    except ReaderError:
        fault: Refusal | yaml.YAMLError = unreadable(text)
    except (Refusal, yaml.YAMLError) as error:
        fault = error
    path = tuple(reversed(trail))
    if isinstance(fault, yaml.YAMLError | Unreadable):
        return _read_again(text, fault, path, pure=pure)
    raise _located(fault, text, path)


def _read_again(text: str, fault: Unreadable | yaml.YAMLError, path: Path, *, pure: bool) -> Any:
    """Read what PyYAML refuses though it is valid: some JSON, and the surrogate escapes of JSON in YAML."""
    if text.lstrip().startswith(_JSON_STARTS):
        trail: list[str | int] = []
        try:
            return read_json(text, trail)
        except Refusal as refusal:
            raise _located(refusal, text, tuple(reversed(trail))) from None
        except NotJson:
            pass  # then the first fault tells more
    if isinstance(fault, Unreadable):
        raise _located(fault, text, path)
    if not pure and INVALID_ESCAPE in str(fault):
        return _read(text, pure=True)
    raise syntax_error(fault, text, path)


def _located(refusal: Refusal, text: str, path: Path) -> YamlError:
    problem = refusal.problem
    if refusal.index is None:
        line, column = locate(text, path)
    else:
        line, column = place_of(text, refusal.index)
    if refusal.doubled:
        problem = f"{problem}; the first is on line {locate(text, path)[0]}"
    return YamlError(problem, refusal.remedy, line, column, path)


class _Reader:
    """Reads one document; an error leaves the keys and indices that lead to it in `trail`, innermost first."""

    __slots__ = ("_anchors", "_expansion", "_next", "_open", "_trail")

    def __init__(self, next_event: NextEvent, trail: list[str | int]) -> None:
        self._next = next_event
        self._anchors: dict[str, Any] = {}
        self._open: set[int] = set()
        self._expansion = 0
        self._trail = trail

    def document(self) -> Any:
        self._next()
        if type(self._next()) is yaml.StreamEndEvent:
            return None
        value = self._node(self._next(), 0)
        self._next()
        event = self._next()
        if type(event) is not yaml.StreamEndEvent:
            raise _refusal("a second document", "keep one document in a file", event)
        return value

    def _node(self, event: Any, depth: int) -> Any:
        kind = type(event)
        if kind is AliasEvent:
            return self._alias(event, depth)
        if event.tag is not None:
            raise _refusal(f"the tag {event.tag}", "leave it out: values are JSON, text goes in quotes", event)
        if kind is ScalarEvent:
            value = _plain(event) if event.implicit[0] else event.value
            if event.anchor is not None:
                self._anchors[event.anchor] = value
            return value
        return self._collection(event, depth + 1)

    def _collection(self, event: Any, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise too_deep(start_of(event))
        collection: Any = {} if type(event) is MappingStartEvent else []
        fill: Any = self._mapping if type(event) is MappingStartEvent else self._sequence
        if event.anchor is None:
            fill(collection, depth)
            return collection
        self._anchors[event.anchor] = collection
        self._open.add(id(collection))
        fill(collection, depth)
        self._open.discard(id(collection))
        return collection

    def _mapping(self, result: dict[str, Any], depth: int) -> None:
        next_event = self._next
        while True:
            event = next_event()
            if type(event) is MappingEndEvent:
                return
            key = self._key(event, depth)
            if key in result:
                self._trail.append(key)
                raise _refusal(f"the key {key[:60]!r} twice", "keep one of the two", event, doubled=True)
            try:
                result[key] = self._node(next_event(), depth)
            except (Refusal, yaml.YAMLError):
                self._trail.append(key)
                raise

    def _sequence(self, result: list[Any], depth: int) -> None:
        next_event = self._next
        while True:
            event = next_event()
            if type(event) is SequenceEndEvent:
                return
            try:
                result.append(self._node(event, depth))
            except (Refusal, yaml.YAMLError):
                self._trail.append(len(result))
                raise

    def _key(self, event: Any, depth: int) -> str:
        kind = type(event)
        if kind is MappingStartEvent or kind is SequenceStartEvent:
            raise _refusal("a key that is no text", "write a text as the key", event)
        key = self._node(event, depth)
        if type(key) is str:
            return key
        if kind is AliasEvent:
            raise _refusal("an alias of no text as a key", "write a text as the key", event)
        written = event.value[:60]
        raise _refusal(f"the key {written or '(empty)'} is no text", f'put it in quotes: "{written}"', event)

    def _alias(self, event: Any, depth: int) -> Any:
        if event.anchor not in self._anchors:
            raise _refusal(f"the alias *{event.anchor} has no anchor above it", "define it, or write the value", event)
        value = self._anchors[event.anchor]
        if id(value) in self._open:
            raise _refusal(f"the alias *{event.anchor} stands inside its own value", "write the value", event)
        return self._copy(value, depth, event)

    def _copy(self, value: Any, depth: int, event: Any) -> Any:
        kind = type(value)
        self._expansion += _NODE_SIZE + (len(value) if kind is str else 0)
        if self._expansion > MAX_EXPANSION:
            raise _refusal("aliases that make the document too large", "write fewer of them", event)
        if kind is not dict and kind is not list:
            return value
        if depth == MAX_DEPTH:
            raise too_deep(start_of(event))
        if kind is list:
            return [self._copy(item, depth + 1, event) for item in value]
        self._expansion += sum(map(len, value))
        return {key: self._copy(item, depth + 1, event) for key, item in value.items()}


def _plain(event: Any) -> Any:
    try:
        return resolve(event.value)
    except Refusal as refusal:
        refusal.index = start_of(event)
        raise


def _refusal(problem: str, remedy: str, event: Any, *, doubled: bool = False) -> Refusal:
    return Refusal(problem, remedy, start_of(event), doubled=doubled)
