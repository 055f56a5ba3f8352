"""LangChain's tools and agents: what is known of a tool, and who calls it.

Tools that only hand over to an agent are told from those that may do anything
else. Nothing here knows how a call is made.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from pytest_agentreplay.tools import gate
from pytest_agentreplay.tools.framework_calls import FrameworkTool
from pytest_agentreplay.tools.spec import Effect, find_spec

_NAME = "langchain"

_delegate: ContextVar[tuple[str, str | None] | None] = ContextVar("agent_replay_langchain_delegate", default=None)
"""The agent that works as a tool, and the name that its caller goes by."""


class LangChainTool(FrameworkTool):
    """What the gate knows of one tool object, and which of the names that it is given are its arguments."""

    __slots__ = ("_arguments",)

    def __init__(self, tool: Any, effect: Effect | None, source: str) -> None:
        super().__init__(tool.name, source=source, effect=effect, defaults=_defaults(tool))
        self._arguments: dict[tuple[str, ...], tuple[str, ...]] = {}

    def arguments_among(self, tool: Any, given: Mapping[str, Any]) -> tuple[str, ...]:
        """Leave out what the framework injects; asking LangChain each time takes longer than the call."""
        names = tuple(given)
        known = self._arguments.get(names)
        if known is None:
            known = self._arguments[names] = tuple(tool._filter_injected_args(dict.fromkeys(names)))
        return known


_tools: dict[int, LangChainTool] = {}


def known_tool(tool: Any) -> LangChainTool:
    """Find or make what the gate knows of a tool; a tool whose name or hints changed is another one."""
    known = _tools.get(id(tool))
    effect, source = _declared(tool)
    if known is None:
        weakref.finalize(tool, _tools.pop, id(tool), None)
    if known is None or known.name != tool.name or known.effect != effect:
        known = _tools[id(tool)] = LangChainTool(tool, effect, source)
    return known


def _declared(tool: Any) -> tuple[Effect | None, str]:
    """Find a tool's effect and who says so: who decorated or swapped its function, else LangChain's hints."""
    spec = find_spec(_function_of(tool))
    return (_hinted(tool), _NAME) if spec is None or spec.effect is None else (spec.effect, spec.effect_source)


def _function_of(tool: Any) -> Any:
    return getattr(tool, "func", None) or getattr(tool, "coroutine", None) or type(tool)._run


def _hinted(tool: Any) -> Effect | None:
    """Read the effect that a tool tells: its author's, as metadata, extras or a tag, or an MCP server's hints."""
    told = {**(getattr(tool, "extras", None) or {}), **(tool.metadata or {})}
    tags = tool.tags or ()
    if told.get("effect") == "write" or "effect:write" in tags or told.get("destructiveHint") is True:
        return "write"
    if told.get("effect") == "read" or "effect:read" in tags or told.get("readOnlyHint") is True:
        return "read"
    return "write" if told.get("readOnlyHint") is False else None


def _defaults(tool: Any) -> dict[str, Any]:
    schema = tool.args_schema
    if isinstance(schema, dict):
        fields = schema.get("properties", {})
        given = {name: field["default"] for name, field in fields.items() if "default" in field}
    elif schema is None:
        given = {}
    else:
        from langchain_core.utils.pydantic import get_fields

        given = {
            name: field.default
            for name, field in get_fields(schema).items()
            if field.default_factory is None and type(field.default).__name__ != "PydanticUndefinedType"
        }
    found: dict[str, Any] = tool._filter_injected_args(given)
    return found


def actor_in(config: Mapping[str, Any]) -> str | None:
    """Name the agent that calls: a named one, else the node that holds it; None for the outermost."""
    namespace = (config.get("configurable") or {}).get("checkpoint_ns") or ""
    nodes = [node for node, colon, _ in (part.partition(":") for part in namespace.split("|")) if colon]
    name = (config.get("metadata") or {}).get("lc_agent_name")
    delegate = _delegate.get()
    if delegate is not None and name in (None, delegate[1]):
        return delegate[0]
    if len(nodes) < 2:
        return None
    return name or nodes[-2]


def is_delegation(tool: Any) -> bool:
    """Tell a tool whose body is the framework's own, and only hands over to an agent.

    A tool of the author's that asks an agent is none: who knows what else it does.
    """
    function = _function_of(tool)
    module = getattr(function, "__module__", None) or ""
    if module.partition(".")[0] in ("langgraph_supervisor", "langgraph_swarm", "deepagents"):
        return module == "deepagents.middleware.subagents" or "handoff" in module
    return _agent_of(function) is not None


def _agent_of(function: Any) -> Any:
    """Find the graph that `as_tool` made a tool of."""
    code = getattr(function, "__code__", None)
    if getattr(function, "__module__", "") != "langchain_core.tools.convert" or code is None:
        return None
    cells = dict(zip(code.co_freevars, function.__closure__ or (), strict=False))
    runnable = cells["runnable"].cell_contents if "runnable" in cells else None
    pregel: Any = sys.modules.get("langgraph.pregel")
    while runnable is not None and not (pregel and isinstance(runnable, pregel.Pregel)):
        runnable = getattr(runnable, "bound", None)
    # the answer of such a tool is its output as text: messages would put their ids into it, new ones in every run
    return None if runnable is None or "messages" in runnable.output_channels else runnable


@contextmanager
def delegated(tool: Any, tool_input: Any, options: Mapping[str, Any]) -> Iterator[None]:
    """Let the code inside be the agent's that a tool hands over to."""
    caller = ((options.get("config") or {}).get("metadata") or {}).get("lc_agent_name")
    gate.hand_over(tool.name)
    asked = tool_input.get("subagent_type") if isinstance(tool_input, Mapping) else None
    before = _delegate.set((asked or tool.name, caller))
    try:
        yield
    finally:
        _delegate.reset(before)
