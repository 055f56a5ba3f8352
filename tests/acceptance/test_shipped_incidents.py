"""Each shipped incident fails on the agent that caused it and passes on the fixed one."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from golden_traces.incidents.agents import real_world
from pytest_agentreplay import DivergenceError

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


def _agents(name):
    return import_module(f"golden_traces.incidents.agents.{name}")


@pytest.fixture(autouse=True)
def _no_tool_ran():
    real_world.reached.clear()
    yield
    assert real_world.reached == []


def test_every_incident_is_tested():
    """No trace of the folder is left out."""
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(CAUGHT_AT)


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


def test_a_tool_that_runs_for_real_is_noticed():
    """The tests above could fail: outside a replay a tool's body runs, says so and leaves its mark."""
    with pytest.raises(AssertionError, match="ran for real"):
        _agents("search_loop").search_docs("anything")

    assert real_world.reached == ["search_docs"]
    real_world.reached.clear()
