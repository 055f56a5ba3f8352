"""Screening: one linear pass over a text that says which detectors could find something in it.

RE2 walks all screens at once, about two nanoseconds a character, whatever the
text: that is what makes clean text cheap. A screen may promise too much and
never too little. Nothing here knows what a detector looks for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Protocol, cast

import re2

from pytest_agentreplay.errors import SettingsError

_MEMORY: Final = 64 << 20  # bytes at most; what is used grows with the texts that are met, to some hundred kilobytes
_SURROGATES: Final = re.compile("[\ud800-\udfff]")


class Match(Protocol):
    """What RE2 tells of one match."""

    def span(self, group: int = 0) -> tuple[int, int]:
        """Give the offsets of a group."""


class Screen:
    """All screens of a redactor.

    Args:
        patterns: RE2 patterns, one for each detector.
    """

    __slots__ = ("_set",)

    def __init__(self, patterns: Sequence[str]) -> None:
        options = _quiet()
        options.max_mem = _MEMORY
        self._set = re2.Set.SearchSet(options)
        for pattern in patterns:
            self._set.Add(pattern)
        self._set.Compile()

    def hits(self, text: str) -> Sequence[int]:
        """Give the indices of the screens that a text doesn't pass; empty for a clean text."""
        try:
            found = self._set.Match(text)
        except UnicodeEncodeError:
            found = self._set.Match(_scalar(text))
        return cast("Sequence[int] | None", found) or ()


class LinearPattern:
    """A user's regular expression, in RE2's syntax.

    Args:
        pattern: where it has a group, the first one is what is replaced.
        line: the settings line, for the error.

    Raises:
        SettingsError: for one that RE2 can't compile, or that matches the empty text.
    """

    __slots__ = ("_group", "_pattern")

    def __init__(self, pattern: str, line: str) -> None:
        remedy = "write it for RE2: no look-around, no back-references"
        try:
            self._pattern = re2.compile(pattern, _quiet())
        except (re2.error, UnicodeEncodeError) as error:
            why = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
            raise SettingsError(f"{pattern!r} is no regular expression: {why}", at=line, next=remedy) from None
        if self._pattern.search("") is not None:
            raise SettingsError(f"{pattern!r} matches the empty text", at=line, next="make it match what has to go")
        self._group = 1 if self._pattern.groups else 0

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Give where it matches, nothing empty among it."""
        try:
            matches = list(self._pattern.finditer(text))
        except UnicodeEncodeError:
            matches = list(self._pattern.finditer(_scalar(text)))
        spans = [cast(Match, match).span(self._group) for match in matches]
        return [(start, end) for start, end in spans if end > start]


def _quiet() -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    return options


def _scalar(text: str) -> str:
    return _SURROGATES.sub("\ufffd", text)
