"""What LangChain does around a tool's body happens in replay: callbacks, events, validation, handlers, retries."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, ToolRetryMiddleware
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import ToolException, tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from pydantic import BaseModel, Field
from scripted import ScriptedModel

from pytest_agentreplay.errors import DivergenceError, GuardBlocked

ran: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_ran():
    ran.clear()


@tool
def lookup(key: str, config: RunnableConfig, limit: int = 3) -> str:
    """Look up."""
    ran.append(("lookup", key))
    return f"value of {key}"


@tool(response_format="content_and_artifact")
async def afind(key: str) -> tuple[str, dict[str, Any]]:
    """Find."""
    ran.append(("afind", key))
    return f"found {key}", {"key": key}


def refuse(reason: str) -> str:
    """Fail in LangChain's own way."""
    ran.append(("refuse", reason))
    raise ToolException(reason)


handled = tool(refuse)
handled.name, handled.handle_tool_error = "handled", lambda error: f"sorry: {error}"
unhandled = tool(refuse)
unhandled.name = "unhandled"


class Amount(BaseModel):
    amount: int = Field(gt=0)


@tool(args_schema=Amount)
def pay(amount: int) -> str:
    """Pay."""
    ran.append(("pay", amount))
    return f"paid {amount}"


class Heard(BaseCallbackHandler):
    def __init__(self) -> None:
        self.events: list[Any] = []

    def on_tool_start(self, serialized: Any, input_str: str, **kwargs: Any) -> None:
        self.events.append(("start", serialized["name"], input_str, kwargs["inputs"]))

    def on_tool_end(self, output: Any, **kwargs: Any) -> None:
        told = (output.content, output.artifact, output.status) if isinstance(output, ToolMessage) else output
        self.events.append(("end", told))

    def on_tool_error(self, error: BaseException, **kwargs: Any) -> None:
        self.events.append(("error", type(error).__name__, str(error)))


SCRIPT = [
    [("lookup", {"key": "a"})],
    [("afind", {"key": "b"})],
    [("handled", {"reason": "no such key"})],
    [("pay", {"amount": "5"})],
]


def test_callbacks_hear_the_same(rehearsal):
    """A handler hears every start, end and error of tools as in the recording."""
    agent = create_agent(ScriptedModel(turns=SCRIPT), [lookup, afind, handled, pay])
    heard: list[Any] = []

    def run():
        handler = Heard()
        result = asyncio.run(agent.ainvoke({"messages": [("user", "go")]}, {"callbacks": [handler]}))
        heard.append(handler.events)
        return result["messages"][-1].content

    trace = rehearsal.record(run)
    live = list(ran)
    rehearsal.replay(trace, run)

    assert ran == live == [("lookup", "a"), ("afind", "b"), ("refuse", "no such key"), ("pay", 5)]
    assert heard[0] == heard[1]
    assert ("end", ("found b", {"key": "b"}, "success")) in heard[1]
    assert ("end", ("sorry: no such key", None, "error")) in heard[1]
    assert [step.args for step in trace.tool_steps][3] == {"amount": "5"}
    assert trace.tool_steps[2].error.message == "no such key"


def test_streamed_events_are_the_same(rehearsal):
    """`astream_events` yields the same events with the same data, tool events included."""
    agent = create_agent(ScriptedModel(turns=SCRIPT), [lookup, afind, handled, pay])
    streams: list[Any] = []

    async def stream():
        events = []
        async for event in agent.astream_events({"messages": [("user", "go")]}, version="v2"):
            data = event["data"]
            output = data.get("output")
            told = getattr(output, "content", None)
            events.append((event["event"], event["name"], data.get("input") if "tool" in event["event"] else 0, told))
        streams.append(events)

    trace = rehearsal.record(stream)
    rehearsal.replay(trace, stream)

    assert streams[0] == streams[1]
    assert [name for kind, name, _, _ in streams[1] if kind == "on_tool_end"] == ["lookup", "afind", "handled", "pay"]


@pytest.mark.parametrize("mode", ["updates", "messages", "values", "debug"])
def test_every_stream_mode_gives_the_same(rehearsal, mode):
    """Chunks of a stream come in the same number and order."""
    agent = create_agent(ScriptedModel(turns=SCRIPT[:1]), [lookup])
    kinds: list[Any] = []

    def run():
        chunks = list(agent.stream({"messages": [("user", "go")]}, stream_mode=mode))
        kinds.append([(type(chunk).__name__, sorted(chunk) if isinstance(chunk, dict) else 0) for chunk in chunks])

    trace = rehearsal.record(run)
    rehearsal.replay(trace, run)

    assert kinds[0] == kinds[1] and len(ran) == 1


def test_arguments_that_do_not_fit_are_a_call(rehearsal):
    """A call that LangChain's validation refuses is recorded with its error; the model is told the same."""
    model = ScriptedModel(turns=[[("pay", {"amount": -1})], [("pay", {"amount": 1})]])
    agent = create_agent(model, [pay])

    def run():
        return agent.invoke({"messages": [("user", "go")]})["messages"][-1].content

    trace = rehearsal.record(run)
    live = list(model.heard)
    replayed = rehearsal.replay(trace, run)

    assert ran == [("pay", 1)]
    assert [step.args for step in trace.tool_steps] == [{"amount": -1}, {"amount": 1}]
    assert trace.tool_steps[0].error.type.endswith("ValidationError")
    assert replayed.tools == ["pay", "pay"]
    assert model.heard[len(live) :] == live and "greater than 0" in live[0]


def test_an_error_that_nobody_handles_ends_the_agent_again(rehearsal):
    """A tool's exception leaves the agent as in the recording, of the same class."""
    agent = create_agent(ScriptedModel(turns=[[("unhandled", {"reason": "gone"})]]), [unhandled])

    def run():
        return agent.invoke({"messages": [("user", "go")]})

    trace = rehearsal.record(run)
    replayed = rehearsal.replay(trace, run)

    assert trace.error.type == replayed.error.type == "langchain_core.tools.base.ToolException"
    assert ran == [("refuse", "gone")]


class Counting(AgentMiddleware):
    """A guardrail of the user's around every tool."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    def wrap_tool_call(self, request: Any, handler: Any) -> Any:
        self.calls.append(request.tool_call["name"])
        if request.tool_call["args"].get("key") == "forbidden":
            return ToolMessage("not allowed", tool_call_id=request.tool_call["id"])
        return handler(request)


def test_middleware_around_tools_runs_in_replay(rehearsal):
    """The user's guardrails decide again; a call that they refuse never gets to the boundary."""
    guardrail = Counting()
    script = [[("lookup", {"key": "a"})], [("lookup", {"key": "forbidden"})]]
    agent = create_agent(ScriptedModel(turns=script), [lookup], middleware=[guardrail])

    def run():
        agent.invoke({"messages": [("user", "go")]})

    trace = rehearsal.record(run)
    rehearsal.replay(trace, run)

    assert guardrail.calls == ["lookup"] * 4
    assert [step.args for step in trace.tool_steps] == [{"key": "a"}]


@tool
def flaky(key: str) -> str:
    """Fail at first."""
    ran.append(("flaky", key))
    if len(ran) < 3:
        raise ConnectionError("not yet")
    return "at last"


def test_the_frameworks_retries_are_calls(rehearsal):
    """`ToolRetryMiddleware` and `with_retry` make each attempt a call of its own."""
    retrying = ToolRetryMiddleware(max_retries=3, initial_delay=0.0, jitter=False)
    agent = create_agent(ScriptedModel(turns=[[("flaky", {"key": "a"})]]), [flaky], middleware=[retrying])
    alone = flaky.with_retry(stop_after_attempt=3, wait_exponential_jitter=False)
    for run in (lambda: agent.invoke({"messages": [("user", "go")]}) and None, lambda: alone.invoke({"key": "a"})):
        ran.clear()
        trace = rehearsal.record(run)
        assert len(ran) == 3
        rehearsal.replay(trace, run)

        assert len(ran) == 3
        assert [step.error and step.error.type for step in trace.tool_steps] == [
            "ConnectionError",
            "ConnectionError",
            None,
        ]


POLICY = """\
format: agentreplay.policy/1
name: p
version: 1
rules:
  - id: no-a
    severity: critical
    tools: [lookup, afind]
    match: {args.key: a}
    reason: never look up a
"""


@pytest.mark.parametrize(("name", "made"), [("lookup", lookup), ("afind", afind)])
def test_a_block_is_an_error_message_for_the_model(rehearsal, tmp_path, name, made):
    """The model is told the reason, with status error, and the agent goes on."""
    policy = tmp_path / "p.yaml"
    policy.write_text(POLICY)
    agent = create_agent(ScriptedModel(turns=[[(name, {"key": "a"})], [(name, {"key": "b"})]]), [made])
    told: list[Any] = []

    async def run():
        result = await agent.ainvoke({"messages": [("user", "go")]})
        told.append([(m.content, m.status) for m in result["messages"] if m.type == "tool"])

    trace = rehearsal.record(run, policy=policy)
    rehearsal.replay(trace, run, policy=policy)

    assert ran == [(name, "b")]
    assert told[0] == told[1] and told[0][0][1] == "error" and "never look up a" in told[0][0][0]


def test_a_block_of_a_plain_call_is_raised(rehearsal, tmp_path):
    """Code that calls a tool by itself gets `GuardBlocked`."""
    policy = tmp_path / "p.yaml"
    policy.write_text(POLICY)
    caught: list[Any] = []

    def run():
        try:
            lookup.invoke({"key": "a"})
        except GuardBlocked as blocked:
            caught.append(blocked.reason)

    trace = rehearsal.record(run, policy=policy)
    rehearsal.replay(trace, run, policy=policy)

    assert ran == [] and caught == ["never look up a"] * 2


def test_a_node_that_tells_errors_to_the_model_does_not_hide_an_unrecorded_call(rehearsal):
    """`ToolNode(handle_tool_errors=True)` swallows the error; the run fails all the same."""
    graph = StateGraph(MessagesState)
    graph.add_node("tools", ToolNode([lookup], handle_tool_errors=True))
    graph.add_edge(START, "tools")
    swallowing = graph.compile()

    def agent(key: str):
        call = {"name": "lookup", "args": {"key": key}, "id": "c", "type": "tool_call"}
        return lambda: swallowing.invoke({"messages": [AIMessage("", tool_calls=[call])]}) and None

    trace = rehearsal.record(agent("a"))
    with pytest.raises(DivergenceError, match="key 'z' where 'a'"):
        rehearsal.replay(trace, agent("z"))

    assert ran == [("lookup", "a")]
