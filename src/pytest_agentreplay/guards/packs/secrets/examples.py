"""Examples: what stands where a secret would and is none: masks, placeholders, the samples of documentation.

Nothing here finds secrets.
"""

from __future__ import annotations

import re
from typing import Final

from pytest_agentreplay.redaction.keys import words

_PLACEHOLDER_WORDS: Final = re.compile(
    r"(?i)(?:^|[^a-z0-9])(?:your|my|the|a)?[-_ .]?(?:your|xxx+|placeholder|change[-_ ]?(?:me|this|it)|dummy|fake"
    r"|replace[-_ ]?(?:me|this|with)"
    r"|redacted|insert|here|todo|foobar|goes[-_ ]here|put[-_ ]|enter[-_ ])(?:[^a-z0-9]|$)|^(?:your|my|some|the)[-_"
    r" ]?\w{0,12}(?:token|key|secret|password)$"
)
_NO_PASSWORDS: Final = words(
    "password passwd pass pwd secret changeme change_me bcrypt argon2 argon2id scrypt pbkdf2 sha256 md5 hash hashed"
    " plain token key value string text none null required optional hidden bearer basic postgres root admin user test"
    " example abc 123456 env vault keychain prompt stdin"
)
_MASK: Final = re.compile(r"[A-Za-z_-]{0,16}?[-_]?([xX*.0_•#?-])\1{5,}[\w*.-]{0,8}")
_VARIABLE: Final = re.compile(
    r"\$\{?\w+|\{\{|<[\w -]+>|%\(|%s|\{[a-z_.]+\}|process\.env|os\.environ|getenv|ENV\[|secrets\."
)
_DOCUMENTED: Final = re.compile(
    r"(?i)example|sample|(?:sk|pk|rk)_test_|EXAMPLEKEY|test[-_]?(?:key|token)|0123456789abcdef|abcdef0123456789"
)
_OWN_MACHINE: Final = re.compile(
    r"@(?:localhost|127\.0\.0\.1|\[::1\]|0\.0\.0\.0|host\.docker\.internal|(?:[\w-]+\.)?example\.(?:com|org"
    r"|net))(?:[:/?\s]|$)"
)


def is_example(secret: str, kind: str) -> bool:
    """Tell whether what looks like a secret is a mask, a placeholder, a variable, or a word that is nobody's."""
    if len(secret) > 512:
        return False
    if kind == "password" and secret.lower().strip("\"'`.,;:!") in _NO_PASSWORDS:
        return True
    if kind == "token" and len(secret) < 8:
        return True
    return bool(_MASK.fullmatch(secret) or _VARIABLE.match(secret) or _PLACEHOLDER_WORDS.search(secret))


def is_documented(secret: str) -> bool:
    """Tell whether a secret calls itself a sample, as ``AKIAIOSFODNN7EXAMPLE``: it may be written down, not sent."""
    return len(secret) <= 512 and _DOCUMENTED.search(secret) is not None


def is_of_own_machine(text: str, secret: str) -> bool:
    """Tell whether a password in a URL is for this machine, or for a host of documentation, and a word of no value."""
    found = text.find(secret)
    return (
        found >= 0
        and _OWN_MACHINE.match(text, found + len(secret)) is not None
        and (len(secret) < 12 or secret.lower() in _NO_PASSWORDS)
    )
