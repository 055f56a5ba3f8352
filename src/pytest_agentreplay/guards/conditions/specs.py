"""Checks in a rule: ``$path`` stands for a value of the decision's context, ``$$`` for a plain ``$``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from pytest_agentreplay.checks import Check, CheckError, compile_check
from pytest_agentreplay.guards.conditions.sight import compile_reference, refer
from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.jsonable import Value

Test: TypeAlias = Callable[[Value, DecisionContext], bool]


def compile_spec(spec: Any) -> tuple[Check, Test]:
    """Compile a check as a rule has it: the check, for its words, and its test.

    Raises:
        CheckError: when it is no check, or refers to what no rule sees.
    """
    check = compile_check(spec, resolve=_unbound)
    if not refers(spec):
        holds = check.holds
        return check, lambda value, context: holds(value)
    return check, lambda value, context: check.holds(value, lambda path: refer(context, path))


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
