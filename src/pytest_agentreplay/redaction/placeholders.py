"""Placeholders: what stands in a trace in the place of a secret, ``[redacted:KIND:TAG]``.

What nobody can guess (an API key, a JWT, a private key) gets eight hexadecimal
digits of its BLAKE2b hash as its tag: the same in every run and every file, so
that a changed secret shows as a change. What can be guessed (an e-mail address,
a card number, a password) gets an ordinal, by first appearance in its recording:
a hash of it would be undone by hashing guesses. The two never look alike: an
ordinal has at most seven digits. Nothing here knows what is a secret.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from pytest_agentreplay.jsonable import Value

OPENING: Final = "[redacted:"
PLACEHOLDER: Final = re.compile(r"\[redacted:([a-z][a-z0-9_]{0,31}):([0-9a-f]{8}|[1-9][0-9]{0,6})\]")
FINGERPRINT_DIGITS: Final = 8


def render(kind: str, tag: str) -> str:
    """Write a placeholder."""
    return f"{OPENING}{kind}:{tag}]"


def fingerprint(secret: str) -> str:
    """Hash a secret to a tag: the same in every process, on every machine."""
    data = secret.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=FINGERPRINT_DIGITS // 2).hexdigest()


def is_ordinal(tag: str) -> bool:
    """Tell an ordinal from a fingerprint."""
    return len(tag) < FINGERPRINT_DIGITS


def placeholder_kind(text: str) -> str | None:
    """Name the kind of the first placeholder in a text, ``email``, ``card``, ``token``...; None without one."""
    found = PLACEHOLDER.search(text) if OPENING in text else None
    return found[1] if found else None


def holds_placeholder(value: Value) -> bool:
    """Tell whether a placeholder is anywhere in a value, the keys of its mappings included."""
    kind = type(value)
    if kind is str:
        return OPENING in value and PLACEHOLDER.search(value) is not None
    if kind is list:
        return any(holds_placeholder(item) for item in value)
    return kind is dict and any(holds_placeholder(key) or holds_placeholder(item) for key, item in value.items())
