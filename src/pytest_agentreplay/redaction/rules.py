"""Rules: what a project adds to the built-in redaction, and what it takes away, one line each.

``-email``                  leave a kind alone
``key: customer_ref``       what is under this key goes, wherever it is a key's last words
``-key: session_token``     what is under this key stays (a value that looks like a secret still goes)
``iban = [A-Z]{2}[0-9]{20}``  what matches this expression (RE2's syntax) goes; where it has a group, the first group
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from pytest_agentreplay.errors import SettingsError
from pytest_agentreplay.redaction.keys import KEY_KINDS, key_words
from pytest_agentreplay.redaction.patterns import DETECTORS, Detector
from pytest_agentreplay.redaction.screening import LinearPattern
from pytest_agentreplay.redaction.spans import Span

KINDS: Final = tuple(sorted({*KEY_KINDS.values(), *(detector.kind for detector in DETECTORS)}))
"""The built-in kinds."""

_KEY_LINE: Final = re.compile(r"(-?)key\s*:\s*(.*)")
_VALUE_LINE: Final = re.compile(r"([a-z][a-z0-9_]{0,31})\s*=\s*(.+)")


@dataclass(slots=True)
class Rules:
    """A project's own rules.

    Attributes:
        keys: keys that it adds, with their kinds.
        removed: keys that stay.
        off: kinds that stay.
        detectors: patterns that it adds.
    """

    keys: dict[str, str] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    off: set[str] = field(default_factory=set)
    detectors: list[Detector] = field(default_factory=list)


def parse_rules(lines: Sequence[str]) -> Rules:
    """Read settings lines; empty ones say nothing.

    Raises:
        SettingsError: for a line of no known form, an unknown kind, or a bad expression, naming the line.
    """
    rules = Rules()
    for line in filter(None, map(str.strip, lines)):
        if match := _KEY_LINE.fullmatch(line):
            _add_key(rules, match[2].strip(), line, stays=bool(match[1]))
        elif match := _VALUE_LINE.fullmatch(line):
            rules.detectors.append(_detector(match[1], match[2], line))
        elif line.startswith("-"):
            rules.off.add(_kind(line[1:].strip(), line))
        else:
            forms = "write `key: name`, `-key: name`, `kind = expression` or `-kind`"
            raise SettingsError("a line of agent_replay_redact has no known form", at=line, next=forms)
    return rules


def _add_key(rules: Rules, name: str, line: str, *, stays: bool) -> None:
    kind = "_".join(word for word in key_words(name) if word.isascii())[:32].rstrip("_") or "secret"
    if not key_words(name):
        raise SettingsError("a line of agent_replay_redact names no key", at=line, next="write `key: name`")
    if stays:
        rules.removed.add(name)
    else:
        rules.keys[name] = kind if kind[0].isalpha() else "secret"


def _detector(kind: str, expression: str, line: str) -> Detector:
    pattern = LinearPattern(expression, line)

    def find(text: str) -> list[Span]:
        return [Span(start, end, kind, guessable=True) for start, end in pattern.offsets(text)]

    return Detector(kind, expression, find)


def _kind(name: str, line: str) -> str:
    if name in KINDS:
        return name
    details = {"at": line}
    if near := difflib.get_close_matches(name, KINDS, 1):
        details["closest"] = near[0]
    raise SettingsError(f"there is no kind {name!r} to leave alone", **details, next=f"one of {', '.join(KINDS)}")
