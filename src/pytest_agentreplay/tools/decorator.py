"""`@tool`: the boundary in front of a function, where its author puts it.

Outside a session a decorated function is the function it decorates, one read of
a module attribute later. What the gate does with a call is the gate's.
"""

from __future__ import annotations

from functools import update_wrapper
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeVar, overload

from pytest_agentreplay.errors import ToolError
from pytest_agentreplay.tools import gate
from pytest_agentreplay.tools.callables import as_function, describe, kind_of, name_of, takes_self
from pytest_agentreplay.tools.spec import MARK, Effect, ToolSpec, check_effect, check_name

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

F = TypeVar("F", bound="Callable[..., Any] | staticmethod[..., Any] | classmethod[Any, ..., Any]")


@overload
def tool(function: F, /, *, effect: Effect | None = None, name: str | None = None) -> F: ...
@overload
def tool(function: None = None, /, *, effect: Effect | None = None, name: str | None = None) -> Callable[[F], F]: ...
def tool(function: Any = None, /, *, effect: Effect | None = None, name: str | None = None) -> Any:
    """Make a function a tool, as ``@tool`` or ``@tool(effect="read")``.

    A function, coroutine function, generator function or async generator
    function stays what it is; another callable becomes a function. A method's
    `self` is no argument of the tool.

    Args:
        function: what the tool runs.
        effect: what a call does to the world; left out, it counts as ``write`` unless somebody else classifies it.
        name: what traces call the tool; the function's own name if left out.

    Raises:
        ToolError: for a class, for what can't be called, and for an effect or a name that can't be used.
    """
    check_effect(effect)
    if name is not None:
        check_name(name)
    if function is None:
        return lambda decorated: decorate(decorated, effect, name, "@tool")
    return decorate(function, effect, name, "@tool")


def decorate(
    function: Any, effect: Effect | None, name: str | None, source: str, *, has_self: bool | None = None
) -> Any:
    """Do what `tool` does, declared by `source`; `has_self` is None where the function itself tells."""
    if isinstance(function, staticmethod | classmethod):
        passes_class = isinstance(function, classmethod)
        return type(function)(decorate(function.__func__, effect, name, source, has_self=passes_class))
    _refuse(function)
    inner = _own_spec(function)
    if inner is None:
        return _make(function, name or name_of(function), effect, source if effect else "", has_self)
    if effect is None and name is None and has_self in (None, inner.has_self):
        return function
    declared = (effect, source) if effect else (inner.effect, inner.effect_source)
    return _make(inner.body, name or inner.name, *declared, inner.has_self if has_self is None else has_self)


def _make(function: Any, name: str, effect: Effect | None, source: str, has_self: bool | None) -> Any:
    check_name(name)
    body = function if isinstance(function, FunctionType) else as_function(function, name)
    if has_self is None:
        has_self = body is function and takes_self(function)
    spec = ToolSpec(name, body, kind=kind_of(function), effect=effect, effect_source=source, has_self=has_self)
    wrapper = update_wrapper(_WRAPPERS[spec.kind](spec, body), body)
    setattr(wrapper, MARK, spec)
    return wrapper


def _refuse(function: Any) -> None:
    if isinstance(function, str):
        raise ToolError(
            f"tool() takes a function, not {function!r}", next='write @tool(name="...") or @tool(effect="...")'
        )
    if isinstance(function, type):
        raise ToolError(
            f"{describe(function)} is a class, and a tool is a function",
            next="decorate the method that acts, or a function that makes the instance and calls it",
        )
    if not callable(function):
        raise ToolError(
            f"{describe(function)} can't be called, so it can't be a tool",
            next="put @tool directly above the function, below @property and the like",
        )


def _own_spec(function: Any) -> ToolSpec | None:
    """Give a decorated function's spec; functools.wraps copies the mark to what wraps it, which is not meant."""
    spec = getattr(function, MARK, None) if isinstance(function, FunctionType) else None
    return spec if isinstance(spec, ToolSpec) and getattr(function, "__wrapped__", None) is spec.body else None


def _function(spec: ToolSpec, body: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        active = gate.active
        if active is None:
            return body(*args, **kwargs)
        return active.call(spec, args, kwargs)

    return call


def _coroutine(spec: ToolSpec, body: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        active = gate.active
        if active is None:
            return await body(*args, **kwargs)
        return await active.acall(spec, args, kwargs)

    return call


def _generator(spec: ToolSpec, body: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        __tracebackhide__ = True
        active = gate.active
        if active is None:
            return (yield from body(*args, **kwargs))
        return (yield from active.generate(spec, args, kwargs))

    return call


def _async_generator(spec: ToolSpec, body: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        __tracebackhide__ = True
        active = gate.active
        inner: Any = body(*args, **kwargs) if active is None else active.agenerate(spec, args, kwargs)
        step = inner.__anext__()
        while (
            True
        ):  # what `yield from` does, which async generators lack (PEP 380): asend, athrow and aclose go through
            try:
                item = await step
            except StopAsyncIteration:
                return
            try:
                sent = yield item
            except GeneratorExit:
                await inner.aclose()
                raise
            except BaseException as error:
                step = inner.athrow(error)
            else:
                step = inner.__anext__() if sent is None else inner.asend(sent)

    return call


_WRAPPERS = {
    "function": _function,
    "coroutine": _coroutine,
    "generator": _generator,
    "async_generator": _async_generator,
}
