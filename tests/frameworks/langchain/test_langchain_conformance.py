"""LangChain's agents and hand-made graphs pass the suite of adapters."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain_core.tools import BaseTool, StructuredTool
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.pregel._loop import PregelLoop
from langgraph.store.base import BaseStore
from scripted import ScriptedModel
from typing_extensions import TypedDict

from pytest_agentreplay.adapters.built_in import BUILT_IN
from pytest_agentreplay.conformance.adapters import AdapterConformance, BuiltAgent, Mode, Script, Tools

LANGCHAIN, LANGGRAPH = (next(item for item in BUILT_IN if item.name == name) for name in ("langchain", "langgraph"))
TELL = {"handle_tool_errors": True}


class State(TypedDict):
    messages: Annotated[list[Any], add_messages]


class _OverGraphs(AdapterConformance):
    adapter = LANGCHAIN

    def seams(self):
        return BaseTool.run, BaseTool.arun, PregelLoop.after_tick, BaseStore.put, BaseStore.aput

    def build(self, tools: Tools, script: Script) -> BuiltAgent:
        model = ScriptedModel(turns=script.turns, says=script.says)
        made = [StructuredTool.from_function(getattr(tools, name)) for name in script.tools]
        graph = self.graph(model, made)

        def run(mode: Mode) -> Any:
            given = {"messages": [("user", "go")]}
            if mode == "sync":
                return graph.invoke(given)["messages"][-1].content
            if mode == "streaming":
                *_, last = graph.stream(given, stream_mode="values")
                return last["messages"][-1].content
            return _words(graph.ainvoke(given))

        return BuiltAgent(run, model.heard)

    def graph(self, model: ScriptedModel, tools: list[BaseTool]) -> Any:
        """Build the graph of an agent."""
        raise NotImplementedError


async def _words(result: Any) -> Any:
    return (await result)["messages"][-1].content


class TestHandMadeGraph(_OverGraphs):
    """A StateGraph with a ToolNode that tells the model of errors."""

    def graph(self, model, tools):
        graph = StateGraph(State)
        graph.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
        graph.add_node("tools", ToolNode(tools, handle_tool_errors=True))
        graph.add_edge(START, "model")
        graph.add_conditional_edges("model", tools_condition, ["tools", END])
        graph.add_edge("tools", "model")
        return graph.compile()


class TestCreatedAgent(_OverGraphs):
    """`create_agent`, whose tools' errors leave the agent unless a middleware takes them."""

    def graph(self, model, tools):
        from langchain.agents.middleware import ToolRetryMiddleware

        return create_agent(model, tools, middleware=[ToolRetryMiddleware(max_retries=0, on_failure="continue")])


class TestTogether(TestCreatedAgent):
    """With both adapters, as in a session."""

    @pytest.fixture
    def rehearsal(self, tmp_path):
        from pytest_agentreplay.conformance.rehearsal import Rehearsal

        return Rehearsal(tmp_path, [LANGCHAIN, LANGGRAPH])
