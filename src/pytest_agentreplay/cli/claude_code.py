"""Claude Code's pre-tool hook: what its events mean, and what it is told.

As its hooks reference (code.claude.com/docs/en/hooks) has it: the event is one JSON
object with ``tool_name`` and ``tool_input``; the answer ``permissionDecision: deny``
stops the call, and an answer without a ``permissionDecision`` leaves it to the user's
permissions. ``allow`` would skip the user's prompt, so it is never said. Nothing here
reads files or streams.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pytest_agentreplay.cli.calls import Call
from pytest_agentreplay.cli.claude_session import Session, read_session
from pytest_agentreplay.cli.claude_tools import effect_of
from pytest_agentreplay.errors import SettingsError
from pytest_agentreplay.guards.policy import Policy
from pytest_agentreplay.guards.spec import RuleSpec
from pytest_agentreplay.trace import Verdict

_EVENT: Final = "PreToolUse"
_EXTERNAL: Final = ("cwd", "permission_mode", "agent_type")
_CALL_ALONE: Final = frozenset({"shell", "secrets", "egress"})
"""Packs that look at nothing but the call."""


@dataclass(frozen=True, slots=True)
class Event:
    """A call that Claude Code is about to make.

    Attributes:
        transcript: where the session is written down.
        external: what else a rule may look at: ``cwd``, ``permission_mode``, ``agent_type``.
    """

    tool: str
    args: Mapping[str, Any]
    call_id: str | None
    transcript: str | None
    external: Mapping[str, str]


def parse_event(document: Mapping[str, Any]) -> Event:
    """Read an event; keys that nobody here knows are fine, since new versions bring new ones.

    Raises:
        SettingsError: for another event, or one without a tool's name and input.
    """
    name = document.get("hook_event_name")
    if name != _EVENT:
        raise SettingsError(
            f"the event is {json.dumps(name)[:60]}, not {_EVENT}", next=f"register the hook under {_EVENT} alone"
        )
    tool, args = document.get("tool_name"), document.get("tool_input")
    if not isinstance(tool, str) or not tool:
        raise SettingsError("the event has no `tool_name`", next="send the event as Claude Code does")
    if not isinstance(args, dict):
        raise SettingsError("the event has no object `tool_input`", next="send the event as Claude Code does")
    told = {key: document[key] for key in _EXTERNAL if isinstance(document.get(key), str)}
    return Event(tool, args, _text(document, "tool_use_id"), _text(document, "transcript_path"), told)


def _text(document: Mapping[str, Any], key: str) -> str | None:
    value = document.get(key)
    if value is not None and not isinstance(value, str):
        raise SettingsError(f"`{key}` is no text", next="send the event as Claude Code does")
    return value


def looks_back(policies: Sequence[Policy]) -> bool:
    """Tell whether a rule may look at more than the call, rather once too often than never."""
    return any(
        not _CALL_ALONE.issuperset(policy.spec.use) or any(map(_rule_looks_back, policy.spec.rules))
        for policy in policies
    )


def _rule_looks_back(rule: RuleSpec) -> bool:
    checks = [rule.match, *(exception.match for exception in rule.except_)]
    return not {*rule.written()} <= {"match"} or any(word in repr(checks) for word in ("input", "trace"))


def session_of(event: Event) -> Session:
    """Read what came before the call.

    Raises:
        SettingsError: when it can't be read.
    """
    if event.transcript is None:
        raise SettingsError("the event names no transcript, and a rule looks back", next="send `transcript_path`")
    return read_session(event.transcript, event.call_id, event.tool, event.args)


def call_of(event: Event, session: Session | None) -> Call:
    """Make the call of an event that the guard is asked about."""
    known = {"input": list(session.prompts)} if session is not None and session.prompts else {}
    steps = session.steps if session is not None else ()
    return Call(event.tool, event.args, effect_of(event.tool), known, steps, event.external, at_work=True)


def answer(verdict: Verdict) -> dict[str, Any]:
    """Make the hook's answer of a verdict: deny, a word to the user, or nothing at all."""
    if verdict.decision == "block":
        said = {"hookEventName": _EVENT, "permissionDecision": "deny", "permissionDecisionReason": _reason(verdict)}
        return {"hookSpecificOutput": said}
    return {"systemMessage": _reason(verdict)} if verdict.decision == "warn" else {}


def _reason(verdict: Verdict) -> str:
    did = "blocked by" if verdict.decision == "block" else "warning of"
    lines = [f"{finding.rule}: {finding.reason}" if finding.reason else finding.rule for finding in verdict.findings]
    return "\n".join([f"{did} the policy {verdict.policy}", *lines])
