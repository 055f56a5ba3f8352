"""Assignments: secrets that a key in the same text gives away.

``password=hunter2``, ``"api_key": "..."`` (JSON inside a text, escaped at any
depth), ``?token=...``, ``Authorization: Bearer ...``, ``<password>...``. Source
code is full of keys too, and what it assigns to them is mostly a name, a type or
a call: those stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from pytest_agentreplay.redaction.by_key import NUMERIC, span_under_key
from pytest_agentreplay.redaction.keys import DESCRIBING, KeyRules, words
from pytest_agentreplay.redaction.patterns import Detector
from pytest_agentreplay.redaction.spans import Span

_ASSIGNMENT: Final = re.compile(
    r"(?<![\w.-])((?:[A-Za-z]{2,20} )?[\w.-]{2,80}+)(\\*[\"'`]|\*{1,2}|)((?:[ \t]*(?:=>|:=|[:=])\*{0,2}|>)[ \t]*)"
)
_QUOTE: Final = re.compile(r"\\*[\"'`]")
_BARE: Final = re.compile(r"[^\s,;&\"'`<>(){}\[\]|\\]+")
_LINE: Final = re.compile(r"[^\r\n\"'`\\]+")
_ELEMENT: Final = re.compile(r"[^<>]+(?=<)")
_SCHEME: Final = re.compile(
    r"(?:bearer|basic|apikey|negotiate|token(?=[ \t]+\S*[0-9]))[ \t]+(?=[^\s\"'`<>(){}\[\]|\\])", re.I
)
_WHOLE_LINE: Final = {"token": re.compile(r"digest[ \t]", re.IGNORECASE), "cookie": re.compile(r"[^\s=;,]+=")}
_FLAT: Final = re.compile(r"\[[^\[\]{}]*\]|\{[^\[\]{}]*\}")
_FLAT_COLON: Final = re.compile(r"\\*[\"'`]\s*:")
_IDENTIFIER: Final = re.compile(r"[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*")
_NAMESPACES: Final = words(
    "self this cls os sys env environ process settings config cfg conf request req response resp args kwargs options"
    " opts params data user ctx context app var local module secrets event credentials creds"
)
_LONGEST_VALUE: Final = 8192  # characters; a quotation that doesn't end by then ends with its line
_LONGEST_LINE: Final = 256
_SHORTEST_NUMBER: Final = {"password": 4, "token": 8, "secret": 8}


class _Key(NamedTuple):
    """A sensitive key in a text.

    Attributes:
        kind: of what it stands for.
        quote: the quotation mark around it, with its backslashes; empty where there is none.
        tight: no space parts it from its value.
        place: ``?`` or ``&`` in a query, ``<`` in XML, empty in code and prose.
    """

    kind: str
    quote: str
    tight: bool
    place: str


def assignment_detector(keys: KeyRules) -> Detector:
    """Make the detector for ``key: value`` and its likes."""
    screen = rf"(?i)(?:{keys.stems})[\w.-]*(?:\\*[\"'`]|\*\*?)?[ \t]*[:=>]"

    def find(text: str) -> Iterator[Span]:
        seen = 0  # a value is looked at once, whatever keys are in it: the search stays linear
        for match in _ASSIGNMENT.finditer(text):
            key = _key_at(text, match, keys) if match.end() >= seen else None
            for span in _values(text, match.end(), key, keys) if key else ():
                seen = span.end
                if span.kind:
                    yield span

    return Detector("", screen, find)


def _key_at(text: str, match: re.Match[str], keys: KeyRules) -> _Key | None:
    before = text[match.start() - 1] if match.start() else ""
    if match[3][0] == ">" and before != "<":
        return None
    kind = keys.kind_of(match[1])
    if kind is None and before == "\\":  # JSON's \n, not the key's first letter
        kind = keys.kind_of(match[1][1:])
    if kind is None:
        return None
    quote = match[2] if match[2][-1:] in ("'", '"', "`") else ""
    return _Key(kind, quote, tight=match[3].strip() == match[3], place=before if before in ("?", "&", "<") else "")


def _values(text: str, start: int, key: _Key, keys: KeyRules) -> Iterator[Span]:
    opening = _QUOTE.match(text, start)
    if opening is not None:
        if key.quote or not _ends_quotation(text, opening):
            yield from _quoted(text, opening, key.kind)
    elif key.quote and (flat := _FLAT.match(text, start)):
        yield from _contained(text, flat, key.kind)
    else:
        yield from _bare(text, start, key, keys)


def _quoted(text: str, opening: re.Match[str], kind: str) -> Iterator[Span]:
    start = opening.end()
    yield from _shifted(span_under_key(text[start : _closing(text, start, opening[0])], kind), start)


def _ends_quotation(text: str, quote: re.Match[str]) -> bool:
    """Tell whether a quotation mark behind a key closes what the key is in, as in ``input("Password: ")``."""
    line_start = text.rfind("\n", max(0, quote.start() - _LONGEST_LINE), quote.start()) + 1
    before = text.count(quote[0], max(line_start, quote.start() - _LONGEST_LINE), quote.start())
    return before % 2 == 1 and not text[quote.end() : quote.end() + 1].isalnum()


def _closing(text: str, start: int, quote: str) -> int:
    limit = min(len(text), start + _LONGEST_VALUE)
    end = text.find(quote, start, limit)
    while end > start and text[end - 1] == "\\":
        end = text.find(quote, end + 1, limit)
    if end >= 0:
        return end
    line_end = text.find("\n", start, limit)
    return line_end if line_end >= 0 else limit


def _contained(text: str, flat: re.Match[str], kind: str) -> Iterator[Span]:
    """Find the texts of a list, or of a mapping, that stands in JSON under a sensitive key."""
    position, name = flat.start() + 1, ""
    while opening := _QUOTE.search(text, position, flat.end()):
        end = min(_closing(text, opening.end(), opening[0]), flat.end())
        is_name = _FLAT_COLON.match(text, end) is not None
        if is_name:
            name = text[opening.end() : end]
        elif name.lower() not in DESCRIBING:
            yield from _shifted(span_under_key(text[opening.end() : end], kind), opening.end())
        position = end + len(opening[0])


def _bare(text: str, start: int, key: _Key, keys: KeyRules) -> Iterator[Span]:
    """Find a value without quotation marks; first all that was looked at, as a span of no kind."""
    scheme = _SCHEME.match(text, start) if key.kind == "token" else None
    if scheme is not None:
        start = scheme.end()
    to_line_end = _WHOLE_LINE.get(key.kind)
    whole_line = to_line_end is not None and not key.tight and to_line_end.match(text, start)
    shape = _ELEMENT if key.place == "<" else _LINE if whole_line else _BARE
    value = shape.match(text, start)
    if value is None:
        return
    yield Span(start, value.end(), "", guessable=True)
    if not (scheme or whole_line or _is_plausible(value, text, key, keys)):
        return
    is_number = value[0].isdecimal()
    if is_number and key.quote and key.kind not in NUMERIC:
        return
    for span in _shifted(span_under_key(value[0].rstrip(), key.kind), start):
        yield span._replace(quotes=key.quote if is_number else "")


def _is_plausible(value: re.Match[str], text: str, key: _Key, keys: KeyRules) -> bool:
    """Tell a secret from the code and the prose that follow a key as well."""
    word, following = value[0], text[value.end() : value.end() + 1]
    if key.place or not any(char.isalnum() for char in word):
        return key.place != ""
    if key.kind == "cookie" or following in ("(", "[", "{"):
        return False
    if word.isdecimal():
        return len(word) >= _SHORTEST_NUMBER.get(key.kind, 1)
    if _IDENTIFIER.fullmatch(word):
        return _is_made_up(word, following, key, keys)
    return True


def _is_made_up(word: str, following: str, key: _Key, keys: KeyRules) -> bool:
    """Tell a password from a variable."""
    if keys.kind_of(word) or word.partition(".")[0] in _NAMESPACES:
        return False
    if key.tight:
        return True
    if "." in word:
        return False
    if any(char.isdecimal() for char in word):
        return True
    return key.kind == "password" and word.isalpha() and word.islower() and following in ("", "\n", "\r")


def _shifted(span: Span | None, offset: int) -> Iterator[Span]:
    if span is not None:
        yield span._replace(start=span.start + offset, end=span.end + offset)
