"""Calls that a framework makes: tools that are no Python function of the agent's author.

An adapter describes each call by a `FrameworkCall` and sends it through
`cross` or `across`. Nothing here knows a framework, or what the gate decides.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Hashable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal

from pytest_agentreplay.errors import GuardBlocked
from pytest_agentreplay.jsonable import MISSING, Missing, Value, snapshot
from pytest_agentreplay.tools import gate
from pytest_agentreplay.tools.binding import Binding
from pytest_agentreplay.tools.spec import Effect, ToolSpec


class FrameworkCall(ABC):
    """One call that a framework is about to make; adapters say by a subclass what it means to them.

    Attributes:
        args: by parameter name, what the framework itself injects left out.
        raw_args: the text of arguments that were no JSON object, in the place of `args`.
        id: the provider's call id.
        actor: the sub-agent that calls; None for the agent itself.
        batch: what calls have in common that the framework makes side by side, whether or not they overlap in time.
    """

    __slots__ = ("actor", "args", "batch", "id", "raw_args")

    def __init__(
        self,
        args: Mapping[str, Any],
        *,
        raw_args: str | None = None,
        id: str | None = None,
        actor: str | None = None,
        batch: Hashable | None = None,
    ) -> None:
        self.args = args
        self.raw_args = raw_args
        self.id = id
        self.actor = actor
        self.batch = batch

    @abstractmethod
    def proceed(self) -> Any:
        """Make the call for real; gives the framework's own result, or an awaitable of it."""

    def encode(self, result: Any) -> Value:
        """Write the framework's result as JSON.

        Raises:
            NotJsonError: when it can't be.
        """
        return snapshot(result)

    def decode(self, recorded: Value) -> Any:
        """Make the framework's result of a recorded one; a fresh copy each time."""
        return snapshot(recorded)

    def refused(self, blocked: GuardBlocked) -> Any:
        """Give the framework what it expects of a refused call; raises the block where it expects that."""
        raise blocked

    def read_state(self) -> Value | Missing:
        """Give what the call left in the framework's state; `MISSING` where the framework keeps none."""
        return MISSING

    def write_state(self, recorded: Value) -> None:  # noqa: B027 - most frameworks keep no state to write
        """Leave in the framework's state what the recorded call left there."""


class FrameworkTool(ToolSpec):
    """One tool of a framework, as the gate knows it.

    Args:
        source: the adapter's name, shown as the source of the effect that its hints give.
        defaults: of the arguments that a call may leave out.
        is_async: calls of it are awaited.
    """

    __slots__ = ()

    def __init__(
        self,
        name: str,
        *,
        source: str,
        effect: Effect | None = None,
        defaults: Mapping[str, Any] = MappingProxyType({}),
        is_async: bool = False,
    ) -> None:
        kind: Literal["function", "coroutine"] = "coroutine" if is_async else "function"
        super().__init__(name, _proceed, kind=kind, effect=effect, effect_source=source)
        self.binding = _GivenArguments(defaults)


@lru_cache(maxsize=4096)
def framework_tool(name: str, source: str, effect: Effect | None = None, *, is_async: bool = False) -> FrameworkTool:
    """Give the tool of this name, the same for every call of it.

    Args:
        name: what traces call it.
        source: the adapter's name.
        effect: what the framework's hints say of it.
        is_async: calls of it are awaited.
    """
    return FrameworkTool(name, source=source, effect=effect, is_async=is_async)


class _GivenArguments(Binding):
    """Arguments that the framework has bound already."""

    __slots__ = ()

    def __init__(self, defaults: Mapping[str, Any]) -> None:
        self.defaults = MappingProxyType(dict(defaults))
        self.echo = _args
        self.is_plain = True


def cross(tool: FrameworkTool, call: FrameworkCall) -> Any:
    """Make a call through the gate.

    Raises:
        BaseException: what the tool raises, what the recording says that it raised, or what stops the run.
    """
    __tracebackhide__ = True
    active = gate.active
    if active is None:
        return call.proceed()
    try:
        return active.call(tool, (call,), {})
    except GuardBlocked as blocked:
        if blocked.tool != tool.name:
            raise
        return call.refused(blocked)


async def across(tool: FrameworkTool, call: FrameworkCall) -> Any:
    """Do what `cross` does for a call that is awaited."""
    __tracebackhide__ = True
    active = gate.active
    if active is None:
        return await call.proceed()
    try:
        return await active.acall(tool, (call,), {})
    except GuardBlocked as blocked:
        if blocked.tool != tool.name:
            raise
        return call.refused(blocked)


def framework_call(spec: ToolSpec, args: tuple[Any, ...]) -> FrameworkCall | None:
    """Find the framework's call among the gate's arguments; None for a Python function's call."""
    call = args[0] if isinstance(spec, FrameworkTool) and args else None
    return call if isinstance(call, FrameworkCall) else None


def _proceed(call: FrameworkCall) -> Awaitable[Any] | Any:
    return call.proceed()


def _args(call: FrameworkCall) -> dict[str, Any]:
    return dict(call.args)
