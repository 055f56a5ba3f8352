"""Orders: where a text gives orders to a model, as far as its wording tells.

Texts are read with their disguises off: look-alike letters, letters spaced
out, digits for letters, base64. A phrase that the text only reports, as a
training text or a quotation in code does, is no order. Nothing here knows
whether the text came from a user, a result or an argument.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final, NamedTuple

import re2

from pytest_agentreplay.guards.analysis.phrases import ENCODED, Phrase
from pytest_agentreplay.guards.analysis.spelling import plain

_MEMORY: Final = 64 << 20  # bytes at most
_LONGEST: Final = 1 << 20  # characters that are read of one text; its beginning and its end
_BASE64: Final = re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/_-]{32,8192}={0,2}(?![\w+/=-])")
_MOST_ENCODED: Final = 8  # runs of base64 in one text
_LEET: Final = str.maketrans("013457@$", "oieastas")
_LEET_WORD: Final = re.compile(r"[A-Za-z]+[013457@$]+[A-Za-z013457@$]*|[013457@$]+[A-Za-z]+[A-Za-z013457@$]*")
_SPACED: Final = re.compile(r"(?<!\w)\w(?:([ ._-])\w)(?:\1\w){3,}(?!\w)(?:(?:\1{2,}| +\| +)\w(?:\1\w)+(?!\w))*")

_REPORTED: Final = re.compile(
    r"(?:\b(?:to|can|could|may|might|would|will|that|which|who|of|by|for|not|never|cannot|n't|attackers?|users?|they"
    r"|people|prompts?|it"
    r"|attempts?|tries|try|trying|tried|tells?|telling|told|says?|saying|said|asks?|asking|asked|called|named|like|as"
    r"|phrases?"
    r"|words?|text|strings?|whether|if|when|how|why|about|containing|contains|include|includes|including|with|is|was"
    r"|are|were|we|he|she)"
    r"[\s:,]{1,3}[\"'`“‘«(\[]{0,2}"
    r"|\b(?:mak|get|forc|caus|let|trick|convinc|persuad|lead|manipulat)\w*(?: (?:a|an|the|your|their|our|any"
    r"|some))?(?: \w+)?"
    r" (?:models?|llms?|agents?|assistants?|chatbots?|ais?|them|systems?|bots?)(?: (?:to|into))? )$",
    re.IGNORECASE,
)
_QUOTE: Final = re.compile(
    r"(?:^|[\s(\[{=:,])[\"'`“‘«]{1,3}$|<(?:text|input|user_input|example|sample|message|quote|content|document"
    r"|data)>\s*$"
)
_TO_A_MODEL: Final = re.compile(
    r"\b(?:you|please|remember|now|must"
    r"|you(?:'re| are| have been| were)(?: now| hereby)? (?:told|instructed|ordered|asked|required|free|able|allowed"
    r"|authori[sz]ed))"
    r" (?:to|can|will|are|may)[\s:,]{1,3}$",
    re.IGNORECASE,
)
_DISCUSSION: Final = re.compile(
    r"\b(?:prompt[- ]injections?|jailbreaks?|jailbreaking|attack(?:s|ers?)?|adversar\w+|red[- ]?team\w*"
    r"|(?<![.@\w-])examples?|e\.g\.|such as|phrases?|detect\w*"
    r"|classif\w+|training|awareness|research\w*|papers?|articles?|blog|translat\w+|explain\w*|what does|means?"
    r"|meaning|wording|regex|patterns?"
    r"|test[- ]?cases?|datasets?|filters?|quot\w+|malicious|defen[cs]e|mitigat\w+|guards?|guardrails|blocklist"
    r"|denylist|known|famous|title[sd]?"
    r"|called|novel|story|song|movie|assert|expect|def|const|return|import|strings?|flag(?:s|ged)?|block(?:s|ed)?"
    r"|reject(?:s|ed)?|unit tests?)\b",
    re.IGNORECASE,
)


class Order(NamedTuple):
    """One order in a text.

    Attributes:
        phrase: the wording.
        start: offset in `text`.
        end: offset in `text`.
        text: what was read: the text with its disguises off, or what was encoded in it.
    """

    phrase: Phrase
    start: int
    end: int
    text: str

    @property
    def excerpt(self) -> str:
        """The words themselves, on one line."""
        return " ".join(self.text[self.start : self.end].split())[:80]


class OrderFinder:
    """Finds orders of some wordings; linear in the text.

    Args:
        phrases: the wordings.
    """

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        self._phrases = tuple(phrases)
        options = re2.Options()
        options.max_mem = _MEMORY
        options.log_errors = False
        self._set = re2.Set.SearchSet(options)
        self._patterns = [re2.compile(f"(?i){phrase.pattern}", options) for phrase in phrases]
        for phrase in phrases:
            self._set.Add(f"(?i){phrase.pattern}")
        self._set.Compile()

    def find(self, text: str) -> list[Order]:
        """Find the orders in a text, at most one of each wording."""
        found: dict[str, Order] = {}
        for reading in _readings(text):
            for order in self._find(reading):
                found.setdefault(order.phrase.name, order)
        return list(found.values())

    def _find(self, text: str) -> Iterator[Order]:
        for index in sorted(self._set.Match(text) or ()):
            phrase = self._phrases[index]
            for match in self._patterns[index].finditer(text):
                if not is_reported(text, match.start(), match.end()):
                    yield Order(phrase, match.start(), match.end(), text)
                    break


def is_reported(text: str, start: int, end: int) -> bool:
    """Tell whether a text only speaks of the words at a place: in reported speech, or as a quotation it discusses."""
    before = text[max(0, start - 48) : start]
    quoted = _QUOTE.search(before) is not None
    around = text[max(0, start - 400) : start] + " | " + text[end : end + 400]
    discussed = _DISCUSSION.search(around) is not None
    if quoted:
        return discussed
    if _REPORTED.search(before) is not None and _TO_A_MODEL.search(before) is None:
        return text[start : start + 1].isascii() and discussed
    return False


def _readings(text: str) -> Iterator[str]:
    """Give a text as it reads with its disguises off, and what it encodes."""
    if len(text) > _LONGEST:
        text = text[: _LONGEST // 2] + "\n" + text[-_LONGEST // 2 :]
    text = _scalar(plain(text))
    yield text
    if not _odd().search(text):
        return
    spelled = _SPACED.sub(lambda run: re.sub(r"(?<=\w)[ ._-](?=\w)", "", run[0]), text)
    spelled = _LEET_WORD.sub(lambda word: word[0].translate(_LEET), spelled)
    if spelled != text:
        yield spelled
    for count, run in enumerate(_BASE64.finditer(text)):
        if count == _MOST_ENCODED:
            return
        if decoded := decoded_text(run[0]):
            yield decoded


@cache
def _odd() -> re2.Pattern:
    return re2.compile(ENCODED)


def decoded_text(run: str) -> str:
    """Decode base64, of either alphabet, that holds readable text; empty where it holds none."""
    data = run.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        raw = base64.b64decode(data + "=" * (-len(data) % 4), validate=True)
        text = raw.decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return text if text and sum(char.isprintable() or char in "\n\r\t" for char in text) == len(text) else ""


def _scalar(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
