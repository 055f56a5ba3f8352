"""``python``: a rule that is a function of one's own, ``module:function``, given the `DecisionContext`.

It gives a `Finding` or None; one that is made a rule by `rule` may give a reason in words
as well. Whatever else happens to it, an import that fails and an end of the process
(`SystemExit`) included, makes the rule unavailable.
The module is imported when the rule first judges: reading a policy runs nobody's code.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from pytest_agentreplay.checks import CheckError
from pytest_agentreplay.guards.conditions.condition import Condition
from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.guards.python_rules import PythonRule, ask, objection_of
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
    """Ask a function, or a rule that was made of one: of that its tools and its severity count as well.

    Args:
        target: ``module:function``.
    """
    known: list[Callable[[DecisionContext], Any]] = []

    def condition(context: DecisionContext) -> Objection | None:
        if not known:
            known.append(load(target))
        function = known[0]
        if isinstance(function, PythonRule):
            return function.judge(context)
        finding = ask(function, context, target)
        if finding is None:
            return None
        if isinstance(finding, Finding):
            return objection_of(finding)
        raise UnavailableError(f"{target} returned {type_name(finding)}, neither a Finding nor None")

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
    except (Exception, SystemExit) as error:
        why = "ends the process" if isinstance(error, SystemExit) else "can't be imported"
        raise UnavailableError(f"{target} {why}: {error}") from error
    if not callable(function):
        raise UnavailableError(f"{target} is no function")
    return function  # type: ignore[no-any-return]
