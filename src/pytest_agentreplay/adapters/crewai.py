"""CrewAI: tools are run through `run`, `arun`, or as structured tools through `invoke`.

Delegating to a coworker is no tool: the coworker's calls are its own. Results
that the crew answers from its own cache reach no tool, live or replayed.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Hashable, Mapping
from contextvars import ContextVar
from typing import Any

from pytest_agentreplay.adapters.actors import acting, actor
from pytest_agentreplay.adapters.adapter import Patches
from pytest_agentreplay.adapters.batches import batch, of_batch
from pytest_agentreplay.adapters.function_results import FunctionCall
from pytest_agentreplay.adapters.machinery import not_the_agents
from pytest_agentreplay.errors import GuardBlocked
from pytest_agentreplay.tools import gate
from pytest_agentreplay.tools.framework_calls import across, cross, framework_tool

_turn: ContextVar[Hashable | None] = ContextVar("agent_replay_crewai_turn", default=None)


def install(patches: Patches) -> None:
    """Put the seams in place."""
    from crewai.agents.agent_executor import AgentExecutor
    from crewai.events.event_bus import CrewAIEventsBus
    from crewai.memory.storage.kickoff_task_outputs_storage import KickoffTaskOutputsSQLiteStorage
    from crewai.telemetry.telemetry import Telemetry
    from crewai.tools.agent_tools.base_agent_tools import BaseAgentTool
    from crewai.tools.base_tool import BaseTool, Tool
    from crewai.tools.structured_tool import CrewStructuredTool

    for owner in (BaseTool, Tool):
        patches.replace(owner, "run", _run)
        patches.replace(owner, "arun", _arun)
    patches.replace(CrewStructuredTool, "invoke", _invoke)
    patches.replace(CrewStructuredTool, "ainvoke", _ainvoke)
    patches.replace(BaseAgentTool, "_execute", _execute)
    patches.replace(AgentExecutor, "_execute_single_native_tool_call", _execute_single)
    patches.replace(AgentExecutor, "_should_parallelize_native_tool_calls", _should_parallelize)
    patches.replace(CrewAIEventsBus, "_ensure_executor_initialized", not_the_agents)
    for name in ("_initialize_db", "add", "update", "load", "delete_all"):  # the crew's own file of task outputs
        patches.replace(KickoffTaskOutputsSQLiteStorage, name, not_the_agents)
    patches.replace(Telemetry, "_is_telemetry_disabled", _is_telemetry_disabled)


class _Call(FunctionCall):
    __slots__ = ("_go_on",)

    def __init__(self, tool: Any, args: Mapping[str, Any], raw_args: str | None, go_on: Callable[[], Any]) -> None:
        super().__init__(args, raw_args=raw_args, actor=actor(), batch=batch())
        self.tool = tool.name
        self.function = getattr(tool, "func", None) or tool._run
        self._go_on = go_on

    def proceed(self) -> Any:
        return self._go_on()

    def refused(self, blocked: GuardBlocked) -> str:
        """Tell the model why the call was refused."""
        return str(blocked)


def _run(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        if gate.active is None or _steers(self):
            return original(self, *args, **kwargs)
        call = _Call(self, _named(self, args, kwargs), None, lambda: original(self, *args, **kwargs))
        return cross(framework_tool(self.name, "crewai"), call)

    return run


def _arun(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def arun(self: Any, *args: Any, **kwargs: Any) -> Any:
        if gate.active is None or _steers(self):
            return await original(self, *args, **kwargs)
        call = _Call(self, _named(self, args, kwargs), None, lambda: original(self, *args, **kwargs))
        return await across(framework_tool(self.name, "crewai", is_async=True), call)

    return arun


def _invoke(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def invoke(self: Any, input: Any, *args: Any, **kwargs: Any) -> Any:
        if gate.active is None or _steers(self):
            return original(self, input, *args, **kwargs)
        call = _Call(self, *_parsed(input), lambda: original(self, input, *args, **kwargs))
        return cross(framework_tool(self.name, "crewai"), call)

    return invoke


def _ainvoke(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def ainvoke(self: Any, input: Any, *args: Any, **kwargs: Any) -> Any:
        if gate.active is None or _steers(self):
            return await original(self, input, *args, **kwargs)
        call = _Call(self, *_parsed(input), lambda: original(self, input, *args, **kwargs))
        return await across(framework_tool(self.name, "crewai", is_async=True), call)

    return ainvoke


def _execute(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def _execute(self: Any, agent_name: str | None, *args: Any, **kwargs: Any) -> Any:
        with acting((agent_name or "").strip() or None):
            return original(self, agent_name, *args, **kwargs)

    return _execute


def _should_parallelize(original: Callable[..., bool]) -> Callable[..., bool]:
    @functools.wraps(original)
    def _should_parallelize_native_tool_calls(self: Any, tool_calls: list[Any]) -> bool:
        in_parallel = original(self, tool_calls)
        _turn.set(object() if in_parallel else None)  # the threads that make the calls copy it
        return in_parallel

    return _should_parallelize_native_tool_calls


def _execute_single(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def _execute_single_native_tool_call(self: Any, tool_call: Any) -> Any:
        with of_batch(_turn.get()):
            return original(self, tool_call)

    return _execute_single_native_tool_call


def _is_telemetry_disabled(original: Callable[..., bool]) -> Any:
    return classmethod(lambda cls: gate.in_test() or original())


def _steers(tool: Any) -> bool:
    """Tell whether a tool is the crew's own way to hand work to a coworker."""
    from crewai.tools.agent_tools.base_agent_tools import BaseAgentTool

    return isinstance(getattr(tool, "_original_tool", None) or tool, BaseAgentTool)


def _named(tool: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    return {**dict(zip(tool.args_schema.model_fields, args, strict=False)), **kwargs}


def _parsed(given: Any) -> tuple[Mapping[str, Any], str | None]:
    """Read a structured tool's input: a mapping, or JSON text."""
    if isinstance(given, Mapping):
        return given, None
    try:
        read = json.loads(given)
    except (TypeError, ValueError):
        return {}, str(given)
    return (read, None) if isinstance(read, dict) else ({}, str(given))
