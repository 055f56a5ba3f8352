"""smolagents: every tool is called through `Tool.__call__`, by both kinds of agents and by hand.

The seam is at the tool's `forward`, so that smolagents goes on turning inputs
and outputs into its own types. A managed agent is no tool; its calls are its
own. Remote executors run tools in another process, where nothing is seen.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextvars import copy_context
from typing import Any

from pytest_agentreplay.adapters.actors import acting, actor
from pytest_agentreplay.adapters.adapter import Patches
from pytest_agentreplay.adapters.batches import batch, of_batch
from pytest_agentreplay.adapters.function_results import FunctionCall
from pytest_agentreplay.tools import gate
from pytest_agentreplay.tools.framework_calls import cross, framework_tool

_ENDS_THE_RUN = "final_answer"


def install(patches: Patches) -> None:
    """Put the seams in place."""
    from smolagents import agents, local_python_executor, tools

    patches.replace(tools.Tool, "__call__", _tool_call)
    patches.replace(agents.MultiStepAgent, "__call__", _managed_call)
    patches.replace(agents.ToolCallingAgent, "process_tool_calls", _turn)
    patches.replace(agents.MultiStepAgent, "_finalize_step", _step_end)
    patches.replace(local_python_executor, "ThreadPoolExecutor", _keeping_context)


class _Call(FunctionCall):
    __slots__ = ("_args", "_kwargs", "_tool")

    def __init__(self, tool: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        super().__init__({**dict(zip(tool.inputs, args, strict=False)), **kwargs}, actor=actor(), batch=batch())
        self.tool = tool.name
        self.function = getattr(type(tool).forward, "__wrapped__", tool.forward)
        self._tool = tool
        self._args = args
        self._kwargs = kwargs

    def proceed(self) -> Any:
        if not self._tool.is_initialized:
            self._tool.setup()
        return self._tool.forward(*self._args, **self._kwargs)


def _tool_call(original: Callable[..., Any]) -> Callable[..., Any]:
    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807 - replaces the method of this name
        if gate.active is None or self.name == _ENDS_THE_RUN:
            return original(self, *args, **kwargs)

        def forward(*given: Any, **named: Any) -> Any:
            return cross(framework_tool(self.name, "smolagents"), _Call(self, given, named))

        stand_in = copy.copy(self)
        stand_in.forward = forward
        stand_in.is_initialized = True  # the real one is set up when it is really called
        return original(stand_in, *args, **kwargs)

    return __call__


def _managed_call(original: Callable[..., Any]) -> Callable[..., Any]:
    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807 - replaces the method of this name
        gate.hand_over(self.name)
        with acting(self.name):
            return original(self, *args, **kwargs)

    return __call__


def _turn(original: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    def process_tool_calls(self: Any, chat_message: Any, memory_step: Any) -> Iterator[Any]:
        alone = len(chat_message.tool_calls or ()) < 2 or self.max_tool_threads == 1
        one, end = None if alone else object(), object()
        told = original(self, chat_message, memory_step)
        while True:
            with of_batch(one):  # the threads that make the calls copy it
                said = next(told, end)
            if said is end:
                return
            yield said

    return process_tool_calls


def _step_end(original: Callable[..., Any]) -> Callable[..., Any]:
    def _finalize_step(self: Any, memory_step: Any) -> Any:
        ended = original(self, memory_step)
        active = gate.active
        number = getattr(memory_step, "step_number", None)
        if active is not None and number is not None:
            seen = {"state": dict(self.state), "observations": memory_step.observations}
            where = f"step {number}" if actor() is None else f"{actor()}: step {number}"
            active.checkpoint(seen, where, {})
        return ended

    return _finalize_step


def _keeping_context(original: Any) -> Any:
    """Let generated code, which runs in a thread of its own, know whose it is."""

    class KeepingContext(original):  # type: ignore[misc]
        def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
            return super().submit(copy_context().run, function, *args, **kwargs)

    return KeepingContext
