"""Google ADK: every tool is a class with a `run_async`, whoever calls it.

The seam is on each such method, of tools of the user's own classes too, under
ADK's callbacks and plugins. What a tool left in the session's state, and what it
told the runner to do, is recorded and left there again. An agent used as a tool
and a transfer to one are no tools: the calls of that agent are its own.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from pytest_agentreplay.adapters.actors import acting, actor
from pytest_agentreplay.adapters.adapter import Patches
from pytest_agentreplay.adapters.hints import declared, hinted
from pytest_agentreplay.errors import GuardBlocked
from pytest_agentreplay.jsonable import MISSING, Missing, NotJsonError, Value, snapshot
from pytest_agentreplay.tools import gate
from pytest_agentreplay.tools.framework_calls import FrameworkCall, across, framework_tool

_TOLD = ("skip_summarization", "transfer_to_agent", "escalate", "end_of_agent")
_WITH_ACTIONS = "$google-adk.actions"
_STEERING = ("transfer_to_agent", "exit_loop", "set_model_response", "finish_task")
"""Tools by which ADK itself steers its agents."""


def install(patches: Patches) -> None:
    """Put the seams in place, in the classes that are there and in those that will be."""
    from google.adk.tools.base_tool import BaseTool

    for owner in _with_subclasses(BaseTool):
        if "run_async" in vars(owner):
            patches.replace(owner, "run_async", _run_async)
    patches.replace(BaseTool, "__init_subclass__", lambda original: _init_subclass(original, patches))


class _Call(FrameworkCall):
    __slots__ = ("_context", "_go_on")

    def __init__(self, args: dict[str, Any], context: Any, go_on: Callable[[], Any]) -> None:
        super().__init__(args, id=context.function_call_id, actor=_actor(context))
        self._context = context
        self._go_on = go_on

    def proceed(self) -> Any:
        return self._go_on()

    def encode(self, result: Any) -> Value:
        """Write what the tool returned, and what it told the runner to do."""
        written = _json(result)
        told = {name: getattr(self._context.actions, name, None) for name in _TOLD}
        actions = {name: value for name, value in told.items() if value is not None}
        return {_WITH_ACTIONS: actions, "result": written} if actions else written

    def decode(self, recorded: Value) -> Any:
        """Make what the tool returned, and tell the runner what the tool told it."""
        value = snapshot(recorded)
        if isinstance(value, dict) and _WITH_ACTIONS in value:
            for name, told in value[_WITH_ACTIONS].items():
                setattr(self._context.actions, name, told)
            return value["result"]
        return value

    def refused(self, blocked: GuardBlocked) -> dict[str, str]:
        """Tell the model why the call was refused."""
        return {"error": str(blocked)}

    def read_state(self) -> Value | Missing:
        """Give what the call changed in the session's state."""
        delta = dict(self._context.actions.state_delta)
        return {name: _json(value) for name, value in delta.items()} or MISSING

    def write_state(self, recorded: Value) -> None:
        """Change in the session's state what the recorded call changed."""
        for name, value in recorded.items() if isinstance(recorded, dict) else ():
            self._context.state[name] = value


def _run_async(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def run_async(self: Any, *, args: dict[str, Any], tool_context: Any) -> Any:
        agent = getattr(self, "agent", None)
        if agent is not None and hasattr(agent, "run_async"):
            gate.hand_over(self.name)
            with acting(str(agent.name)):
                return await original(self, args=args, tool_context=tool_context)
        if self.name in _STEERING:
            gate.hand_over(self.name)
        if gate.active is None or self.name in _STEERING:
            return await original(self, args=args, tool_context=tool_context)
        described = framework_tool(
            self.name,
            "google-adk",
            declared(getattr(self, "custom_metadata", None)) or hinted(_annotations(self)),
            is_async=True,
        )
        call = _Call(args, tool_context, lambda: original(self, args=args, tool_context=tool_context))
        return await across(described, call)

    return run_async


def _init_subclass(original: Any, patches: Patches) -> Any:
    def __init_subclass__(cls: type, **options: Any) -> None:  # noqa: N807 - replaces the method of this name
        original.__func__(cls, **options) if hasattr(original, "__func__") else original(**options)
        if "run_async" in vars(cls):
            patches.replace(cls, "run_async", _run_async)

    made: Any = __init_subclass__
    return classmethod(made)


def _with_subclasses(owner: type[Any]) -> Iterator[type[Any]]:
    yield owner
    subclasses: list[type[Any]] = owner.__subclasses__()
    for subclass in subclasses:
        yield from _with_subclasses(subclass)


def _actor(context: Any) -> str | None:
    """Name the agent that calls, unless it is the root of its tree, which is whoever the tree belongs to."""
    agent = context._invocation_context.agent
    return actor() if agent.name == agent.root_agent.name else str(agent.name)


def _annotations(tool: Any) -> Any:
    return getattr(getattr(tool, "raw_mcp_tool", None), "annotations", None)


def _json(value: Any) -> Value:
    try:
        return snapshot(value)
    except NotJsonError:
        from pydantic_core import to_jsonable_python

        return snapshot(to_jsonable_python(value, by_alias=True, fallback=str))
