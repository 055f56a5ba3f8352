"""What can be swapped in place: the Python function under a callable, or why there is none.

Nothing here changes anything.
"""

from __future__ import annotations

from functools import partial
from types import FunctionType, MethodType
from typing import Any, Final, NoReturn

from pytest_agentreplay.errors import ToolError
from pytest_agentreplay.tools.callables import LONGEST_CHAIN, describe, kind_of, takes_self
from pytest_agentreplay.tools.targets import Target

OTHERWISE: Final = "decorate it with @tool, or put it in a dict or list and use agent_replay.wrap"


def python_function(target: Target) -> tuple[FunctionType, bool]:
    """Follow a callable to the Python function that does the work, through methods and ``__wrapped__``.

    Returns:
        the function, and whether a call passes it an instance or a class first.

    Raises:
        ToolError: when a swap there would change nothing, or not all of it.
    """
    link, has_self = target.value, target.has_self
    for _ in range(LONGEST_CHAIN):
        if problem := _obstacle(link):
            _refuse(target.value, link, problem)
        if isinstance(link, MethodType):
            link, has_self = link.__func__, True
        elif isinstance(link, staticmethod | classmethod):
            link, has_self = link.__func__, isinstance(link, classmethod)
        elif hasattr(link, "__wrapped__"):
            link = link.__wrapped__
        elif not isinstance(link, FunctionType):
            _refuse(target.value, link, "not written in Python")
        else:
            return link, takes_self(link) if has_self is None else has_self
    _refuse(target.value, target.value, "wrapped without an end")


def _obstacle(link: Any) -> str:
    """Say why nothing at or below a link of the chain can be swapped; empty when nothing speaks against it."""
    if isinstance(link, type):
        return "a class"
    if not callable(link) and not isinstance(link, classmethod):
        return "no function"
    if isinstance(link, partial):
        return "a partial, which is no function of its own"
    if hasattr(link, "cache_clear"):
        return "a cache, which answers without calling the function"
    if hasattr(link, "registry") and hasattr(link, "dispatch"):
        return "a singledispatch function, which calls others than the one it wraps"
    if isinstance(link, FunctionType) and not hasattr(link, "__wrapped__") and "generator" in kind_of(link):
        return "a generator function"
    return ""


def _refuse(value: Any, link: Any, problem: str) -> NoReturn:
    fact = f"{describe(value)} can't be swapped: it is {problem}"
    if link is not value:
        fact = f"{describe(value)} can't be swapped: {describe(link)}, which it wraps, is {problem}"
    remedy = OTHERWISE
    if isinstance(link, type):
        remedy = f"swap the method that acts, as {link.__module__}:{link.__qualname__}.method"
    elif not callable(link):
        remedy = "name a function or a method"
    raise ToolError(fact, next=remedy)
