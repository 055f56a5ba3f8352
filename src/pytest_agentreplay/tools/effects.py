"""Effects: what a tool does to the world, and who says so.

The first that says something wins: the trace, the tool's author, the ini file,
the hook, the framework's hints. Where nobody does, it is a write, since a write
taken for a read runs for real.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias

from pytest_agentreplay.errors import SettingsError
from pytest_agentreplay.tools.spec import Effect, ToolSpec

UNCLASSIFIED: Final = "nobody classified it"
"""The source of an effect that is ``write`` because nobody said anything."""

EffectHook: TypeAlias = Callable[[ToolSpec], Effect | None]

_AUTHORS: Final = frozenset({"@tool", "swap", "wrap", ""})
_INI: Final = "agent_replay_tools"


class EffectResolver:
    """Finds the effects of tools for one session.

    Args:
        trace_tools: the trace's `tools`.
        ini_tools: those of the ini file, as `parse_tool_lines` reads them.
        hook: asked for tools that neither those nor the tool's author classify; it gives None for no opinion.
    """

    def __init__(
        self, trace_tools: Mapping[str, Effect], ini_tools: Mapping[str, Effect], hook: EffectHook | None = None
    ) -> None:
        self._trace_tools = trace_tools
        self._ini_tools = ini_tools
        self._hook = hook
        self._known: dict[tuple[ToolSpec, str, Effect | None, str], tuple[Effect, str]] = {}

    def resolve(self, spec: ToolSpec) -> tuple[Effect, str]:
        """Give a tool's effect and, in words, who says so.

        Raises:
            SettingsError: when the hook's answer is no effect.
        """
        key = (spec, spec.name, spec.effect, spec.effect_source)  # a swap may change the last three
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._resolve(spec)
        return known

    def _resolve(self, spec: ToolSpec) -> tuple[Effect, str]:
        if spec.name in self._trace_tools:
            return self._trace_tools[spec.name], "the trace's tools"
        if spec.effect is not None and spec.effect_source in _AUTHORS:
            return spec.effect, spec.effect_source or "the tool's author"
        if spec.name in self._ini_tools:
            return self._ini_tools[spec.name], _INI
        hooked = self._hook(spec) if self._hook is not None else None
        if hooked is not None:
            return _checked(hooked, f"the hook agent_replay_effect for {spec.name}"), "the hook"
        if spec.effect is not None:
            return spec.effect, f"the hints of {spec.effect_source}"
        return "write", UNCLASSIFIED


def parse_tool_lines(lines: Iterable[str]) -> tuple[dict[str, Effect], dict[str, Effect]]:
    """Read the lines of `agent_replay_tools`: ``name = read``, and ``module:function = write`` for swaps.

    Blank lines and those that begin with ``#`` are passed over.

    Returns:
        effects by tool name, and effects by what is to be swapped.

    Raises:
        SettingsError: naming the line that can't be read.
    """
    effects: dict[str, Effect] = {}
    swaps: dict[str, Effect] = {}
    for line in (line.strip() for line in lines):
        if line and not line.startswith("#"):
            name, effect = _parse_line(line)
            found = swaps if ":" in name else effects
            if found.setdefault(name, effect) != effect:
                raise SettingsError(f"{_INI} says both read and write of {name}", next="keep one of the lines")
    return effects, swaps


def _parse_line(line: str) -> tuple[str, Effect]:
    name, equals, effect = (part.strip() for part in line.rpartition("="))
    if not equals or not name:
        raise SettingsError(
            f"{_INI} can't read the line {line!r}", next="write `name = read`, or `module:function = write` to swap"
        )
    module, colon, path = name.partition(":")
    if colon and not all(part.isidentifier() for part in (*module.split("."), *path.split("."))):
        raise SettingsError(f"{_INI} can't swap {name!r}", next="write it as package.module:function, or :Class.method")
    return name, _checked(effect, f"the line {line!r} of {_INI}")


def _checked(effect: str, where: str) -> Effect:
    if effect == "read":
        return "read"
    if effect == "write":
        return "write"
    raise SettingsError(f"{where} gives the effect {effect!r}", next="choose read or write")
