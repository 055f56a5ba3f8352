"""Telling values: what in a text names somebody or something, short as it may be.

Addresses, hosts, accounts, ids, figures and paths, each in one spelling: without case,
width and the blanks and signs that part their groups, also where a text is written in
base64, hexadecimal or percent signs. What many texts have by accident tells nothing:
years, dates, times, round and small numbers, plain words, hosts that everybody has
pages on. Nothing here knows where a text comes from.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence, Set
from functools import lru_cache
from itertools import islice
from typing import Final
from urllib.parse import unquote

from pytest_agentreplay.guards.analysis.orders import decoded_text
from pytest_agentreplay.guards.analysis.spelling import visible
from pytest_agentreplay.guards.conditions.words import fold
from pytest_agentreplay.guards.conditions.words import words as folded_words
from pytest_agentreplay.redaction.keys import words

_LONGEST: Final = 1 << 18  # characters of one text that are looked at
_MOST_ENCODED: Final = 32  # runs of one text that are decoded
_FIRST_OF_ACCOUNT: Final = 15  # letters and digits of the shortest IBAN: enough to know one by
_SHORTEST_ID: Final = 5
_SHORTEST_DIGITS: Final = 4
_SHORTEST_NAME: Final = 8
_LONGEST_REMEMBERED: Final = 4096  # characters

_RUN: Final = re.compile(r"\w(?:[\w#~-]*\w)?")
_MAIL: Final = re.compile(r"[\w.+%'-]{1,64}@\w[\w-]*(?:\.[\w-]+)+")
_DOTTED: Final = re.compile(r"(?<![\w@.+-])\w[\w-]*+(?:\.\w[\w-]*+)++(?:/[\w.~%+/-]*\w)?(?!@)")
_PATH: Final = re.compile(r"(?:/[\w.@%+~-]+){3,}|[a-z]:(?:\\[\w.@%+~-]+){2,}")
_GROUPED: Final = re.compile(r"(?<![\w.])\+?\(?[0-9](?:[ ().-]{0,2}[0-9]){6,24}(?!\w)")
_ACCOUNT: Final = re.compile(r"(?<!\w)[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?(?!\w)")
_FIGURE: Final = re.compile(r"(?<![\w.])[0-9][0-9]*(?:[,'’][0-9]{3})*(?:\.[0-9]+)?(?![\w]|\.[0-9])")
_PLAIN_ACCOUNT: Final = re.compile(r"\b[a-z]{2}[0-9]{2}[a-z0-9]{11,30}\b")
_GROUPS: Final = re.compile(r"[0-9][ ().,'’-]{1,2}[0-9]")
_WORD: Final = re.compile(r"\w+")
_LONG_WORD: Final = re.compile(r"\w{12}")  # as long as anything encoded
_PLACEHOLDER: Final = re.compile(r"\[redacted:[a-z0-9_]+:[0-9a-f]+\]")
_ENCODED: Final = re.compile(r"(?<![\w+/-])[\w+/-]{12,}={0,2}")
_HEX: Final = re.compile(r"(?<!\w)(?:0x)?((?:[0-9a-fA-F]{2}){6,})(?!\w)")
_NAME: Final = re.compile(r"\b[A-ZÀ-ÞΑ-ΩА-Я][\w'’-]+(?: [A-ZÀ-ÞΑ-ΩА-Я][\w'’-]+){1,5}\b")

_YEAR: Final = re.compile(r"(?:19|20)[0-9]{2}")
_ROUND: Final = re.compile(r"[0-9]0+")
_WIDTH: Final = re.compile(r"[a-z]{1,8}[_-]?(?:8|16|32|64|86_64|128|256|384|512|1024|2048|4096)(?:[_-][a-z]+)?")
_MOMENT: Final = re.compile(
    r"(?:19|20)[0-9]{2}[-_]?[0-9]{2}[-_]?[0-9]{2}(?:t[0-9]{2,6}z?)?|[0-9]{1,2}[-_][0-9]{1,2}[-_](?:19|20)?[0-9]{2}"
    r"|t?[0-9]{1,2}(?:am|pm|h|st|nd|rd|th|ms|min|kb|mb|gb|px|k|m|x)"
)
_VERSION: Final = re.compile(r"v?[0-9]+(?:\.[0-9]+){1,3}")
_FILE_ENDINGS: Final = words(
    "png jpg jpeg gif svg webp ico css scss js jsx ts tsx mjs py pyi ipynb json jsonl yaml yml md rst html htm xml txt"
    " pdf csv tsv log sh bash bat ps1 c h cc cpp hpp java kt go rs rb php sql toml ini cfg conf lock env zip tar gz"
    " doc docx xls xlsx ppt pptx odt eml ics exe dll so whl egg bin dat db bak tmp map"
)
_SHARED_HOSTS: Final = words(
    "github.com gitlab.com bitbucket.org google.com docs.google.com drive.google.com youtube.com youtu.be"
    " wikipedia.org en.wikipedia.org stackoverflow.com microsoft.com learn.microsoft.com amazon.com apple.com"
    " python.org docs.python.org linkedin.com twitter.com x.com facebook.com instagram.com reddit.com medium.com"
    " slack.com discord.com notion.so dropbox.com raw.githubusercontent.com example.com example.org localhost.local"
)
_SYSTEM_PATHS: Final = (
    "/usr/",
    "/bin/",
    "/sbin/",
    "/lib",
    "/proc/",
    "/dev/",
    "/sys/",
    "/opt/",
    "/var/lib/",
    "/var/log/",
)


def tellings(text: str) -> set[str]:
    """Give what a text tells, each value in its one spelling."""
    text = text[:_LONGEST]
    return {value for value in candidates(text) if _is_telling(value)} | _names(text)


def candidates(text: str) -> set[str]:
    """Give all that may be a telling value of a text, in the same spelling."""
    text = _plain(text[:_LONGEST])
    found = _written(text) | _grouped(text)
    for reading in _encoded(text):
        found |= _written(reading) | _grouped(reading)
    return found


def anchor(value: str) -> str:
    """Give the word of a value that stands in every text in which the value is written as it is."""
    rare = value.partition("/")[0].rpartition(".")[0] or value  # not the `example` of a host
    return max(
        _WORD.findall(rare) or _WORD.findall(value),
        key=lambda word: (any(map(str.isdecimal, word)), len(word)),
        default="",
    )


def candidates_beside(anchors: Set[str], text: str, found: Sequence[str]) -> Set[str]:
    """Give the candidates of a text that could be values with those anchors; those that `aside` gives are left out.

    Args:
        anchors: of the values that are looked for.
        text: as it is written.
        found: its words, folded.
    """
    return _written(text[:_LONGEST]) if text.isascii() and not anchors.isdisjoint(found) else frozenset()


def aside(texts: tuple[str, ...]) -> frozenset[str]:
    """Give those candidates of texts that may be values whatever their anchors are: mostly none."""
    return _aside(texts) if sum(map(len, texts)) <= _LONGEST_REMEMBERED else _aside.__wrapped__(texts)


@lru_cache(maxsize=128)
def _aside(texts: tuple[str, ...]) -> frozenset[str]:
    values = {value for text in texts if not text.isascii() for value in candidates(text)}
    plain = [text[:_LONGEST] for text in texts if text.isascii()]
    written = "\n".join(plain)  # no value goes over the end of a line
    values.update(word[:_FIRST_OF_ACCOUNT] for word in folded_words(written) if len(word) >= _FIRST_OF_ACCOUNT)
    values |= _grouped("\n".join(filter(_GROUPS.search, plain)))
    for text in plain:
        if "%" in text or _LONG_WORD.search(text):
            for reading in _encoded(text):
                values |= _written(reading) | _grouped(reading)
    return frozenset(values)


def _written(text: str) -> set[str]:
    folded = text.casefold()
    found = set(_RUN.findall(folded))
    if "." in folded:
        dotted = _DOTTED.findall(folded)
        found.update(dotted)
        found.update(value.partition("/")[0].removeprefix("www.") for value in dotted)
    if "@" in folded:
        found.update(value.lstrip("'.-+%") for value in _MAIL.findall(folded))
    if "/" in folded or "\\" in folded:
        found.update(path.rstrip(".") for path in _PATH.findall(folded))
    if "[redacted:" in folded:
        found.update(_PLACEHOLDER.findall(folded))
    found.update(value[:_FIRST_OF_ACCOUNT] for value in _PLAIN_ACCOUNT.findall(folded))
    return found


def _grouped(text: str) -> set[str]:
    """Give accounts, telephone numbers and figures whose groups are parted, without what parts them."""
    found = {_joined(value) for value in _GROUPED.findall(text)}
    found.update(_joined(value)[:_FIRST_OF_ACCOUNT] for value in _ACCOUNT.findall(text))
    found.update(map(_figure, _FIGURE.findall(text)))
    return found


def whole_name(text: str) -> str:
    """Give the name that a text is, and nothing else, as `tellings` writes it; empty where it is none."""
    folded = fold(text)
    parts = folded.split(" ")
    return f"name {folded}" if 2 <= len(parts) <= 4 and len(folded) >= _SHORTEST_NAME else ""


def _names(text: str) -> set[str]:
    """Give what is written in capitals as names are, and each part of it of two to four words."""
    found: set[str] = set()
    for name in _NAME.findall(text[:_LONGEST]):
        parts = fold(name).split(" ")
        for size in range(2, min(len(parts), 4) + 1):
            for start in range(len(parts) - size + 1):
                part = " ".join(parts[start : start + size])
                if len(part) >= _SHORTEST_NAME:
                    found.add(f"name {part}")
    return found


def _plain(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFKC", visible(text))


def _encoded(text: str) -> Iterator[str]:
    if "%" in text and (unquoted := unquote(text, errors="replace")) != text:
        yield unquoted
    for run in islice(_ENCODED.finditer(text), _MOST_ENCODED):
        if decoded := decoded_text(run[0]):
            yield decoded
    for run in islice(_HEX.finditer(text), _MOST_ENCODED):
        if decoded := _text_of(run[1]):
            yield decoded


def _text_of(digits: str) -> str:
    try:
        text = bytes.fromhex(digits).decode("utf-8")
    except ValueError:
        return ""
    return text if text.isprintable() else ""


def _joined(value: str) -> str:
    return "".join(char for char in value.casefold() if char.isalnum())


def _figure(value: str) -> str:
    number = value.replace(",", "").replace("'", "").replace("’", "")
    return number.rstrip("0").rstrip(".") if "." in number else number


def _is_telling(value: str) -> bool:
    if "@" in value or value[:1] == "[":
        return True
    if value[:1] == "/" or "\\" in value:
        return not value.startswith(_SYSTEM_PATHS)
    if "." in value:
        return _is_telling_dotted(value)
    if not any(char.isdecimal() for char in value):
        return False
    joined = _joined(value)
    if joined.isdecimal():
        return (
            len(joined) >= _SHORTEST_DIGITS
            and _YEAR.fullmatch(joined) is None
            and _ROUND.fullmatch(joined) is None
            and _MOMENT.fullmatch(value) is None
        )
    if len(joined) < _SHORTEST_ID or _WIDTH.fullmatch(value) or _MOMENT.fullmatch(value):
        return False
    return sum(char.isdecimal() for char in joined) >= 2


def _is_telling_dotted(value: str) -> bool:
    if _VERSION.fullmatch(value):
        return len(value) - 1 > _SHORTEST_DIGITS and value.count(".") == 1 and "v" not in value
    host, _, path = value.partition("/")
    if path:
        return True
    stem, _, ending = host.rpartition(".")
    if ending in _FILE_ENDINGS:
        return len(stem) >= _SHORTEST_NAME and any(char.isdecimal() or char in "-_" for char in stem)
    return ending.isalpha() and 2 <= len(ending) <= 24 and host not in _SHARED_HOSTS and len(host) >= _SHORTEST_ID
