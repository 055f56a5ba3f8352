"""Swaps: the boundary in tools that nobody decorated, and the way back.

`swap` puts it into one Python function in place, `wrap` into every tool of a
container: in place where it can, else by putting a decorated function where the
tool was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping, MutableSequence, Sequence, Set
from types import MappingProxyType
from typing import Any, Final

from pytest_agentreplay.errors import ToolError
from pytest_agentreplay.tools.callables import describe, name_of
from pytest_agentreplay.tools.decorator import decorate
from pytest_agentreplay.tools.layers import Swapped, put_in_place
from pytest_agentreplay.tools.spec import Effect, ToolSpec, check_effect, check_name, find_spec
from pytest_agentreplay.tools.targets import Target, find_target

__all__ = ["Swapped", "Wrapped", "swap", "wrap"]

_NONE: Final[Mapping[str, Effect]] = MappingProxyType({})


def swap(target: str | Callable[..., Any], *, effect: Effect | None = None, name: str | None = None) -> Swapped:
    """Put the boundary into a Python function in place, so that every reference to it sees it.

    Follows ``__wrapped__`` to the function under a guard or retry decorator. A
    method is swapped for all instances, an inherited one in the class that
    defines it. What is a tool already keeps its one boundary.

    Args:
        target: ``package.module:qualified.name``, or the function.
        effect: what a call does to the world.
        name: what traces call the tool; by default the last part of the target, or the name it has as a tool.

    Raises:
        SettingsError: when a target's text leads nowhere.
        ToolError: for what can't be swapped in place, naming the alternative.
    """
    check_effect(effect)
    if name is not None:
        check_name(name)
    found = find_target(target) if isinstance(target, str) else Target(target, "", None)
    return put_in_place(found, effect, name, "swap")


class Wrapped:
    """What `wrap` did to a container."""

    __slots__ = ("_names", "_tools", "_undo")

    def __init__(self, tools: Any) -> None:
        self._tools = tools
        self._names: dict[ToolSpec, str] = {}
        self._undo: list[Callable[[], None]] = []

    def undo(self) -> None:
        """Take every swap back and put back what was replaced; harmless when repeated."""
        while self._undo:
            self._undo.pop()()

    def add(self, key: Any, tool: Any, name: str, effect: Effect | None) -> None:
        """Put the boundary under one tool of the container."""
        present = find_spec(tool)
        if present is not None and self._names.get(present, name) != name:
            problem = ToolError(f"{describe(tool)} can't have the names {self._names[present]} and {name} at once")
            self._replace(key, tool, name, effect, problem)
            return
        try:
            declared_name = name if isinstance(self._tools, Mapping) else None
            swapped = put_in_place(Target(tool, name, None), effect, declared_name, "wrap")
        except ToolError as problem:
            self._replace(key, tool, name, effect, problem)
        else:
            self._undo.append(swapped.undo)
            self._names[swapped.spec] = name

    def _replace(self, key: Any, tool: Any, name: str, effect: Effect | None, problem: ToolError) -> None:
        """Put a decorated function in the tool's place, because of a problem with the tool itself."""
        if not isinstance(self._tools, MutableMapping | MutableSequence):
            remedy = "decorate it with @tool, or wrap a dict or a list of tools"
            raise ToolError(problem.fact, next=remedy) from None
        replacement = decorate(tool, effect, name, "wrap")
        self._tools[key] = replacement
        self._undo.append(lambda: _put_back(self._tools, replacement, tool))


def wrap(tools: Any, *, effect: Effect | None = None, effects: Mapping[str, Effect] = _NONE) -> Wrapped:
    """Put the boundary into every tool of a dict, a list, a tuple or a set; all of them or none.

    Python functions are swapped in place. What can't be, as a partial, a builtin,
    a cache, a generator function or a callable object, is replaced in a dict or a
    list, and refused elsewhere.

    Args:
        tools: a dict's keys are the tools' names; elsewhere a tool goes by its own.
        effect: what a call of any of them does to the world.
        effects: the same by name, before `effect`.

    Raises:
        ToolError: for what is no container of tools, and for a tool that can't be wrapped.
    """
    for declared in (effect, *effects.values()):
        check_effect(declared)
    entries = [(key, tool, _name(tools, key, tool)) for key, tool in _entries(tools)]
    _refuse_unknown(effects, [name for _, _, name in entries])
    wrapped = Wrapped(tools)
    try:
        for key, tool, name in entries:
            wrapped.add(key, tool, name, effects.get(name, effect))
    except BaseException:
        wrapped.undo()
        raise
    return wrapped


def _entries(tools: Any) -> list[tuple[Any, Any]]:
    if isinstance(tools, Mapping):
        return list(tools.items())
    if isinstance(tools, Sequence | Set) and not isinstance(tools, str | bytes):
        return list(enumerate(tools))
    raise ToolError(f"{describe(tools)} is no dict, list, tuple or set of tools", next="swap a single function")


def _name(tools: Any, key: Any, tool: Any) -> str:
    if not callable(tool):
        raise ToolError(f"{describe(tool)} among the tools can't be called", next="hand over the functions themselves")
    if isinstance(tools, Mapping):
        check_name(key)
        return str(key)
    present = find_spec(tool)
    return name_of(tool) if present is None else present.name


def _refuse_unknown(effects: Mapping[str, Effect], names: Iterable[str]) -> None:
    from difflib import get_close_matches

    known = list(names)
    for name in effects:
        if name not in known:
            nearest = get_close_matches(name, known, n=1)
            details = {"closest": nearest[0]} if nearest else {}
            raise ToolError(f"effects names {name}, which is none of the tools", **details, next="name one of them")


def _put_back(tools: Any, replacement: Any, tool: Any) -> None:
    """Put a tool back where its replacement is now, which need not be where it was."""
    for key, item in _entries(tools):
        if item is replacement:
            tools[key] = tool
