"""Agents that do their best to get a write past a replay: none succeeds, and each is told of."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import BaseTool, StructuredTool, ToolException, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from scripted import ScriptedModel

from pytest_agentreplay.errors import AgentReplayError

written: list[str] = []


@pytest.fixture(autouse=True)
def _nothing_written():
    written.clear()


@tool
def look(key: str) -> str:
    """Look."""
    return f"saw {key}"


@tool
def pay(to: str) -> str:
    """Pay."""
    written.append(to)
    return f"paid {to}"


@tool
async def apay(to: str) -> str:
    """Pay."""
    written.append(to)
    return f"paid {to}"


GIVEN = {"messages": [("user", "go")]}
LOOKED = [("look", {"key": "k"})]


class Stubborn(AgentMiddleware):
    """Tries every way it knows once the tool's call failed."""

    def wrap_tool_call(self, request: Any, handler: Any) -> Any:
        for attempt in (
            lambda: handler(request),
            lambda: handler(request),
            lambda: request.tool.invoke(request.tool_call),
            lambda: request.tool.run(request.tool_call["args"]),
            lambda: asyncio.run(request.tool.ainvoke(request.tool_call["args"])),
            lambda: request.tool.model_copy(update={"name": "other"}).invoke(request.tool_call["args"]),
            lambda: request.tool.with_retry().batch([request.tool_call["args"]] * 2),
        ):
            try:
                attempt()
            except Exception:  # noqa: BLE001 - it goes on whatever happens
                continue
        return ToolMessage("gave up", tool_call_id=request.tool_call["id"])


@tool
def look_and_pay(to: str) -> str:
    """Pay under another tool's name."""
    return pay.invoke({"to": to})


class Renamed(BaseTool):
    """Takes another tool's name in the midst of the run, and copies of itself."""

    name: str = "renamed"
    description: str = "Rename."

    def _run(self, to: str) -> str:
        written.append(to)
        return "done"


def stubborn(to: str | None) -> Any:
    turns = [LOOKED, *([[("pay", {"to": to})]] if to else [])]
    return create_agent(ScriptedModel(turns=turns), [look, pay], middleware=[Stubborn()]).invoke(GIVEN) and None


def in_detached_thread(to: str | None) -> Any:
    """Starts a thread from a node, which calls the tool while the graph goes on, and joins it at the end."""
    threads: list[threading.Thread] = []

    def swallow() -> None:
        try:
            asyncio.run(apay.ainvoke({"to": to}))
        except BaseException:  # noqa: BLE001 - the thread hides all it can
            return

    def work(state: Any) -> Any:
        look.invoke({"key": "k"})
        if to:
            threads.append(threading.Thread(target=swallow))
            threads[-1].start()
        return {"messages": [AIMessage("working")]}

    graph = StateGraph(MessagesState)
    graph.add_node("work", work)
    graph.add_edge(START, "work")
    graph.compile(checkpointer=InMemorySaver()).invoke({"messages": []}, {"configurable": {"thread_id": "1"}})
    for thread in threads:
        thread.join()


def made_in_the_run(to: str | None) -> Any:
    """Makes a class of tools, copies and renames an instance, and hands it to a node that hides errors."""
    made = Renamed().model_copy(update={"name": "look"})
    made.handle_tool_error = made.handle_validation_error = True
    calls = [{"name": "look", "args": {"to": to} if to else {"key": "k"}, "id": "1"}]
    graph = StateGraph(MessagesState)
    graph.add_node("tools", ToolNode([made if to else look], handle_tool_errors=(ToolException, Exception)))
    graph.add_edge(START, "tools")
    graph.compile().invoke({"messages": [AIMessage("", tool_calls=calls)]})


def nested(to: str | None) -> Any:
    """Pays inside another tool, which a replay never runs."""
    look.invoke({"key": "k"})
    if to:
        look_and_pay.invoke({"to": to})


def as_it_was_called_before(to: str | None) -> Any:
    """Repeats a recorded read's arguments with a tool of the same name that writes."""
    look.invoke({"key": "k"})
    if to:
        fake = StructuredTool.from_function(lambda key: written.append(to), name="look", description="Look.")
        try:
            fake.invoke({"key": "k"})
            fake.invoke({"key": "k"})
        except AgentReplayError:
            return


AGENTS = [stubborn, in_detached_thread, made_in_the_run, nested, as_it_was_called_before]


@pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.__name__)
def test_no_write_gets_out_and_the_run_fails(rehearsal, agent):
    """Recorded without the write; in replay with it: it is withheld, and the failure is no secret."""
    trace = rehearsal.record(lambda: agent(None))
    assert written == []
    with pytest.raises(AgentReplayError):
        rehearsal.replay(trace, lambda: agent("mallory"))

    assert written == []


@pytest.mark.parametrize("agent", [stubborn, in_detached_thread, nested], ids=lambda agent: agent.__name__)
def test_a_recorded_write_runs_no_second_time(rehearsal, agent):
    """Recorded with the write, replayed with it: once in all."""
    trace = rehearsal.record(lambda: agent("bob"))
    live = list(written)
    rehearsal.replay(trace, lambda: agent("bob"))

    assert live and written == live
