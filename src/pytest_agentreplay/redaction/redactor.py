"""The redactor: finds what has to go in a value, and replaces it.

A value is walked to any depth: the keys of mappings, what stands under sensitive
keys, and every text, JSON inside texts included. What is found is replaced until
nothing more is found, so that redacting twice changes nothing. Bytes stay as
they are. Nothing here knows where values come from or where they are written.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from pytest_agentreplay.jsonable import Value
from pytest_agentreplay.redaction.assignments import assignment_detector
from pytest_agentreplay.redaction.by_key import number_under_key, span_under_key
from pytest_agentreplay.redaction.keys import DESCRIBING, NAMING, KeyRules
from pytest_agentreplay.redaction.patterns import DETECTORS, Detector
from pytest_agentreplay.redaction.placeholders import (
    OPENING,
    PLACEHOLDER,
    fingerprint,
    holds_placeholder,
    is_ordinal,
    render,
)
from pytest_agentreplay.redaction.rules import Rules, parse_rules
from pytest_agentreplay.redaction.screening import Screen
from pytest_agentreplay.redaction.sentences import flag_detector, sentence_detector
from pytest_agentreplay.redaction.spans import Span, merge

_SHORTEST: Final = 6  # characters: `a@b.co`; no built-in rule matches anything shorter
_MOST_PASSES: Final = 16


class Redactor:
    """What to look for: the built-in rules and a project's own. It never changes; threads may share it.

    Args:
        rules: the project's own.
    """

    __slots__ = ("_detectors", "_screen", "_shortest", "find_in_key", "keys")

    def __init__(self, rules: Rules | None = None) -> None:
        rules = rules or Rules()
        self.keys = KeyRules(rules.keys, rules.removed, rules.off)
        by_key = (assignment_detector(self.keys), sentence_detector(self.keys), flag_detector(self.keys))
        built_in = [detector for detector in DETECTORS if detector.kind not in rules.off]
        self._detectors: tuple[Detector, ...] = (*built_in, *rules.detectors, *by_key)
        self._shortest = 1 if rules.detectors else _SHORTEST
        self.find_in_key = lru_cache(maxsize=4096)(self.find)
        self._screen = Screen([detector.screen for detector in self._detectors])

    @classmethod
    def from_settings(cls, lines: Sequence[str] = ()) -> Redactor:
        """Make a redactor from the lines of ``agent_replay_redact``.

        Raises:
            SettingsError: for a line that can't be used, naming it.
        """
        return cls(parse_rules(lines))

    def session(self) -> Redaction:
        """Start numbering anew: one session for each recording."""
        return Redaction(self)

    def find(self, text: str) -> list[Span]:
        """Find what has to go in a text, in order and disjoint; placeholders in it are no part of anything."""
        if len(text) < self._shortest:
            return []
        if OPENING not in text and not self._screen.hits(text):
            return []
        found: list[Span] = []
        fixed = [match.span() for match in PLACEHOLDER.finditer(text)]
        gaps = [(start, end, 1) for start, end in _gaps(0, len(text), fixed)]
        while gaps:
            start, end, passes = gaps.pop()
            spans = self._find_once(text[start:end])
            if spans and passes > _MOST_PASSES:
                spans = [spans[0]._replace(end=end - start, guessable=True, quotes="")]
            found += [span._replace(start=span.start + start, end=span.end + start) for span in spans]
            if spans:
                inner = [(span.start + start, span.end + start) for span in spans]
                gaps += [(left, right, passes + 1) for left, right in _gaps(start, end, inner)]
        return sorted(found)

    def _find_once(self, text: str) -> list[Span]:
        if len(text) < self._shortest:
            return []
        return merge(span for index in self._screen.hits(text) for span in self._detectors[index].find(text))

    def find_under(self, text: str, kind: str | None) -> list[Span]:
        """Find what has to go in a text that stands under a key of some kind, or of none."""
        whole = span_under_key(text, kind) if kind is not None else None
        if whole is None:
            return self.find(text)
        return [*self.find(text[: whole.start]), whole]

    def kind_below(self, mapping: Mapping[str, Value], key: str, above: str | None) -> str | None:
        """Name the kind of what stands under a redacted key of a mapping, which may itself be under a sensitive one.

        In ``{"name": "password", "value": ...}`` the name is the key of the value.
        """
        kind = self._kind_of(key)
        if kind is None and key == "value":
            kind = next((kind for name in NAMING if (kind := self._kind_of(mapping.get(name)))), None)
        return kind if kind is not None else above if above is not None and key.lower() not in DESCRIBING else None

    def _kind_of(self, key: Value) -> str | None:
        return None if type(key) is not str or holds_placeholder(key) else self.keys.kind_of(key)


_LEAST: Final = 4
"""Characters that a secret has at the least to be replaced where it is a whole text."""

_TELLING: Final = 8
"""Characters that a secret has at the least to be replaced inside other texts."""


class Redaction:
    """Replaces what a redactor finds, with ordinals that hold for one recording. Threads may share it."""

    __slots__ = ("_lock", "_ordinals", "_redactor", "_replaced", "_taken")

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._ordinals: dict[tuple[str, str], str] = {}
        self._taken: dict[str, set[str]] = {}
        self._replaced: dict[str, str] = {}
        self._lock = threading.RLock()

    def redact(self, value: Value) -> Value:
        """Give a redacted copy of a value, or the value itself where nothing had to go."""
        return self._redact(value, None)

    def redact_text(self, text: str) -> str:
        """Give a redacted text."""
        return self._text(text, None)

    def spread(self, value: Value) -> Value:
        """Replace what was redacted once wherever else it stands, as a password that is handed on under another key."""
        if type(value) is str:
            return self._spread_text(value)
        if type(value) is dict:
            return {self._spread_text(key): self.spread(item) for key, item in value.items()}
        return [self.spread(item) for item in value] if type(value) is list else value

    def _spread_text(self, text: str) -> str:
        if text in self._replaced:
            return self._replaced[text]
        for secret, placeholder in self._replaced.items():
            if len(secret) >= _TELLING and secret in text:
                text = text.replace(secret, placeholder)
        return text

    def _redact(self, value: Value, kind: str | None) -> Value:
        of = type(value)
        if of is str:
            return self._text(value, kind)
        if of is dict:
            return self._mapping(value, kind)
        if of is list:
            items = [self._redact(item, kind) for item in value]
            return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
        secret = number_under_key(value, kind) if kind is not None else None
        return value if secret is None or kind is None else render(kind, self._ordinal(kind, f"number {secret}"))

    def _mapping(self, mapping: dict[str, Value], above: str | None) -> dict[str, Value]:
        changed = False
        redacted: dict[str, Value] = {}
        for key, item in mapping.items():
            new_key = self._text(key, None) if OPENING in key or self._redactor.find_in_key(key) else key
            new_item = self._redact(item, self._redactor.kind_below(mapping, new_key, above))
            changed = changed or new_key is not key or new_item is not item
            redacted[new_key] = new_item
        return redacted if changed else mapping

    def _text(self, text: str, kind: str | None) -> str:
        if OPENING in text:
            self._reserve(text)
        spans = self._redactor.find_under(text, kind)
        if not spans:
            return text
        parts, end = [], 0
        for span in spans:
            parts += [text[end : span.start], span.quotes, self._placeholder(text, span), span.quotes]
            end = span.end
        return "".join([*parts, text[end:]])

    def _placeholder(self, text: str, span: Span) -> str:
        secret = text[span.start : span.end]
        placeholder = render(span.kind, self._ordinal(span.kind, secret) if span.guessable else fingerprint(secret))
        if len(secret) >= _LEAST:
            self._replaced[secret] = placeholder
        return placeholder

    def _ordinal(self, kind: str, secret: str) -> str:
        with self._lock:
            tag = self._ordinals.get((kind, secret))
            if tag is None:
                taken = self._taken.setdefault(kind, set())
                number = len(taken) + 1
                while str(number) in taken:
                    number += 1
                tag = self._ordinals[kind, secret] = str(number)
                taken.add(tag)
            return tag

    def _reserve(self, text: str) -> None:
        """Keep ordinals that came with a text from being given to something else."""
        with self._lock:
            for kind, tag in PLACEHOLDER.findall(text):
                if is_ordinal(tag):
                    self._taken.setdefault(kind, set()).add(tag)


def _gaps(start: int, end: int, taken: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for left, right in taken:
        yield start, left
        start = right
    yield start, end
