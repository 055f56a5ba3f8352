"""Each shipped incident fails on the agent that caused it and passes on the fixed one; its policy stops the harm."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from golden_traces.incidents.agents import real_world
from pytest_agentreplay import DivergenceError, load_policy, load_trace

FOLDER = Path(__file__).parents[2] / "golden_traces" / "incidents"
# What the failure has to speak of, so that a bad agent that fails for another reason is noticed.
CAUGHT_AT = {
    "apply_on_production": "workspace",
    "delete_in_wrong_directory": "run_shell",
    "refund_instead_of_charge": "move_money",
    "reminders_sent_twice": "send_reminder",
    "search_loop": "search_docs",
    "secret_sent_out": "read_file",
}
# The call that did the harm, and the rule that has to object to it.
BLOCKED_BY = {
    "apply_on_production": ("terraform_apply#1", "production-by-name"),
    "delete_in_wrong_directory": ("run_shell#1", "look-before-you-delete"),
    "refund_instead_of_charge": ("move_money#1", "refund-intent"),
    "reminders_sent_twice": ("send_reminder#3", "ask-before-sending-again"),
    "search_loop": ("search_docs#3", "loops/same"),
    "secret_sent_out": ("read_file#1", "files-the-user-named"),
}
POLICIES = FOLDER.parent / "policies"
POLICY_TESTS = FOLDER.parent / "policy_tests"


def _agents(name):
    return import_module(f"golden_traces.incidents.agents.{name}")


@pytest.fixture(autouse=True)
def _no_tool_ran():
    real_world.reached.clear()
    yield
    assert real_world.reached == []


def test_every_incident_is_tested():
    """No trace of the folder is left out."""
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(CAUGHT_AT) == set(BLOCKED_BY)


@pytest.mark.parametrize("name", CAUGHT_AT)
def test_bad_agent_diverges(name, agent_replay):
    """The agent of the incident fails its own golden trace, at the call that did the harm."""
    with pytest.raises(DivergenceError) as failure:
        agent_replay(f"incidents/{name}", _agents(name).run_bad)

    assert CAUGHT_AT[name] in str(failure.value)


@pytest.mark.parametrize("name", CAUGHT_AT)
def test_fixed_agent_passes(name, agent_replay):
    """The fixed agent meets what the incident expects, on recorded answers alone."""
    run = agent_replay(f"incidents/{name}", _agents(name).run)

    assert run.tools
    assert isinstance(run.output, str)


@pytest.mark.parametrize("name", BLOCKED_BY)
def test_policy_blocks_the_harmful_call(name, agent_replay):
    """With nothing else to stop it, the agent of the incident gets as far as the harmful call, and no further."""
    address, rule = BLOCKED_BY[name]

    with pytest.raises(DivergenceError) as failure:
        agent_replay(f"incidents/{name}", _agents(name).run_bad, expect={"calls": {}})
    run = agent_replay(f"incidents/{name}", _agents(name).run_bad, check=False)

    blocked = [made for made, verdict in run.verdicts.items() if verdict.decision == "block"]
    objecting = {finding.rule for finding in run.verdict(address).findings if finding.decision == "block"}
    assert blocked == [address] == list(run.verdicts)[-1:]
    assert rule in objecting
    assert rule in str(failure.value) and "blocked" in str(failure.value)
    assert run.output.startswith(f"I may not call {address.partition('#')[0]}")


@pytest.mark.parametrize("name", BLOCKED_BY)
def test_policy_lets_the_fixed_agent_work(name, agent_replay):
    """No call of the fixed agent is blocked or warned of, and each was judged by the policy that the trace names."""
    run = agent_replay(f"incidents/{name}", _agents(name).run)

    assert {verdict.effective for verdict in run.verdicts.values()} <= {"allow", "log"}
    assert {verdict.policy for verdict in run.verdicts.values()} == {
        load_policy(FOLDER / path).label for path in run.trace.policies
    }


@pytest.mark.parametrize("name", BLOCKED_BY)
def test_without_the_guard_the_trace_still_fails(name, agent_replay):
    """What the trace expects catches the agent of the incident by itself, and none of it is the policy's doing."""
    trace = load_trace(FOLDER / f"{name}.yaml")
    alone = trace.model_copy(update={"policies": []})

    with pytest.raises(DivergenceError) as failure:
        agent_replay(alone, _agents(name).run_bad)

    assert CAUGHT_AT[name] in str(failure.value)
    assert failure.value.divergence.kind != "verdict"


def test_policies_are_named_and_tested():
    """Every policy that ships is named by a trace, and each of its own rules is tried both ways."""
    named = {(path.parent / name).resolve() for path in FOLDER.glob("*.yaml") for name in load_trace(path).policies}
    policies = [load_policy(path) for path in sorted(POLICIES.glob("*.yaml"))]
    untried = [
        f"{policy.name}/{rule.id}"
        for policy in policies
        for rule in policy.spec.rules
        if rule.tests is None or not rule.tests.allow or not (rule.tests.block or rule.tests.warn)
    ]

    assert named == set(POLICIES.glob("*.yaml"))
    assert untried == []


@pytest.mark.parametrize("path", sorted(POLICY_TESTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_policy_tests_need_no_agent(path):
    """The traces that only try a policy name no agent, and hold on to a block."""
    trace = load_trace(path)
    recorded = {step.verdict.effective for step in trace.tool_steps if step.verdict is not None}
    expected = set((trace.expect.verdicts or {}).values()) if trace.expect is not None else recorded

    assert trace.agent is None and trace.policies
    assert expected == {"allow", "block"}


def test_a_tool_that_runs_for_real_is_noticed():
    """The tests above could fail: outside a replay a tool's body runs, says so and leaves its mark."""
    with pytest.raises(AssertionError, match="ran for real"):
        _agents("search_loop").search_docs("anything")

    assert real_world.reached == ["search_docs"]
    real_world.reached.clear()
