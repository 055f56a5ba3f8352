"""Checks: a condition on a JSON value, compiled from its written form.

A bare value means ``equals``; a mapping holds when each of its keys does.
``any``, ``all`` and ``none`` take a list of checks. Of a value that is no list they
ask whether one, each or none of the checks holds. A list may meet a check as a
whole or through its items: ``any`` is met by one item, ``none`` is broken by one
item, ``all`` wants each check to hold for the list itself or for every item.

A path that leads nowhere is `MISSING`: it meets ``exists: false`` and nothing else
(``any`` and ``all`` ask their checks). A text ``$path`` in an operand is a reference
where the caller gives a way to resolve it, ``$$`` is then a literal ``$``; a regular
expression never is one. Nothing here knows what is checked, or why.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from pytest_agentreplay.checks.errors import CheckError
from pytest_agentreplay.checks.paths import find, render_path
from pytest_agentreplay.checks.vocabulary import CHECK_NAMES, OPERANDS, PHRASES, SIMPLE_TESTS, brief
from pytest_agentreplay.jsonable import MISSING, Value

Resolve: TypeAlias = Callable[[str], Any]
"""Gives the value that a reference stands for, by its path without the ``$``; may raise."""

_DEEPEST: Final = 32
_CONTAINERS: Final = frozenset({str, list, dict})


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Why a check doesn't hold.

    Attributes:
        path: where in the checked value; empty for the value itself.
        expected: what the check wants, in words.
        actual: what was there; `MISSING` if nothing was.
    """

    path: str
    expected: str
    actual: Value

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        return f"{where}expected {self.expected}, got {brief(self.actual)}"


@dataclass(frozen=True, slots=True)
class _Part:
    """One key of a check: when it holds, and how it reads."""

    holds: Callable[[Value, Resolve | None], bool]
    text: str


class Check:
    """A compiled check. Made by `compile_check`."""

    __slots__ = ("_parts", "_resolve")

    def __init__(self, parts: tuple[_Part, ...], resolve: Resolve | None = None) -> None:
        self._parts = parts
        self._resolve = resolve

    def __str__(self) -> str:
        return " and ".join(part.text for part in self._parts)

    def test(self, value: Value, *, resolve: Resolve | None = None) -> Mismatch | None:
        """Return the first part of the check that a value doesn't meet.

        Args:
            value: what is checked; `MISSING` for a path that leads nowhere.
            resolve: takes the place of the one given to `compile_check`, for this test.
        """
        resolve = resolve or self._resolve
        for part in self._parts:
            if not part.holds(value, resolve):
                return Mismatch("", part.text, value)
        return None

    def holds(self, value: Value, resolve: Resolve | None = None) -> bool:
        """Tell whether a value meets the whole check."""
        resolve = resolve or self._resolve
        for part in self._parts:  # noqa: SIM110 - asked at every call, and a generator doubles the price
            if not part.holds(value, resolve):
                return False
        return True


def compile_check(spec: Any, *, resolve: Resolve | None = None) -> Check:
    """Compile a check from its written form.

    Args:
        spec: a bare value or a mapping of checks.
        resolve: makes ``$path`` texts references; called at each test, its exceptions are the test's.

    Raises:
        CheckError: when the spec is no check.
    """
    return Check(_parts(spec, references=resolve is not None, at=()), resolve)


def validate_check(spec: Any, *, references: bool = False) -> None:
    """Refuse what is no check.

    Args:
        spec: a bare value or a mapping of checks.
        references: ``$path`` texts may stand wherever a value may.

    Raises:
        CheckError: with the problem, the path to it and the remedy.
    """
    _parts(spec, references=references, at=())


def check_at(check: Check, value: Value, path: str, *, resolve: Resolve | None = None) -> Mismatch | None:
    """Test what a path selects: one place that meets the check is enough; no place is `MISSING`.

    Raises:
        CheckError: when the path is no path.
    """
    first: Mismatch | None = None
    for location, item in find(value, path) or [((), MISSING)]:
        mismatch = check.test(item, resolve=resolve)
        if mismatch is None:
            return None
        where = render_path(location) if location else path
        first = first or Mismatch(where, mismatch.expected, mismatch.actual)
    return first


def _parts(spec: Any, *, references: bool, at: tuple[str | int, ...]) -> tuple[_Part, ...]:
    if len(at) > _DEEPEST:
        raise CheckError(
            f"checks are nested more than {_DEEPEST} deep", render_path(at[:4]) + "...", "write it flatter"
        )
    if type(spec) is not dict or not spec:
        return (_part("equals", spec, references=references, at=at),)
    for name in spec:
        if name not in CHECK_NAMES:
            raise _unknown(name, spec, at)
    return tuple(_part(name, operand, references=references, at=(*at, name)) for name, operand in spec.items())


def _unknown(name: Any, spec: dict[Any, Any], at: tuple[str | int, ...]) -> CheckError:
    close = difflib.get_close_matches(str(name), sorted(CHECK_NAMES), n=1)
    if close:
        remedy = f"did you mean {close[0]}?"
    elif any(key in CHECK_NAMES for key in spec):
        remedy = f"the checks are {', '.join(sorted(CHECK_NAMES))}"
    else:
        remedy = "to compare with a mapping write `equals: {...}`"
    return CheckError(f"{brief(name, 40)} is no check", render_path((*at, str(name))), remedy)


def _part(name: str, operand: Any, *, references: bool, at: tuple[str | int, ...]) -> _Part:
    _check_operand(name, operand, references=references, at=at)
    if name == "exists":
        text = "something" if operand else "nothing"
        return _Part(lambda value, resolve: (value is not MISSING) == operand, text)
    if name == "matches":
        return _matches(operand, at)
    if name == "not":
        return _not(Check(_parts(operand, references=references, at=at)))
    if name == "length":
        return _length(Check(_parts(operand, references=references, at=at)))
    if name in _COMBINED:
        checks = [Check(_parts(spec, references=references, at=(*at, index))) for index, spec in enumerate(operand)]
        return _COMBINED[name](checks)
    return _simple(name, operand, references=references)


def _check_operand(name: str, operand: Any, *, references: bool, at: tuple[str | int, ...]) -> None:
    takes, words = OPERANDS.get(name, (None, ""))
    is_reference = references and _is_reference(operand) and name not in ("matches", "exists", "any", "all", "none")
    if takes is not None and not takes(operand) and not is_reference:
        raise CheckError(f"{name} takes {words}, not {brief(operand, 40)}", render_path(at), f"write {words}")


def _simple(name: str, operand: Any, *, references: bool) -> _Part:
    test = SIMPLE_TESTS[name]
    text = PHRASES[name].format(brief(operand))
    if references and _mentions(operand):
        return _Part(lambda value, resolve: value is not MISSING and test(value, _resolved(operand, resolve)), text)
    return _Part(lambda value, resolve: value is not MISSING and test(value, operand), text)


def _matches(pattern: str, at: tuple[str | int, ...]) -> _Part:
    import re2  # here, since only few checks match and the import costs milliseconds

    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    try:
        compiled = re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError) as error:
        why = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        remedy = "write it for RE2: no look-around, no back-references"
        raise CheckError(f"{brief(pattern, 40)} is no regular expression: {why}", render_path(at), remedy) from None

    def holds(value: Value, resolve: Resolve | None) -> bool:
        return type(value) is str and compiled.search(value.encode("utf-8", "replace")) is not None

    return _Part(holds, PHRASES["matches"].format(brief(pattern)))


def _not(inner: Check) -> _Part:
    def holds(value: Value, resolve: Resolve | None) -> bool:
        return value is not MISSING and not inner.holds(value, resolve)

    return _Part(holds, f"not {inner}")


def _length(inner: Check) -> _Part:
    def holds(value: Value, resolve: Resolve | None) -> bool:
        return type(value) in _CONTAINERS and inner.holds(len(value), resolve)

    return _Part(holds, f"a length of {inner}")


def _any(checks: list[Check]) -> _Part:
    def holds(value: Value, resolve: Resolve | None) -> bool:
        return any(_somewhere(check, value, resolve) for check in checks)

    return _Part(holds, f"any of ({_listed(checks)})")


def _none(checks: list[Check]) -> _Part:
    def holds(value: Value, resolve: Resolve | None) -> bool:
        return value is not MISSING and not any(_somewhere(check, value, resolve) for check in checks)

    return _Part(holds, f"none of ({_listed(checks)})")


def _all(checks: list[Check]) -> _Part:
    def holds(value: Value, resolve: Resolve | None) -> bool:
        return all(_everywhere(check, value, resolve) for check in checks)

    return _Part(holds, f"all of ({_listed(checks)})")


_COMBINED: Final[dict[str, Callable[[list[Check]], _Part]]] = {"any": _any, "all": _all, "none": _none}


def _somewhere(check: Check, value: Value, resolve: Resolve | None) -> bool:
    return check.holds(value, resolve) or (type(value) is list and any(check.holds(item, resolve) for item in value))


def _everywhere(check: Check, value: Value, resolve: Resolve | None) -> bool:
    return check.holds(value, resolve) or (type(value) is list and all(check.holds(item, resolve) for item in value))


def _listed(checks: Iterable[Check]) -> str:
    return "; ".join(str(check) for check in checks)


def _is_reference(operand: Any) -> bool:
    return type(operand) is str and operand.startswith("$") and not operand.startswith("$$") and operand != "$"


def _mentions(operand: Any) -> bool:
    """Tell whether an operand has a ``$`` to resolve or to unescape, at any depth."""
    if type(operand) is str:
        return operand.startswith("$")
    if type(operand) is list:
        return any(_mentions(item) for item in operand)
    return type(operand) is dict and any(_mentions(item) for item in operand.values())


def _resolved(operand: Any, resolve: Resolve | None) -> Any:
    if type(operand) is str:
        if resolve is not None and _is_reference(operand):
            return resolve(operand[1:])
        return operand[1:] if operand.startswith("$$") else operand
    if type(operand) is list:
        return [_resolved(item, resolve) for item in operand]
    if type(operand) is dict:
        return {key: _resolved(item, resolve) for key, item in operand.items()}
    return operand
