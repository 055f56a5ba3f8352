"""Pydantic AI: every tool is called by a run's tool manager, after its arguments were validated.

The seam is between the manager and its toolset, so that capabilities' hooks,
retries and usage limits happen as they do live. Tools of every toolset pass it,
MCP's too. An agent that a tool runs is part of that tool.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from pytest_agentreplay.adapters.adapter import Patches
from pytest_agentreplay.adapters.contexts import read_context, write_context
from pytest_agentreplay.adapters.hints import declared, hinted
from pytest_agentreplay.errors import GuardBlocked
from pytest_agentreplay.jsonable import Missing, NotJsonError, Value, snapshot
from pytest_agentreplay.tools import gate
from pytest_agentreplay.tools.framework_calls import FrameworkCall, across, framework_tool
from pytest_agentreplay.tools.spec import Effect

_TOOL_RETURN = "$pydantic_ai.ToolReturn"


def install(patches: Patches) -> None:
    """Put the seam in place."""
    from pydantic_ai.tool_manager import ToolManager

    patches.replace(ToolManager, "_raw_execute", _raw_execute)


class _Call(FrameworkCall):
    __slots__ = ("_ctx", "_go_on")

    def __init__(self, args: dict[str, Any], ctx: Any, go_on: Callable[[], Any]) -> None:
        super().__init__(args, id=ctx.tool_call_id)
        self._ctx = ctx
        self._go_on = go_on

    def proceed(self) -> Any:
        return self._go_on()

    def encode(self, result: Any) -> Value:
        """Write what the tool returned as the model is told it."""
        from pydantic_ai.messages import ToolReturn

        if isinstance(result, ToolReturn):
            parts = {name: _json(getattr(result, name)) for name in ("return_value", "content", "metadata", "tools")}
            return {_TOOL_RETURN: {name: part for name, part in parts.items() if part is not None}}
        return _json(result)

    def decode(self, recorded: Value) -> Any:
        """Make what the tool returned: JSON as it is, which is what the model is told of any object."""
        from pydantic_ai.messages import ToolReturn

        value = snapshot(recorded)
        if isinstance(value, dict) and set(value) == {_TOOL_RETURN}:
            return ToolReturn(**value[_TOOL_RETURN])
        return value

    def refused(self, blocked: GuardBlocked) -> Any:
        """Tell the model that the call failed for good, and why."""
        from pydantic_ai.exceptions import ToolFailed

        raise ToolFailed(str(blocked)) from blocked

    def read_state(self) -> Value | Missing:
        """Give the run's dependencies."""
        return read_context(self._ctx.deps)

    def write_state(self, recorded: Value) -> None:
        """Leave in the run's dependencies what the recorded call left there."""
        write_context(self._ctx.deps, recorded)


class _CrossingToolset:
    """A toolset whose calls go through the gate; in all else the one it stands for."""

    def __init__(self, toolset: Any) -> None:
        self._toolset = toolset

    def __getattr__(self, name: str) -> Any:
        return getattr(self._toolset, name)

    async def call_tool(self, name: str, tool_args: dict[str, Any], ctx: Any, tool: Any) -> Any:
        """Make one call."""
        described = framework_tool(name, "pydantic-ai", _effect(tool.tool_def), is_async=True)
        call = _Call(tool_args, ctx, lambda: self._toolset.call_tool(name, tool_args, ctx, tool))
        return await across(described, call)


def _raw_execute(original: Callable[..., Any]) -> Callable[..., Any]:
    async def _raw_execute(self: Any, validated: Any, **options: Any) -> Any:
        if gate.active is None:
            return await original(self, validated, **options)
        crossing = copy.copy(self)  # shares the sets in which the manager keeps what failed
        crossing.toolset = _CrossingToolset(self.toolset)
        return await original(crossing, validated, **options)

    return _raw_execute


def _effect(definition: Any) -> Effect | None:
    """Read the effect from a tool's metadata: ours, or the hints of the MCP server that it comes from."""
    metadata = definition.metadata or {}
    return declared(metadata) or hinted(metadata.get("annotations"))


def _json(value: Any) -> Value:
    try:
        return snapshot(value)
    except NotJsonError:
        from pydantic_ai.messages import tool_return_ta

        return snapshot(tool_return_ta.dump_python(value, mode="json", by_alias=True))
