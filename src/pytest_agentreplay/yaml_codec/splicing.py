"""Splicing: new values for top-level keys, every other byte left as it is.

Works on the lines of the source: a key's comments stand above it and are its
own; a list keeps the lines of the items that stay. The result is read back, and
where it isn't what it should be, the document is written anew.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from pytest_agentreplay.yaml_codec.outline import Entry, outline
from pytest_agentreplay.yaml_codec.problems import YamlError
from pytest_agentreplay.yaml_codec.reading import parse
from pytest_agentreplay.yaml_codec.writing import check_writable, closed_entry, closed_item, render

_MARK = "\ufeff"
_COMMENTS_ABOVE = re.compile(r"(?:^[ \t]*#.*(?:\n|\Z))+\Z", re.MULTILINE)


def splice(text: str, changes: Mapping[str, Any], *, removals: Collection[str] = (), order: Sequence[str] = ()) -> str:
    """Change the values of top-level keys in a document.

    Args:
        text: a document whose top level is a mapping, or empty.
        changes: new values by key; a new key goes where `order` has it.
        removals: keys to delete, with their values and the comments directly above.
        order: the canonical order of keys.

    Raises:
        YamlError: when the text can't be read, its top level is no mapping, or a value is no JSON.
    """
    old = parse(text)
    old = {} if old is None else old
    if type(old) is not dict:
        raise YamlError("the top level is no mapping", "write `key: value` lines")
    check_writable(dict(changes))
    changed = {key: value for key, value in changes.items() if key not in removals}
    changed = {key: value for key, value in changed.items() if key not in old or not _equal(old[key], value)}
    merged = {key: value for key, value in {**old, **changed}.items() if key not in removals}
    if not changed and len(merged) == len(old):
        return text
    body = text.removeprefix(_MARK)
    newline = "\r\n" if "\r\n" in body else "\n"
    spliced = _splice(body, old, changed, removals, order, newline)
    if spliced is None or not _reads_as(spliced, merged):
        spliced = render(_sorted(merged, order)).replace("\n", newline)
    return text[: len(text) - len(body)] + spliced


def _equal(left: Any, right: Any) -> bool:
    return _canonical(left) == _canonical(right)


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _reads_as(text: str, value: Any) -> bool:
    try:
        return _equal(parse(text), value)
    except YamlError:
        return False


def _rank(key: str, order: Sequence[str]) -> int:
    return order.index(key) if key in order else len(order)


def _sorted(mapping: dict[str, Any], order: Sequence[str]) -> dict[str, Any]:
    return dict(sorted(mapping.items(), key=lambda item: _rank(item[0], order)))


def _splice(
    text: str,
    old: dict[str, Any],
    changed: dict[str, Any],
    removals: Collection[str],
    order: Sequence[str],
    newline: str,
) -> str | None:
    """Put the pieces together; None where the top level is no block mapping."""
    entries = outline(text)
    if not entries:
        return None
    added = {key: value for key, value in _sorted(changed, order).items() if key not in old}
    insertions = _insertions(entries, added, order, newline)
    top = _end_of_head(text[: entries[0].start])
    pieces = [text[:top], *insertions[-1], text[top : entries[0].start]]
    for number, entry in enumerate(entries):
        gap = text[entries[number - 1].end : entry.start] if number else ""
        if entry.key in removals:
            pieces.append(_COMMENTS_ABOVE.sub("", gap))
        elif entry.key in changed:
            pieces += [gap, _replace(text, entry, old[entry.key], changed[entry.key], newline)]
        else:
            pieces += [gap, text[entry.start : entry.end]]
        pieces += insertions[number]
    return _join([*pieces, text[entries[-1].end :]], newline)


def _end_of_head(above: str) -> int:
    """Tell comments about the file from those about its first key; with no blank line between, all are the file's."""
    own = _COMMENTS_ABOVE.search(above)
    return own.start() if own and own.start() else len(above)


def _join(pieces: Iterable[str], newline: str) -> str:
    joined: list[str] = []
    for piece in filter(None, pieces):
        if joined and not joined[-1].endswith("\n"):
            joined.append(newline)
        joined.append(piece)
    return "".join(joined)


def _insertions(
    entries: list[Entry], added: dict[str, Any], order: Sequence[str], newline: str
) -> dict[int, list[str]]:
    """Find the entry that each new key comes after; -1 for the top."""
    insertions: dict[int, list[str]] = {number: [] for number in range(-1, len(entries))}
    ranks = {number: _rank(entry.key, order) for number, entry in enumerate(entries)}
    for key, value in added.items():
        rank = _rank(key, order)
        before = [number for number, other in ranks.items() if other < rank]
        after = len(entries) - 1 if rank == len(order) else max(before, key=ranks.__getitem__, default=-1)
        insertions[after].append(newline.join([*closed_entry(key, value), ""]))
    return insertions


def _replace(text: str, entry: Entry, old: Any, new: Any, newline: str) -> str:
    if entry.items and type(new) is list and new and len(entry.items) == len(old):
        return text[entry.start : entry.items[0].above] + _replace_items(text, entry, old, new, newline)
    first, *rest = closed_entry(entry.key, new)
    return newline.join([first + entry.comment, *rest, ""])


def _replace_items(text: str, entry: Entry, old: list[Any], new: list[Any], newline: str) -> str:
    """Reuse the lines of items that stay; an item that changed in its place keeps the comments above it."""
    pieces: list[str] = []
    for same, old_start, old_end, new_start, new_end in _align(old, new):
        sources = entry.items[old_start:old_end]
        if same:
            pieces += [text[item.above : item.end] for item in sources]
            continue
        for number, value in enumerate(new[new_start:new_end]):
            if number < len(sources):
                pieces.append(text[sources[number].above : sources[number].start])
            pieces.append(newline.join([*closed_item(value, entry.column), ""]))
    return _join(pieces, newline)


def _align(old: list[Any], new: list[Any]) -> Iterator[tuple[bool, int, int, int, int]]:
    """Part two lists into stretches: the same or not, and the slice of each."""
    left, right = [_canonical(item) for item in old], [_canonical(item) for item in new]
    shorter = min(len(left), len(right))
    head = next((number for number in range(shorter) if left[number] != right[number]), shorter)
    tail = next((number for number in range(shorter - head) if left[-1 - number] != right[-1 - number]), shorter - head)
    yield True, 0, head, 0, head
    matcher = SequenceMatcher(
        None, _numbered(left[head : len(left) - tail]), _numbered(right[head : len(right) - tail]), autojunk=False
    )
    for tag, *bounds in matcher.get_opcodes():
        old_start, old_end, new_start, new_end = (head + bound for bound in bounds)
        yield tag == "equal", old_start, old_end, new_start, new_end
    yield True, len(left) - tail, len(left), len(right) - tail, len(right)


def _numbered(texts: list[str]) -> list[tuple[str, int]]:
    # Thousands of equal items, as a loop leaves them, would take the matcher minutes.
    seen: Counter[str] = Counter()
    numbered = []
    for text in texts:
        seen[text] += 1
        numbered.append((text, seen[text]))
    return numbered
