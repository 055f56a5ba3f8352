"""What a condition is: a question about one call that is answered with an objection, with None, or not at all.

Three-valued, so that the order in which conditions are written changes nothing: a
condition that can't say doesn't spoil an answer that the others give already.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.guards.rules import Objection, UnavailableError

Condition: TypeAlias = Callable[[DecisionContext], Objection | None]
"""Gives an objection where the condition holds; raises `UnavailableError` where it can't say."""


class MissingReferenceError(UnavailableError):
    """A `$path` leads nowhere in this decision's context."""


def all_of(conditions: Sequence[Condition], says: Objection | None = None) -> Condition:
    """Hold where each of the conditions holds; false where one is false, whatever the others can't say.

    Args:
        conditions: at least one.
        says: what is objected then; what the conditions say where it is left out.
    """
    if len(conditions) == 1:
        return conditions[0]

    def condition(context: DecisionContext) -> Objection | None:
        objections: list[Objection] = []
        unsaid: UnavailableError | None = None
        for part in conditions:
            try:
                objection = part(context)
            except UnavailableError as error:
                unsaid = unsaid or error
                continue
            if objection is None:
                return None
            objections.append(objection)
        if unsaid is not None:
            raise unsaid
        return says or _joined(objections)

    return condition


def any_of(conditions: Sequence[Condition]) -> Condition:
    """Hold where one of the conditions holds, whatever the others can't say."""

    def condition(context: DecisionContext) -> Objection | None:
        unsaid: UnavailableError | None = None
        for part in conditions:
            try:
                objection = part(context)
            except UnavailableError as error:
                unsaid = unsaid or error
                continue
            if objection is not None:
                return objection
        if unsaid is not None:
            raise unsaid
        return None

    return condition


def negated(condition: Condition, reason: str) -> Condition:
    """Hold where a condition doesn't."""

    def negation(context: DecisionContext) -> Objection | None:
        return Objection(reason) if condition(context) is None else None

    return negation


def _joined(objections: list[Objection]) -> Objection:
    """Make one objection of several: all reasons, and what the first that says it has to say of the rest."""
    return Objection(
        "; ".join(objection.reason for objection in objections),
        next((each.confidence for each in objections if each.confidence is not None), None),
        next((each.severity for each in objections if each.severity is not None), None),
        next((each.decision for each in objections if each.decision is not None), None),
    )
