"""Self-tests: the calls that a rule is tried on, and which of them it decides otherwise.

Each rule alone, without ceiling and deadline. Nothing here knows who asks: `lint` and
the collection of tests do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pytest_agentreplay.guards.conditions.condition import MissingReferenceError
from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.guards.evaluator import decision_of
from pytest_agentreplay.guards.history import History
from pytest_agentreplay.guards.policy import Policy
from pytest_agentreplay.guards.rules import Rule, UnavailableError
from pytest_agentreplay.guards.spec import Case, RuleSpec
from pytest_agentreplay.jsonable import MISSING, decode
from pytest_agentreplay.trace import Decision

DECISIONS: Final[tuple[Decision, ...]] = ("block", "warn", "log", "allow")
_ANY_TOOL: Final = "any_tool"


@dataclass(frozen=True, slots=True)
class CaseRun:
    """One call that a rule was tried on.

    Attributes:
        rule: the rule's id.
        path: of the case in its document, as keys and indices.
        expected: what the rule should decide.
        actual: what it decided; None where it failed.
        reason: why; empty where it didn't object.
    """

    rule: str
    path: tuple[str | int, ...]
    expected: Decision
    actual: Decision | None
    reason: str

    @property
    def passed(self) -> bool:
        """Whether the rule decided as it should."""
        return self.actual == self.expected

    @property
    def fact(self) -> str:
        """What went wrong, on one line."""
        found = f"decides {self.actual}" if self.actual is not None else "can't say"
        return f"{self.rule} {found} where its test says {self.expected}" + (f": {self.reason}" if self.reason else "")


def run_cases(policy: Policy) -> list[CaseRun]:
    """Try every rule of a policy on its calls."""
    rules = {rule.id: rule for rule in policy.rules}
    return [
        run_case(policy, rules[spec.id], spec, expected, case, ("rules", index, "tests", expected, number))
        for index, spec in enumerate(policy.spec.rules)
        for expected, number, case in cases_of(spec)
    ]


def cases_of(spec: RuleSpec) -> Iterator[tuple[Decision, int, Case]]:
    """Give the calls that a rule is tried on: what it should decide, its number among those, the call."""
    for expected in DECISIONS:
        for number, case in enumerate(getattr(spec.tests, expected) if spec.tests is not None else ()):
            yield expected, number, case


def failures(policy: Policy) -> list[CaseRun]:
    """List the calls that the rules of a policy decide otherwise than their tests say."""
    return [run for run in run_cases(policy) if not run.passed]


def run_case(
    policy: Policy, rule: Rule, spec: RuleSpec, expected: Decision, case: Case, path: tuple[str | int, ...]
) -> CaseRun:
    """Try a rule on one call.

    A `$path` that leads nowhere decides as the policy's `on_error` says; a rule that fails decides nothing.
    """
    tool = case.tool or (spec.tools[0] if spec.tools else _ANY_TOOL)
    try:
        objection = rule.judge(_context(tool, case)) if rule.applies is None or rule.applies(tool) else None
    except MissingReferenceError as error:
        return CaseRun(rule.id, path, expected, policy.spec.on_error, error.reason)
    except UnavailableError as error:
        return CaseRun(rule.id, path, expected, None, error.reason)
    except (Exception, SystemExit) as error:
        return CaseRun(rule.id, path, expected, None, f"{type(error).__name__}: {error}")
    if objection is None:
        return CaseRun(rule.id, path, expected, "allow", "")
    return CaseRun(rule.id, path, expected, decision_of(rule, objection), objection.reason)


def _context(tool: str, case: Case) -> DecisionContext:
    history = History(case.steps)
    told = {name: decode(getattr(case, name)) for name in ("input", "plan", "state", "retrieved")}
    known = {name: value for name, value in told.items() if value is not MISSING}
    return DecisionContext(
        tool,
        decode(case.args),
        effect=case.effect or "write",
        history=history,
        external=decode(case.external) if case.external is not None else None,
        **{"plan": history.plan, "state": history.state, **known},
    )
