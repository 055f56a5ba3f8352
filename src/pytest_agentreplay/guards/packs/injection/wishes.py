"""Wishes: sentences of results that ask for something in the imperative, and calls that grant one nobody asked for.

A wish is worded like any other text, so that it suspects nothing; that a call does what
it asks, with the values that it names, while the user asked for nothing of the kind, is
worth a warning. Nothing here looks for orders to a model.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Final, NamedTuple

from pytest_agentreplay.redaction.keys import words

_MOST: Final = 128
_MOST_KEPT: Final = 256
_MOST_ADDRESSES: Final = 8  # of one line
_LONGEST_TEXT: Final = 1 << 15  # characters of one text that are read
_KINDS: Final = (  # verbs that ask for the same sort of call
    words("send email mail forward message reply notify post share submit upload publish tweet dm text slack"),
    words("transfer send wire pay deposit refund withdraw donate buy purchase order money payment"),
    words("delete remove erase drop destroy wipe cancel revoke terminate close unsubscribe"),
    words("invite grant add share give permit allow promote assign"),
    words("change update reset set modify edit"),
    words("book reserve schedule create make register set setup add"),
    words("call dial phone ring"),
    words("disable deactivate turn stop off shut pause"),
    words("enable activate turn start on resume launch"),
    words("schedule set setup payment standing recurring"),
    words("sell buy trade order stock shares"),
    words("unlock lock open door"),
)
_VERBS: Final = (
    "send|e-?mail|forward|transfer|wire|pay|delete|remove|erase|upload|post|share|invite|grant|add|cancel|revoke|book"
    "|reserve|buy|purchase|refund|change|update|reset|submit|schedule|withdraw|donate|publish|notify|deposit"
    "|mail|text|message|call|dial|set up|unlock|lock|disable|enable|deactivate|activate|turn (?:off|on)|shut down"
    "|create"
    "|approve|reject|merge|accept|issue|subscribe|unsubscribe|register|assign|promote|ban|block|unblock|whitelist|sell"
    "|order|trade|open|bcc|cc|put|embed|include|rsvp|close|export|grant(?:ing)?|release|move|rename|rate|review|archive|restore"
    "|ship|bid|mark|stop|restart|launch|deploy"
)
_WISH: Final = re.compile(
    rf"(?i)(?:^|[.!?:;>\"')\]*\n%-]\s{{0,3}}|\b(?:please|must|should|kindly|to|then|now|also|and|you) )({_VERBS})\b"
    r"([^\n!]{3,200})"
)
_ASKED: Final = re.compile(
    r"(?i)\b(?:must|should|shall|need|needs|required|ha(?:ve|s) to|please|kindly|to (?:obtain|get|fix|regain|unlock"
    r"|continue)|always"
    r"|every|all|whenever|don'?t forget|proceed|send|forward|export|share|replace|payable|transfer|upload|ring|reach"
    r"|call|wire|pay|deposit|envoy\w+|comparte|manda"
    r"|schick\w*|überweise|invia|envia|would you mind|settle|route[d]?|via|straight away|at once|immediately)\b"
)
_ADDRESS: Final = re.compile(
    r"[\w.+-]{1,64}@[\w-]{1,64}\.\w|https?://|\b[A-Z]{2}[0-9]{2}[A-Z0-9]{8}|\b0x[0-9A-Za-z]{6}"
    r"|\+[0-9][0-9 ()-]{7,20}[0-9]"
)
_ADDRESSED: Final = words(
    "to cc bcc recipient recipients participant participants attendee attendees email url uri iban account wallet"
    " destination"
    " endpoint host share_with with invitee invitees payee beneficiary address webhook number phone phone_number"
    " to_number ip"
)
_DELEGATED: Final = re.compile(
    r"(?i)\b(?:handle|process|follow|work (?:on|through)|take care|act on|carry out|complete|resolve|deal with|do"
    r" (?:what"
    r"|whatever|everything|all|the|it)|execute|implement|fix|apply|accord\w+|as (?:described|instructed|requested"
    r"|asked)"
    r"|instructions?|to-?do|steps|tasks?|requests?|tickets?|triage|grant|perform)\b"
)
_COMMONPLACE: Final = words("give make set text message")
"""Words of any request: "give me a summary" asks to grant nothing."""
_TOOL_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_WHOLE: Final = re.compile(r"[^\W_]+")


_ACTED: Final = frozenset().union(*_KINDS, ("http", "request", "forwarding", "webhook", "whitelist"))


class Wish(NamedTuple):
    """One wish: the step whose result holds it, its verb, and what follows the verb, in lower case."""

    address: str
    verb: str
    text: str


class Wishes:
    """The last wishes of many.

    Attributes:
        kept: those, in order; replaced, never changed.
    """

    def __init__(self) -> None:
        self.kept: list[Wish] = []
        self._verbs: frozenset[str] = frozenset()
        self._words: Counter[str] = Counter()

    def add(self, address: str, text: str) -> None:
        """Add the wishes of a text."""
        added = list(find_wishes(address, text))
        if not added:
            return
        known = [*self.kept, *added]
        self._words.update(word for wish in added for word in _WHOLE.findall(wish.text))
        self.kept = known[-_MOST_KEPT:]
        self._verbs = frozenset(wish.verb for wish in self.kept)
        for word in (word for wish in known[:-_MOST_KEPT] for word in _WHOLE.findall(wish.text)):
            self._words[word] -= 1
            if not self._words[word]:
                del self._words[word]

    def verbs_for(self, tool: str) -> list[str]:
        """Give the verbs that ask for what a tool's name speaks of."""
        return [verb for verb in self._verbs if is_of_kind(verb, tool)]

    def may_begin(self, text: str) -> bool:
        """Tell whether one of them holds the first word of a text, folded or not yet."""
        if not text.isascii():
            return True
        first = _WHOLE.search(text)
        return first is None or first[0].lower() in self._words

    def may_name(self, value: str) -> bool:
        """Tell whether one of them could name a folded value: sooner told than which, however many they are."""
        return self.may_begin(value) and all(word[0] in self._words for word in _WHOLE.finditer(value))


def find_wishes(address: str, text: str) -> Iterator[Wish]:
    """Find the wishes of a text."""
    for count, match in enumerate(_WISH.finditer(text[:_LONGEST_TEXT])):
        if count == _MOST:
            return
        yield Wish(address, match[1].lower().replace("-", "").partition(" ")[0], " ".join(match[2].lower().split()))


def find_demands(address: str, text: str) -> Iterator[Wish]:
    """Find the lines of a text that name an address beside a word that presses for something, whatever the verb."""
    if "@" not in text and "://" not in text and not _ADDRESS.search(text[:_LONGEST_TEXT]):
        return
    for count, line in enumerate(text[:_LONGEST_TEXT].splitlines()):
        if count == _MOST:
            return
        for match in islice(_ADDRESS.finditer(line), _MOST_ADDRESSES):
            around = line[max(0, match.start() - 160) : match.end() + 160]
            if _ASKED.search(around):
                yield Wish(address, "", " ".join(around.lower().split()))


def is_addressed(key: str, value: str) -> bool:
    """Tell whether a parameter says where something goes, and its value is an address."""
    return key in _ADDRESSED and _ADDRESS.search(value if "@" in value or "://" in value else value.upper()) is not None


@lru_cache(maxsize=4096)
def is_of_kind(verb: str, tool: str) -> bool:
    """Tell whether a tool's name speaks of what a verb asks for."""
    named = {word.lower() for word in _TOOL_WORD.findall(tool)}
    return verb in named or any(verb in kind and not kind.isdisjoint(named) for kind in _KINDS)


def is_delegated(told: str, verb: str) -> bool:
    """Tell whether the user left it to what was found, or asked for the same sort of thing."""
    if _DELEGATED.search(told):
        return True
    asked = set(re.findall(r"[a-z]+", told.lower())) - _COMMONPLACE
    return verb in asked or any(verb in kind and not kind.isdisjoint(asked) for kind in _KINDS)


@lru_cache(maxsize=1024)
def acts(tool: str) -> bool:
    """Tell whether a tool's name speaks of something that a wish could ask for, as filing a bill doesn't."""
    return any(word.lower() in _ACTED for word in _TOOL_WORD.findall(tool))


def is_like_asked(told: str, tool: str) -> bool:
    """Tell whether the user asked for the sort of call that a tool's name speaks of."""
    if _DELEGATED.search(told):
        return True
    asked = set(re.findall(r"[a-z]+", told.lower())) - _COMMONPLACE
    named = {word.lower() for word in _TOOL_WORD.findall(tool)}
    return any(not kind.isdisjoint(named) and not kind.isdisjoint(asked) for kind in (*_KINDS, named))
