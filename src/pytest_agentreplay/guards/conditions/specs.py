"""Checks in a rule: ``$path`` stands for a value of the decision's context, ``$$`` for a plain ``$``.

Of a redacted text the check says what it would say of whatever was there; see `redacted`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, TypeAlias

from pytest_agentreplay.checks import Check, CheckError, brief, compile_check
from pytest_agentreplay.guards.conditions.redacted import Doubtful, kinds_in
from pytest_agentreplay.guards.conditions.sight import compile_reference, refer
from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.guards.rules import UnavailableError
from pytest_agentreplay.jsonable import Value, canonical
from pytest_agentreplay.redaction import holds_placeholder
from pytest_agentreplay.redaction.placeholders import OPENING

_CONTAINERS: Final = frozenset({list, dict})
_MOST_LOOKED_AT: Final = 256  # items of a list or a mapping that is looked through for placeholders

Test: TypeAlias = Callable[[Value, DecisionContext], bool]


def compile_spec(spec: Any) -> tuple[Check, Test]:
    """Compile a check as a rule has it: the check, for its words, and its test.

    The test raises `UnavailableError` for a redacted text of which the check can't say.

    Raises:
        CheckError: when it is no check, or refers to what no rule sees.
    """
    check = compile_check(spec, resolve=_unbound)
    if refers(spec):
        return check, _redactable(spec, check, lambda value, context: check.holds(value, partial(refer, context)))
    holds = check.holds
    return check, _redactable(spec, check, lambda value, context: holds(value))


def _redactable(spec: Any, check: Check, test: Test) -> Test:
    def redactable(value: Value, context: DecisionContext) -> bool:
        kind = type(value)
        if kind is str:
            redacted = OPENING in value and holds_placeholder(value)
        else:
            redacted = kind in _CONTAINERS and len(value) <= _MOST_LOOKED_AT and holds_placeholder(value)
        return redacted_test(spec, check)(value, context) if redacted else test(value, context)

    return redactable


def redacted_test(spec: Any, check: Check) -> Test:
    """Make the test of redacted values.

    It raises `UnavailableError` for one of which the check can't say.
    """
    written = canonical(spec)

    def test(value: Value, context: DecisionContext) -> bool:
        def holds(filled: Value, refilled: Callable[[Value], Value]) -> bool:
            return check.holds(filled, lambda path: refilled(refer(context, path)))

        said = Doubtful(spec, holds).holds(value)
        if said is None:
            kinds = ", ".join(sorted(kinds_in(value)))
            raise UnavailableError(f"{brief(written, 60)} depends on what was redacted ({kinds})")
        return said

    return test


def validate_spec(spec: Any) -> None:
    """Refuse what is no check, or refers to what no rule sees.

    Raises:
        CheckError: with the problem, the path to it and the remedy.
    """
    compile_check(spec, resolve=_unbound)
    for path in references(spec):
        compile_reference(path)


def refers(spec: Any) -> bool:
    """Tell whether a check refers to the decision's context."""
    return next(references(spec), None) is not None


def references(spec: Any) -> Iterator[str]:
    """Give the paths that a check refers to, without their ``$``."""
    if type(spec) is str:
        if spec.startswith("$") and not spec.startswith("$$") and spec != "$":
            yield spec[1:]
    elif type(spec) is list:
        for item in spec:
            yield from references(item)
    elif type(spec) is dict:
        for name, operand in spec.items():
            if name != "matches":  # in a regular expression a dollar is the end of the text
                yield from references(operand)


def normal(spec: Any) -> Any:
    """Write a check in its long form: of two that mean the same by their notation, one."""
    return spec if type(spec) is dict and spec else {"equals": spec}


def _unbound(path: str) -> Value:
    raise CheckError(f"${path} is asked for without a decision", remedy="give the check its context")
