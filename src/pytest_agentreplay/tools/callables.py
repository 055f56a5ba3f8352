"""What can be read off a callable without calling it: its kind, its name, its first parameter.

Reads code flags rather than asking `inspect`, so that decorating a tool in
production doesn't load it. Nothing here knows of tools' effects or the gate.
"""

from __future__ import annotations

from functools import partial, update_wrapper
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Final

from pytest_agentreplay.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_agentreplay.tools.spec import Kind

# As in inspect.CO_GENERATOR, CO_COROUTINE and CO_ASYNC_GENERATOR.
_GENERATOR: Final = 0x20
_COROUTINE: Final = 0x80
_ASYNC_GENERATOR: Final = 0x200
_OF_CACHES: Final = ("cache_clear", "cache_info", "cache_parameters")
LONGEST_CHAIN: Final = 100
"""More decorators than this on one function are a proxy that has every attribute one asks for."""


def chain_of(function: Any) -> Iterator[Any]:
    """Give a callable and what it wraps, by ``__wrapped__``, the outermost first."""
    for _ in range(LONGEST_CHAIN):
        yield function
        if not hasattr(function, "__wrapped__"):
            return
        function = function.__wrapped__


def kind_of(function: object) -> Kind:
    """Tell which kind of function a callable behaves as."""
    reached = _first_python_function(function)
    if reached is None:
        return "function"
    flags = reached.__code__.co_flags
    if flags & _COROUTINE or hasattr(reached, "_is_coroutine_marker"):  # set by inspect.markcoroutinefunction
        return "coroutine"
    if flags & _ASYNC_GENERATOR:
        return "async_generator"
    return "generator" if flags & _GENERATOR else "function"


def _first_python_function(function: Any) -> FunctionType | None:
    while True:
        if isinstance(function, FunctionType):
            return function
        if isinstance(function, partial):
            function = function.func
        elif isinstance(function, MethodType):
            function = function.__func__
        else:
            call = getattr(type(function), "__call__", None)  # noqa: B004 - the function, not whether there is one
            return call if isinstance(call, FunctionType) else None


def name_of(function: Any) -> str:
    """Give the name that a callable goes by.

    Raises:
        ToolError: when it has none of its own, as a lambda.
    """
    while isinstance(function, partial):
        function = function.func
    name = getattr(function, "__name__", None)
    if isinstance(name, str) and name != "<lambda>":
        return name
    raise ToolError(
        f"{describe(function)} has no name that a trace could use",
        next='give it one: tool(name="...") or the key of a dict',
    )


def describe(value: Any) -> str:
    """Name a callable for a reader: ``shop.api.charge``, or its type where it has no name."""
    name = getattr(value, "__qualname__", None)
    if isinstance(name, str):
        module = getattr(value, "__module__", None)
        return f"{module}.{name}" if isinstance(module, str) else name
    return f"a {type(value).__qualname__}"


def takes_self(function: Any) -> bool:
    """Tell whether a function was defined in a class and takes an instance or the class first."""
    *_, innermost = chain_of(function)
    if not isinstance(innermost, FunctionType):
        return False
    place = innermost.__qualname__.rpartition(".")[0]
    code = innermost.__code__
    return (
        bool(place)
        and not place.endswith("<locals>")
        and code.co_varnames[: code.co_argcount][:1] in (("self",), ("cls",))
    )


def as_function(function: Any, name: str) -> Callable[..., Any]:
    """Make a plain function of a callable that is none, with its documentation, annotations and signature."""

    def forward(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    source = _first_python_function(function)
    update_wrapper(forward, source if source is not None else function, updated=())
    forward.__wrapped__ = function  # type: ignore[attr-defined]
    forward.__name__ = name
    annotations = {} if source is None else source.__annotations__
    forward.__annotations__ = {key: hint for key, hint in annotations.items() if key not in _bound_by(function)}
    for attribute in _OF_CACHES:
        if hasattr(function, attribute):
            setattr(forward, attribute, getattr(function, attribute))
    return forward


def _bound_by(function: Any) -> set[str]:
    """Name the parameters that a partial or a bound method already has."""
    if isinstance(function, MethodType):
        return _bound_by(function.__func__)
    if not isinstance(function, partial):
        return set()
    reached = _first_python_function(function.func)
    names = reached.__code__.co_varnames[: reached.__code__.co_argcount] if reached is not None else ()
    return set(names[: len(function.args)])
