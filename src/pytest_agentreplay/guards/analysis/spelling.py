"""Spelling: what a text says once its disguises are off, and which invisible characters it hides.

Compatibility forms, invisible characters and letters borrowed from another
script are folded; text in tag characters (U+E0000 and up) becomes readable.
Nothing here knows what is looked for.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

from pytest_agentreplay.guards.analysis.screens import Screens

_TAGS: Final = range(0xE0020, 0xE007F)
_INVISIBLE: Final = (
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2070),
    *range(0xFE00, 0xFE10),
    *range(0xE0000, 0xE0020),
    *range(0xE007F, 0xE01F0),
    0x00AD,
    0x034F,
    0x061C,
    0x115F,
    0x1160,
    0x17B4,
    0x17B5,
    0x180E,
    0x3164,
    0xFEFF,
)
_REVEALED: Final = dict.fromkeys(_INVISIBLE) | {tag: chr(tag - 0xE0000) for tag in _TAGS}
_LOOK_ALIKES: Final = str.maketrans(
    "асеорхуіјѕԁһԛԝАВЕКМНОРСТХУІЈЅԌαβεικνορτυχγΑΒΕΖΗΙΚΜΝΟΡΤΥΧɑɡıǃⅼ",
    "aceopxyijsdhqwABEKMHOPCTXYIJSGaBeiKvopTuxyABEZHIKMNOPTYXagi!l",
)
_UNSEEN: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\U000e0000-\U000e01ef]"
)
_BORROWED: Final = re.compile("[" + "".join(map(chr, _LOOK_ALIKES)) + "]")
_WORD: Final = re.compile(r"\w+")
_ALPHABETS: Final = f"[A-Za-z][^\\x00-/]*{_BORROWED.pattern}|{_BORROWED.pattern}[^\\x00-/]*[A-Za-z]"
_FLAG_OF_A_REGION: Final = re.compile("\U0001f3f4[\U000e0020-\U000e007e]{1,8}\U000e007f")
_HIDDEN_TEXT: Final = re.compile(
    "[\U000e0000-\U000e007f]"  # tags: ASCII that nobody sees
    "|[\U000e0100-\U000e01ef]{4,}"  # variation selectors in a row carry bytes
    "|(?:[\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\ufeff]){6,}"  # likewise zero-width characters
)
_DISGUISED: Final = re.compile(
    "[A-Za-z][\u200b\u200c\u200d\u2060-\u2064\ufeff]+[A-Za-z]"  # a word cut by what nobody sees
    "|[\u202d\u202e]"  # an override of the writing direction
    "|[A-Za-z0-9][ \t]*[\u202a\u202b\u2066\u2067][ \t]*[A-Za-z0-9;#/]"
)


def plain(text: str) -> str:
    """Fold what only looks different: compatibility forms, invisible characters, borrowed letters."""
    if is_plain(text):
        return text
    folded = visible(text)
    return folded if folded.isascii() or _BORROWED.search(folded) is None else _WORD.sub(_unmixed, folded)


def is_plain(text: str) -> bool:
    """Tell that `plain` leaves a text as it is, as it does most texts of any alphabet; false where it may not."""
    if text.isascii():
        return True
    return unicodedata.is_normalized("NFKC", text) and not _disguises().bits(text)


@cache
def _disguises() -> Screens:
    return Screens([[(_UNSEEN.pattern, 1), (_ALPHABETS, 1)]])


def visible(text: str) -> str:
    """Fold compatibility forms and take out what nobody sees; borrowed letters stay, since they name another host."""
    if text.isascii():
        return text
    seen = text.translate(_REVEALED) if _UNSEEN.search(text) else text
    return seen if unicodedata.is_normalized("NFKC", seen) else unicodedata.normalize("NFKC", seen)


def _unmixed(word: re.Match[str]) -> str:
    """Take the borrowed letters out of a word that mixes alphabets; a word of one alphabet stays."""
    spelled = word[0]
    if spelled.isascii() or not any("a" <= char <= "z" or "A" <= char <= "Z" for char in spelled):
        return spelled
    return spelled.translate(_LOOK_ALIKES)


def has_unseen(text: str) -> bool:
    """Tell whether any character of a text is invisible; most of those are no harm."""
    return _UNSEEN.search(text) is not None


def hides_text(text: str) -> bool:
    """Tell whether a text carries another one that nobody sees; the flags of regions are none."""
    if text.isascii() or _UNSEEN.search(text) is None:
        return False
    return _HIDDEN_TEXT.search(_FLAG_OF_A_REGION.sub("", text)) is not None


def is_disguised(text: str) -> bool:
    """Tell whether invisible characters cut up words or turn their direction round."""
    return not text.isascii() and _UNSEEN.search(text) is not None and _DISGUISED.search(text) is not None
