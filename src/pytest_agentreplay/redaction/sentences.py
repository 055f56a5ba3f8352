"""Sentences and flags: secrets that only a space parts from their key.

``the password is hunter2``, ``use api_key sk-LIVE-abc``, ``login --password hunter``.
In a sentence only what mixes letters and digits counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pytest_agentreplay.redaction.by_key import span_under_key
from pytest_agentreplay.redaction.keys import KeyRules
from pytest_agentreplay.redaction.patterns import Detector
from pytest_agentreplay.redaction.spans import Span

_KEY_ENDS: Final = "password|passwd|passphrase|passcode|pwd|pass|secret|credentials?|token|key|pin|otp"
_LINK: Final = r"[\"'`]?[ \t]{1,4}(?:(?:is|was)[ \t]{1,4})?[\"'`]?"
_VALUE: Final = r"(?=([^\s\"'`<>(){}\[\],;:=/\\|.]{4,256}+)(?:[\s\"'`,;.)]|\Z))"
_KEY_BACKWARDS: Final = re.compile(r"[\w.-]{1,64}+(?: [A-Za-z]{2,20}(?![\w.-]))?")
_FLAG: Final = re.compile(
    r"(?<![\w-])--([\w-]{2,40}+)[ \t]{1,4}(?![ \t-])([\"']?)([^\s\"'`|;&<>(){}\[\]\\]+)"
    r"(?=(\\*[\"'`]|[ \t]*(?:\s-|[\r\n|;&\\]|\Z)|))"
)
_DIGIT: Final = re.compile("[0-9]")
_LETTER: Final = re.compile("[A-Za-z]")


def sentence_detector(keys: KeyRules) -> Detector:
    """Make the detector for a key and its value in one sentence."""
    ends = "|".join([_KEY_ENDS, *keys.added_stems])
    screen = rf"(?i)(?:{ends})[\"'`]?[ \t]+(?:(?:is|was)[ \t]+)?[\"'`]?[^\s]*[0-9]"
    sentence = re.compile(rf"({ends}){_LINK}{_VALUE}", re.IGNORECASE)

    def find(text: str) -> Iterator[Span]:
        for match in sentence.finditer(text):
            start, end = match.span(2)
            if _DIGIT.search(match[2]) is None:
                continue
            backwards = _KEY_BACKWARDS.match(text[max(0, match.end(1) - 64) : match.end(1)][::-1])
            kind = keys.kind_of(backwards[0][::-1]) if backwards else None
            if kind is not None and _fits(match[2], kind) and (span := span_under_key(match[2], kind)):
                yield span._replace(start=start, end=end)

    return Detector("", screen, find)


def _fits(value: str, kind: str) -> bool:
    return kind == "pin" or (len(value) >= 6 and _LETTER.search(value) is not None)


def flag_detector(keys: KeyRules) -> Detector:
    """Make the detector for ``--password value`` on a command line."""

    def find(text: str) -> Iterator[Span]:
        for match in _FLAG.finditer(text):
            kind = keys.kind_of(match[1])
            ends_there = match[2] or match[4] or _DIGIT.search(match[3])
            if kind is not None and ends_there and (span := span_under_key(match[3], kind)):
                yield span._replace(start=match.start(3) + span.start, end=match.end(3))

    return Detector("", r"--[\w-]+[ \t]+[^\s-]", find)
