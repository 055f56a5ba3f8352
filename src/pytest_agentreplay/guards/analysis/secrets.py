"""Secrets: the keys, tokens, passwords and cards among a call's arguments, by what redaction knows of them.

A placeholder of the redactor counts as what it replaced. E-mail addresses are
personal and no secret: they are left out. Nothing here says where a secret may go.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from pytest_agentreplay.guards.analysis.spelling import plain
from pytest_agentreplay.guards.analysis.texts import last_key
from pytest_agentreplay.jsonable import Value
from pytest_agentreplay.redaction import Redactor
from pytest_agentreplay.redaction.assignments import assignment_detector
from pytest_agentreplay.redaction.by_key import number_under_key, span_under_key
from pytest_agentreplay.redaction.keys import KeyRules
from pytest_agentreplay.redaction.patterns import DETECTORS
from pytest_agentreplay.redaction.placeholders import OPENING, PLACEHOLDER
from pytest_agentreplay.redaction.screening import Screen
from pytest_agentreplay.redaction.sentences import flag_detector, sentence_detector

if TYPE_CHECKING:
    from pytest_agentreplay.guards.context import DecisionContext

_NO_SECRETS: Final = frozenset(("email",))
_BY_LOOK: Final = frozenset(("token", "private_key"))
_KEYS: Final = KeyRules()

LOOKS: Final = (*(detector.screen for detector in DETECTORS if detector.kind not in _NO_SECRETS), r"\[redacted:")
"""One of them matches every text in which a secret is by its own look, or the placeholder of one."""
BY_KEY: Final = tuple(make(_KEYS).screen for make in (assignment_detector, sentence_detector, flag_detector))
"""One of them matches every text in which a secret is by a key in the same text."""


@dataclass(frozen=True, slots=True)
class SecretFact:
    """One secret in a call.

    Attributes:
        at: the path of the argument.
        kind: ``token``, ``private_key``, ``password``, ``card``..., as redaction names it.
        text: the secret itself, or the placeholder that stands for it; never put into a message.
        by_key: only the argument's name gives it away: the tool asks for a secret and gets one.
        redacted: a placeholder stands for it.
    """

    at: str
    kind: str
    text: str
    by_key: bool = False
    redacted: bool = False


@cache
def _redactor() -> Redactor:
    return Redactor()


def secret_facts(context: DecisionContext) -> list[SecretFact]:
    """List the secrets of a call."""
    facts = [fact for at, text in context.texts for fact in secrets_in(at, text)]
    known = {(fact.at, fact.text) for fact in facts}
    return facts + [fact for fact in _under_keys(context.args, "args", None) if (fact.at, fact.text) not in known]


def secrets_in(at: str, text: str) -> Iterator[SecretFact]:
    """Find the secrets that a text gives away itself."""
    written = plain(text)
    for span in _redactor().find(written):
        if span.kind not in _NO_SECRETS:
            yield SecretFact(at, span.kind, written[span.start : span.end])
    if OPENING in written:
        for match in PLACEHOLDER.finditer(written):
            if match[1] not in _NO_SECRETS:
                yield SecretFact(at, match[1], match[0], by_key=is_asked_for(at), redacted=True)


def is_asked_for(at: str) -> bool:
    """Tell whether the name of what a text stands under promises a secret, as ``headers.Authorization`` does."""
    return _KEYS.kind_of(last_key(at)) is not None


def looks_secret(text: str) -> bool:
    """Tell whether a text holds a token or a private key that gives itself away, with no key beside it."""
    return any(span.kind in _BY_LOOK for index in _looks().hits(text) for span in DETECTORS[index].find(text))


@cache
def _looks() -> Screen:
    return Screen([detector.screen for detector in DETECTORS])


def _under_keys(value: Value, at: str, above: str | None) -> Iterator[SecretFact]:
    waiting: list[tuple[str, Value, str | None]] = [(at, value, above)]
    for path, item, kind in waiting:  # grows while it is walked
        if type(item) is dict:
            waiting.extend(
                (f"{path}.{key}", below, _redactor().kind_below(item, key, kind)) for key, below in item.items()
            )
        elif type(item) is list:
            waiting.extend((f"{path}[{index}]", below, kind) for index, below in enumerate(item))
        elif kind is not None and kind not in _NO_SECRETS:
            secret = _secret_under(item, kind)
            if secret:
                yield SecretFact(path, kind, secret, by_key=True)


def _secret_under(item: Value, kind: str) -> str | None:
    if type(item) is str:
        span = span_under_key(item, kind)
        return item[span.start : span.end] if span else None
    return number_under_key(item, kind)
