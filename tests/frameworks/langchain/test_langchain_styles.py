"""Tools and agents in styles that no example uses: none of them is edited, none runs in replay."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import pytest
from langchain.agents import create_agent
from langchain_core.messages import ToolMessage
from langchain_core.runnables import RunnableLambda, RunnableParallel, RunnablePassthrough
from langchain_core.tools import BaseTool, StructuredTool, Tool, tool
from langgraph.types import RetryPolicy
from pydantic import BaseModel, PrivateAttr
from scripted import ScriptedModel

import pytest_agentreplay
from pytest_agentreplay.errors import AgentReplayError

ran: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_ran():
    ran.clear()


class Desk:
    """Tools as methods, and as closures over the object."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.sent: list[str] = []

    def send(self, to: str, text: str = "hello") -> str:
        """Send a text."""
        ran.append(("send", to))
        self.sent.append(to)
        return f"{self.name} sent {text} to {to}"

    def tools(self) -> list[BaseTool]:
        me = self

        @tool
        def close(ticket: int) -> str:
            """Close a ticket."""
            ran.append(("close", ticket))
            return f"{me.name} closed {ticket}"

        return [StructuredTool.from_function(self.send), close]


class Query(BaseModel):
    text: str
    limit: int = 5


class Search(BaseTool):
    """A tool as a class, with a lock that can't be copied and a counter of its own."""

    name: str = "search"
    description: str = "Search."
    args_schema: type[BaseModel] = Query
    known: ClassVar[list[str]] = []
    _lock: Any = PrivateAttr(default_factory=threading.Lock)
    _count: int = PrivateAttr(default=0)

    def _run(self, text: str, limit: int = 5, run_manager: Any = None) -> str:
        assert run_manager is not None
        with self._lock:
            self._count += 1
            ran.append(("search", text))
        return f"{limit} hits for {text}, search {self._count}"


class AsyncSearch(Search):
    name: str = "asearch"

    async def _arun(self, text: str, limit: int = 5, run_manager: Any = None) -> str:
        ran.append(("asearch", text))
        return f"{limit} async hits for {text}"


class Noisy(BaseTool):
    """A tool that overrides `run` itself."""

    name: str = "noisy"
    description: str = "Noise."

    def run(self, *args: Any, **kwargs: Any) -> Any:
        return super().run(*args, **kwargs)

    def _run(self, query: str) -> str:
        ran.append(("noisy", query))
        return f"noise {query}"


DESK = Desk("front")
SEARCH, ASEARCH = Search(), AsyncSearch()
SINGLE = Tool("single", lambda text: ran.append(("single", text)) or f"single {text}", "One text.")
AT_IMPORT = create_agent(
    ScriptedModel(
        turns=[
            [("send", {"to": "bob"}), ("close", {"ticket": 3})],
            [("search", {"text": "a"}), ("asearch", {"text": "b", "limit": 2})],
            [("single", {"__arg1": "x"}), ("noisy", {"query": "n"})],
        ]
    ),
    [*DESK.tools(), SEARCH, ASEARCH, SINGLE, Noisy()],
)


def contents(result: Any) -> list[str]:
    return [message.content for message in result["messages"]]


def in_thread_with_loop() -> Any:
    found: list[Any] = []
    work = AT_IMPORT.ainvoke({"messages": [("user", "go")]})
    thread = threading.Thread(target=lambda: found.append(asyncio.run(work)))
    thread.start()
    thread.join()
    return contents(found[0])


def in_pool() -> Any:
    with ThreadPoolExecutor(1) as pool:
        return contents(pool.submit(AT_IMPORT.invoke, {"messages": [("user", "go")]}).result())


STYLES = {
    "sync": lambda: contents(AT_IMPORT.invoke({"messages": [("user", "go")]})),
    "async": lambda: contents(asyncio.run(AT_IMPORT.ainvoke({"messages": [("user", "go")]}))),
    "thread": in_thread_with_loop,
    "pool": in_pool,
    "batch": lambda: [contents(one) for one in AT_IMPORT.batch([{"messages": [("user", "go")]}])],
    "positional": lambda: [
        SEARCH.run({"text": "p"}),
        SINGLE.run("q"),
        SINGLE.invoke("r"),
        SEARCH.invoke({"text": "s"}),
    ],
    "chain": lambda: (RunnableLambda(lambda text: {"text": text}) | SEARCH | str.upper).invoke("c"),
    "fallback": lambda: SEARCH.with_fallbacks([SINGLE]).invoke({"text": "f"}),
    "bound": lambda: asyncio.run(ASEARCH.with_config(tags=["x"]).ainvoke({"text": "g"})),
    "assigned": lambda: RunnablePassthrough.assign(found=SEARCH).invoke({"text": "h"}),
}


@pytest.mark.parametrize("style", list(STYLES))
def test_every_style_replays_untouched(rehearsal, style):
    """Methods, closures, classes and overridden `run`; built at import, from threads, pools, chains and by hand."""
    SEARCH._count = 0
    trace = rehearsal.record(STYLES[style])
    live = list(ran)
    SEARCH._count = 0
    run = rehearsal.replay(trace, STYLES[style])

    assert live and ran == live
    assert run.output == trace.output
    assert SEARCH._count == 0
    assert len(trace.tool_steps) == len(live)


def test_calls_that_run_side_by_side_are_a_group(rehearsal):
    """Branches, batches and a node's calls have no order among them, however fast they are."""
    branches = RunnableParallel(a=SEARCH, b=ASEARCH, c=RunnableLambda(lambda given: SINGLE.invoke(given["text"])))

    def run():
        SEARCH._count = 0
        branches.invoke({"text": "x"})
        SEARCH._count = 0
        return sorted(SINGLE.batch(["1", "2", "3", "4"]))

    trace = rehearsal.record(run)
    for _ in range(5):
        rehearsal.replay(trace, run)

    groups = [step.group for step in trace.tool_steps]
    assert len(set(groups[:3])) == 1 and len(set(groups[3:])) == 1 and groups[0] != groups[-1]
    assert sorted(step.finished for step in trace.tool_steps) == [1, 1, 2, 2, 3, 3, 4]


def test_calls_after_each_other_are_no_group(rehearsal):
    """A turn's only call, and calls that a node makes in order, are recorded one by one."""

    def run():
        SEARCH.invoke({"text": "1"})
        RunnablePassthrough.assign(found=SEARCH).invoke({"text": "2"})

    assert [step.group for step in rehearsal.record(run).tool_steps] == [None, None]


def test_a_nodes_retry_policy_is_replayed(rehearsal):
    """A node that LangGraph runs again calls its tools again."""
    from langgraph.graph import START, MessagesState, StateGraph

    @tool
    def shaky(n: int) -> str:
        """Fail once."""
        ran.append("shaky")
        if len(ran) == 1:
            raise ConnectionError("down")
        return "up"

    graph = StateGraph(MessagesState)
    policy = RetryPolicy(initial_interval=0, jitter=False)
    graph.add_node("work", lambda state: {"messages": [("ai", shaky.invoke({"n": 1}))]}, retry_policy=policy)
    graph.add_edge(START, "work")
    compiled = graph.compile()

    def run():
        return compiled.invoke({"messages": []})["messages"][-1].content

    trace = rehearsal.record(run)
    rehearsal.replay(trace, run)

    assert ran == ["shaky", "shaky"] and trace.output == "up"
    assert [step.error is None for step in trace.tool_steps] == [False, True]


def _hinted(**options: Any) -> StructuredTool:
    return StructuredTool.from_function(DESK.send, **options)


@pytest.mark.parametrize(
    ("options", "effect"),
    [
        ({"metadata": {"effect": "read"}}, "read"),
        ({"extras": {"effect": "read"}}, "read"),
        ({"tags": ["effect:read"]}, "read"),
        ({"metadata": {"readOnlyHint": True}}, "read"),
        ({"metadata": {"readOnlyHint": False}}, "write"),
        ({"metadata": {"effect": "read", "destructiveHint": True}}, "write"),
        ({"metadata": {"effect": "harmless"}, "tags": ["read"]}, None),
    ],
)
def test_effects_come_from_hints(rehearsal, options, effect):
    """Metadata, extras, tags and MCP's hints classify a tool; nothing else does."""
    hinted = _hinted(**options)
    trace = rehearsal.record(lambda: hinted.invoke({"to": "x"}))

    assert trace.tools.get("send") == effect


def test_a_function_that_is_a_tool_already_is_one_call_with_its_own_effect(rehearsal):
    """LangChain over `@tool`: the outer boundary counts, the author's effect too."""

    @pytest_agentreplay.tool(effect="read")
    def known(key: str) -> str:
        """Know."""
        ran.append(key)
        return f"known {key}"

    over = tool(known)
    trace = rehearsal.record(lambda: over.invoke({"key": "k"}))
    run = rehearsal.replay(trace, lambda: over.invoke({"key": "k"}))

    assert run.tools == ["known"] and ran == ["k"]
    assert trace.tools == {"known": "read"}


def test_a_default_equals_an_argument_left_out(rehearsal):
    """What the schema fills in is no other call."""
    send = _hinted()
    trace = rehearsal.record(lambda: send.invoke({"to": "x"}))
    run = rehearsal.replay(trace, lambda: send.invoke({"to": "x", "text": "hello"}))

    assert run.tools == ["send"] and trace.tool_steps[0].args == {"to": "x"}


def test_a_write_under_an_error_handler_is_withheld(rehearsal):
    """Fallbacks and handlers that swallow everything change nothing: the write doesn't run and the test fails."""
    send = _hinted(handle_tool_error=True, handle_validation_error=True).with_retry(stop_after_attempt=3)
    safe = send.with_fallbacks([RunnableLambda(lambda given: "never mind")])
    trace = rehearsal.record(lambda: SEARCH.invoke({"text": "t"}))
    ran.clear()

    def agent():
        SEARCH.invoke({"text": "t"})
        return safe.invoke({"to": "mallory"})

    with pytest.raises(AgentReplayError, match="send"):
        rehearsal.replay(trace, agent)

    assert ran == []


class Direct(BaseTool):
    """A tool that does its work in `invoke` and `ainvoke`, past LangChain's own way."""

    name: str = "direct"
    description: str = "Direct."
    response_format: Any = "content_and_artifact"

    def invoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
        ran.append(("direct", input["args"]["to"]))
        return ToolMessage("sent directly", tool_call_id=input["id"], artifact={"n": 1})

    async def ainvoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
        return self.invoke(input)

    def _run(self, to: str) -> Any:
        raise NotImplementedError


def late_direct() -> Any:
    class Late(Direct):
        name: str = "late"

        def invoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
            ran.append(("late", input["args"]["to"]))
            return super().invoke(input, config)

    return Late()


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("make", [Direct, late_direct])
def test_a_tool_with_a_way_of_its_own_is_answered_as_a_whole(rehearsal, make, mode):
    """What overrides `invoke` can't get round the boundary, be its class made before or during the run."""

    def run():
        made = make()
        agent = create_agent(ScriptedModel(turns=[[(made.name, {"to": "bob"})]]), [made])
        given = {"messages": [("user", "go")]}
        result = agent.invoke(given) if mode == "sync" else asyncio.run(agent.ainvoke(given))
        told = [message for message in result["messages"] if message.type == "tool"]
        return [[message.content, message.artifact] for message in told]

    trace = rehearsal.record(run)
    live = list(ran)
    replayed = rehearsal.replay(trace, run)

    assert live and ran == live
    assert replayed.tools in (["direct"], ["late"])
    assert replayed.output == trace.output == [["sent directly", {"n": 1}]]
    assert Direct.invoke.__module__ == __name__ and not hasattr(Direct.invoke, "__wrapped__")
