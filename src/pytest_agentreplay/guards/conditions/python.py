"""``python``: a rule that is a function of one's own, ``module:function``, given the `DecisionContext`.

It gives a `Finding`, or None. Whatever else happens to it, an import that fails
included, makes the rule unavailable. The module is imported when the rule first
judges: reading a policy runs nobody's code.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from pytest_agentreplay.checks import CheckError
from pytest_agentreplay.guards.conditions.condition import Condition
from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.guards.rules import Objection, UnavailableError
from pytest_agentreplay.jsonable import type_name
from pytest_agentreplay.trace import Finding

_TARGET: Final = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*(?:\.[^\W\d]\w*)*")


def check_target(target: str) -> None:
    """Refuse what names no function.

    Raises:
        CheckError: with the form that it should have.
    """
    if not _TARGET.fullmatch(target):
        raise CheckError(f"{target!r} names no function", remedy="write module:function, as my_rules:refund_limit")


def compile_python(target: str) -> Condition:
    """Ask a function.

    Args:
        target: ``module:function``.
    """
    known: list[Callable[[DecisionContext], Any]] = []

    def condition(context: DecisionContext) -> Objection | None:
        if not known:
            known.append(load(target))
        try:
            finding = known[0](context)
        except UnavailableError:
            raise
        except Exception as error:
            raise UnavailableError(f"{target} raised {type_name(error)}: {error}") from error
        return None if finding is None else _objection(finding, target)

    return condition


def load(target: str) -> Callable[[DecisionContext], Any]:
    """Import a function.

    Raises:
        UnavailableError: when it can't be imported.
    """
    module, _, name = target.partition(":")
    try:
        function: Any = import_module(module)
        for part in name.split("."):
            function = getattr(function, part)
    except Exception as error:
        raise UnavailableError(f"{target} can't be imported: {error}") from error
    if not callable(function):
        raise UnavailableError(f"{target} is no function")
    return function  # type: ignore[no-any-return]


def _objection(finding: Any, target: str) -> Objection:
    if not isinstance(finding, Finding):
        close = getattr(finding, "close", None)  # of a coroutine, which would warn that nobody awaited it
        if callable(close):
            close()
        raise UnavailableError(f"{target} returned {type_name(finding)}, neither a Finding nor None")
    return Objection(finding.reason or finding.rule, finding.confidence, finding.severity, finding.decision)
