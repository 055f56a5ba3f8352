"""A guard judges the calls of a framework's agent outside pytest's sessions, too."""

from __future__ import annotations

import json

from agents import Agent, Runner, function_tool
from agents.testing import ScriptedModel
from agents.testing.model import assistant_message, function_call
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import FunctionModel

from pytest_agentreplay import guard
from pytest_agentreplay.conformance.adapters import POLICY

RAN: list[str] = []


@function_tool
def send(to: str, text: str) -> str:
    """Send."""
    RAN.append(to)
    return "sent"


def test_openai_agents(tmp_path):
    """The blocked call is answered with the reason, the allowed one runs, and so does an unguarded one after it."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    told = []

    def answer(call):
        told.extend(item["output"] for item in call.input if isinstance(item, dict) and "output" in item)
        return [assistant_message("done")]

    def agent(to):
        from agents.testing.model import ModelStep

        first = [function_call("send", json.dumps({"to": to, "text": "hi"}), call_id="call-1")]
        return Agent("desk", tools=[send], model=ScriptedModel([first, ModelStep.respond(answer)]))

    RAN.clear()
    with guard(policy):
        Runner.run_sync(agent("mallory"), "send")
        Runner.run_sync(agent("bob"), "send")
    Runner.run_sync(agent("mallory"), "send")

    assert RAN == ["bob", "mallory"]
    assert "nothing is sent to mallory" in told[0] and told[1:] == ["sent", "sent"]


def test_pydantic_ai(tmp_path):
    """The blocked call is a failed tool result with the reason."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    told = []

    def answer(messages, info):
        parts = [part for part in messages[-1].parts if part.part_kind == "tool-return"]
        told.extend(part.content for part in parts)
        return ModelResponse([TextPart("done")] if parts else [ToolCallPart("send", {"to": "mallory", "text": "hi"})])

    agent = PydanticAgent(FunctionModel(answer))
    ran = []

    @agent.tool_plain
    def send(to: str, text: str) -> str:
        """Send."""
        ran.append(to)
        return "sent"

    with guard(policy):
        agent.run_sync("send")

    assert ran == [] and "nothing is sent to mallory" in told[0]
