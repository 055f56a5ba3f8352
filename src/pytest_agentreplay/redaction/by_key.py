"""What under a sensitive key is the secret: the whole text, or what follows its scheme.

Mappings and ``key: value`` in texts are judged alike. Nothing here knows which
keys are sensitive.
"""

from __future__ import annotations

import re
from typing import Final

from pytest_agentreplay.jsonable import Value
from pytest_agentreplay.redaction.placeholders import PLACEHOLDER
from pytest_agentreplay.redaction.spans import Span, is_guessable

FINGERPRINTED: Final = frozenset({"token", "secret", "private_key"})
"""Kinds whose values are random more often than not; the others always get ordinals."""

NUMERIC: Final = frozenset({"password", "pin", "cvv", "ssn", "card"})
"""Kinds that may be whole numbers; a number under ``token`` is a count."""

_SCHEME: Final = re.compile(r"(?:bearer|basic|token|apikey|digest|negotiate)(?:[ \t]+|$)", re.IGNORECASE)
_STAND_IN: Final = re.compile(
    r"\s*|\*{3,}|\.{3}|x{3,}|-+|\$\{\w+\}|\$[A-Z_]+|\$\(.*\)|%\w|\{\{[^{}]*\}\}|\{\w*\}|<[A-Za-z_ -]+>|\[?redacted\]?"
    r"|[~^<>=]*v?[0-9]+(?:\.[0-9]+){2,3}"  # a version, as of a package called jwt
    r"|none|null|nil|undefined|true|false|str|string|text|int|integer|bool|boolean|bytes|any|object|optional|required",
    re.IGNORECASE,
)
_DIGITS: Final = {
    "card": re.compile(r"(?:[0-9][ -]?){12,18}[0-9]"),
    "cvv": re.compile(r"[0-9]{3,4}"),
    "pin": re.compile(r"[0-9]{3,10}"),
    "ssn": re.compile(r"[0-9]{3}[ -]?[0-9]{2}[ -]?[0-9]{4}"),
}
_PATH: Final = re.compile(r"(?:~|[A-Za-z]:)?(?:[/\\][\w.-]+){2,}[/\\]?")  # a working directory is a `pwd` too


def is_stand_in(text: str) -> bool:
    """Tell whether a text stands where a secret would: empty, masked, a variable, the name of a type."""
    return len(text) < 80 and _STAND_IN.fullmatch(text) is not None


def span_under_key(text: str, kind: str) -> Span | None:
    """Give what of a text under a sensitive key has to go; None where it is no secret."""
    scheme = _SCHEME.match(text) if kind == "token" else None
    start = scheme.end() if scheme else 0
    secret = text[start:]
    if is_stand_in(secret) or PLACEHOLDER.fullmatch(secret):
        return None
    digits = _DIGITS.get(kind)
    if digits is not None and digits.fullmatch(secret.strip()) is None:
        return None
    if kind == "password" and _PATH.fullmatch(secret):
        return None
    return Span(start, len(text), kind, kind not in FINGERPRINTED or is_guessable(secret))


def number_under_key(value: Value, kind: str) -> str | None:
    """Give the secret that a number under a sensitive key is; None where it is none."""
    if type(value) is not int or kind not in NUMERIC:
        return None
    return f"{value}" if span_under_key(f"{value}", kind) else None
