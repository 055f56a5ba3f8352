"""Sub-agents, session state, and what a tool tells the runner, of ADK agents in styles that no page shows."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from google.adk.agents import LlmAgent, SequentialAgent
from google.adk.models import BaseLlm, LlmResponse
from google.adk.runners import InMemoryRunner
from google.adk.tools import AgentTool, BaseTool, ToolContext
from google.genai import types

from pytest_agentreplay.adapters.built_in import BUILT_IN
from pytest_agentreplay.conformance.rehearsal import Rehearsal

RAN: list[str] = []


class Scripted(BaseLlm):
    """Says one part after the other, by how often it was asked in this conversation."""

    parts: Any

    async def generate_content_async(self, llm_request, stream=False):
        asked = sum(any(p.function_response for p in content.parts) for content in llm_request.contents)
        yield LlmResponse(content=types.Content(role="model", parts=[self.parts[min(asked, len(self.parts) - 1)]]))


def _call(tool, **args):
    return types.Part(function_call=types.FunctionCall(id=f"call-{tool}", name=tool, args=args))


def _say(text):
    return types.Part(text=text)


class Pay(BaseTool):
    """A tool as a class of the user's own."""

    def __init__(self):
        super().__init__(name="pay", description="Pay.")

    def _get_declaration(self):
        schema = types.Schema(type="OBJECT", properties={"order": types.Schema(type="STRING")})
        return types.FunctionDeclaration(name=self.name, description=self.description, parameters=schema)

    async def run_async(self, *, args, tool_context):
        RAN.append(args["order"])
        tool_context.state["paid"] = args["order"]
        tool_context.actions.skip_summarization = True
        return {"paid": args["order"]}


async def _talk(agent):
    runner = InMemoryRunner(agent=agent, app_name="app")
    session = await runner.session_service.create_session(app_name="app", user_id="ann")
    asked = types.Content(role="user", parts=[types.Part(text="pay")])
    events = [event async for event in runner.run_async(user_id="ann", session_id=session.id, new_message=asked)]
    kept = await runner.session_service.get_session(app_name="app", user_id="ann", session_id=session.id)
    return {"events": len(events), "state": dict(kept.state)}


@pytest.fixture
def rehearsal(tmp_path):
    RAN.clear()
    return Rehearsal(tmp_path, BUILT_IN)


def test_state_and_actions_of_a_stubbed_tool_are_there(rehearsal):
    """The session's state and the runner's course are those of the recording."""

    def agent():
        return asyncio.run(
            _talk(
                LlmAgent(
                    name="desk", tools=[Pay()], model=Scripted(model="m", parts=[_call("pay", order="o-1"), _say("ok")])
                )
            )
        )

    trace = rehearsal.record(agent)
    run = rehearsal.replay(trace, agent)

    assert trace.output["state"] == {"paid": "o-1"} == run.output["state"]
    assert run.output == trace.output and RAN == ["o-1"]
    assert run.state_after("pay#1") == {"paid": "o-1"}


def test_an_agent_tool_and_a_sub_agent_are_actors(rehearsal):
    """Neither is a call; what they call carries their names."""

    def lookup(order: str, tool_context: ToolContext) -> dict:
        """Look up."""
        RAN.append(f"lookup {order}")
        return {"order": order}

    def biller(name):
        parts = [_call("pay", order="o-1"), _say("ok")]
        return LlmAgent(name=name, description="pays", tools=[Pay()], model=Scripted(model="m", parts=parts))

    def agent():
        parts = [_call("lookup", order="o-1"), _call("biller", request="pay"), _say("ok")]
        desk = LlmAgent(
            name="desk", tools=[lookup, AgentTool(biller("biller"))], model=Scripted(model="m", parts=parts)
        )
        return asyncio.run(_talk(SequentialAgent(name="both", sub_agents=[desk, biller("second")])))

    trace = rehearsal.record(agent)
    ran = list(RAN)
    run = rehearsal.replay(trace, agent)

    assert [(step.tool, step.actor) for step in trace.tool_steps] == [
        ("lookup", "desk"),
        ("pay", "biller"),
        ("pay", "second"),
    ]
    assert ran == RAN and run.output == trace.output
