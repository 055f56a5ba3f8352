"""Teams of agents and tools of MCP servers: handing over is no call, nested boundaries are one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_mcp_adapters.tools import load_mcp_tools
from langgraph.checkpoint.memory import InMemorySaver
from langgraph_supervisor import create_supervisor
from langgraph_swarm import create_handoff_tool, create_swarm
from mcp.server.fastmcp import FastMCP
from mcp.shared.memory import create_connected_server_and_client_session
from mcp.types import ToolAnnotations
from scripted import ScriptedModel

from pytest_agentreplay.adapters.built_in import BUILT_IN
from pytest_agentreplay.conformance.rehearsal import Rehearsal

ran: list[str] = []
GIVEN = {"messages": [("user", "go")]}


@pytest.fixture(autouse=True)
def _nothing_ran():
    ran.clear()


@tool
def send(to: str) -> str:
    """Send."""
    ran.append(to)
    return f"sent to {to}, {len(ran)}"


def swarm() -> Any:
    alice = create_agent(
        ScriptedModel(turns=[[("transfer_to_bob", {})]]), [send, create_handoff_tool(agent_name="bob")], name="alice"
    )
    bob = create_agent(
        ScriptedModel(turns=[[], [("send", {"to": "x"})]]), [send, create_handoff_tool(agent_name="alice")], name="bob"
    )
    team = create_swarm([alice, bob], default_active_agent="alice").compile(checkpointer=InMemorySaver())
    return team.invoke(GIVEN, {"configurable": {"thread_id": "1"}})


def supervised() -> Any:
    bob = create_agent(ScriptedModel(turns=[[], [("send", {"to": "x"})]]), [send], name="bob")
    boss = ScriptedModel(turns=[[("transfer_to_bob", {})]])
    return create_supervisor([bob], model=boss, prompt="Lead.").compile().invoke(GIVEN)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("team", [swarm, supervised])
def test_a_handoff_is_no_call(rehearsal, team):
    """Who took over calls under its own name; the handoff itself happens live."""

    def run():
        return [message.content for message in team()["messages"]]

    trace = rehearsal.record(run)
    replayed = rehearsal.replay(trace, run)

    assert [(step.tool, step.actor) for step in trace.tool_steps] == [("send", "bob")]
    assert ran == ["x"] and replayed.output == trace.output


def deep() -> Any:
    deepagents = pytest.importorskip("deepagents")
    write = [("write_file", {"file_path": "/b.txt", "content": "B"})]
    mailer = {
        "name": "mailer",
        "description": "mails",
        "system_prompt": "Mail.",
        "tools": [send],
        "model": ScriptedModel(turns=[[("send", {"to": "x"})], write], says="mailed"),
    }
    ask = [("task", {"description": "mail", "subagent_type": "mailer"})]
    agent = deepagents.create_deep_agent(
        model=ScriptedModel(turns=[write, ask, [("ls", {"path": "/"})]]), tools=[send], subagents=[mailer]
    )
    return agent.invoke(GIVEN)


def test_a_deep_agents_task_is_no_call_and_its_files_are_there(rehearsal):
    """What `task` starts calls under its own name; files that stubbed tools wrote are in the state."""
    seen: list[Any] = []

    def run():
        seen.append(deep())

    trace = rehearsal.record(run)
    rehearsal.replay(trace, run)

    assert ran == ["x"] and seen[0]["files"] == seen[1]["files"]
    assert [(step.tool, step.actor) for step in trace.tool_steps] == [
        ("write_file", None),
        ("send", "mailer"),
        ("write_file", "mailer"),
        ("ls", None),
    ]


SERVER = FastMCP("orders")


@SERVER.tool(annotations=ToolAnnotations(readOnlyHint=True))
def lookup(order: str) -> str:
    """Look up."""
    ran.append(f"lookup {order}")
    return f"order {order}"


@SERVER.tool()
def refund(order: str, cents: int = 100) -> str:
    """Refund."""
    ran.append(f"refund {order}")
    return f"refunded {cents}"


def test_a_tool_of_an_mcp_server_is_one_call(tmp_path):
    """LangChain's boundary lies over MCP's; the server's hints give the effects; the server's tools don't run again."""
    rehearsal = Rehearsal(tmp_path, [item for item in BUILT_IN if item.name in ("langchain", "langgraph", "mcp")])
    outputs: list[Any] = []

    async def run():
        async with create_connected_server_and_client_session(SERVER) as session:
            script = [[("lookup", {"order": "o-1"})], [("refund", {"order": "o-1"})]]
            agent = create_agent(ScriptedModel(turns=script), await load_mcp_tools(session))
            result = await agent.ainvoke(GIVEN)
            outputs.append([(m.text, m.artifact) for m in result["messages"] if m.type == "tool"])

    trace = rehearsal.record(lambda: asyncio.run(run()))
    rehearsal.replay(trace, lambda: asyncio.run(run()))

    assert ran == ["lookup o-1", "refund o-1"]
    assert [step.tool for step in trace.tool_steps] == ["lookup", "refund"]
    assert trace.tools == {"lookup": "read"}
    assert outputs[0] == outputs[1]
