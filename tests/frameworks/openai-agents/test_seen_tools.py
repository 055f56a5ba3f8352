"""What these frameworks answer in a tool's place is no tool that went around the boundary."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.providers.imitation import ImitationProvider, calls, says

ROOT = Path(__file__).parents[3]

AGENTS = """
from pydantic import BaseModel
from pydantic_ai import Agent as PydanticAgent, ModelRetry
from agents import Agent, Runner, function_tool

class Answer(BaseModel):
    text: str

def pydantic_agent(output=str):
    agent = PydanticAgent("openai-chat:m-1", output_type=output, retries=3)

    @agent.tool_plain
    def lookup(order: str) -> str:
        if order == "bad":
            raise ModelRetry("no such order, take o-1")
        return "found " + order

    return agent

def pydantic_run(output=str):
    return lambda: str(pydantic_agent(output).run_sync("go").output)

@function_tool
def lookup(order: str) -> str:
    if order == "bad":
        raise ValueError("no such order")
    return "found " + order

helper = Agent("helper", model="m-1", tools=[lookup])
lead = Agent(
    "lead", model="m-1", tools=[lookup, helper.as_tool("ask_helper", "asks the helper")], handoffs=[helper]
)

async def agents_run():
    return (await Runner.run(lead, "go")).final_output
"""

TEST = """
import pytest, agents_under_test as own
from agents import set_tracing_disabled, set_default_openai_api
set_tracing_disabled(True)
set_default_openai_api("chat_completions")

@pytest.mark.parametrize("name", {names})
def test_run(agent_replay, name):
    agent = {{
        "pydantic": own.pydantic_run(), "pydantic-output": own.pydantic_run(own.Answer), "agents": own.agents_run,
    }}[name.partition(":")[0]]
    agent_replay(name.replace(":", "-"), agent)
"""

SCRIPTS = {
    "pydantic:plain": [calls("lookup", order="o-1"), says("done")],
    "pydantic:retry": [calls("lookup", order="bad"), calls("lookup", order="o-1"), says("done")],
    "pydantic:misfit": [calls("lookup", number=3), calls("lookup", order="o-1"), says("done")],
    "pydantic:unknown": [calls("look_up", order="o-1"), calls("lookup", order="o-1"), says("done")],
    "pydantic-output:final": [calls("lookup", order="o-1"), calls("final_result", text="done")],
    "pydantic-output:both": [calls(("lookup", {"order": "o-1"}), ("final_result", {"text": "done"}))],
    "pydantic-output:again": [calls("final_result", wrong=1), calls("final_result", text="done")],
    "agents:plain": [calls("lookup", order="o-1"), says("done")],
    "agents:error": [calls("lookup", order="bad"), says("done")],
    "agents:misfit": [calls("lookup", number=3), says("done")],
    "agents:handoff": [calls("transfer_to_helper"), calls("lookup", order="o-1"), says("done")],
    "agents:tool": [calls("ask_helper", input="go"), calls("lookup", order="o-1"), says("helped"), says("done")],
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_run_of_a_framework_is_taken_for_a_bypass(name, pytester, monkeypatch):
    """Retries, refused arguments, unknown tools, final outputs, handovers, agents as tools: recorded and replayed."""
    pytester.makeini(f"[pytest]\npythonpath = . {ROOT}\n")
    pytester.makepyfile(agents_under_test=AGENTS, test_runs=TEST.format(names=[name]))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    flags = ("-p", "no:cacheprovider", "-W", "ignore")
    with ImitationProvider(SCRIPTS[name]) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", provider.url + "/v1")
        recorded = pytester.runpytest_subprocess("--agent-record=once", *flags)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    replayed = pytester.runpytest_subprocess(*flags)

    recorded.assert_outcomes(passed=1)
    replayed.assert_outcomes(passed=1)
