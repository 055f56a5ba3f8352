"""Agents that others hand to, or use as tools, are named as actors; their calls are stubbed like any."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass, field

import pytest
from agents import Agent, RunContextWrapper, Runner, function_tool
from agents.testing import ScriptedModel
from agents.testing.model import assistant_message, function_call

from pytest_agentreplay.adapters.built_in import BUILT_IN
from pytest_agentreplay.conformance.rehearsal import Rehearsal
from pytest_agentreplay.errors import AgentReplayError

RAN: list[str] = []


@dataclass
class Desk:
    """The context of a run, as users write them."""

    customer: str = "ann"
    paid: list[str] = field(default_factory=list)
    lock: object = field(default_factory=threading.Lock)


class Payments:
    """Tools as methods of an object that was made at import."""

    def __init__(self):
        @function_tool
        def pay(desk: RunContextWrapper[Desk], order: str) -> str:
            RAN.append(order)
            desk.context.paid.append(order)
            return f"paid {order}"

        self.pay = pay


PAYMENTS = Payments()


@pytest.fixture
def rehearsal(tmp_path):
    RAN.clear()
    return Rehearsal(tmp_path, BUILT_IN)


def _call(tool, **args):
    return [function_call(tool, json.dumps(args), call_id=f"call-{tool}")]


def _handing_over():
    biller = Agent(
        "biller", tools=[PAYMENTS.pay], model=ScriptedModel([_call("pay", order="o-1"), [assistant_message("ok")]])
    )
    desk = Agent("desk", handoffs=[biller], model=ScriptedModel([_call("transfer_to_biller")]))
    return Runner.run_sync(desk, "pay", context=Desk()).final_output


def _using_as_tool():
    biller = Agent(
        "biller", tools=[PAYMENTS.pay], model=ScriptedModel([_call("pay", order="o-1"), [assistant_message("ok")]])
    )
    tool = biller.as_tool("ask_biller", "asks")
    desk = Agent(
        "desk",
        tools=[tool, PAYMENTS.pay],
        model=ScriptedModel([_call("ask_biller", input="pay"), _call("pay", order="o-2"), [assistant_message("ok")]]),
    )
    return Runner.run_sync(desk, "pay", context=Desk()).final_output


def test_after_a_handoff_the_other_agent_is_the_actor(rehearsal):
    """The call of the agent that took over is expected, answered and named after it."""
    trace = rehearsal.record(_handing_over)
    rehearsal.replay(trace, _handing_over)

    assert [(step.address, step.actor) for step in trace.tool_steps] == [("pay@biller#1", "biller")]
    assert RAN == ["o-1"]


def test_an_agent_as_a_tool_is_an_actor(rehearsal):
    """What a sub-agent calls is a call of its own, before what the agent itself calls."""
    trace = rehearsal.record(_using_as_tool)
    rehearsal.replay(trace, _using_as_tool)

    assert [step.address for step in trace.tool_steps] == ["pay@biller#1", "pay#1"]
    assert RAN == ["o-1", "o-2"]


def test_a_sub_agent_that_does_something_else_diverges(rehearsal):
    """A write of a sub-agent that was not recorded does not run."""
    trace = rehearsal.record(_handing_over)

    def changed():
        biller = Agent(
            "biller", tools=[PAYMENTS.pay], model=ScriptedModel([_call("pay", order="o-9"), [assistant_message("ok")]])
        )
        return Runner.run_sync(biller, "pay", context=Desk()).final_output

    with pytest.raises(AgentReplayError, match="o-9"):
        rehearsal.replay(trace, changed)

    assert RAN == ["o-1"]


def test_the_context_is_state_and_is_written_back(rehearsal):
    """A stubbed tool leaves in the context what the recorded one left, beside what can't be JSON."""
    desks = []

    def agent():
        desks.append(Desk())
        one = Agent(
            "desk", tools=[PAYMENTS.pay], model=ScriptedModel([_call("pay", order="o-1"), [assistant_message("ok")]])
        )
        return asyncio.run(Runner.run(one, "pay", context=desks[-1])).final_output

    trace = rehearsal.record(agent)
    run = rehearsal.replay(trace, agent)

    assert desks[1].paid == ["o-1"] and RAN == ["o-1"]
    assert run.state_after("pay#1")["paid"] == ["o-1"] and run.state_after("pay#1")["customer"] == "ann"


def test_arguments_that_are_no_json_are_kept_as_text(rehearsal):
    """The call is recorded with its text, and the SDK's answer to it is replayed."""

    def agent():
        broken = [function_call("pay", "{order: o-1", call_id="call-1")]
        one = Agent("desk", tools=[PAYMENTS.pay], model=ScriptedModel([broken, [assistant_message("sorry")]]))
        return Runner.run_sync(one, "pay", context=Desk()).final_output

    trace = rehearsal.record(agent)
    rehearsal.replay(trace, agent)

    assert trace.tool_steps[0].raw_args == "{order: o-1" and trace.tool_steps[0].args is None
    assert RAN == []
