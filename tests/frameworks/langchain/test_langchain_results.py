"""What tools return comes back in replay as it was live: messages, artifacts, commands, objects."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain.tools import InjectedState, InjectedStore, ToolRuntime
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage, ToolMessage
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_config, get_stream_writer
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command, Send, interrupt
from pydantic import BaseModel
from scripted import ScriptedModel
from typing_extensions import TypedDict

from pytest_agentreplay.errors import AgentReplayError

ran: list[str] = []


@pytest.fixture(autouse=True)
def _nothing_ran():
    ran.clear()


@dataclass
class Place:
    city: str
    temperature: float


class Order(BaseModel):
    id: str
    items: list[str] = []


@tool(response_format="content_and_artifact")
def search(query: str) -> tuple[str, list[Document]]:
    """Search."""
    ran.append("search")
    return f"1 hit for {query}", [Document("text", metadata={"source": "a.md", "page": 2})]


@tool
def message(key: str, call_id: Annotated[str, InjectedToolCallId]) -> ToolMessage:
    """Answer by a message."""
    ran.append("message")
    return ToolMessage([{"type": "text", "text": key}], tool_call_id=call_id, artifact={"raw": (1, 2)}, status="error")


@tool
def place(city: str) -> Place:
    """Give a dataclass."""
    ran.append("place")
    return Place(city, 3.5)


@tool
def order(id: str) -> Order:
    """Give a model."""
    ran.append("order")
    return Order(id=id, items=["x"])


@tool
def thing(name: str):
    """Give what nobody can rebuild."""
    ran.append("thing")
    return {name, 3}.__class__([name])


@tool
def blocks(text: str) -> list[Any]:
    """Give content blocks."""
    ran.append("blocks")
    return [{"type": "text", "text": text}]


@tool
def marked(text: str) -> dict[str, Any]:
    """Give a mapping that looks like a mark."""
    ran.append("marked")
    return {"langchain_ToolMessage": {"content": text}}


@tool
def nested(text: str) -> dict[str, Any]:
    """Give plain JSON."""
    ran.append("nested")
    return {"a": [1, 2.5, None, True, {"b": text}]}


CALLS = {
    "search": {"query": "q"},
    "message": {"key": "k"},
    "place": {"city": "Oslo"},
    "order": {"id": "o-1"},
    "thing": {"name": "t"},
    "blocks": {"text": "b"},
    "marked": {"text": "m"},
    "nested": {"text": "n"},
}
TOOLS = [search, message, place, order, thing, blocks, marked, nested]


def messages_of(agent: Any, mode: str) -> list[Any]:
    given = {"messages": [("user", "go")]}
    result = agent.invoke(given) if mode == "sync" else asyncio.run(agent.ainvoke(given))
    told = [message for message in result["messages"] if isinstance(message, ToolMessage)]
    return [message.model_copy(update={"id": None}) for message in told]


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("name", list(CALLS))
def test_every_kind_of_result_is_told_in_the_same_message(rehearsal, name, mode):
    """Content, artifact, status and call id of the tool's message are those of the live run."""
    agent = create_agent(ScriptedModel(turns=[[(name, CALLS[name])]]), TOOLS)
    seen: list[Any] = []

    def run():
        seen.append(messages_of(agent, mode))

    trace = rehearsal.record(run)
    rehearsal.replay(trace, run)

    assert ran == [name]
    assert seen[0] == seen[1]
    assert trace.tool_steps[0].args == CALLS[name]
    assert trace.tool_steps[0].id == "call_0_0"


@pytest.mark.parametrize("name", ["search", "place", "order", "blocks", "marked", "nested"])
def test_a_call_that_no_model_made_gives_the_object_itself(rehearsal, name):
    """`tool.invoke(args)` in plain code gives the same object, of the same type."""
    by_name = {item.name: item for item in TOOLS}
    seen: list[Any] = []

    def run():
        seen.append(by_name[name].invoke(CALLS[name]))

    rehearsal.replay(rehearsal.record(run), run)

    assert ran == [name]
    assert seen[0] == seen[1] and type(seen[0]) is type(seen[1])


def test_what_nobody_can_rebuild_is_refused_when_code_would_get_it(rehearsal):
    """Recording fails and names the tool, instead of giving something else in replay."""
    with pytest.raises(AgentReplayError, match="thing can't be recorded"):
        rehearsal.record(lambda: thing.invoke({"name": "t"}) and None)


class State(TypedDict, total=False):
    messages: Annotated[list[Any], add_messages]
    ticket: str
    visited: list[str]


@tool
def book(day: str, state: Annotated[dict[str, Any], InjectedState], runtime: ToolRuntime) -> Command[Any]:
    """Write to the graph's state."""
    ran.append("book")
    told = ToolMessage(f"booked {day}", tool_call_id=runtime.tool_call_id)
    return Command(update={"ticket": f"T-{len(state['messages'])}", "messages": [told]})


@tool
def hand_over(to: str, runtime: ToolRuntime) -> Command[Any]:
    """Hand the whole conversation over to another node."""
    ran.append("hand_over")
    told = ToolMessage(f"handed over to {to}", tool_call_id=runtime.tool_call_id, name="hand_over")
    first = runtime.state["messages"][0]
    shouted = first.model_copy(update={"content": first.content.upper()})
    return Command(goto=to, update={"messages": [shouted, *runtime.state["messages"][1:], told]})


@tool
def forget(runtime: ToolRuntime) -> list[Any]:
    """Give several commands."""
    ran.append("forget")
    first = runtime.state["messages"][0]
    return [
        Command(update={"messages": [RemoveMessage(id=first.id)], "ticket": "none"}),
        ToolMessage("forgot", tool_call_id=runtime.tool_call_id),
    ]


@tool
def fan_out(count: int, runtime: ToolRuntime) -> Command[Any]:
    """Send to a node several times."""
    ran.append("fan_out")
    told = ToolMessage("sent", tool_call_id=runtime.tool_call_id)
    sends = [Send("visit", {"visited": [f"v{n}"]}) for n in range(count)]
    return Command(goto=sends, update={"messages": [told]})


def graph_of(name: str, args: dict[str, Any]) -> Any:
    def model(state: State) -> State:
        return {"messages": [AIMessage("", tool_calls=[{"name": name, "args": args, "id": "call_1"}])]}

    graph = StateGraph(State)
    graph.add_node("model", model)
    graph.add_node("tools", ToolNode([book, hand_over, forget, fan_out]))
    graph.add_node("billing", lambda state: {"messages": [AIMessage("billed")]})
    graph.add_node("visit", lambda state: {"visited": state["visited"]})
    graph.add_edge(START, "model")
    graph.add_edge("model", "tools")
    return graph.compile()


@pytest.mark.parametrize(
    ("name", "args"), [("book", {"day": "Monday"}), ("hand_over", {"to": "billing"}), ("forget", {})]
)
def test_commands_do_to_the_graph_what_they_did(rehearsal, name, args):
    """State updates and jumps of a command are the same; messages of the state keep their ids of this run."""
    graph = graph_of(name, args)
    seen: list[Any] = []

    def run():
        seen.append(graph.invoke({"messages": [HumanMessage("hello")]}))

    trace = rehearsal.record(run)
    replayed = rehearsal.replay(trace, run)

    assert ran == [name]
    told = [[(type(item).__name__, item.content) for item in state["messages"]] for state in seen]
    assert told[0] == told[1]
    assert seen[0].get("ticket") == seen[1].get("ticket")
    assert trace.tool_steps[0].args == args
    assert replayed.calls()[0].result == trace.tool_steps[0].result


def test_a_command_to_several_nodes_is_repeated(rehearsal):
    """`Send` with its payload comes back."""
    graph = graph_of("fan_out", {"count": 1})
    seen: list[Any] = []

    def run():
        seen.append(graph.invoke({"messages": [HumanMessage("hello")]})["visited"])

    trace = rehearsal.record(run)
    rehearsal.replay(trace, run)

    assert ran == ["fan_out"] and seen == [["v0"], ["v0"]]
    assert trace.tool_steps[0].result["langchain_Command"]["goto"] == [
        {"langchain_Send": {"node": "visit", "arg": {"visited": ["v0"]}}}
    ]


@tool
def remember(text: str, store: Annotated[Any, InjectedStore()]) -> str:
    """Write to the store."""
    ran.append("remember")
    store.put(("notes", "me"), "n1", {"text": text})
    store.delete(("notes", "me"), "old")
    return "noted"


@tool
async def aremember(text: str, runtime: ToolRuntime) -> str:
    """Write to the store of the runtime."""
    ran.append("aremember")
    await runtime.store.aput(("notes", "me"), "n1", {"text": text})
    return "noted"


@pytest.mark.parametrize("name", ["remember", "aremember"])
def test_what_a_tool_put_into_the_store_is_there_in_replay(rehearsal, name):
    """A stubbed body's writes to LangGraph's store are made again; they are in the trace as the call's state."""
    stores: list[Any] = []

    def run():
        store = InMemoryStore()
        store.put(("notes", "me"), "old", {"text": "old"})
        stores.append(store)
        model = ScriptedModel(turns=[[(name, {"text": "buy milk"})]])
        agent = create_agent(model, [remember, aremember], store=store)
        asyncio.run(agent.ainvoke({"messages": [("user", "go")]}))

    trace = rehearsal.record(run)
    rehearsal.replay(trace, run)

    assert ran == [name]
    assert [store.get(("notes", "me"), "n1").value for store in stores] == [{"text": "buy milk"}] * 2
    assert stores[0].get(("notes", "me"), "old") == stores[1].get(("notes", "me"), "old") or name == "aremember"
    first = {"namespace": ["notes", "me"], "key": "n1", "value": {"text": "buy milk"}}
    assert trace.tool_steps[0].state["langgraph_store"][0] == first


@tool
def ask_twice(amount: int) -> str:
    """Ask a person twice, then act."""
    sure = interrupt({"question": f"pay {amount}?"})
    really = interrupt("really?")
    ran.append("ask_twice")
    return f"paid {amount}: {sure}, {really}"


def test_interrupts_in_a_tool_stop_the_graph_again(rehearsal):
    """A person's answers arrive at a tool's interrupts as they did; the tool itself doesn't run."""
    seen: list[Any] = []

    def run():
        model = ScriptedModel(turns=[[("ask_twice", {"amount": 5})]])
        agent = create_agent(model, [ask_twice], checkpointer=InMemorySaver())
        config = {"configurable": {"thread_id": "t"}}
        first = agent.invoke({"messages": [("user", "go")]}, config)["__interrupt__"]
        second = agent.invoke(Command(resume="yes"), config)["__interrupt__"]
        by_id = Command(resume={second[0].id: "yes, really"})
        last = agent.invoke(by_id, config)["messages"]
        seen.append(([item.value for item in (*first, *second)], [item.content for item in last]))

    trace = rehearsal.record(run)
    rehearsal.replay(trace, run)

    assert ran == ["ask_twice"] and seen[0] == seen[1]
    assert seen[0][0] == [{"question": "pay 5?"}, "really?"]
    assert seen[0][1][2] == "paid 5: yes, yes, really"
    assert [step.result for step in trace.tool_steps] == [
        {"langchain_interrupt": [{"question": "pay 5?"}]},
        {"langchain_interrupt": ["really?"]},
        "paid 5: yes, yes, really",
    ]


@tool
def progress(steps: int, runtime: ToolRuntime) -> str:
    """Report on the way, and write to a channel of the graph as deep agents' file systems do."""
    ran.append("progress")
    get_stream_writer()({"step": 0})
    for step in range(1, steps):
        runtime.stream_writer({"step": step})
    get_config()["configurable"]["__pregel_send"]([("ticket", f"T-{steps}")])
    return "finished"


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_what_a_body_streams_and_writes_to_channels_is_repeated(rehearsal, mode):
    """Custom chunks reach whoever streams, and channels have what the body wrote to them."""

    def model(state: State) -> State:
        return {"messages": [AIMessage("", tool_calls=[{"name": "progress", "args": {"steps": 3}, "id": "c"}])]}

    graph = StateGraph(State)
    graph.add_node("model", model)
    graph.add_node("tools", ToolNode([progress]))
    graph.add_edge(START, "model")
    graph.add_edge("model", "tools")
    compiled = graph.compile()
    seen: list[Any] = []

    async def astream():
        return [chunk async for chunk in compiled.astream({"messages": []}, stream_mode=["custom", "values"])]

    def run():
        stream = compiled.stream({"messages": []}, stream_mode=["custom", "values"])
        chunks = list(stream) if mode == "sync" else asyncio.run(astream())
        seen.append(([chunk for kind, chunk in chunks if kind == "custom"], chunks[-1][1]["ticket"]))

    trace = rehearsal.record(run)
    rehearsal.replay(trace, run)

    assert ran == ["progress"]
    assert seen == [([{"step": 0}, {"step": 1}, {"step": 2}], "T-3")] * 2
