"""Redacted values: what a check says of a text in which placeholders stand for what was there.

A placeholder ``[redacted:email:1]`` is an e-mail address that nobody knows any more. A
check is asked about several values that it could have been: ordinary ones of its kind,
and ones that the check itself speaks of. Where it says the same of all of them, that is
the answer: every address contains an ``@``, and none is ``rm -rf``. Where it doesn't
(``ends_with: "@example.com"``) nobody can say. Equal placeholders stand for equal
values. Nothing here knows paths, or what becomes of an answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import islice
from typing import Any, Final

from pytest_agentreplay.guards.values import leaves
from pytest_agentreplay.jsonable import Value
from pytest_agentreplay.redaction import Redactor
from pytest_agentreplay.redaction.placeholders import OPENING, PLACEHOLDER

_SPECIMENS: Final[Mapping[str, tuple[str, ...]]] = {
    "email": ("jane.doe@mail.example.net", "Q7@corp-x.example.org"),
    "card": ("4111111111111111", "5555 5555 5555 4444"),
    "token": ("tok_9f8e7d6c5b4a39281706", "Zx81Qw72Er63Ty54Ui45"),
    "pin": ("4821", "90317"),
    "cvv": ("123", "4567"),
    "ssn": ("123-45-6789", "987654321"),
    "cookie": ("sid=k8Xq2; theme=dark", "a=1"),
    "private_key": (
        "-----BEGIN PRIVATE KEY-----\nMIIEvQ9f8e7d6c\n-----END PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\nq7Zp44xT9aLm\n-----END RSA PRIVATE KEY-----",
    ),
}
_OTHERS: Final = ("Xk9-qZ7.w_3", "4821", "Zorn Vale")
_DIGITS: Final = frozenset({"card", "pin", "cvv", "ssn"})
_NUMBERS: Final = frozenset({"card", "pin", "cvv", "ssn", "password"})  # kinds that may have been whole numbers
_LITERAL: Final = re.compile(r"(?:\\[^\w\s]|[^\\^$.|?*+()\[\]{}])+")
_DOMAIN: Final = re.compile(r"[\w-]+(?:\.[\w-]+)+")
_LONGEST: Final = 80  # characters of a text in a check that a placeholder could have been
_MOST: Final = 64  # values that are tried for one placeholder


def kinds_in(value: Value) -> set[str]:
    """Name the kinds of what was redacted in a value."""
    return {_kind(text) for text in _placeholders(value)}


def _placeholders(value: Value) -> list[str]:
    """List the placeholders in a value, each once, the keys of its mappings included."""
    found: dict[str, None] = {}
    waiting = [value]
    for item in waiting:  # grows while it is walked
        if type(item) is str:
            found.update(dict.fromkeys(match[0] for match in PLACEHOLDER.finditer(item)))
        elif type(item) is list:
            waiting.extend(item)
        elif type(item) is dict:
            waiting.extend([*item, *item.values()])
    return list(found)


class Doubtful:
    """A check that is asked about redacted texts.

    Args:
        spec: the check as it is written.
        holds: asks it about a value, with what its references stand for seen through a function.
    """

    def __init__(self, spec: Any, holds: Callable[[Value, Callable[[Value], Value]], bool]) -> None:
        self._spec = spec
        self._holds = holds

    def holds(self, value: Value) -> bool | None:
        """Tell whether a redacted value meets the check; None where that depends on what was there."""
        if any(OPENING in text for text in _texts(self._spec)):
            return self._holds(value, lambda other: other)  # whoever writes a placeholder means the placeholder
        if self._speaks_of(value):
            return None
        said: set[bool] = set()
        seen: dict[str, None] = dict.fromkeys(_literals(self._spec))
        for filling in _fillings(value, seen, numbers=_asks_of_numbers(self._spec)):
            said.add(self._holds(_filled(value, filling), partial(_refilled, filling=filling, seen=seen)))
        return said.pop() if len(said) == 1 else None

    def _speaks_of(self, value: Value) -> bool:
        """Tell whether the check asks about addresses by a pattern that has no one text in it."""
        if "email" not in kinds_in(value):
            return False
        patterns = [pattern for pattern in _patterns(self._spec) if "@" in pattern and pattern != "@"]
        return any(_LITERAL.fullmatch(pattern) is None and not _is_any_address(pattern) for pattern in patterns)


def _fillings(value: Value, literals: Mapping[str, None], *, numbers: bool) -> Iterator[dict[str, Any]]:
    """Give ways to fill the placeholders of a value, different ones with different values.

    Args:
        value: any.
        literals: texts that the check speaks of; more may come while the first ways are tried.
        numbers: what stood alone may have been a number.
    """
    found = _placeholders(value)
    whole = {leaf for leaf in leaves(value, opened=False) if type(leaf) is str}
    kinds = {text: _kind(text) for text in found}
    for turn in range(len(_OTHERS)):
        yield {text: _specimen(kinds[text], turn + number) for number, text in enumerate(found)}
    ordinary = {text: _specimen(kinds[text], number) for number, text in enumerate(found)}
    for text in found:
        if numbers and text in whole and kinds[text] in _NUMBERS:
            yield from ({**ordinary, text: number} for number in (4821, 0))
        for told in islice(_told(kinds[text], list(literals), whole=text in whole), _MOST):
            yield {**ordinary, text: told}


def _refilled(value: Value, filling: Mapping[str, Any], seen: dict[str, None]) -> Value:
    """Fill what a reference stands for as well, and note the texts in it."""
    seen.update(dict.fromkeys(text for text in _texts(value) if len(text) <= _LONGEST and OPENING not in text))
    return _filled(value, filling)


@cache
def _is_any_address(pattern: str) -> bool:
    """Tell whether a pattern matches every address, as far as the ordinary ones show."""
    import re2  # here, since only few checks match

    options = re2.Options()
    options.log_errors = False
    compiled = re2.compile(pattern, options)
    return all(compiled.search(text) is not None for text in _SPECIMENS["email"])


def _kind(placeholder: str) -> str:
    return placeholder.split(":", 2)[1]


def _specimen(kind: str, turn: int) -> str:
    known = _SPECIMENS.get(kind, _OTHERS)
    text = known[turn % len(known)]
    return text if turn < len(known) else _varied(text, turn)


def _varied(text: str, turn: int) -> str:
    """Change one digit, or put one in front: another value of the same look."""
    digit = re.search(r"[0-9]", text)
    return f"{turn}{text}" if digit is None else f"{text[: digit.start()]}{turn % 10}{text[digit.end() :]}"


def _filled(value: Value, filling: Mapping[str, Any]) -> Value:
    kind = type(value)
    if kind is str:
        if value in filling:
            return filling[value]
        return PLACEHOLDER.sub(lambda match: str(filling.get(match[0], match[0])), value) if OPENING in value else value
    if kind is list:
        return [_filled(item, filling) for item in value]
    return {key: _filled(item, filling) for key, item in value.items()} if kind is dict else value


def _told(kind: str, literals: Sequence[str], *, whole: bool) -> Iterator[str]:
    """Give values of a kind that a check speaks of; inside a longer text only addresses, which tell themselves."""
    for text in literals:
        if kind == "email":
            yield from _addresses(text, whole=whole)
        elif whole and not any(map(str.isspace, text)) and (kind not in _DIGITS or text.isdecimal()):
            yield from (text, f"{text}7x", f"x7{text}") if kind not in _DIGITS else (text, f"{text}7", f"7{text}")


def _addresses(text: str, *, whole: bool) -> Iterator[str]:
    candidates = [text, f"jane{text}", f"{text}mail.example", f"jane@{text}", f"jane@sub.{text}", f"jane@x{text}"]
    if whole:
        candidates += [
            f"{text}@mail.example",
            f"{text}.doe@mail.example",
            f"jane@{text}.example",
            f"jane.{text}@a.example",
        ]
    elif "@" not in text and _DOMAIN.fullmatch(text.strip(".")) is None:
        return
    for candidate in candidates:
        spans = _redactor().find(candidate)
        if len(spans) == 1 and (spans[0].kind, spans[0].start, spans[0].end) == ("email", 0, len(candidate)):
            yield candidate


@cache
def _redactor() -> Redactor:
    return Redactor()


def _literals(spec: Any) -> list[str]:
    """List the texts that a check speaks of, and those that stand in its patterns."""
    found = [text for text in _texts(spec) if len(text) <= _LONGEST]
    for pattern in _patterns(spec):
        found += [re.sub(r"\\(.)", r"\1", run) for run in _LITERAL.findall(pattern) if len(run) <= _LONGEST]
    return [text for text in dict.fromkeys(found) if text]


def _asks_of_numbers(spec: Any) -> bool:
    if type(spec) is dict:
        return any(name == "type" or _asks_of_numbers(operand) for name, operand in spec.items() if name != "length")
    return any(map(_asks_of_numbers, spec)) if type(spec) is list else type(spec) in (int, float)


def _patterns(spec: Any) -> Iterator[str]:
    if type(spec) is dict:
        for name, operand in spec.items():
            if name == "matches" and type(operand) is str:
                yield operand
            else:
                yield from _patterns(operand)
    elif type(spec) is list:
        for item in spec:
            yield from _patterns(item)


def _texts(spec: Any) -> Iterator[str]:
    if type(spec) is str:
        yield spec
    elif type(spec) is list:
        for item in spec:
            yield from _texts(item)
    elif type(spec) is dict:
        for name, operand in spec.items():
            if name != "matches":
                yield from _texts(operand)
