"""Spans: where in a text a secret is, of which kind, and whether it could be guessed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple


class Span(NamedTuple):
    """One secret in a text.

    Attributes:
        start: offset of its first character.
        end: offset after its last one.
        kind: ``token``, ``email``...
        guessable: it gets an ordinal and no fingerprint.
        quotes: what has to surround the placeholder, so that JSON stays JSON where the secret was a number.
    """

    start: int
    end: int
    kind: str
    guessable: bool
    quotes: str = ""


_RANDOM_LENGTH: Final = 20
_RANDOM_TEXT: Final = re.compile(r"[A-Za-z0-9+/=_.~:-]+")
_CLASS_CHANGES: Final = re.compile(r"(?<=[a-z])[A-Z0-9]|(?<=[A-Z])[a-z0-9]|(?<=[0-9])[A-Za-z]")


def is_guessable(secret: str) -> bool:
    """Tell whether a secret may be something that a person made up.

    Random text changes between small letters, capitals and digits at every
    second character or so (hexadecimal 0.47, base 62 0.65), words hardly ever;
    20 characters of it hold more than 64 bits.
    """
    if len(secret) < _RANDOM_LENGTH or _RANDOM_TEXT.fullmatch(secret) is None:
        return True
    return 4 * len(_CLASS_CHANGES.findall(secret)) < len(secret)


def merge(spans: Iterable[Span]) -> list[Span]:
    """Put spans in order; of those that overlap, the outermost gives its name to all that they cover together.

    Of spans that cover the same, the earliest given wins.
    """
    merged: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        last = merged[-1] if merged else None
        if last is None or span.start >= last.end:
            merged.append(span)
        elif span.end > last.end:
            merged[-1] = last._replace(end=span.end, guessable=True, quotes="")
    return merged
