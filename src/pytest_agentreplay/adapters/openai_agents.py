"""OpenAI Agents SDK: every function tool, an MCP server's too, is invoked through one function.

The seam is at the tool's own code, under the SDK's error handling, timeouts,
guardrails and hooks. An agent used as a tool is no tool: its calls are its own,
as are those after a handoff. Hosted tools run at the provider.
"""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from pytest_agentreplay.adapters.actors import acting, actor
from pytest_agentreplay.adapters.adapter import Patches
from pytest_agentreplay.adapters.contexts import read_context, write_context
from pytest_agentreplay.adapters.hints import hinted
from pytest_agentreplay.adapters.machinery import unreported
from pytest_agentreplay.errors import GuardBlocked
from pytest_agentreplay.jsonable import Missing, NotJsonError, Value, snapshot
from pytest_agentreplay.tools import gate
from pytest_agentreplay.tools.framework_calls import FrameworkCall, across, framework_tool

_started: ContextVar[str | None] = ContextVar("agent_replay_started_agent", default=None)


def install(patches: Patches) -> None:
    """Put the seams in place, unless the package is a user's own of the same name."""
    import agents

    if not hasattr(agents, "Runner") or not hasattr(agents, "FunctionTool"):
        return
    from agents import run, tool
    from agents.run_internal import tool_execution
    from agents.tracing.processors import BatchTraceProcessor

    patches.replace(tool, "_invoke_function_tool_with_metadata", _invoke)
    patches.replace(tool_execution, "_invoke_function_tool_with_metadata", _invoke)
    patches.replace(BatchTraceProcessor, "on_trace_start", unreported)
    patches.replace(BatchTraceProcessor, "on_span_end", unreported)
    patches.replace(run.AgentRunner, "run", _run)
    patches.replace(run.AgentRunner, "run_streamed", _run_streamed)


class _Call(FrameworkCall):
    __slots__ = ("_context", "_go_on")

    def __init__(self, arguments: str, context: Any, go_on: Callable[[], Awaitable[Any]]) -> None:
        given = _parsed(arguments)
        super().__init__(
            given or {},
            raw_args=arguments if given is None else None,
            id=context.tool_call_id,
            actor=_actor(context.agent),
        )
        self._context = context
        self._go_on = go_on

    def proceed(self) -> Awaitable[Any]:
        return self._go_on()

    def encode(self, result: Any) -> Value:
        """Write what the tool returned: JSON, or the SDK's own output parts by their fields."""
        try:
            return snapshot(result)
        except NotJsonError:
            from pydantic_core import to_jsonable_python

            return snapshot(to_jsonable_python(result, fallback=str))  # the SDK tells the model str() of the rest

    def refused(self, blocked: GuardBlocked) -> str:
        """Tell the model why the call was refused."""
        return str(blocked)

    def read_state(self) -> Value | Missing:
        """Give the run's context."""
        return read_context(self._context.context)

    def write_state(self, recorded: Value) -> None:
        """Leave in the run's context what the recorded call left there."""
        write_context(self._context.context, recorded)


def _invoke(original: Callable[..., Any]) -> Callable[..., Any]:
    async def _invoke_function_tool_with_metadata(*, function_tool: Any, context: Any, arguments: str) -> Any:
        if gate.active is None:
            return await original(function_tool=function_tool, context=context, arguments=arguments)
        if getattr(function_tool, "_is_agent_tool", False):
            gate.hand_over(function_tool.name)
            with acting(getattr(function_tool._agent_instance, "name", function_tool.name)):
                return await original(function_tool=function_tool, context=context, arguments=arguments)
        crossing = _crossing(function_tool, context)
        return await original(function_tool=crossing, context=context, arguments=arguments)

    return _invoke_function_tool_with_metadata


def _crossing(function_tool: Any, context: Any) -> Any:
    """Copy a tool, with the gate in front of its own code."""
    from agents.tool import _FailureHandlingFunctionToolInvoker

    described = framework_tool(
        function_tool.name,
        "openai-agents",
        hinted(getattr(getattr(function_tool, "_mcp_tool", None), "annotations", None)),
        is_async=True,
    )

    def through_gate(body: Callable[[Any, str], Awaitable[Any]]) -> Callable[[Any, str], Awaitable[Any]]:
        async def invoke(given: Any, arguments: str) -> Any:
            return await across(described, _Call(arguments, context, lambda: body(given, arguments)))

        return functools.update_wrapper(invoke, body)

    crossing = copy.copy(function_tool)
    invoker = crossing.on_invoke_tool
    if isinstance(invoker, _FailureHandlingFunctionToolInvoker):
        inner = copy.copy(invoker)
        inner._invoke_tool_impl = through_gate(invoker._invoke_tool_impl)
        crossing.on_invoke_tool = inner
    else:
        crossing.on_invoke_tool = through_gate(invoker)
    return crossing


def _run(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def run(self: Any, starting_agent: Any, *args: Any, **kwargs: Any) -> Any:
        token = _started.set(getattr(starting_agent, "name", None))
        try:
            return await original(self, starting_agent, *args, **kwargs)
        finally:
            _started.reset(token)

    return run


def _run_streamed(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def run_streamed(self: Any, starting_agent: Any, *args: Any, **kwargs: Any) -> Any:
        token = _started.set(getattr(starting_agent, "name", None))  # the run's task copies it
        try:
            return original(self, starting_agent, *args, **kwargs)
        finally:
            _started.reset(token)

    return run_streamed


def _actor(agent: Any) -> str | None:
    """Name the agent that calls: the one that was handed to, or the one that a tool is."""
    name = getattr(agent, "name", None)
    return actor() if name is None or name == _started.get() else str(name)


def _parsed(arguments: str) -> dict[str, Any] | None:
    try:
        given = json.loads(arguments or "{}")
    except ValueError:
        return None
    return given if isinstance(given, dict) else None
