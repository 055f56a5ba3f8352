"""Orders: where a text gives orders to a model, as far as its wording tells.

Texts are read with their disguises off: look-alike letters, letters spaced
out, digits for letters, base64. A phrase that the text only reports, as a
training text or a quotation in code does, is no order. Nothing here knows
whether the text came from a user, a result or an argument.
"""

from __future__ import annotations

import base64
import codecs
import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from typing import Final, NamedTuple

import re2

from pytest_agentreplay.guards.analysis.phrases import Phrase
from pytest_agentreplay.guards.analysis.spelling import plain

_MEMORY: Final = 64 << 20  # bytes at most
_LONGEST: Final = 1 << 20  # characters that are read of one text; its beginning and its end
_BASE64: Final = re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/_-]{32,8192}={0,2}(?![\w+/=-])")
_HEX: Final = re.compile(r"(?<![\w+/=-])(?:[0-9a-fA-F]{2}){20,4096}(?![\w+/=-])")
_BACKWARDS: Final = re.compile(r"(?i)snoitcurtsni|erongi|suoiverp|tpmorp|dragersid")
_TURNED: Final = re.compile(r"(?i)vtaber|qvfertneq|cerivbhf|vafgehpgvba|cebzcg|olcnff")
_MOST_ENCODED: Final = 8  # runs of base64 in one text
_LEET: Final = str.maketrans("013457@$", "oieastas")
_LEET_WORD: Final = re.compile(  # begins where a word does, so that a long one is looked at once
    r"(?<![A-Za-z013457@$])(?:[A-Za-z]{1,24}[013457@$]|[013457@$]{1,24}[A-Za-z])[A-Za-z013457@$]{0,32}"
)
_SPACED: Final = re.compile(r"(?<!\w)\w(?:([ ._-])\w)(?:\1\w){3,}(?!\w)(?:(?:\1{2,}| +\| +)\w(?:\1\w)+(?!\w))*")

ENCODED: Final = (
    r"(?i)[A-Za-z0-9+]{28}|(?:^|[^\w])\w[ ._-]\w[ ._-]\w[ ._-]\w[ ._-]\w[ ._-]|1gn[o0]r|ign0r|d1sr[e3]g|disr3g"
    r"|f[o0]rg3t|f0rge|[o0]v3rr|overr1d"
    r"|j[a4]1lbr|jailbr3|pr3v|previ[0]|prev1|1nstr|instruct1|syst3m|pr0mpt|byp4s|unr3str|r3str1|unf1lt"
    r"|snoitcurtsni|erongi|suoiverp|tpmorp|dragersid|vtaber|qvfertneq|cerivbhf|vafgehpgvba|cebzcg|olcnff"
)
"""Matches every text that may read otherwise than it is written: base64, letters spaced out, digits for letters,
words backwards or turned by thirteen letters."""

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
_OPENED: Final = re.compile("(?:^|[\\s(:])([\"'`\u201c\u2018\u00ab])(?:(?!\\1)[^\\n\u201d\u2019\u00bb])*$")
_CLOSING: Final = {'"': '"', "'": "'", "`": "`", "\u201c": "\u201d", "\u2018": "\u2019", "\u00ab": "\u00bb"}
_SCOPE: Final = re.compile(  # rules of something, not of the model
    r"(?i) (?:in|about|on|regarding|concerning) (?!.{0,14}(?:prompt|system|conversation|context|chat|session|message"
    r"|above"
    r"|develop|favou?r|every|all\b))[\w.`'\"]"
)
_DENIED: Final = re.compile(r"(?i)\b(?:never|not|don'?t|cannot|refuses? to|without) (?:ever |\w+ or )?$")
_BETWEEN: Final = " \t\r\n.!?>;,:)"
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
        general: leave out orders that are about one thing only, as "... the rules in .eslintrc".
    """

    def __init__(self, phrases: Sequence[Phrase], *, general: bool = False) -> None:
        self._phrases = tuple(phrases)
        self._general = general
        options = _options()
        self._screen = re2.Filter()  # looks for the words of all patterns first; a set of them has too many states
        for phrase in phrases:
            self._screen.Add(f"(?i){phrase.screen or phrase.pattern}", options)
        self._screen.Compile()

    def find(self, text: str) -> list[Order]:
        """Find the orders in a text, at most one of each wording."""
        found: dict[str, Order] = {}
        for reading in _readings(text):
            for order in self._find(reading):
                found.setdefault(order.phrase.name, order)
        return list(found.values())

    def _find(self, text: str) -> Iterator[Order]:
        for index in sorted(self._screen.Match(text) or ()):
            phrase = self._phrases[index]
            for match in _compiled(f"(?i){phrase.pattern}").finditer(text):
                if not is_reported(text, match.start(), match.end()) and not (
                    (self._general and phrase.scoped and _SCOPE.match(text, match.end()))
                    or (phrase.deniable and _DENIED.search(text[max(0, match.start() - 24) : match.start()]))
                ):
                    words = match[0].lstrip(_BETWEEN)  # an order begins behind the line or the sentence before it
                    yield Order(phrase, match.end() - len(words), match.end(), text)
                    break


def _options() -> re2.Options:
    options = re2.Options()
    options.max_mem = _MEMORY
    options.log_errors = False
    return options


@cache  # few of the wordings ever get that far
def _compiled(pattern: str) -> re2.Pattern:
    return re2.compile(pattern, _options())


def is_reported(text: str, start: int, end: int) -> bool:
    """Tell whether a text only speaks of the words at a place: in reported speech, or as a quotation it discusses."""
    before = text[max(0, start - 48) : start]
    quoted = _QUOTE.search(before) is not None or _is_inside_quotes(text, start, end)
    around = text[max(0, start - 400) : start] + " | " + text[end : end + 400]
    discussed = _DISCUSSION.search(around) is not None
    if quoted:
        return discussed
    if _REPORTED.search(before) is not None and _TO_A_MODEL.search(before) is None:
        return text[start : start + 1].isascii() and discussed
    return False


def _is_inside_quotes(text: str, start: int, end: int) -> bool:
    """Tell whether a place lies between two marks of quotation in one line, other words beside it or not."""
    before = _OPENED.search(text[max(0, start - 200) : start])
    return before is not None and _CLOSING[before[1]] in text[end : end + 200].partition("\n")[0]


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
    if _BACKWARDS.search(text):
        yield text[::-1]
    if _TURNED.search(text):
        yield codecs.decode(text, "rot13")
    yield from decoded_runs(text)


def decoded_runs(text: str) -> Iterator[str]:
    """Give what the runs of base64 and hexadecimal in a text say, where that can be read."""
    for run in islice(_HEX.finditer(text), _MOST_ENCODED):
        if decoded := readable(bytes.fromhex(run[0])):
            yield decoded
    for run in islice(_BASE64.finditer(text), _MOST_ENCODED):
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
    except ValueError:  # as `binascii.Error` is; letters beyond ASCII raise another one
        return ""
    return readable(raw)


def readable(raw: bytes) -> str:
    """Read bytes as text; empty where they are none, or hold what nobody types."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return text if text and sum(char.isprintable() or char in "\n\r\t" for char in text) == len(text) else ""


def _scalar(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
