"""Whole words: whether a value occurs in a text as somebody would read it there.

Case and width are folded (NFKC, then full case folding), runs of blanks are one. An
occurrence is whole where neither end touches a letter or a digit, directly or over
a sign that joins names: ``example.com`` is not in ``bob@example.com.evil.net``, and
neither ``john@x.org`` in ``mary.john@x.org`` nor ``/home/ann`` in ``/home/ann/notes``.
Scripts that put no blanks between words have a word's end at every character.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

_JOINING: Final = frozenset(".-_@+~\u2010\u2011")
_UNSPACED: Final = (("\u0e00", "\u0eff"), ("\u1000", "\u109f"), ("\u1780", "\u17ff"), ("\u2e80", "\ud7ff"))
_LATER_UNSPACED: Final = "\U00020000"
_WORD: Final = re.compile(r"\w+")
_LONGEST_REMEMBERED: Final = 4096  # characters
_FEWEST_DIGITS: Final = 7
_LONGEST_NUMBER: Final = 40


def fold(text: str) -> str:
    """Fold case, width and blanks."""
    return _folded(text) if len(text) <= _LONGEST_REMEMBERED else _folded.__wrapped__(text)


@lru_cache(maxsize=256)
def _folded(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.split()).casefold()


def words(text: str) -> Sequence[str]:
    """Part a text into its words, folded: runs of letters, digits and underscores."""
    return _words(text) if len(text) <= _LONGEST_REMEMBERED else _WORD.findall(fold(text))


@lru_cache(maxsize=128)  # several rules ask about the same texts
def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(fold(text)))


def occurs(folded: str, text: str) -> bool:
    """Tell whether something occurs in a text as whole words.

    Args:
        folded: what is looked for, folded; nothing occurs nowhere.
        text: where, as it is written.
    """
    where = fold(text)
    start = where.find(folded) if folded else -1
    while start >= 0:
        end = start + len(folded)
        if not _goes_on(where, start, -1, folded) and not _goes_on(where, end - 1, 1, folded):
            return True
        start = where.find(folded, start + 1)
    return False


def occurs_in_groups(folded: str, text: str) -> bool:
    """Tell whether an account or a telephone number occurs in a text, however its groups are parted there.

    Args:
        folded: what is looked for, folded; nothing but letters, digits, single blanks and hyphens, digits most of it.
        text: where, as it is written.
    """
    plain = folded.replace(" ", "").replace("-", "")
    digits = sum(map(str.isdecimal, plain))
    if digits < _FEWEST_DIGITS or 2 * digits < len(plain) or len(plain) > _LONGEST_NUMBER or not plain.isalnum():
        return False
    groups = "[ -]?".join(plain)
    return re.search(rf"(?<![\w+-]){groups}(?![\w-])", fold(text)) is not None


def _goes_on(text: str, edge: int, direction: int, found: str) -> bool:
    """Tell whether the word that a find ends in goes on beyond its edge."""
    near = _at(text, edge + direction)
    if _is_word(near):
        return not (_is_word(text[edge]) and (_is_unspaced(near) or _is_unspaced(text[edge])))
    joins = near in _JOINING or (near in ("/", "\\") and near in found)
    far = _at(text, edge + 2 * direction)
    return joins and _is_word(far) and not _is_unspaced(far)


def _at(text: str, index: int) -> str:
    return text[index] if 0 <= index < len(text) else ""


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_" or (char > "\u02ff" and unicodedata.category(char)[0] == "M")


def _is_unspaced(char: str) -> bool:
    return any(first <= char <= last for first, last in _UNSPACED) or char >= _LATER_UNSPACED
