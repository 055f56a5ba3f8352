"""Screens: many patterns asked of a text at once, to learn which of them could match.

RE2 walks a set of patterns at two nanoseconds a character. The states of its
automaton are made as texts come by, and they multiply where gaps and counts stand
beside hundreds of words. So the words of all patterns are in one set, and what else
a pattern looks for is in a set of its own or among few. Nothing here knows what is
looked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

import re2

_MEMORY: Final = 64 << 20  # bytes at most; what is used grows with the texts that are met, to some megabytes
_SHAPE: Final = re.compile(r"\\[wb]|\[\^|[]})]\?|[\]\w)][*+]|\{[0-9]|\w\?")
_PART: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[^\\\[]", re.DOTALL)

Meant: TypeAlias = tuple[str, int]
"""A pattern and the bits that it stands for."""


class Screens:
    """Patterns in RE2's syntax, each with bits that say what it is about.

    Args:
        groups: patterns that are walked together, beside their words.
    """

    def __init__(self, groups: Iterable[Sequence[Meant]]) -> None:
        words: list[Meant] = []
        self._sets: list[tuple[re2.Set, tuple[int, ...]]] = []
        for group in groups:
            shapes = []
            for pattern, bits in group:
                spelled, shaped = parted(pattern)
                words += [(spelled, bits)] if spelled else []
                shapes += [(shaped, bits)] if shaped else []
            if shapes:
                self._sets.append(_compiled(shapes))
        if words:
            self._sets.append(_compiled(words))

    def bits(self, text: str) -> int:
        """Join the bits of the patterns that match a text; lone surrogates are read as question marks."""
        written = text.encode("utf-8", "replace")
        found = 0
        for patterns, meanings in self._sets:
            matches = patterns.Match(written)
            if matches is None:  # the empty pattern didn't match either: RE2 ran out of memory
                matches = range(len(meanings))
            for index in matches:
                found |= meanings[index]
        return found


def _compiled(patterns: Sequence[Meant]) -> tuple[re2.Set, tuple[int, ...]]:
    options = re2.Options()
    options.max_mem = _MEMORY
    options.log_errors = False
    compiled = re2.Set.SearchSet(options)
    for pattern, _ in (*patterns, ("", 0)):
        compiled.Add(pattern)
    compiled.Compile()
    return compiled, (*(bits for _, bits in patterns), 0)


def parted(pattern: str) -> tuple[str, str]:
    """Part the alternatives of a pattern into those that are words and those with gaps, counts or edges.

    A pattern whose capitals count has no words.
    """
    if not pattern.startswith("(?i)"):
        return "", pattern
    words: list[str] = []
    shapes: list[str] = []
    for alternative in _alternatives(pattern.removeprefix("(?i)")):
        (shapes if _SHAPE.search(alternative) else words).append(alternative)
    return _joined(words), _joined(shapes)


def _joined(alternatives: list[str]) -> str:
    return f"(?i){'|'.join(alternatives)}" if alternatives else ""


def _alternatives(pattern: str) -> list[str]:
    """Part a pattern where no bracket is open."""
    found = [""]
    depth = 0
    for part in _PART.findall(pattern):
        depth += (part == "(") - (part == ")")
        if part == "|" and not depth:
            found.append("")
        else:
            found[-1] += part
    return found
