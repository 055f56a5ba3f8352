"""The JSON schema of YAML 1.2: what plain scalars mean, and how large values may be.

null, true, false and JSON's numbers; everything else is text. Nothing here
knows of events or files.
"""

from __future__ import annotations

import math
import re
from typing import Any, Final

from pytest_agentreplay.yaml_codec.problems import Refusal

# Python refuses longer ones by default (CVE-2020-10735); read anywhere, a trace must be readable everywhere.
MAX_DIGITS: Final = 4300

MAX_DEPTH: Final = 150

_WORDS: Final[dict[str, Any]] = {"": None, "null": None, "true": True, "false": False}
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_NUMBER_STARTS: Final = frozenset("-0123456789")


def resolve(text: str) -> Any:
    """Turn the text of a plain scalar into the value that it means.

    Raises:
        Refusal: for a number that Python can't hold.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in _NUMBER_STARTS and (found := _NUMBER.fullmatch(text)):
        return integer(text) if found.lastindex is None else finite(text)
    return text


def is_literal(text: str) -> bool:
    """Tell whether a plain scalar would mean something else than its text."""
    return text in _WORDS or _NUMBER.fullmatch(text) is not None


def integer(text: str) -> int:
    """Read an integer of JSON's grammar.

    Raises:
        Refusal: when it is too long.
    """
    if len(text) - text.startswith("-") > MAX_DIGITS:
        raise Refusal(f"an integer of more than {MAX_DIGITS} digits", "put it in quotes, as text")
    return int(text)


def finite(text: str) -> float:
    """Read a number with a fraction or an exponent.

    Raises:
        Refusal: when a float can't hold it.
    """
    value = float(text)
    if math.isinf(value):
        raise Refusal(f"the number {text[:40]} is too large", "put it in quotes, as text")
    return value


def too_deep(index: int | None) -> Refusal:
    """Say that a document nests deeper than the limit."""
    return Refusal(f"nested deeper than {MAX_DEPTH} levels", "flatten it, or keep the inner part as text", index)
