"""Rules, compiled: what the evaluator asks, whoever wrote the rule.

A rule looks at one decision context and objects or doesn't. Nothing here knows
the policy language, the packs, or what becomes of an objection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.trace import Decision, Severity


class UnavailableError(Exception):
    """A rule can't say: a `$path` is missing, its code failed, it overran. Never an allow.

    Attributes:
        reason: what was missing or failed, in a sentence.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Objection:
    """What a rule has against a call.

    Attributes:
        reason: in a sentence that names the offending part of the call.
        confidence: 0 to 1; None where the rule is certain or doesn't say.
        severity: in the place of the rule's own.
        decision: what this objection alone would decide; the rule's own comes first.
    """

    reason: str
    confidence: float | None = None
    severity: Severity | None = None
    decision: Decision | None = None


Judge: TypeAlias = Callable[[DecisionContext], Objection | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, ready to judge.

    Attributes:
        id: unique in its policy; a pack's rules are called ``pack/rule``.
        applies: whether the rule looks at calls of a tool at all; asked once per tool name.
        judge: gives an objection or None; raises `UnavailableError` where it can't say.
        meaning: everything that the rule's verdict depends on, JSON; the policy's digest is made of it.
        prepare: does when a guard is made what the first call would else wait for, beyond its deadline: imports,
            parsers. What fails there fails again, and is told, when the rule judges.
        needs: gives something false for calls that the rule has nothing against; rules in a row that have the same
            one are passed over together.
    """

    id: str
    judge: Judge
    severity: Severity = "high"
    version: int | str | None = None
    decision: Decision | None = None
    applies: Callable[[str], bool] | None = None
    meaning: Any = None
    prepare: Callable[[], object] | None = None
    needs: Callable[[DecisionContext], object] | None = None
