"""Volatile texts: what differs from run to run by its nature, and how it is recognised.

A time, a generated id, a temporary folder. What a value means is told by its
form, or by the key that it stands under. Nothing here knows where values come
from, or what stands in their place.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, TypeAlias

from pytest_agentreplay.jsonable import Value
from pytest_agentreplay.redaction.keys import key_words

_GENERATED: Final = (
    "call|toolu|srvtoolu|chatcmpl|cmpl|msg|resp|req|rs|fc|ctc|ws|ci|mcp|mcpl|mcpr|run|thread|step|asst|item|gen|batch"
)
"""What the ids of OpenAI, Anthropic and gateways in front of them begin with, before ``_`` or ``-``."""

_MIXED: Final = r"(?=[0-9A-Za-z_-]*(?:[0-9]|[a-z][A-Z]|[A-Z][a-z]))"
"""No word of a language: a digit, or capitals in the middle."""

_ID: Final = (
    rf"(?<![0-9A-Za-z_])(?:(?:{_GENERATED})[-_]{_MIXED}[0-9A-Za-z]{{14,}}|tooluse_{_MIXED}[0-9A-Za-z_-]{{16,}})"
)
_UUID: Final = (
    r"(?<![0-9A-Za-z])(?:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    r"|[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15})(?![0-9A-Za-z])"
)
_TIMESTAMP: Final = (
    r"(?<![0-9])[0-9]{4}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9](?::[0-6][0-9](?:[.,][0-9]{1,9})?)?"
    r"(?: ?UTC|Z|[+-][0-2][0-9]:?[0-5][0-9])?(?![0-9:])"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} (?:GMT|[+-][0-9]{4})"
)
_ADDRESS: Final = r"(?<= at )0x[0-9a-fA-F]{6,16}(?![0-9A-Za-z])"
_TEST_FOLDER: Final = r"(?:[\\/]popen-gw[0-9]+)?(?:[\\/][^\\/\s'\"]*?[0-9]+(?=[\\/\s'\"]|$))?"
"""What pytest makes under its own folder for a worker and a test: ``popen-gw0/test_refund0``."""

_GENERATED_FOLDER: Final = rf"pytest-of-[^\\/\s]+[\\/]pytest-[0-9]+{_TEST_FOLDER}|tmp[0-9a-z_]{{8}}(?![0-9A-Za-z_])"
"""What pytest and `tempfile` make under the platform's folder."""

_PATTERNS: Final = {"timestamp": _TIMESTAMP, "uuid": _UUID, "id": _ID, "address": _ADDRESS}
KINDS: Final = (*_PATTERNS, "tmp", "duration")
"""The kinds of volatile values that are known."""

NUMBERED: Final = frozenset({"uuid", "id"})
"""Kinds whose values stand for something: which are the same one is told; two times may be equal by chance."""

_MOMENTS: Final = frozenset({"timestamp", "ts", "epoch"})
_MEASURED: Final = frozenset({"elapsed", "latency", "took"})
_UNITS: Final = frozenset({"ns", "us", "ms", "s", "sec", "secs", "seconds", "milliseconds"})
_EPOCHS: Final = tuple((10.0**9 * scale, 4 * 10.0**9 * scale) for scale in (1, 10**3, 10**6, 10**9))
"""Seconds since 1970, from 2001 to 2096; the same in milli-, micro- and nanoseconds."""

Offsets: TypeAlias = Callable[[str], list[tuple[int, int]]]


class Span(NamedTuple):
    """A volatile part of a text."""

    start: int
    end: int
    kind: str


class Finder:
    """Finds volatile parts.

    Args:
        kinds: those to find, of `KINDS`.
        roots: pytest's own folders for temporary files.
        own: a project's own kinds, with what finds them.
    """

    def __init__(self, kinds: Iterable[str], roots: Iterable[str], own: Iterable[tuple[str, Offsets]] = ()) -> None:
        self._kinds = frozenset(kinds)
        self._own = tuple(own)
        parts = {kind: pattern for kind, pattern in _PATTERNS.items() if kind in self._kinds}
        if "tmp" in self._kinds:
            parts["tmp"] = _temporary(roots)
        self._pattern = re.compile("|".join(f"(?P<{kind}>{part})" for kind, part in parts.items())) if parts else None

    def find(self, text: str) -> list[Span]:
        """Find the volatile parts of a text, in order and disjoint; a project's own kinds come first."""
        spans = [Span(start, end, kind) for kind, offsets in self._own for start, end in offsets(text)]
        if self._pattern is not None:
            spans += [Span(*match.span(), match.lastgroup or "") for match in self._pattern.finditer(text)]
        return _disjoint(spans)

    def kind_under(self, key: str, value: Value) -> str | None:
        """Name the kind of a number that is volatile by the key that it stands under."""
        if type(value) not in (int, float):
            return None
        words = key_words(key)
        if "duration" in self._kinds and _is_duration(words, value):
            return "duration"
        if "timestamp" in self._kinds and words[-1:] and (words[-1] in _MOMENTS or words[-1] == "at"):
            return "timestamp" if any(low <= value < high for low, high in _EPOCHS) else None
        return None


def _temporary(roots: Iterable[str]) -> str:
    platform = tempfile.gettempdir()
    folders = [rf"(?:{re.escape(root.rstrip('/'))}){_TEST_FOLDER}" for root in roots]
    for folder in dict.fromkeys([os.path.realpath(platform), platform]):
        folders.append(rf"{re.escape(folder)}(?:[\\/](?:{_GENERATED_FOLDER}))?")
    return rf"(?<![0-9A-Za-z_.])(?:{'|'.join(folders)})(?=[\\/\s'\",:;)\]]|$)"


def _is_duration(words: tuple[str, ...], value: Value) -> bool:
    """Tell a measured time: the word for one, or a plain duration with its unit or a fraction."""
    has_unit = len(words) > 1 and words[-1] in _UNITS
    what = words[:-1] if has_unit else words
    if not what:
        return False
    return what[-1] in _MEASURED or (what[-1] == "duration" and (has_unit or type(value) is float))


def _disjoint(spans: list[Span]) -> list[Span]:
    kept: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):  # stable: own kinds win a tie
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept
