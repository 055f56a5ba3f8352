"""Unknown text: how a word says which of its stretches nobody can know before the command runs.

A stretch is ``mark name END``: the mark says where its text would come from,
the name is shown to people. The marks are control characters that no argument
of a program can hold or that are taken out of a text before it is read.
"""

from __future__ import annotations

import re
from typing import Final

PLAIN: Final = "\x00"
NETWORK: Final = "\x01"
"""Text that came from the network."""
DECODED: Final = "\x02"
"""Text that was decoded or otherwise unwrapped."""
END: Final = "\x03"
ANY_DEPTH: Final = "**"
"""The name of a stretch that stands for directories, however deep."""
SPLIT: Final = "\x1f"
"""Stands in a word where an unquoted variable brings a blank."""

_STRETCH: Final = re.compile("([\x00-\x02])([^\x03]*)\x03")
_MARKS: Final = re.compile("[\x00-\x03\x1c-\x1f]")


def unknown(name: str = "", mark: str = PLAIN) -> str:
    """Make a stretch of unknown text; a name that ends in ``!`` is known not to be empty."""
    return f"{mark}{name}{END}"


def is_known(text: str) -> bool:
    """Tell whether nothing of a text is unknown."""
    return END not in text


def without_unknown(text: str) -> str:
    """Give what is left of a text if all that is unknown were empty."""
    return _STRETCH.sub("", text) if END in text else text


def published(text: str) -> str | None:
    """Give a word as facts have it: None where all of it is unknown, NUL in place of each unknown stretch."""
    if END not in text:
        return text
    word = _STRETCH.sub(PLAIN, text)
    return None if word == PLAIN else word


def shown(text: str) -> str:
    """Give a text as people read it: a variable as ``$NAME``, any other unknown text as ``$(...)``."""
    return _STRETCH.sub(lambda found: _shown_name(found[2]), text)


def globbed(text: str, star: str = "*") -> str:
    """Give a text with a star for each unknown stretch."""
    return _STRETCH.sub(star, text) if END in text else text


def first_name(text: str) -> str | None:
    """Give the name of the unknown stretch that a text begins with; None where it begins otherwise."""
    found = _STRETCH.match(text)
    return found[2] if found else None


def marks_of(text: str) -> str:
    """Give the strongest mark in a text: from the network, decoded, merely unknown, or the empty text."""
    if END not in text:
        return ""
    return NETWORK if NETWORK in text else DECODED if DECODED in text else PLAIN


def unmarked(text: str) -> str:
    """Take out of a text from outside the characters that mean something here."""
    return _MARKS.sub("\ufffd", text) if _MARKS.search(text) else text


def _shown_name(name: str) -> str:
    return name if name == ANY_DEPTH else f"${name.rstrip('!')}" if name else "$(...)"
