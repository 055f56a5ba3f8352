"""The guard: asks every rule about a call and makes one verdict of what they say.

Synchronous, in memory, and never silent: a rule that fails, or that comes too late,
is a finding of its own, also where its code ends the process (`SystemExit`). What a user
interrupts (`KeyboardInterrupt`) passes through, and then there is no verdict and no call.
Nothing here knows the policy language, runs a tool, or raises otherwise: what becomes of
a verdict is the boundary's business.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import groupby
from typing import Any, Final, Literal, TypeAlias

from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.guards.meaning import digest
from pytest_agentreplay.guards.policy import Policy
from pytest_agentreplay.guards.rules import Judge, Objection, Rule, UnavailableError
from pytest_agentreplay.guards.values import as_json
from pytest_agentreplay.jsonable import MISSING, Opaque, Value, type_name
from pytest_agentreplay.trace import Decision, Finding, Severity, Verdict

Mode: TypeAlias = Literal["enforce", "audit", "off"]

_Asked: TypeAlias = tuple[Judge, Rule]
_Group: TypeAlias = tuple[Callable[[DecisionContext], object] | None, tuple[_Asked, ...], tuple[_Asked, ...]]
"""What rules need, the rules, and what is asked in their place where it isn't given."""

_STRENGTH: Final[dict[Decision, int]] = {"allow": 0, "log": 1, "warn": 2, "block": 3}
_DECISIONS: Final[dict[Severity, Decision]] = {"low": "log", "medium": "warn", "high": "block", "critical": "block"}
_AUDIT_CEILING: Final[Decision] = "warn"
_LONGEST_REASON: Final = 200  # characters
_NEVER: Final = 1 << 62  # nanoseconds
_MOST_TOOLS: Final = 4096  # names that an agent made up may not fill the memory


class Guard:
    """Judges calls by one policy or several.

    Each policy is judged by its own ceiling, deadline and `on_error`; the strictest
    decision wins, and no policy takes back what another says.

    Args:
        policies: in the order in which their findings are listed.
        environment: where the decisions apply; each policy caps its decisions by it.
        mode: ``audit`` caps every decision at ``warn``; ``off`` asks no rule.
        clock: a monotonic time in nanoseconds.
        on_late: is told of an overrun, which then forces nothing: replays only warn.
    """

    def __init__(
        self,
        policies: Sequence[Policy],
        *,
        environment: str = "production",
        mode: Mode = "enforce",
        clock: Callable[[], int] = time.perf_counter_ns,
        on_late: Callable[[str], None] | None = None,
    ) -> None:
        self.policies = tuple(policies)
        if mode != "off":
            for policy in self.policies:
                _prepare(policy)
        self.environment = environment
        self.mode = mode
        self._clock = clock
        self._benches = [_Bench(policy, environment, mode, clock, on_late) for policy in self.policies]
        self._name = ", ".join(policy.label for policy in self.policies) or None
        digests = [policy.digest for policy in self.policies]
        self._digest = digests[0] if len(digests) == 1 else digest(" ".join(digests)) if digests else None

    def judge(self, context: DecisionContext) -> Verdict:
        """Decide about a call.

        Under ``off`` the verdict allows and names no policy: nothing was asked.
        """
        if self.mode == "off":
            return Verdict(decision="allow", environment=self.environment)
        return self._verdict(lambda bench, findings: bench.judge(context, findings), context)

    def refuse(self, reason: str) -> Verdict:
        """Decide about a call that no rule could be asked about, as each policy's `on_error` has it."""
        return self._verdict(lambda bench, findings: bench.fail("agent-replay", reason, findings), None)

    def _verdict(
        self, ask: Callable[[_Bench, list[Finding]], tuple[Decision, bool]], context: DecisionContext | None
    ) -> Verdict:
        started = self._clock()
        findings: list[Finding] = []
        decision: Decision = "allow"
        would: Decision = "allow"
        unavailable = False
        for bench in self._benches:
            strictest, failed = ask(bench, findings)
            unavailable = unavailable or failed
            would = _stricter(would, strictest)
            decision = _stricter(decision, _milder(strictest, bench.ceiling))
        return Verdict(
            decision=decision,
            would=would,
            environment=self.environment,
            policy=self._name,
            policy_digest=self._digest,
            findings=tuple(findings),
            context=_known(context) if context is not None else None,
            unavailable=unavailable,
            duration_us=(self._clock() - started) / 1000,
        )


class _Bench:
    """One policy, ready to judge in one environment."""

    def __init__(
        self,
        policy: Policy,
        environment: str,
        mode: Mode,
        clock: Callable[[], int],
        on_late: Callable[[str], None] | None,
    ) -> None:
        ceiling = policy.spec.environments.get(environment, "block")
        self.ceiling: Decision = _milder(ceiling, _AUDIT_CEILING) if mode == "audit" else ceiling
        self._rules = policy.rules
        self._on_error: Decision = policy.spec.on_error
        self._label = policy.label
        self._allowed_ms = policy.spec.deadline_ms
        self._allowed_ns = int(policy.spec.deadline_ms * 1_000_000)
        self._clock = clock
        self._on_late = on_late
        self._by_tool: dict[str, tuple[_Group, ...]] = {}

    def judge(self, context: DecisionContext, findings: list[Finding]) -> tuple[Decision, bool]:
        """Ask the rules, add their findings, and give the strictest decision and whether a rule failed."""
        clock = self._clock
        groups = self._of_tool(context.tool)
        deadline = clock() + self._allowed_ns
        strictest: Decision = "allow"
        failed = False
        for needs, asked, passed_over in groups:
            for judge, rule in asked if needs is None or _is_given(needs, context) else passed_over:
                try:
                    objection = judge(context)
                    if objection is not None:
                        strictest = _stricter(strictest, _found(rule, objection, findings))
                except (Exception, SystemExit) as error:
                    decision, failed = self.fail(rule.id, _why(error), findings, rule)
                    strictest = _stricter(strictest, decision)
                if clock() > deadline:
                    if self._on_late is None:
                        return self._overrun(rule, strictest, findings), True
                    self._on_late(
                        f"the rules of {self._label} took more than {self._allowed_ms:g} ms, {rule.id} among them"
                    )
                    deadline = clock() + _NEVER
        return strictest, failed

    def fail(
        self, name: str, reason: str, findings: list[Finding], rule: Rule | None = None
    ) -> tuple[Decision, Literal[True]]:
        """Add the finding that a rule can't say, and give what the policy decides then."""
        version, severity = (rule.version, rule.severity) if rule is not None else (None, None)
        findings.append(
            Finding(
                rule=name, version=version, severity=severity, decision=self._on_error, reason=f"unavailable: {reason}"
            )
        )
        return self._on_error, True

    def _overrun(self, rule: Rule, strictest: Decision, findings: list[Finding]) -> Decision:
        decision, _ = self.fail(
            rule.id, f"over the deadline of {self._allowed_ms:g} ms, no rule after it was asked", findings, rule
        )
        return _stricter(strictest, decision)

    def _of_tool(self, tool: str) -> tuple[_Group, ...]:
        known = self._by_tool.get(tool)
        if known is None:
            if len(self._by_tool) >= _MOST_TOOLS:
                self._by_tool.clear()
            asked = ((_judge_of(rule, tool), rule) for rule in self._rules)
            known = self._by_tool[tool] = _grouped([(judge, rule) for judge, rule in asked if judge is not None])
        return known


def _prepare(policy: Policy) -> None:
    for rule in policy.rules:
        if rule.prepare is not None:
            with suppress(Exception, SystemExit):  # the rule fails again when it judges, and says so in the verdict
                rule.prepare()


def _grouped(asked: Sequence[_Asked]) -> tuple[_Group, ...]:
    """Put rules in a row that need the same together."""
    groups = ((needs, tuple(rules)) for needs, rules in groupby(asked, lambda each: each[1].needs))
    return tuple((needs, rules, ((_nothing, rules[-1][1]),)) for needs, rules in groups)


def _nothing(context: DecisionContext) -> None:
    """Stand for rules that are passed over: the deadline is looked at all the same."""


def _is_given(needs: Callable[[DecisionContext], object], context: DecisionContext) -> bool:
    try:
        return bool(needs(context))
    except (Exception, SystemExit):  # then each rule fails by itself, and says so
        return True


def _judge_of(rule: Rule, tool: str) -> Judge | None:
    """Give what a rule says about calls of a tool; None where it isn't about them."""
    try:
        return rule.judge if rule.applies is None or rule.applies(tool) else None
    except (Exception, SystemExit) as error:
        reason = _why(error)

    def unable(context: DecisionContext) -> Objection | None:
        raise UnavailableError(reason)

    return unable


def _stricter(one: Decision, other: Decision) -> Decision:
    return one if _STRENGTH[one] >= _STRENGTH[other] else other


def _milder(one: Decision, other: Decision) -> Decision:
    return one if _STRENGTH[one] <= _STRENGTH[other] else other


def decision_of(rule: Rule, objection: Objection) -> Decision:
    """Tell what one objection of a rule alone decides."""
    return rule.decision or objection.decision or _DECISIONS[objection.severity or rule.severity]


def _found(rule: Rule, objection: Objection, findings: list[Finding]) -> Decision:
    decision = decision_of(rule, objection)
    findings.append(
        Finding(
            rule=rule.id,
            version=rule.version,
            severity=objection.severity or rule.severity,
            decision=decision,
            confidence=objection.confidence,
            reason=objection.reason,
        )
    )
    return decision


def _why(error: BaseException) -> str:
    if isinstance(error, UnavailableError):
        return error.reason
    try:
        return f"it raised {type_name(error)}: {str(error)[:_LONGEST_REASON]}"
    except Exception:  # an exception that can't even be shown is told by its type
        return f"it raised {type_name(error)}"


def _known(context: DecisionContext) -> dict[str, Value] | None:
    told: dict[str, Any] = {"plan": context.plan, "retrieved": context.retrieved, "state": context.state}
    known = {name: value for name, value in told.items() if value is not MISSING}
    if context.external:
        known["external"] = _external(context)
    return known or None


def _external(context: DecisionContext) -> Value:
    try:
        return as_json(context.external)
    except Exception:  # what can't be written down is marked as such: the verdict itself must come
        return Opaque(type_name(context.external))
