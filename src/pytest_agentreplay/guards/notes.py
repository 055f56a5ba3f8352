"""Notes: what is allowed in a policy and still wants a look.

Exceptions that are over, and exceptions that nobody answers for or that never end.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from pytest_agentreplay.guards.policy import Policy
from pytest_agentreplay.guards.spec import ExceptionSpec
from pytest_agentreplay.trace.problems import Location, Problem


def policy_notes(policy: Policy, today: date) -> list[Problem]:
    """List what wants a look, in the order of the document."""
    return [
        note
        for index, rule in enumerate(policy.spec.rules)
        for number, exception in enumerate(rule.except_)
        for note in _of_exception(exception, ("rules", index, "except", number), today)
    ]


def _of_exception(exception: ExceptionSpec, path: Location, today: date) -> Iterator[Problem]:
    if exception.expired(today):
        fact = f"this exception ended on {exception.until} and is ignored"
        yield Problem((*path, "until"), fact, "take it out, or give it a new day")
    if exception.owner is None:
        yield Problem(path, "nobody answers for this exception", "add `owner: ...`")
    if exception.until is None:
        yield Problem(path, "this exception never ends", "add `until: ...`, the last day on which it holds")
