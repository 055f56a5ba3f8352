"""Managed agents, tools of the user's own classes and rich results, in styles that no page shows."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from smolagents import ChatMessage, CodeAgent, Model, Tool, ToolCallingAgent, tool
from smolagents.models import ChatMessageToolCall, ChatMessageToolCallFunction, MessageRole

from pytest_agentreplay.adapters.built_in import BUILT_IN
from pytest_agentreplay.conformance.rehearsal import Rehearsal

RAN: list[str] = []


@dataclass
class Order:
    """What a tool returns, which is not JSON."""

    number: str
    cents: int


class Pay(Tool):
    """A tool as a class of the user's own, which has to be set up."""

    name = "pay"
    description = "Pay."
    inputs = {"order": {"type": "string", "description": "which"}}  # noqa: RUF012 - as the framework wants it
    output_type = "string"

    def setup(self):
        RAN.append("set up")
        self.is_initialized = True

    def forward(self, order: str) -> str:
        RAN.append(order)
        return f"paid {order}"


@tool
def find(order: str) -> Order:
    """Find an order.

    Args:
        order: which
    """
    return Order(order, 4500)


class Scripted(Model):
    """Says one thing after the other."""

    def __init__(self, *turns):
        super().__init__(model_id="scripted")
        self.turns = list(turns)

    def generate(self, messages, **options):
        said = self.turns.pop(0)
        if isinstance(said, str):
            return ChatMessage(role=MessageRole.ASSISTANT, content=f"<code>\n{said}\n</code>")
        name, args = said
        function = ChatMessageToolCallFunction(name=name, arguments=args)
        call = ChatMessageToolCall(id="call", type="function", function=function)
        return ChatMessage(role=MessageRole.ASSISTANT, content="", tool_calls=[call])


@pytest.fixture
def rehearsal(tmp_path):
    RAN.clear()
    return Rehearsal(tmp_path, BUILT_IN)


def test_a_managed_agent_is_an_actor_also_under_code(rehearsal):
    """Generated code runs in threads of its own; whose it is, is known there too."""

    def agent():
        biller = CodeAgent(
            tools=[Pay()],
            model=Scripted("pay(order='o-1')", "final_answer('ok')"),
            name="biller",
            description="pays",
            verbosity_level=0,
        )
        desk = CodeAgent(
            tools=[],
            managed_agents=[biller],
            model=Scripted("print(biller('pay'))", "final_answer('done')"),
            verbosity_level=0,
        )
        return desk.run("pay")

    trace = rehearsal.record(agent)
    run = rehearsal.replay(trace, agent)

    assert [(step.tool, step.actor) for step in trace.tool_steps] == [("pay", "biller")]
    assert run.output == "done" and RAN == ["set up", "o-1"]


def test_generated_code_gets_the_object_that_the_tool_returned(rehearsal):
    """A dataclass is rebuilt from the return annotation, so that code that uses its fields goes on working."""

    def agent():
        one = CodeAgent(tools=[find], model=Scripted("final_answer(find(order='o-1').cents)"), verbosity_level=0)
        return one.run("find")

    trace = rehearsal.record(agent)
    run = rehearsal.replay(trace, agent)

    assert trace.tool_steps[0].result == {"number": "o-1", "cents": 4500}
    assert run.output == 4500


def test_a_tool_called_by_hand_is_a_call(rehearsal):
    """Not only agents call tools; a positional argument has its parameter's name."""
    pay = Pay()

    def agent():
        one = ToolCallingAgent(tools=[pay], model=Scripted(("final_answer", {"answer": "ok"})), verbosity_level=0)
        return f"{one.run('x')} {pay('o-7')}"

    trace = rehearsal.record(agent)
    run = rehearsal.replay(trace, agent)

    assert trace.tool_steps[0].args == {"order": "o-7"}
    assert run.output == "ok paid o-7" and RAN == ["set up", "o-7"]
