"""Layers: the swaps in force of each tool, and what it is without them.

What is a tool already gets no second boundary; its effect and its name are
changed for the time. Several swaps of one function lie over each other and can
be undone in any order; the last to go takes the boundary with it.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from types import FunctionType
from typing import Final

from pytest_agentreplay.tools.callables import kind_of, name_of
from pytest_agentreplay.tools.spec import Effect, ToolSpec, check_name, find_spec
from pytest_agentreplay.tools.swappable import python_function
from pytest_agentreplay.tools.targets import Target
from pytest_agentreplay.tools.trampoline import install


class Swapped:
    """One swap in force.

    Attributes:
        spec: the tool that calls now reach.
    """

    __slots__ = ("_effect", "_name", "_source", "spec")

    def __init__(self, spec: ToolSpec, effect: Effect | None, name: str | None, source: str) -> None:
        self.spec = spec
        self._effect = effect
        self._name = name
        self._source = source

    def undo(self) -> None:
        """Take the swap back; harmless when repeated."""
        with _lock:
            layers = _layers_of.get(self.spec)
            if layers is not None and self in layers.swaps:
                layers.remove(self)

    def apply(self) -> None:
        """Write what this swap declares over what the tool is."""
        if self._name is not None:
            self.spec.name = self._name
        if self._effect is not None:
            self.spec.effect, self.spec.effect_source = self._effect, self._source


class _Layers:
    """The swaps in force of one tool, the oldest first, over what it is without them."""

    __slots__ = ("_restore", "_untouched", "spec", "swaps")

    def __init__(self, spec: ToolSpec, restore: Callable[[], None] | None) -> None:
        self.spec = spec
        self.swaps: list[Swapped] = []
        self._untouched = (spec.name, spec.effect, spec.effect_source)
        self._restore = restore

    def add(self, swapped: Swapped) -> None:
        self.swaps.append(swapped)
        swapped.apply()

    def remove(self, swapped: Swapped) -> None:
        self.swaps.remove(swapped)
        if not self.swaps:
            del _layers_of[self.spec]
            if self._restore is not None:
                self._restore()
        self.spec.name, self.spec.effect, self.spec.effect_source = self._untouched
        for remaining in self.swaps:
            remaining.apply()


_lock: Final = Lock()
_layers_of: Final[dict[ToolSpec, _Layers]] = {}


def put_in_place(target: Target, effect: Effect | None, name: str | None, source: str) -> Swapped:
    """Put the boundary under a target, or a layer over the one that is there.

    What it declares has `source` for its source.

    Raises:
        ToolError: for what can't be swapped in place, naming the alternative.
    """
    with _lock:
        spec, restore = find_spec(target.value), None
        if spec is None:
            function, has_self = python_function(target)
            spec, restore = _install(function, target.name or name or name_of(function), has_self)
        layers = _layers_of.get(spec)
        if layers is None:
            layers = _layers_of[spec] = _Layers(spec, restore)
        swapped = Swapped(spec, effect, name, source)
        layers.add(swapped)
        return swapped


def _install(function: FunctionType, name: str, has_self: bool) -> tuple[ToolSpec, Callable[[], None]]:
    check_name(name)
    kind = kind_of(function)
    return install(function, lambda body: ToolSpec(name, body, kind=kind, has_self=has_self))
