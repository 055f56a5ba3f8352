"""Rules in Python: a function of one's own that looks at a call, and what it may say.

    @rule(tools=["issue_refund"], severity="critical")
    def small_refunds(context):
        if context.args["cents"] > 10000:
            return "more than 100 EUR needs a person"

It returns None, the reason in words, or a `Finding`. Whatever else becomes of it makes
the rule unavailable. Nothing here knows policies, or imports anybody's module.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, get_args, overload

from pytest_agentreplay.errors import SettingsError
from pytest_agentreplay.guards.code import function_code
from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.guards.patterns import ToolPattern
from pytest_agentreplay.guards.rules import Objection, Rule, UnavailableError
from pytest_agentreplay.jsonable import type_name
from pytest_agentreplay.trace import Decision, Finding, Severity

Says: TypeAlias = Finding | str | None
RuleFunction: TypeAlias = Callable[[DecisionContext], Says]

_LONGEST_REASON = 200  # characters


class PythonRule:
    """A function that is a rule; called, it does what the function does.

    Attributes:
        id: what findings name.
        severity: None where its author didn't say: then ``high``, or what a policy that refers to it says.
        tools: names and patterns of the tools that it is about; None for all.
        version: told in findings.
        decision: in the place of the severity's.
    """

    def __init__(
        self,
        function: RuleFunction,
        *,
        id: str | None = None,
        severity: Severity | None = None,
        tools: Sequence[str] | str | None = None,
        version: int | str | None = None,
        decision: Decision | None = None,
    ) -> None:
        _check(function, id, severity, decision)
        functools.update_wrapper(self, function)
        self.function = function
        self.id = id or function.__name__
        self.severity = severity
        self.tools = None if tools is None else (tools,) if isinstance(tools, str) else tuple(tools)
        self.version = version
        self.decision = decision
        self._applies = None if self.tools is None else ToolPattern(self.tools)

    def __call__(self, context: DecisionContext) -> Says:
        """Ask the function itself, whatever tool the call is of."""
        return self.function(context)

    def __repr__(self) -> str:
        return f"<rule {self.id}>"

    def __reduce__(self) -> str:
        return self.function.__qualname__  # by reference, as functions are pickled

    def judge(self, context: DecisionContext) -> Objection | None:
        """Ask the function about a call of a tool that it is about.

        Raises:
            UnavailableError: when it fails, or says something else than it may.
        """
        if self._applies is not None and not self._applies(context.tool):
            return None
        said = ask(self.function, context, self.id)
        if said is None:
            return None
        if isinstance(said, Finding):
            return objection_of(said, self.severity)
        if isinstance(said, str) and said.strip():
            return Objection(str(said), severity=self.severity)
        raise UnavailableError(f"{self.id} returned {type_name(said)}, neither a Finding nor its reason nor None")

    def compiled(self) -> Rule:
        """Make the rule that a policy asks."""
        meaning = {"tools": None if self.tools is None else sorted(self.tools), "code": function_code(self.function)}
        severity = self.severity or "high"
        return Rule(self.id, self.judge, severity, self.version, self.decision, self._applies, meaning, _nothing)


@overload
def rule(function: RuleFunction, /) -> PythonRule: ...
@overload
def rule(
    *,
    id: str | None = None,
    severity: Severity | None = None,
    tools: Sequence[str] | str | None = None,
    version: int | str | None = None,
    decision: Decision | None = None,
) -> Callable[[RuleFunction], PythonRule]: ...


def rule(function: RuleFunction | None = None, /, **told: Any) -> PythonRule | Callable[[RuleFunction], PythonRule]:
    """Make a rule of a function of the decision's context; a decorator, with settings or bare.

    The function returns None where it has nothing against the call, else the reason in
    words or a `Finding`. It must answer at once: it can't be interrupted.

    Args:
        function: plain, not a coroutine function.
        **told: `id` (the function's name), `severity` (``high``), `tools` (names and patterns; all), `version`,
            `decision` (in the place of the severity's).

    Raises:
        SettingsError: for what is no plain function, an empty id, or a severity or decision that is none.
    """
    if function is not None:
        return PythonRule(function, **told)
    return lambda function: PythonRule(function, **told)


def ask(function: Callable[[DecisionContext], Any], context: DecisionContext, name: str) -> Any:
    """Ask a function about a call, and give what it says, whatever that is.

    Raises:
        UnavailableError: when it raises, or ends the process.
    """
    try:
        said = function(context)
    except UnavailableError:
        raise
    except SystemExit as error:
        raise UnavailableError(f"{name} ends the process: SystemExit({error.code!r})") from error
    except Exception as error:
        raise UnavailableError(f"{name} raised {type_name(error)}: {_words_of(error)}") from error
    if inspect.iscoroutine(said):
        said.close()  # it would warn that nobody awaited it
    return said


def objection_of(finding: Finding, severity: Severity | None = None) -> Objection:
    """Take a finding of a function; `severity` where it has none itself."""
    return Objection(finding.reason or finding.rule, finding.confidence, finding.severity or severity, finding.decision)


def _words_of(error: Exception) -> str:
    try:
        return str(error)[:_LONGEST_REASON]
    except Exception:  # an exception that can't even be shown is told by its type
        return "it can't be shown"


def _check(function: Any, id: Any, severity: Any, decision: Any) -> None:
    if isinstance(function, type) or not inspect.isroutine(function):
        raise SettingsError(f"a rule is a function, {function!r} is none", next="decorate a function of the context")
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise SettingsError(f"the rule {function.__name__} doesn't answer at once", next="make it a plain function")
    if id is not None and not (isinstance(id, str) and id.strip()):
        raise SettingsError(f"{id!r} is no id for a rule", next="name it, or leave `id` out")
    for what, value, known in (("severity", severity, get_args(Severity)), ("decision", decision, get_args(Decision))):
        if value is not None and value not in known:
            raise SettingsError(f"there is no {what} {value!r}", next=f"use one of {', '.join(known)}")


def _nothing() -> None:
    """Prepare nothing: the function is there already."""
