"""The state after every step of a graph is in the trace, the same in every run, and told by whom."""

from __future__ import annotations

import asyncio
import operator
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, Send, interrupt
from pydantic import BaseModel
from scripted import ScriptedModel
from typing_extensions import TypedDict

from pytest_agentreplay.errors import DivergenceError
from pytest_agentreplay.trace import StateStep

ran: list[str] = []


@pytest.fixture(autouse=True)
def _nothing_ran():
    ran.clear()


@tool
def search(query: str) -> str:
    """Search."""
    ran.append(query)
    return f"docs on {query}, {len(ran)}"


class State(TypedDict, total=False):
    question: str
    docs: list[str]
    answer: str


def retrieve(state: State) -> State:
    return {"docs": [search.invoke({"query": state["question"]})]}


async def answer(state: State) -> State:
    return {"answer": f"{len(state['docs'])} found"}


def graph_of(**options: Any) -> Any:
    graph = StateGraph(State)
    graph.add_node("retrieve", retrieve)
    graph.add_node("answer", answer)
    graph.add_edge(START, "retrieve")
    graph.add_edge("retrieve", "answer")
    graph.add_edge("answer", END)
    return graph.compile(**options)


def states_of(trace: Any) -> list[tuple[str | None, Any]]:
    return [(step.at, step.state) for step in trace.steps if isinstance(step, StateStep)]


@pytest.mark.parametrize("options", [{}, {"checkpointer": InMemorySaver()}], ids=["plain", "checkpointer"])
@pytest.mark.parametrize("mode", ["ainvoke", "astream"])
def test_the_state_after_every_node_is_recorded(rehearsal, options, mode):
    """One checkpoint a node, with all channels."""
    graph = graph_of(**options)
    threads = iter(range(9))

    async def run():
        config = {"configurable": {"thread_id": f"{mode}{next(threads)}"}}
        if mode == "ainvoke":
            await graph.ainvoke({"question": "tea"}, config)
        else:
            async for _ in graph.astream({"question": "tea"}, config):
                pass

    trace = rehearsal.record(run)
    replayed = rehearsal.replay(trace, run)

    retrieved = {"question": "tea", "docs": ["docs on tea, 1"]}
    assert states_of(trace) == [("retrieve", retrieved), ("answer", {**retrieved, "answer": "1 found"})]
    assert replayed.state_after("state#1") == retrieved
    assert replayed.state_after("end")["answer"] == "1 found"
    assert ran == ["tea"]


def test_another_state_diverges(rehearsal):
    """A node that computes something else fails the replay, and the state is named."""
    trace = rehearsal.record(lambda: asyncio.run(graph_of().ainvoke({"question": "tea"})) and None)
    graph = StateGraph(State)
    graph.add_node("retrieve", retrieve)
    graph.add_node("answer", lambda state: {"answer": "none found"})
    graph.add_edge(START, "retrieve")
    graph.add_edge("retrieve", "answer")
    changed = graph.compile()
    with pytest.raises(DivergenceError, match="none found"):
        rehearsal.replay(trace, lambda: changed.invoke({"question": "tea"}) and None)


def test_messages_are_told_without_what_changes(rehearsal):
    """Messages are their type, text and calls; ids differ between the runs and are left out."""
    agent = create_agent(ScriptedModel(turns=[[("search", {"query": "x"})]]), [search])

    def run():
        agent.invoke({"messages": [HumanMessage("hi", name="anna")]})

    trace = rehearsal.record(run)
    rehearsal.replay(trace, run)

    assert [at for at, _ in states_of(trace)] == ["model", "tools", "model"]
    assert states_of(trace)[-1][1] == {
        "messages": [
            {"type": "human", "content": "hi", "name": "anna"},
            {"type": "ai", "content": "", "tool_calls": [{"name": "search", "args": {"query": "x"}}]},
            {"type": "tool", "content": "docs on x, 1", "name": "search"},
            {"type": "ai", "content": "done"},
        ]
    }


def test_parallel_calls_of_one_node_are_one_step(rehearsal):
    """Calls in a thread pool, one state after them, their results in the order of the calls."""
    calls = [("search", {"query": "a"}), ("search", {"query": "b"}), ("search", {"query": "c"})]
    agent = create_agent(ScriptedModel(turns=[calls]), [search])

    def run():
        return [m.content for m in agent.invoke({"messages": [("user", "hi")]})["messages"] if m.type == "tool"]

    trace = rehearsal.record(run)
    replayed = rehearsal.replay(trace, run)

    assert [at for at, _ in states_of(trace)] == ["model", "tools", "model"]
    assert replayed.output == trace.output and len(ran) == 3


class Part(BaseModel):
    name: str
    message: AnyMessage | None = None


@dataclass
class Record:
    parts: list[Part] = field(default_factory=list)
    tags: Annotated[list[str], operator.add] = field(default_factory=list)
    messages: Annotated[list[Any], add_messages] = field(default_factory=list)


def test_states_of_models_and_dataclasses_are_plain_json(rehearsal):
    """Pydantic models and dataclasses in channels, messages in them included, are written by field."""
    graph = StateGraph(Record)
    graph.add_node("one", lambda state: {"parts": [Part(name="p", message=AIMessage("m", id="volatile"))]})
    graph.add_node("left", lambda state: {"tags": ["left"]})
    graph.add_node("right", lambda state: {"tags": ["right"]})
    graph.add_edge(START, "one")
    graph.add_edge("one", "left")
    graph.add_edge("one", "right")
    compiled = graph.compile()

    def run():
        compiled.invoke(Record())

    trace = rehearsal.record(run)
    rehearsal.replay(trace, run)

    part = {"name": "p", "message": {"type": "ai", "content": "m"}}
    assert states_of(trace) == [
        ("one", {"parts": [part], "tags": [], "messages": []}),
        ("left, right", {"parts": [part], "tags": ["left", "right"], "messages": []}),
    ]


def team() -> Any:
    researcher = create_agent(
        ScriptedModel(turns=[[("search", {"query": "deep"})]], says="found"), [search], name="researcher"
    )
    inner = StateGraph(MessagesState)
    inner.add_node("act", ToolNode([search]))
    inner.add_edge(START, "act")
    graph = StateGraph(MessagesState)
    graph.add_node("desk", researcher)
    call = {"name": "search", "args": {"query": "bills"}, "id": "c9"}
    graph.add_node("billing", inner.compile())
    graph.add_node("decide", lambda state: {"messages": [AIMessage("", tool_calls=[call])]})
    graph.add_node("tools", ToolNode([search]))
    graph.add_edge(START, "desk")
    graph.add_edge("desk", "decide")
    graph.add_edge("decide", "billing")
    graph.add_node("again", lambda state: {"messages": [AIMessage("", tool_calls=[{**call, "id": "c10"}])]})
    graph.add_edge("billing", "again")
    graph.add_edge("again", "tools")
    return graph.compile()


def test_calls_in_subgraphs_say_who_made_them(rehearsal):
    """A named agent is the actor; a subgraph without a name is told by its node; the outermost graph is nobody else."""
    graph = team()

    def run():
        graph.invoke({"messages": [("user", "hi")]})

    trace = rehearsal.record(run)
    replayed = rehearsal.replay(trace, run)

    assert [step.actor for step in trace.tool_steps] == ["researcher", "billing", None]
    assert [step.actor for step in replayed.calls()] == ["researcher", "billing", None]
    assert [at for at, _ in states_of(trace)] == [
        "desk/model",
        "desk/tools",
        "desk/model",
        "desk",
        "decide",
        "billing/act",
        "billing",
        "again",
        "tools",
    ]


@pytest.mark.filterwarnings("ignore:This API is in beta")
def test_an_agent_made_a_tool_is_transparent(rehearsal):
    """`as_tool` of a graph is no call; what the agent inside calls is, with its name."""
    helper = graph_of().as_tool(name="helper", description="Ask.", arg_types={"question": str})
    agent = create_agent(ScriptedModel(turns=[[("helper", {"question": "deep"})]]), [helper], name="chief")

    async def run():
        await agent.ainvoke({"messages": [("user", "hi")]})

    trace = rehearsal.record(run)
    rehearsal.replay(trace, run)

    assert [(step.tool, step.actor) for step in trace.tool_steps] == [("search", "helper")]
    assert ran == ["deep"]


def test_an_agent_that_a_tool_of_ones_own_asks_is_part_of_the_tool(rehearsal):
    """A body that calls an agent may do anything else too: it is one call, answered as a whole."""
    inner = create_agent(ScriptedModel(turns=[[("search", {"query": "deep"})]], says="found"), [search], name="helper")

    @tool
    def ask(question: str) -> str:
        """Ask another agent."""
        return inner.invoke({"messages": [("user", question)]})["messages"][-1].content

    agent = create_agent(ScriptedModel(turns=[[("ask", {"question": "q"})]]), [ask])

    def run():
        agent.invoke({"messages": [("user", "hi")]})

    trace = rehearsal.record(run)
    rehearsal.replay(trace, run)

    assert [(step.tool, step.actor, step.result) for step in trace.tool_steps] == [("ask", None, "found")]
    assert [at for at, _ in states_of(trace)] == ["model", "tools", "model"]
    assert ran == ["deep"]


def test_an_interrupted_graph_goes_on_where_it_was(rehearsal):
    """Interrupts before a node, after one and inside one: the states are those of the steps that were done."""

    def ask(state: State) -> State:
        return {"answer": interrupt("which?")}

    graph = StateGraph(State)
    graph.add_node("retrieve", retrieve)
    graph.add_node("ask", ask)
    graph.add_edge(START, "retrieve")
    graph.add_edge("retrieve", "ask")
    compiled = graph.compile(checkpointer=InMemorySaver(), interrupt_after=["retrieve"])
    threads = iter("ab")

    def run():
        config = {"configurable": {"thread_id": next(threads)}}
        compiled.invoke({"question": "tea"}, config)
        compiled.invoke(None, config)
        compiled.invoke(Command(resume="green"), config)

    trace = rehearsal.record(run)
    rehearsal.replay(trace, run)

    assert [at for at, _ in states_of(trace)] == ["retrieve", "ask"]
    assert states_of(trace)[-1][1]["answer"] == "green" and ran == ["tea"]


def test_a_fan_out_is_one_step(rehearsal):
    """Nodes that `Send` started several times are one step, in threads."""
    graph = StateGraph(Record)
    graph.add_node("plan", lambda state: {})
    graph.add_node("look", lambda name: {"tags": [search.invoke({"query": name})]})
    graph.add_edge(START, "plan")
    graph.add_conditional_edges("plan", lambda state: [Send("look", name) for name in "abcd"], ["look"])
    compiled = graph.compile()

    def run():
        compiled.invoke(Record())

    trace = rehearsal.record(run)
    replayed = rehearsal.replay(trace, run)

    assert [at for at, _ in states_of(trace)] == ["plan", "look"]
    assert len(replayed.state_after("end")["tags"]) == 4 and len(ran) == 4


def test_functions_as_graphs_are_seen(rehearsal):
    """An `entrypoint` with tasks: its tools are calls, its end a state."""

    @task
    def look(name: str) -> str:
        return search.invoke({"query": name})

    @entrypoint()
    def work(names: list[str]) -> list[str]:
        return [future.result() for future in [look(name) for name in names]]

    trace = rehearsal.record(lambda: work.invoke(["a", "b"]))
    replayed = rehearsal.replay(trace, lambda: work.invoke(["a", "b"]))

    assert replayed.output == trace.output and len(ran) == 2
    assert states_of(trace)


class Tags(TypedDict):
    tags: Annotated[list[str], operator.add]


def test_subgraphs_side_by_side_are_told_apart(rehearsal):
    """A node that runs several times at once has a number, the same in every run, whatever comes first."""
    inner = StateGraph(Tags)
    inner.add_node("look", lambda state: {"tags": [search.invoke({"query": state["tags"][0]})]})
    inner.add_node("again", lambda state: {"tags": [search.invoke({"query": state["tags"][0] + "!"})]})
    inner.add_edge(START, "look")
    inner.add_edge("look", "again")
    graph = StateGraph(Tags)
    graph.add_node("desk", inner.compile())
    graph.add_conditional_edges(START, lambda state: [Send("desk", {"tags": [name]}) for name in "abc"], ["desk"])
    compiled = graph.compile()

    def run():
        return sorted(compiled.invoke({"tags": []})["tags"])

    trace = rehearsal.record(run)
    for _ in range(3):
        rehearsal.replay(trace, run)

    places = [f"desk[{n}]/{node}" for n in (1, 2, 3) for node in ("again", "look")]
    assert sorted(at for at, _ in states_of(trace)) == ["desk", *places]
    assert len({step.group for step in trace.tool_steps}) == 1 and len(ran) == 6


def test_a_state_that_holds_itself_is_no_end(rehearsal):
    """What can't be written down is told by its type; the graph goes on."""
    knot: dict[str, Any] = {}
    knot["self"] = knot
    graph = StateGraph(State)
    graph.add_node("tie", lambda state: {"docs": [knot]})
    graph.add_edge(START, "tie")
    compiled = graph.compile()

    assert states_of(rehearsal.record(lambda: compiled.invoke({"question": "q"}) and None))[0][0] == "tie"
