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
from typing import Final, NamedTuple

from pytest_agentreplay.redaction.keys import words

_MOST: Final = 128
_MOST_KEPT: Final = 256
_LONGEST_TEXT: Final = 1 << 15  # characters of one text that are read
_KINDS: Final = (  # verbs that ask for the same sort of call
    words("send email mail forward message reply notify post share submit upload publish tweet dm text slack"),
    words("transfer send wire pay deposit refund withdraw donate buy purchase order money payment"),
    words("delete remove erase drop destroy wipe cancel revoke terminate close unsubscribe"),
    words("invite grant add share give permit allow promote assign"),
    words("change update reset set modify edit"),
    words("book reserve schedule create make register"),
)
_VERBS: Final = (
    "send|e-?mail|forward|transfer|wire|pay|delete|remove|erase|upload|post|share|invite|grant|add|cancel|revoke|book"
    "|reserve|buy|purchase|refund|change|update|reset|submit|schedule|withdraw|donate|publish|notify|deposit"
)
_WISH: Final = re.compile(
    rf"(?i)(?:^|[.!?:;>\"')\]*\n%-]\s{{0,3}}|\b(?:please|must|should|kindly|to|then|now|also|and) )({_VERBS})\b"
    r"([^\n!?]{3,200})"
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
        yield Wish(address, match[1].lower().replace("-", ""), " ".join(match[2].lower().split()))


@lru_cache(maxsize=4096)
def is_of_kind(verb: str, tool: str) -> bool:
    """Tell whether a tool's name speaks of what a verb asks for."""
    named = {word.lower() for word in _TOOL_WORD.findall(tool)}
    return any(verb in kind and not kind.isdisjoint(named) for kind in _KINDS)


def is_delegated(told: str, verb: str) -> bool:
    """Tell whether the user left it to what was found, or asked for the same sort of thing."""
    if _DELEGATED.search(told):
        return True
    asked = set(re.findall(r"[a-z]+", told.lower())) - _COMMONPLACE
    return any(verb in kind and not kind.isdisjoint(asked) for kind in _KINDS)
