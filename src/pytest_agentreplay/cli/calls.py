"""Calls that the command is asked about: read, judged, and the verdict as JSON.

Nothing here knows where a call comes from or who is told of the verdict.
"""

from __future__ import annotations

import contextlib
import difflib
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from pytest_agentreplay.api.policies import load_policy
from pytest_agentreplay.errors import SettingsError
from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.guards.evaluator import Guard
from pytest_agentreplay.guards.history import History
from pytest_agentreplay.guards.policy import Policy
from pytest_agentreplay.jsonable import MISSING, encode
from pytest_agentreplay.trace import Effect, Finding, Step, ToolStep, Verdict

Mode: TypeAlias = Literal["enforce", "audit"]

_KNOWN: Final = ("input", "plan", "state", "retrieved")
_KINDS: Final[Mapping[str, tuple[type, str]]] = {
    "tool": (str, "a text"),
    "args": (dict, "an object"),
    "effect": (str, "read or write"),
    "steps": (list, "a list"),
    "external": (dict, "an object"),
}
_KEYS: Final = ("tool", "args", "effect", *_KNOWN, "steps", "external")
_FORM: Final = '{"tool": "...", "args": {...}}'
_REFUSED: Final = "agent-replay"


@dataclass(frozen=True, slots=True)
class Call:
    """A call, about to be made, and what is known about it.

    Attributes:
        known: ``input``, ``plan``, ``state`` and ``retrieved``, as far as somebody told.
        steps: the earlier ones, as `Step`s or in the trace's form.
        at_work: those of them that have no outcome have not come back yet; else they never will.
    """

    tool: str
    args: Mapping[str, Any]
    effect: Effect = "write"
    known: Mapping[str, Any] = field(default_factory=dict)
    steps: Iterable[Step | Mapping[str, Any]] = ()
    external: Mapping[str, Any] | None = None
    at_work: bool = False


def parse_call(document: Mapping[str, Any]) -> Call:
    """Read a call; null is as good as left out, all else has to be right.

    Raises:
        SettingsError: for an unknown key, one that is missing, or a value of another type.
    """
    _refuse_unknown(document)
    told = {key: value for key, value in document.items() if value is not None}
    for key in ("tool", "args"):
        if key not in told:
            raise SettingsError(f"the call has no `{key}`", next=f"send {_FORM}")
    for key, (kind, expected) in _KINDS.items():
        if key in told and not isinstance(told[key], kind):
            raise SettingsError(f"`{key}` is {expected}, not {type(told[key]).__name__}", next=f"send {_FORM}")
    if not told["tool"]:
        raise SettingsError("`tool` is empty", next="name the tool")
    if told.get("effect", "write") not in ("read", "write"):
        raise SettingsError(f"`effect` is read or write, not {told['effect'][:40]!r}", next="write one of the two")
    known: dict[str, Any] = {key: told.pop(key) for key in _KNOWN if key in told}
    return Call(known=known, **told)


def _refuse_unknown(document: Mapping[str, Any]) -> None:
    unknown = next((key for key in document if key not in _KEYS), None)
    if unknown is not None:
        close = difflib.get_close_matches(unknown, _KEYS, n=1)
        remedy = f"did you mean `{close[0]}`?" if close else f"the keys are {', '.join(_KEYS)}"
        raise SettingsError(f"a call has no key {unknown[:60]!r}", next=remedy)


class CallJudge:
    """Judges calls by policy files, each call on its own.

    Args:
        paths: the policy files.
        environment: where the decisions apply.
        mode: ``audit`` blocks nothing.

    Raises:
        PolicyFormatError: when a policy can't be read.
    """

    def __init__(self, paths: Sequence[str], environment: str, mode: Mode) -> None:
        self.policies: list[Policy] = [load_policy(path) for path in paths]
        with _kept_to_standard_error():  # rules in Python are imported now
            self._guard = Guard(self.policies, environment=environment, mode=mode)

    def judge(self, call: Call) -> Verdict:
        """Decide about a call.

        Raises:
            TraceFormatError: for an earlier step that is none.
        """
        history = _history(call)
        known = {"plan": history.plan, "state": history.state, **call.known}
        context = DecisionContext(
            call.tool,
            call.args,
            effect=call.effect,
            history=history,
            external=call.external,
            environment=self._guard.environment,
            **known,
        )
        with _kept_to_standard_error():
            return self._guard.judge(context)


def _history(call: Call) -> History:
    """Tell the steps before a call; where somebody says so, one without an outcome is still at work."""
    history = History()
    for step in call.steps:
        if call.at_work and isinstance(step, ToolStep) and step.result is MISSING and step.error is None:
            history.begin(step)
        else:
            history.add(step)
    return history


def _kept_to_standard_error() -> AbstractContextManager[Any]:
    """Keep what rules print out of the verdicts."""
    return contextlib.redirect_stdout(sys.stderr)


def refusal(reason: str, environment: str) -> Verdict:
    """Make the verdict about a call that could not be judged: a block, whatever the policies say of errors."""
    finding = Finding(rule=_REFUSED, decision="block", reason=f"unavailable: {reason}")
    return Verdict(decision="block", would="block", environment=environment, findings=(finding,), unavailable=True)


def verdict_data(verdict: Verdict) -> dict[str, Any]:
    """Give a verdict as JSON; its keys are always the same, null where there is nothing to say."""
    return {
        **verdict.model_dump(exclude={"findings", "context"}),
        "findings": [finding.model_dump() for finding in verdict.findings],
        "context": encode(verdict.context),
    }
