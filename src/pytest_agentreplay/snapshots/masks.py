"""Masks: what stands in a snapshot in the place of values that differ from run to run.

``<uuid:1>`` is the same id wherever it stands; ``<timestamp>`` is some time.
Mappings come out in the order of their masked keys, so that a snapshot depends
on what a state holds, and neither on its order nor on its volatile parts.
Nothing here knows how a state came about or where it is written.
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from pytest_agentreplay.checks.errors import CheckError
from pytest_agentreplay.checks.paths import Location, find, parse_path
from pytest_agentreplay.errors import SettingsError
from pytest_agentreplay.jsonable import Value
from pytest_agentreplay.redaction.screening import LinearPattern
from pytest_agentreplay.snapshots.volatile import KINDS, NUMBERED, Finder, Offsets

MASKED: Final = "<masked>"
"""Stands for what a path selects."""

_INI: Final = "agent_replay_mask"
_OWN_KIND: Final = re.compile(r"([a-z][a-z0-9_]{0,31})\s*=\s*(.+)")


class Masks:
    """The masks of one test session.

    Args:
        lines: those of ``agent_replay_mask``: ``a.path``, ``kind = expression`` or ``-kind``.
        roots: pytest's own folders for temporary files, beside the platform's.

    Raises:
        SettingsError: for a line that can't be used, naming it.
    """

    def __init__(self, lines: Sequence[str] = (), roots: Iterable[str] = ()) -> None:
        self._paths: list[str] = []
        kinds = set(KINDS)
        own: list[tuple[str, Offsets]] = []
        for line in filter(None, map(str.strip, lines)):
            if match := _OWN_KIND.fullmatch(line):
                own.append((match[1], LinearPattern(match[2], line).offsets))
            elif line.startswith("-"):
                kinds.discard(_known(line[1:].strip(), line))
            else:
                self._paths.append(_path(line, f"the line {line!r} of {_INI}"))
        self._numbered = NUMBERED | {kind for kind, _ in own}
        self._finder = Finder(kinds, roots, own)

    def mask(self, state: Value, paths: Iterable[str] = ()) -> Value:
        """Give a masked copy of a state.

        Args:
            state: JSON, bytes and `Opaque` among it.
            paths: what else is masked in it, as ``messages[*].id``.

        Raises:
            SettingsError: for a text that is no path.
        """
        for path in (*self._paths, *(_path(text, "mask=") for text in paths)):
            for location, _ in find(state, path):
                state = _put(state, location, MASKED)
        return _Masking(self._finder, self._numbered).value(state, "")


class _Masking:
    """One masking: numbers hold for one state."""

    def __init__(self, finder: Finder, numbered: frozenset[str]) -> None:
        self._finder = finder
        self._numbered = numbered
        self._numbers: dict[str, dict[str, int]] = {}

    def value(self, value: Value, key: str) -> Value:
        kind = type(value)
        if kind is str:
            return self._text(value)
        if kind is list:
            return [self.value(item, key) for item in value]
        if kind is dict:
            return self._mapping(value)
        volatile = self._finder.kind_under(key, value)
        return f"<{volatile}>" if volatile else value

    def _mapping(self, mapping: dict[str, Value]) -> dict[str, Value]:
        """Mask in the order of the keys without their numbers, since the order of a mapping means nothing."""
        masked: dict[str, Value] = {}
        for key in sorted(mapping, key=self._unnumbered):
            masked[_unused(self._text(key), masked)] = self.value(mapping[key], key)
        return dict(sorted(masked.items()))

    def _unnumbered(self, text: str) -> str:
        return self._replaced(text, lambda kind, _: f"<{kind}>")

    def _text(self, text: str) -> str:
        return self._replaced(text, self._name)

    def _name(self, kind: str, found: str) -> str:
        if kind not in self._numbered:
            return f"<{kind}>"
        known = self._numbers.setdefault(kind, {})
        return f"<{kind}:{known.setdefault(found, len(known) + 1)}>"

    def _replaced(self, text: str, name: Callable[[str, str], str]) -> str:
        spans = self._finder.find(text)
        if not spans:
            return text
        parts, end = [], 0
        for span in spans:
            parts += [text[end : span.start], name(span.kind, text[span.start : span.end])]
            end = span.end
        return "".join([*parts, text[end:]])


def _unused(key: str, taken: dict[str, Value]) -> str:
    """Tell keys apart that are the same but for what is volatile and has no number."""
    others = itertools.count(2)
    name = key
    while name in taken:
        name = f"{key} ({next(others)})"
    return name


def _put(value: Value, location: Location, new: Value) -> Value:
    """Copy a value with another at one place; a text that the place is inside of goes as a whole."""
    if not location or type(value) is str:
        return new
    copied = value.copy()
    copied[location[0]] = _put(value[location[0]], location[1:], new)
    return copied


def _path(text: str, where: str) -> str:
    try:
        parse_path(text)
    except CheckError as error:
        raise SettingsError(f"{where} is no path: {error.problem}", next=error.remedy) from None
    return text


def _known(kind: str, line: str) -> str:
    if kind in KINDS:
        return kind
    near = difflib.get_close_matches(kind, KINDS, 1)
    details = {"closest": near[0]} if near else {}
    raise SettingsError(
        f"there is no kind {kind!r} to leave unmasked", at=line, **details, next=f"one of {', '.join(KINDS)}"
    )
