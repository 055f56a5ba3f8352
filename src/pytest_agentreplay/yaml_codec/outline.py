"""The outline of a document: which lines each top-level key and each of its list items takes.

Read from parser events; a span ends with the last line that holds content, so
that comments and blank lines below it belong to what follows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from pytest_agentreplay.yaml_codec.events import NextEvent, end_of, open_events, start_of
from pytest_agentreplay.yaml_codec.problems import Refusal

_BLOCK_HEADER = re.compile(r"[|>][-+0-9]*")
_COMMENT = re.compile(r"[ \t]+#[^\r\n]*")
_BLANK_OR_COMMENT = re.compile(r"[ \t]*(?:#.*)?\r?\n")


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a block list, as indices into the text.

    Attributes:
        above: where the comments and blank lines above it start.
        start: the start of the line with its dash.
        end: the end of its last content line.
    """

    above: int
    start: int
    end: int


@dataclass(slots=True)
class Entry:
    """One top-level key with its value.

    Attributes:
        start: the start of the key's line.
        end: the end of the value's last content line.
        comment: what stands behind the content on the key's line, blanks included.
        items: of a block list whose dashes all stand in `column`; else empty.
    """

    key: str
    start: int
    end: int
    comment: str = ""
    column: int = 0
    items: list[Item] = field(default_factory=list)


def outline(text: str) -> list[Entry] | None:
    """Outline a document whose top level is a block mapping with keys in the first column; None for any other."""
    for pure in (False, True):
        try:
            return _Outliner(text, open_events(text, pure=pure)).entries()
        except (yaml.YAMLError, Refusal):
            continue
    return None


class _Outliner:
    def __init__(self, text: str, next_event: NextEvent) -> None:
        self._text = text
        self._next = next_event

    def entries(self) -> list[Entry] | None:
        self._next()
        self._next()
        event: Any = self._next()
        if not isinstance(event, MappingStartEvent) or event.flow_style:
            return None
        entries = []
        while isinstance(key := self._next(), ScalarEvent):
            start = start_of(key)
            if start and self._text[start - 1] != "\n":
                return None
            entries.append(self._entry(key, start))
        return entries if isinstance(key, CollectionEndEvent) else None

    def _entry(self, key: Any, start: int) -> Entry:
        after_key = self._text.find(":", end_of(key)) + 1
        event: Any = self._next()
        if isinstance(event, SequenceStartEvent) and not event.flow_style:
            items, end = self._items(self._line_end(after_key))
            column = self._text.index("-", items[0].start) - items[0].start if items else 0
            entry = Entry(key.value, start, end, "", column, items)
        else:
            end = self._content_end(event)
            entry = Entry(key.value, start, self._line_end(end))
        entry.comment = self._comment(event, after_key, end)
        return entry

    def _items(self, above: int) -> tuple[list[Item], int]:
        items = []
        while not isinstance(event := self._next(), CollectionEndEvent):
            start = above
            while found := _BLANK_OR_COMMENT.match(self._text, start):
                start = found.end()
            end = self._line_end(self._content_end(event))
            items.append(Item(above, start, end))
            above = end
        dashed = all(self._text[item.start : item.end].lstrip(" ").startswith("-") for item in items)
        return (items if dashed else []), above

    def _content_end(self, event: Any) -> int:
        """Read past a node, and return the index behind the last of its content."""
        end = start_of(event)
        depth = 0
        while True:
            if isinstance(event, ScalarEvent):
                end = self._scalar_end(event)
            elif isinstance(event, AliasEvent) or end_of(event) > start_of(event):
                end = end_of(event)
            depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
            if depth == 0:
                return end
            event = self._next()

    def _scalar_end(self, event: Any) -> int:
        end = end_of(event)
        if event.style in ("|", ">") and not event.value.endswith("\n\n"):
            end = start_of(event) + len(self._text[start_of(event) : end].rstrip())
        return end

    def _comment(self, event: Any, after_key: int, end: int) -> str:
        start = start_of(event)
        if isinstance(event, ScalarEvent) and event.style in ("|", ">"):
            header = _BLOCK_HEADER.match(self._text, start)
            behind = header.end() if header else start
        elif "\n" in self._text[after_key:start]:
            behind = after_key
        else:
            behind = end
        if "\n" in self._text[after_key:behind]:
            return ""
        found = _COMMENT.match(self._text, behind)
        return found.group() if found else ""

    def _line_end(self, index: int) -> int:
        if index and self._text[index - 1] == "\n":
            return index
        return self._text.find("\n", index) + 1 or len(self._text)
