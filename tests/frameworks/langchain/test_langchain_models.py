"""Real chat models over HTTP: recorded once, replayed offline and sealed; what ran around the boundary is told."""

from __future__ import annotations

import pytest

from tests.providers.imitation import ImitationProvider, calls, says

SUPPORT = """\
import asyncio

from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

RAN = open(__file__ + ".ran", "a", buffering=1)


@tool
def lookup(order: str) -> dict:
    "Look up."
    return {"order": order, "status": "paid"}


@tool
def refund(order: str, cents: int) -> str:
    "Refund."
    RAN.write("refund\\n")
    return f"refunded {cents}"


def ask(question):
    return create_agent(ChatOpenAI(model="gpt-4o"), [lookup, refund]).invoke({"messages": [("user", question)]})


def openai(question):
    return ask(question)["messages"][-1].text


async def anthropic(question):
    agent = create_agent(ChatAnthropic(model="claude-sonnet-4-5"), [lookup, refund])
    return (await agent.ainvoke({"messages": [("user", question)]}))["messages"][-1].text


def streamed(question):
    agent = create_agent(ChatOpenAI(model="gpt-4o", streaming=True), [lookup, refund])
    stream = agent.stream({"messages": [("user", question)]}, stream_mode="messages")
    return "".join(chunk.text for chunk, about in stream if chunk.type == "AIMessageChunk")


class State(TypedDict, total=False):
    question: str
    answer: str


def work(state):
    model = ChatOpenAI(model="gpt-4o").bind_tools([lookup, refund])
    messages = [HumanMessage(state["question"])]
    while (reply := model.invoke(messages)).tool_calls:
        messages.append(reply)
        for call in reply.tool_calls:
            messages.append(BY_HAND[call["name"]](call))
    return {"answer": reply.text}


BY_HAND = {
    "lookup": lambda call: lookup.invoke(call),
    "refund": lambda call: ToolMessage(refund.func(**call["args"]), tool_call_id=call["id"], name="refund"),
}
graph = StateGraph(State)
graph.add_node("work", work)
graph.add_edge(START, "work")
WORKER = graph.compile()


def by_hand(question):
    return WORKER.invoke({"question": question})["answer"]


HELPER = WORKER.as_tool(name="helper", description="Ask.", arg_types={"question": str})


def chief(question):
    agent = create_agent(ChatOpenAI(model="gpt-4o"), [HELPER])
    return agent.invoke({"messages": [("user", question)]})["messages"][-1].text
"""

TEST = """\
import support

def test_it(agent_replay):
    run = agent_replay("it", support.{agent}, input="Pay o-1 back.")
    assert run.output == "Done."
"""


@pytest.fixture
def project(pytester, monkeypatch):
    """A project with agents over the providers' own clients."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-test")
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    monkeypatch.setenv("LANGSMITH_API_KEY", "ls-test")
    pytester.makepyfile(support=SUPPORT)
    return pytester


def run_with(project, monkeypatch, script, *args, apart=False):
    with ImitationProvider(script) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{provider.url}/v1")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", provider.url)
        run = project.runpytest_subprocess if apart else project.runpytest_inprocess
        return run("-q", "-W", "ignore", "-p", "no:cacheprovider", *args), len(provider.requests)


@pytest.mark.parametrize("agent", ["openai", "anthropic", "streamed"])
def test_a_provider_is_recorded_and_replayed(project, monkeypatch, agent):
    """Recorded against the provider, replayed with nobody asked, no tool run, and LangSmith told nothing."""
    project.makepyfile(TEST.format(agent=agent))
    script = [calls("lookup", order="o-1"), calls("refund", order="o-1", cents=4500), says("Done.")]
    recorded, asked = run_with(project, monkeypatch, script, "--agent-record=once", apart=agent == "openai")
    recorded.assert_outcomes(passed=1)
    replayed, again = run_with(project, monkeypatch, [], apart=agent == "openai")
    replayed.assert_outcomes(passed=1)

    assert (asked, again) == (3, 0)
    assert (project.path / "support.py.ran").read_text() == "refund\n"
    trace = (project.path / "golden_traces" / "it.yaml").read_text()
    assert "tool: refund" in trace and "at: tools" in trace


def test_a_tool_that_runs_around_the_boundary_is_told(project, monkeypatch):
    """Code that calls a tool's function itself is found out by what the model is told."""
    project.makepyfile(TEST.format(agent="by_hand"))
    script = [calls("lookup", order="o-1"), calls("refund", order="o-1", cents=4500), says("Done.")]
    recorded, _ = run_with(project, monkeypatch, script, "--agent-record=once")

    recorded.assert_outcomes(failed=1)
    recorded.stdout.fnmatch_lines(["*refund ran without passing the boundary*"])


@pytest.mark.filterwarnings("ignore")
def test_an_agent_that_is_a_tool_went_around_nothing(project, monkeypatch):
    """The tool that an agent was made is no call, and no tool that bypassed the boundary either."""
    project.makepyfile(TEST.format(agent="chief"))
    script = [calls("helper", question="o-1?"), calls("lookup", order="o-1"), says("It is paid."), says("Done.")]
    recorded, asked = run_with(project, monkeypatch, script, "--agent-record=once")
    recorded.assert_outcomes(passed=1)
    replayed, again = run_with(project, monkeypatch, [])
    replayed.assert_outcomes(passed=1)

    assert (asked, again) == (4, 0)
    assert "actor: helper" in (project.path / "golden_traces" / "it.yaml").read_text()
