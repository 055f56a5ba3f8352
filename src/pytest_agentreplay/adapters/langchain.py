"""LangChain: every tool is run by `BaseTool.run` or `BaseTool.arun`.

The gate stands in the place of the tool's body alone. What LangChain does
around it (callbacks, validation, handlers of errors, the format of the answer)
happens in a replay as it does live. Nothing here knows what the gate decides.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from copy import copy
from functools import wraps
from typing import Any

from pytest_agentreplay.adapters.adapter import Patches
from pytest_agentreplay.adapters.langchain_results import Halt, ResultWriter, halting
from pytest_agentreplay.adapters.langchain_tools import actor_in, delegated, is_delegation, known_tool
from pytest_agentreplay.adapters.langgraph_steps import aspread, batch_in, spread
from pytest_agentreplay.adapters.langgraph_writes import Writes, noting
from pytest_agentreplay.errors import GuardBlocked
from pytest_agentreplay.jsonable import Missing, Value
from pytest_agentreplay.tools import gate
from pytest_agentreplay.tools.framework_calls import FrameworkCall, across, cross


def install(patches: Patches) -> None:
    """Put the gate in the place of every tool's body."""
    from langchain_core.runnables import Runnable, RunnableParallel
    from langchain_core.tools.base import BaseTool

    patches.replace(BaseTool, "run", _crossing)
    patches.replace(BaseTool, "arun", _acrossing)
    _cover_own_ways(patches, BaseTool)
    for owner, name, many in ((Runnable, "batch", _several_inputs), (RunnableParallel, "invoke", _several_branches)):
        patches.replace(owner, name, spread(many))
        patches.replace(owner, f"a{name}", aspread(many))
    tracing: Any = sys.modules.get("langsmith._internal._context")
    if tracing is not None:  # LangSmith's uploads are connections of no tool
        patches.replace(tracing, "_GLOBAL_TRACING_ENABLED", lambda _: False)


def _several_inputs(_: Any, inputs: Any = (), *__: Any) -> bool:
    return len(inputs) > 1


def _several_branches(runnable: Any, *_: Any) -> bool:
    return len(runnable.steps__) > 1


def _crossing(run: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(run)
    def crossing(tool: Any, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        if gate.active is None:
            return run(tool, tool_input, *args, **kwargs)
        if is_delegation(tool):
            with delegated(tool, tool_input, kwargs):
                return run(tool, tool_input, *args, **kwargs)
        call = _Call(tool, tool_input, kwargs)
        try:
            output = run(_with_boundary(tool, call), tool_input, *args, **kwargs)
        except Exception as error:
            call.note_unreached(_raiser(error))
            raise
        call.note_unreached(lambda: output)
        return output

    return crossing


def _acrossing(arun: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(arun)
    async def acrossing(tool: Any, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        if gate.active is None:
            return await arun(tool, tool_input, *args, **kwargs)
        if is_delegation(tool):
            with delegated(tool, tool_input, kwargs):
                return await arun(tool, tool_input, *args, **kwargs)
        call = _Call(tool, tool_input, kwargs)
        try:
            output = await arun(_with_boundary(tool, call), tool_input, *args, **kwargs)
        except Exception as error:
            call.note_unreached(_raiser(error))
            raise
        call.note_unreached(lambda: output)
        return output

    return acrossing


def _cover_own_ways(patches: Patches, base: Any) -> None:
    """Put the gate before what classes of tools do in the place of LangChain's own way to the body."""

    def cover(cls: Any) -> None:
        for name in ("invoke", "run", "ainvoke", "arun"):
            own = vars(cls).get(name)
            if own is not None and not getattr(own, "__module__", "").startswith("langchain_core."):
                patches.replace(cls, name, _awhole if name.startswith("a") else _whole)

    def covering(init_subclass: Any) -> Any:
        @classmethod  # type: ignore[misc]
        def initialized(cls: Any, **kwargs: Any) -> None:
            init_subclass.__func__(cls, **kwargs)
            cover(cls)

        return initialized

    patches.replace(base, "__init_subclass__", covering)
    found, left = set(), list(base.__subclasses__())
    while left:
        cls = left.pop()
        if cls not in found:
            found.add(cls)
            left.extend(cls.__subclasses__())
            cover(cls)


def _whole(way: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(way)
    def calling(tool: Any, given: Any, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        if gate.active is None:
            return way(tool, given, *args, **kwargs)
        call = _whole_call(tool, given, args, kwargs)
        call.body = lambda: way(tool, given, *args, **kwargs)
        return _delivered(cross(call.tool, call))

    return calling


def _awhole(way: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(way)
    async def calling(tool: Any, given: Any, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        if gate.active is None:
            return await way(tool, given, *args, **kwargs)
        call = _whole_call(tool, given, args, kwargs)
        call.body, call.is_async = lambda: way(tool, given, *args, **kwargs), True
        return _delivered(await across(call.tool, call))

    return calling


def _whole_call(tool: Any, given: Any, args: tuple[Any, ...], options: Mapping[str, Any]) -> _Call:
    is_call = isinstance(given, Mapping) and given.get("type") == "tool_call"
    config = args[0] if args and isinstance(args[0], Mapping) else options.get("config")
    call_id = given.get("id") if is_call else options.get("tool_call_id")
    tool_input = given["args"] if is_call else given
    return _Call(tool, tool_input, {"config": config, "tool_call_id": call_id}, is_whole=True)


def _with_boundary(tool: Any, call: _Call) -> Any:
    """Copy a tool, with the gate in the place of its body; the real body stays the real tool's."""

    @wraps(tool._run)
    def run(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        call.body = lambda: tool._run(*args, **call.watched(kwargs))
        return _delivered(cross(call.tool, call))

    @wraps(tool._arun)
    async def arun(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        call.body = lambda: tool._arun(*args, **call.watched(kwargs))
        call.is_async = True
        return _delivered(await across(call.tool, call))

    copied = copy(tool)
    copied.__dict__.update(_run=run, _arun=arun)  # past pydantic, which takes fields alone
    return copied


def _delivered(result: Any) -> Any:
    if isinstance(result, Halt):
        raise result.error()
    return result


def _raiser(error: Exception) -> Callable[[], Any]:
    def fail() -> Any:
        raise error

    return fail


class _Call(FrameworkCall):
    """One call of a tool, from before its arguments are validated.

    Attributes:
        tool: as the gate knows it.
        body: what runs the real tool; None until LangChain got that far.
    """

    __slots__ = ("_result", "_writes", "body", "is_async", "tool")

    def __init__(self, tool: Any, tool_input: Any, options: Mapping[str, Any], *, is_whole: bool = False) -> None:
        known = known_tool(tool)
        if isinstance(tool_input, Mapping):
            args = {name: tool_input[name] for name in known.arguments_among(tool, tool_input)}
        else:
            args = {next(iter(tool.args), "input"): tool_input}
        config = options.get("config") or {}
        batch = batch_in((config.get("configurable") or {}).get("checkpoint_ns") or "")
        super().__init__(args, id=options.get("tool_call_id"), actor=actor_in(config), batch=batch)
        self.tool = known
        self.body: Callable[[], Any] | None = None
        self.is_async = False
        given = (
            [value for name, value in tool_input.items() if name not in args] if isinstance(tool_input, Mapping) else []
        )
        self._result = ResultWriter(tool, self.id, given, is_formatted=is_whole)
        self._writes = Writes(given, self._result.write, self._result.read)

    def note_unreached(self, outcome: Callable[[], Any]) -> None:
        """Let the gate know of a call that ended before the body: its arguments didn't fit."""
        if self.body is None:
            self.body = outcome
            with suppress(Exception):  # the agent gets LangChain's own error; what the gate objects to is sticky
                cross(self.tool, self)

    def watched(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Let what the body streams by the runtime that it was given be seen."""
        return {name: self._writes.watched(value) for name, value in options.items()}

    def proceed(self) -> Any:
        """Run the tool's body."""
        assert self.body is not None
        return self._await() if self.is_async else self._run()

    def _run(self) -> Any:
        assert self.body is not None
        with halting() as halted, noting(self._writes):
            return self.body()
        return halted.halt

    async def _await(self) -> Any:
        assert self.body is not None
        with halting() as halted, noting(self._writes):
            made: Awaitable[Any] = self.body()
            return await made
        return halted.halt

    def encode(self, result: Any) -> Value:
        """Write what the body returned, or that it interrupted the graph."""
        return self._result.encode(result)

    def decode(self, recorded: Value) -> Any:
        """Make what the body returned."""
        return self._result.decode(recorded)

    def refused(self, blocked: GuardBlocked) -> Any:
        """Answer a model's call by an error; a call that no model made gets the block."""
        if self.id is None:
            raise blocked
        return self._result.refusal(str(blocked))

    def read_state(self) -> Value | Missing:
        """Give what the body wrote to the graph beside its result."""
        return self._writes.to_state()

    def write_state(self, recorded: Value) -> None:
        """Write to the graph what the recorded body wrote."""
        self._writes.repeat(recorded)
