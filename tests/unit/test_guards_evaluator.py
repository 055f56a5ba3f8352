"""The guard: one verdict of what the rules say, capped by environment and mode, and never an allow by accident."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.guards.document import parse_policy
from pytest_agentreplay.guards.evaluator import Guard
from pytest_agentreplay.guards.history import History
from pytest_agentreplay.guards.policy import Policy
from pytest_agentreplay.guards.rules import Objection, Rule, UnavailableError
from pytest_agentreplay.guards.spec import PolicySpec

MILLISECOND = 1_000_000


def context(tool="act", args=None, **known):
    return DecisionContext(tool, args or {}, effect="write", history=History(), **known)


def objecting(name, severity="high", /, **said):
    return Rule(name, lambda context: Objection("no", **said), severity)


def failing(error):
    def judge(context):
        raise error

    return Rule("failing", judge)


SILENT = Rule("silent", lambda context: None)


def policy(*rules, **written):
    return Policy(PolicySpec.model_validate({"name": "p", "version": 1, **written}), tuple(rules))


class Clock:
    """Goes on by as many milliseconds as a rule takes."""

    def __init__(self):
        self.now = 0

    def __call__(self):
        return self.now

    def slow(self, name, milliseconds, objection=None):
        def judge(context):
            self.now += milliseconds * MILLISECOND
            return objection

        return Rule(name, judge)


ENVIRONMENTS = {"dev": "log", "staging": "warn", "free": "allow", "production": "block"}


@pytest.mark.parametrize(
    ("environment", "mode", "decision"),
    [
        ("production", "enforce", "block"),
        ("unnamed", "enforce", "block"),
        ("staging", "enforce", "warn"),
        ("dev", "enforce", "log"),
        ("free", "enforce", "allow"),
        ("production", "audit", "warn"),
        ("dev", "audit", "log"),
    ],
)
def test_the_decision_is_capped_and_would_is_not(environment, mode, decision):
    """`decision` is what was applied; `would` holds in every environment; audit never blocks."""
    guard = Guard([policy(objecting("r"), environments=ENVIRONMENTS)], environment=environment, mode=mode)
    verdict = guard.judge(context())

    assert (verdict.decision, verdict.would, verdict.environment) == (decision, "block", environment)
    assert verdict.findings[0].decision == "block"


def test_the_strictest_finding_decides_and_all_are_kept():
    """No rule takes back what another says."""
    rules = [objecting("a", "low"), objecting("b", "critical"), SILENT, objecting("c", "medium")]
    verdict = Guard([policy(*rules)]).judge(context())

    assert verdict.decision == "block"
    assert [(finding.rule, finding.decision) for finding in verdict.findings] == [
        ("a", "log"),
        ("b", "block"),
        ("c", "warn"),
    ]
    assert not verdict.unavailable


def test_nothing_found_is_an_allow():
    """With the policy's name and digest, and how long it took."""
    clock = Clock()
    one = policy(clock.slow("r", 1))
    verdict = Guard([one], clock=clock).judge(context())

    assert (verdict.decision, verdict.would, verdict.findings) == ("allow", "allow", ())
    assert (verdict.policy, verdict.policy_digest) == ("p@1", one.digest)
    assert verdict.duration_us == 1000


def test_what_an_objection_says_comes_before_the_rule_but_for_its_decision():
    """A pack's rule may find a graver case; what the policy's author decided stands."""
    graver = Guard([policy(objecting("r", "low", severity="critical"))]).judge(context())
    decided = Rule("r", lambda context: Objection("no", decision="block"), "high", decision="log")

    assert (graver.decision, graver.findings[0].severity) == ("block", "critical")
    assert Guard([policy(decided)]).judge(context()).decision == "log"
    assert Guard([policy(objecting("r", "low", decision="warn"))]).judge(context()).decision == "warn"


class UnprintableError(Exception):
    def __str__(self):
        raise RuntimeError("no")


BROKEN = [
    failing(UnavailableError("$plan.x is not known")),
    failing(ValueError("a bug")),
    failing(RecursionError()),
    failing(UnprintableError()),
    Rule("failing", lambda context: True),
    Rule("failing", lambda context: Objection("no", confidence=7)),
    Rule("failing", lambda context: Objection("no", severity="hgh")),
]


@pytest.mark.parametrize("rule", BROKEN)
@pytest.mark.parametrize(("on_error", "decision"), [("block", "block"), ("allow", "allow")])
def test_a_rule_that_fails_decides_as_on_error_says(rule, on_error, decision):
    """Fail closed by default; either way the verdict says that it was forced, and by which rule."""
    verdict = Guard([policy(SILENT, rule, SILENT, on_error=on_error)]).judge(context())

    assert (verdict.decision, verdict.would, verdict.unavailable) == (decision, decision, True)
    assert verdict.findings[-1].rule == "failing"
    assert verdict.findings[-1].reason.startswith("unavailable: ")


def test_other_findings_are_kept_beside_a_failure():
    """A rule that fails open takes back nothing."""
    verdict = Guard([policy(failing(ValueError()), objecting("r"), on_error="allow")]).judge(context())

    assert (verdict.decision, verdict.unavailable) == ("block", True)
    assert [finding.rule for finding in verdict.findings] == ["failing", "r"]


def test_a_rule_whose_tools_cannot_be_told_is_no_allow():
    """The question comes before the rule's judgement and may fail as well."""

    def applies(tool):
        raise ValueError("no")

    rules = [Rule("r", lambda context: None, applies=applies), objecting("other", "low")]
    verdict = Guard([policy(*rules)]).judge(context())
    lenient = Guard([policy(*rules, on_error="allow")]).judge(context())

    assert (verdict.decision, verdict.unavailable) == ("block", True)
    assert (lenient.decision, lenient.unavailable) == ("log", True)


@pytest.mark.parametrize(("on_error", "decision"), [("block", "block"), ("allow", "allow")])
def test_an_overrun_ends_the_asking(on_error, decision):
    """The deadline is looked at after each rule, the last one included."""
    clock = Clock()
    rules = [clock.slow("quick", 10), clock.slow("late", 41), objecting("never asked")]
    verdict = Guard([policy(*rules, on_error=on_error)], clock=clock).judge(context())
    last = Guard([policy(clock.slow("late", 51))], clock=clock).judge(context())

    assert (verdict.decision, verdict.unavailable) == (decision, True)
    assert [finding.rule for finding in verdict.findings] == ["late"]
    assert "50 ms" in verdict.reason
    assert (last.decision, last.unavailable) == ("block", True)


def test_a_deadline_is_the_policys_own():
    """`deadline_ms` moves it; the time of one policy doesn't count for the next."""
    clock = Clock()
    generous = policy(clock.slow("a", 200), deadline_ms=300)
    strict = policy(clock.slow("b", 4), deadline_ms=5)

    assert not Guard([generous, strict], clock=clock).judge(context()).unavailable


def test_an_overrun_in_a_replay_only_warns():
    """Whoever replays is told once, and all rules are asked."""
    clock = Clock()
    told: list[str] = []
    rules = [clock.slow("a", 60), clock.slow("b", 60), objecting("c", "low")]
    verdict = Guard([policy(*rules)], clock=clock, on_late=told.append).judge(context())

    assert (verdict.decision, verdict.unavailable) == ("log", False)
    assert len(told) == 1
    assert "p@1" in told[0]


def test_several_policies_are_judged_each_by_its_own_ceiling():
    """The strictest wins, all findings are listed, the names are joined."""
    lenient = policy(objecting("a"), name="lenient", environments={"dev": "log"})
    strict = policy(objecting("b", "medium"), name="strict")
    verdict = Guard([lenient, strict], environment="dev").judge(context())

    assert (verdict.decision, verdict.would) == ("warn", "block")
    assert [finding.rule for finding in verdict.findings] == ["a", "b"]
    assert verdict.policy == "lenient@1, strict@1"
    assert verdict.policy_digest not in (lenient.digest, strict.digest)


def test_off_asks_nothing():
    """No rule, no policy: the verdict says that it wasn't judged."""
    verdict = Guard([policy(failing(ValueError()))], mode="off").judge(context())

    assert (verdict.decision, verdict.would, verdict.policy, verdict.findings) == ("allow", None, None, ())


def test_the_verdict_holds_what_was_known_before():
    """Plan, retrieved, external and state; what was not told is not there."""
    known = {"plan": {"a": 1}, "retrieved": [], "state": None, "external": {"when": (1, 2)}}
    verdict = Guard([policy(SILENT)]).judge(context(**known))

    assert verdict.context == {"plan": {"a": 1}, "retrieved": [], "state": None, "external": {"when": [1, 2]}}
    assert Guard([policy(SILENT)]).judge(context()).context is None


def test_a_call_that_no_rule_can_be_asked_about_is_refused():
    """By each policy's `on_error`."""
    assert Guard([policy(SILENT)]).refuse("malformed").decision == "block"
    assert Guard([policy(SILENT)]).refuse("malformed").unavailable
    assert Guard([policy(SILENT, on_error="allow")]).refuse("malformed").decision == "allow"


def test_rules_are_asked_once_per_tool_whether_they_apply():
    """A thousand calls of one tool ask it once."""
    asked: list[str] = []

    def applies(tool):
        asked.append(tool)
        return tool == "act"

    guard = Guard([policy(Rule("r", lambda context: Objection("no"), applies=applies))])
    decisions = [guard.judge(context(tool)).decision for tool in ("act", "look", "act", "look")]

    assert decisions == ["block", "allow", "block", "allow"]
    assert asked == ["act", "look"]


def test_a_guard_is_ready_when_it_is_made():
    """What a rule has to load doesn't count against the first call; what fails there is told by the verdict."""
    done: list[str] = []

    def broken():
        done.append("broken")
        raise ImportError("no")

    rules = [
        Rule("a", lambda context: None, prepare=lambda: done.append("a")),
        replace(failing(ImportError("no")), prepare=broken),
    ]
    guard = Guard([policy(*rules)])

    assert done == ["a", "broken"]
    assert guard.judge(context()).unavailable


def test_a_python_rule_gives_a_finding(tmp_path, monkeypatch):
    """It sees the decision's context; the policy's own reason, decision and id come first."""
    (tmp_path / "rules_of_ours.py").write_text(
        "from pytest_agentreplay import Finding\n"
        "def limit(context):\n"
        "    if context.args['amount'] > 100:\n"
        "        return Finding(rule='x', reason='too much', confidence=0.5, severity='medium')\n"
        "def wrong(context):\n    return 'no'\n"
        "async def slow(context):\n    return None\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    rules = "\n".join(
        f"  - {{id: {name}, python: 'rules_of_ours:{name}'}}" for name in ("limit", "wrong", "slow", "gone")
    )
    found = parse_policy(f"format: agentreplay.policy/1\nrules:\n{rules}\n").judge("pay", {"amount": 200}).findings

    assert (found[0].rule, found[0].reason, found[0].confidence, found[0].decision) == (
        "limit",
        "too much",
        0.5,
        "warn",
    )
    assert [finding.reason.partition(":")[0] for finding in found[1:]] == ["unavailable"] * 3
    assert "returned builtins.str" in found[1].reason
