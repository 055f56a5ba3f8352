"""The matcher: tells whether an incoming value is what a golden one, redacted, stands for.

Values are compared raw first. Only where the golden text holds a placeholder
is the incoming text redacted, so that a fresh recording passes its own first
replay and an address that somebody wrote into a trace by hand still matches.
Nothing here knows of calls, traces or answers.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from pytest_agentreplay.jsonable import Value, equal
from pytest_agentreplay.redaction.by_key import number_under_key
from pytest_agentreplay.redaction.placeholders import (
    OPENING,
    PLACEHOLDER,
    fingerprint,
    holds_placeholder,
    is_ordinal,
)
from pytest_agentreplay.redaction.redactor import Redactor
from pytest_agentreplay.redaction.spans import Span

_Name: TypeAlias = tuple[str, str]
"""A placeholder's kind and its ordinal; or a kind and a secret."""

_NOTHING: Final[Mapping[_Name, str]] = {}


class PlaceholderMatcher:
    """What the placeholders of one golden trace turned out to stand for, in one replay.

    - A fingerprint matches only the secret that it was made of.
    - An ordinal matches any secret of its kind, once: from then on it stands for that one, and that one for it.
    - A placeholder that was served to the agent, in an input or a result, comes back as it is; no secret that
      the agent didn't show before matches it, since the agent can't have got it from the recording.

    A comparison that fails leaves no mark. Threads may share a matcher.

    Args:
        redactor: the rules, the same ones that recorded.
    """

    __slots__ = ("_bound", "_lock", "_redactor", "_served")

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._bound = _Bindings()
        self._served: set[_Name] = set()
        self._lock = threading.RLock()

    def matches(self, golden: Value, incoming: Value) -> bool:
        """Tell whether an incoming value is what a golden one stands for, and remember what its ordinals stand for."""
        if equal(golden, incoming):
            return True
        if not holds_placeholder(golden):
            return False
        with self._lock:
            comparison = _Comparison(self._redactor, self._bound.fork(), self._served)
            if not comparison.same(golden, incoming, None):
                return False
            self._bound = comparison.bound
            return True

    def served(self, value: Value) -> None:
        """Note that the agent was given a value: it has its placeholders and not what they stand for."""
        if type(value) is str:
            if OPENING in value:
                with self._lock:
                    self._served.update(name for name in PLACEHOLDER.findall(value) if is_ordinal(name[1]))
        elif type(value) is list:
            for item in value:
                self.served(item)
        elif type(value) is dict:
            for key, item in value.items():
                self.served(key)
                self.served(item)


class _Bindings:
    """A one-to-one mapping between ordinals and secrets, within each kind."""

    __slots__ = ("ordinals", "secrets")

    def __init__(self, secrets: Mapping[_Name, str] = _NOTHING, ordinals: Mapping[_Name, str] = _NOTHING) -> None:
        self.secrets = dict(secrets)
        self.ordinals = dict(ordinals)

    def fork(self) -> _Bindings:
        return _Bindings(self.secrets, self.ordinals)

    def bind(self, kind: str, ordinal: str, secret: str, *, served: bool) -> bool:
        known = self.secrets.get((kind, ordinal))
        if known is not None:
            return known == secret
        if served or (kind, secret) in self.ordinals:
            return False
        self.secrets[kind, ordinal] = secret
        self.ordinals[kind, secret] = ordinal
        return True


class _Comparison:
    """One comparison of two values, with bindings of its own until it succeeds."""

    __slots__ = ("_redactor", "_served", "bound")

    def __init__(self, redactor: Redactor, bound: _Bindings, served: set[_Name]) -> None:
        self._redactor = redactor
        self.bound = bound
        self._served = served

    def same(self, golden: Value, incoming: Value, kind: str | None) -> bool:
        """Compare two values that stand under a key of some kind, or of none."""
        of = type(golden)
        if of is not type(incoming):
            return of is str and self._same_number(golden, incoming, kind)
        if of is str:
            return golden == incoming or self._same_text(golden, incoming, kind)
        if of is list:
            return len(golden) == len(incoming) and all(
                self.same(old, new, kind) for old, new in zip(golden, incoming, strict=True)
            )
        if of is dict:
            return len(golden) == len(incoming) and self._same_mapping(golden, incoming, kind)
        return equal(golden, incoming)

    def _same_number(self, golden: str, incoming: Value, kind: str | None) -> bool:
        secret = number_under_key(incoming, kind) if kind is not None else None
        placeholder = PLACEHOLDER.fullmatch(golden)
        if secret is None or placeholder is None or placeholder[1] != kind:
            return False
        return self._stands_for(placeholder[1], placeholder[2], f"number {secret}")

    def _same_mapping(self, golden: dict[str, Value], incoming: dict[str, Value], above: str | None) -> bool:
        for key in golden:
            below = self._redactor.kind_below(golden, key, above)
            if key in incoming and not self.same(golden[key], incoming[key], below):
                return False
        left = [key for key in incoming if key not in golden]
        return all(self._takes(golden, key, incoming, left, above) for key in golden if key not in incoming)

    def _takes(
        self, golden: dict[str, Value], key: str, incoming: dict[str, Value], left: list[str], above: str | None
    ) -> bool:
        """Find the incoming key that a redacted one stands for, the first that fits with its value."""
        below = self._redactor.kind_below(golden, key, above)
        for candidate in left:
            before = self.bound.fork()
            if self._same_text(key, candidate, None) and self.same(golden[key], incoming[candidate], below):
                left.remove(candidate)
                return True
            self.bound = before
        return False

    def _same_text(self, golden: str, incoming: str, kind: str | None) -> bool:
        if OPENING not in golden:
            return False
        spans = self._redactor.find_under(incoming, kind)
        return bool(spans) and self._same_parts(golden, incoming, spans)

    def _same_parts(self, golden: str, incoming: str, spans: Sequence[Span]) -> bool:
        """Walk both texts: what was found is a placeholder or itself, all between is itself."""
        position = end = 0
        for span in spans:
            between = incoming[end : span.start]
            if not golden.startswith(between, position):
                return False
            secret = incoming[span.start : span.end]
            after = self._after(golden, position + len(between), secret, span)
            if after is None:
                return False
            position, end = after, span.end
        return golden[position:] == incoming[end:]

    def _after(self, golden: str, position: int, secret: str, span: Span) -> int | None:
        """Give the offset in the golden text behind what stands for a secret; None where something else is."""
        placeholder = PLACEHOLDER.match(golden, position + len(span.quotes))
        if placeholder is None:
            return position + len(secret) if golden.startswith(secret, position) else None
        after = placeholder.end() + len(span.quotes)
        quoted = golden[position : placeholder.start()] == golden[placeholder.end() : after] == span.quotes
        same = quoted and placeholder[1] == span.kind and self._stands_for(span.kind, placeholder[2], secret)
        return after if same else None

    def _stands_for(self, kind: str, tag: str, secret: str) -> bool:
        if not is_ordinal(tag):
            return fingerprint(secret) == tag
        return self.bound.bind(kind, tag, secret, served=(kind, tag) in self._served)
