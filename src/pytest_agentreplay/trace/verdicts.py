"""Verdicts and effects: recorded facts about one tool call.

An effect says what a tool does to the world; a verdict what the guard decided
about one call, and why. Nothing here knows which rules exist, how a decision is
made, or what happens after it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

Effect: TypeAlias = Literal["read", "write"]
Decision: TypeAlias = Literal["allow", "log", "warn", "block"]
Number: TypeAlias = int | float
Share: TypeAlias = Annotated[int, Field(ge=0, le=1)] | Annotated[float, Field(ge=0, le=1)]
Severity: TypeAlias = Literal["low", "medium", "high", "critical"]


class Record(BaseModel):
    """A part of a trace or a policy file: unknown keys are refused, values are not coerced."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True)

    @classmethod
    def file_keys(cls) -> tuple[str, ...]:
        """List the keys of this part's mapping in a file, in their order."""
        return tuple(cls.model_fields)


def rule_broken(fact: str, remedy: str, key: str = "") -> PydanticCustomError:
    """Make a validator's error: keys that don't go together, what to do about it, the key to show it at."""
    return PydanticCustomError("rule_broken", "{fact}", {"fact": fact, "next": remedy, "key": key})


class Finding(Record):
    """One objection of one rule.

    Attributes:
        confidence: 0 to 1, how sure the rule is.
        decision: what this finding alone would decide, where its rule says so.
    """

    rule: str
    version: int | str | None = None
    severity: Severity | None = None
    decision: Decision | None = None
    confidence: Share | None = None
    reason: str | None = None


class Verdict(Record):
    """What the boundary decided about one call.

    Attributes:
        decision: what was applied, capped by environment and mode.
        would: the strictest finding before that cap; the decision where not recorded.
        policy: ``name@version``.
        context: the decision context that was known before the tool ran.
        unavailable: a failing or late rule forced this verdict.
        duration_us: time the evaluation took, in microseconds.
    """

    decision: Decision
    would: Decision | None = None
    environment: str | None = None
    policy: str | None = None
    policy_digest: str | None = None
    findings: tuple[Finding, ...] = Field(default=(), strict=False)
    context: dict[str, Any] | None = None
    unavailable: bool = False
    duration_us: Number | None = None

    @property
    def effective(self) -> Decision:
        """The decision before environment and mode capped it."""
        return self.would or self.decision

    @property
    def reason(self) -> str:
        """The reasons of all findings, in one text."""
        return "; ".join(finding.reason or finding.rule for finding in self.findings)
