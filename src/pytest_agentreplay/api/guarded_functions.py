"""Guarded functions: a callable of any kind, with a guard in force around everything that a call of it does.

A coroutine or a stream does its work after the call that made it has returned, so
the guard goes with it. Nothing here knows policies.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import aclosing
from typing import Any, TypeVar, cast

from pytest_agentreplay.errors import SettingsError
from pytest_agentreplay.runtime.bound_guards import BoundGuard, bound

F = TypeVar("F", bound=Callable[..., Any])


def guard_function(function: F, make: Callable[[tuple[Any, ...], dict[str, Any]], BoundGuard]) -> F:
    """Guard every call of a callable.

    Args:
        function: plain, coroutine, generator or async generator function, or any other callable but a class.
        make: makes the guard of one call, of its arguments.

    Raises:
        SettingsError: for what can't be called, and for a class.
    """
    given: Any = function
    if isinstance(given, type) or not callable(given):
        what = "is a class" if isinstance(given, type) else "can't be called"
        raise SettingsError(
            f"a guard goes around the calls of a function, and {given!r} {what}",
            next="decorate the function or method that runs the agent",
        )
    wrapper = next((wrap for is_kind, wrap in _WRAPPERS if is_kind(given)), _plain)
    return cast(F, functools.wraps(given)(wrapper(given, make)))


def _plain(function: Any, make: Any) -> Any:
    def guarded(*args: Any, **kwargs: Any) -> Any:
        guard = make(args, kwargs)
        with bound(guard):
            result = function(*args, **kwargs)
        if inspect.isawaitable(result):
            return _await(result, guard)
        if inspect.isgenerator(result):
            return _stream(result, guard)
        return _astream(result, guard) if inspect.isasyncgen(result) else result

    return guarded


def _coroutine(function: Any, make: Any) -> Any:
    async def guarded(*args: Any, **kwargs: Any) -> Any:
        return await _await(function(*args, **kwargs), make(args, kwargs))

    return guarded


def _generator(function: Any, make: Any) -> Any:
    def guarded(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        return (yield from _stream(function(*args, **kwargs), make(args, kwargs)))

    return guarded


def _async_generator(function: Any, make: Any) -> Any:
    def guarded(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        return _astream(function(*args, **kwargs), make(args, kwargs))

    return guarded


_WRAPPERS: list[tuple[Callable[[Any], bool], Callable[[Any, Any], Any]]] = [
    (inspect.iscoroutinefunction, _coroutine),
    (inspect.isgeneratorfunction, _generator),
    (inspect.isasyncgenfunction, _async_generator),
]


async def _await(result: Awaitable[Any], guard: BoundGuard) -> Any:
    with bound(guard):
        return await result


def _stream(stream: Generator[Any, Any, Any], guard: BoundGuard) -> Generator[Any, Any, Any]:
    with bound(guard):
        return (yield from stream)


async def _astream(stream: AsyncGenerator[Any, Any], guard: BoundGuard) -> AsyncGenerator[Any, Any]:
    with bound(guard):
        async with aclosing(stream):
            async for item in stream:
                yield item
