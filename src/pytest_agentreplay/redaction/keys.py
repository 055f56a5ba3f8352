"""Keys: which names promise a secret, in mappings and in texts.

A key is judged by its last words, however they are joined: ``api_key``,
``X-Api-Key``, ``openaiApiKey`` and ``apikey`` are one, ``token_count`` and
``tokenizer`` are none. Nothing here looks at values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final


def words(text: str) -> frozenset[str]:
    """Make a set of the words of a text."""
    return frozenset(text.split())


_BY_KIND: Final[dict[str, str]] = {
    "password": (
        "password passwords passwd passphrase passcode pwd pass passwordhash passwordconfirmation passwordconfirm"
        " dbpass userpass smtppass mysqlpass postgrespass rootpass adminpass loginpass ftppass sudopass"
    ),
    "token": (
        "token apitokens accesstokens authtokens refreshtokens apikey apikeys appkey authkey authorization jwt"
        " accesskey accesskeys secretaccesskey accountkey subscriptionkey servicekey sessionkey"
        " bearer phpsessid jsessionid"
    ),
    "secret": (
        "secret secrets clientsecrets credential credentials secretkey secretkeys encryptionkey signingkey masterkey"
        " connectionstring webhooksecret seedphrase mnemonic"
    ),
    "private_key": "privatekey privatekeys sshkey",
    "cookie": "cookie cookies",
    "card": "cardnumber ccnumber creditcard creditcardnumber debitcardnumber",
    "cvv": "cvv cvc cvv2 cvc2 securitycode cardverificationvalue",
    "pin": "pincode userpin cardpin accountpin securitypin otp otpcode onetimecode mfacode",
    "ssn": "ssn socialsecuritynumber securitynumber",
}
KEY_KINDS: Final[dict[str, str]] = {name: kind for kind, names in _BY_KIND.items() for name in names.split()}
EXACT_KEYS: Final[dict[str, str]] = {"pin": "pin"}
"""Names that promise a secret only without a word before them (`led_pin`)."""

STEMS: Final = (
    "passw|passphrase|passcode|pass|pwd|secret|token|key|authorization|jwt|bearer|sessid|credential|string"
    "|phrase|mnemonic|cookie|number|card|cvv|cvc|code|value|pin|otp|ssn"
)
"""What every sensitive key ends in, give or take a few letters; screens look for it."""

DESCRIBING: Final = words(
    "type types name names title description kind format in scheme id ids default items enum required location"
    " created expires ref minlength maxlength pattern status version path url"
)
"""Names that, below a sensitive key, tell of the secret and are none: a JSON Schema's, a secret manager's."""

NAMING: Final = ("name", "key", "header", "field", "selector")
"""Names under which the key of a ``value`` stands, in lists of headers, variables and form fields."""

COUNTING: Final = words("is has num max min total use n no count")
"""A word like these before it makes a key a question or a figure."""

POSITIONAL: Final = words(
    "page next continuation pagination cursor resume sync stop eos bos pad unk sep cls mask special start end first"
    " last per output input prompt completion cached reasoning"
)
"""A word like these before ``token`` makes it a place in a list or in a text."""

_TRAILING: Final = words("value values header env text string plain plaintext raw b64 base64")
_LONGEST_KEY: Final = 80
_LONGEST_NAME: Final = 4  # words: credit card number value
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\dA-Za-z_]+")


@lru_cache(maxsize=4096)
def key_words(key: str) -> tuple[str, ...]:
    """Split a key into its words, in lower case."""
    return tuple(word.lower() for word in _WORD.findall(key[:_LONGEST_KEY]))


class KeyRules:
    """The sensitive keys of one redactor.

    Args:
        added: the user's keys, with their kinds.
        removed: keys that the user wants left alone.
        off: kinds that the user wants left alone.
    """

    __slots__ = ("_exact", "_kinds", "added_stems", "kind_of", "stems")

    def __init__(
        self, added: Mapping[str, str] | None = None, removed: Iterable[str] = (), off: Iterable[str] = ()
    ) -> None:
        mine = {"".join(key_words(key)): kind for key, kind in (added or {}).items()}
        gone = {"".join(key_words(key)) for key in removed}
        without = set(off)
        self._kinds = {name: kind for name, kind in (KEY_KINDS | mine).items() if kind not in without}
        self._exact = {name: kind for name, kind in EXACT_KEYS.items() if kind not in without} | dict.fromkeys(gone, "")
        self.added_stems = [re.escape(key_words(key)[-1]) for key in added or {}]
        self.stems = "|".join([STEMS, *self.added_stems])
        self.kind_of = lru_cache(maxsize=4096)(self._kind_of)

    def _kind_of(self, key: str) -> str | None:
        words = key_words(key)
        exact = self._exact.get("".join(words))
        if exact is not None:
            return exact or None
        return self._kind_of_words(words) or self._kind_of_words(_without_trailing(words))

    def _kind_of_words(self, words: tuple[str, ...]) -> str | None:
        for count in range(min(len(words), _LONGEST_NAME), 0, -1):
            kind = self._kinds.get("".join(words[-count:]))
            if kind is not None:
                before = words[-count - 1] if count < len(words) else ""
                return None if before in COUNTING or (words[-1] == "token" and before in POSITIONAL) else kind
        return None


def _without_trailing(words: tuple[str, ...]) -> tuple[str, ...]:
    while words and (words[-1] in _TRAILING or (words[-1].isdecimal() and len(words[-1]) < 3)):
        words = words[:-1]
    return words
