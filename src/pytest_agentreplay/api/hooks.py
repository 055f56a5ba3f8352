"""Third-party hooks: how others add effects, redaction, matchers, rules, packs, adapters, importers and report formats.

A plugin is any object with functions marked by `hookimpl`: a module named in
the entry point group ``pytest_agentreplay``, or, inside pytest, a conftest or a
pytest plugin. Built-ins register through the same hooks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import pluggy

if TYPE_CHECKING:
    from pytest_agentreplay.adapters import Adapter
    from pytest_agentreplay.guards.packs import PackFactory
    from pytest_agentreplay.guards.python_rules import PythonRule
    from pytest_agentreplay.interop.registry import Importer
    from pytest_agentreplay.trace import Effect

PROJECT = "pytest_agentreplay"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Hooks(Protocol):
    """The hooks that third parties may implement."""

    @hookspec(firstresult=True)
    def agent_replay_effect(self, tool: str, function: Callable[..., Any]) -> Effect | None:
        """Say what a tool does to the world, where neither its trace, its author nor the ini file did.

        Args:
            tool: the tool's name.
            function: its body.
        """

    @hookspec(firstresult=True)
    def agent_replay_same_args(
        self, tool: str, recorded: Mapping[str, Any], incoming: Mapping[str, Any]
    ) -> bool | None:
        """Say whether recorded arguments stand for incoming ones that are not equal to them; None for no opinion."""

    @hookspec
    def agent_replay_redactions(self) -> Sequence[str]:
        """Add lines of the ini key ``agent_replay_redact``."""

    @hookspec
    def agent_replay_rules(self) -> Sequence[PythonRule]:
        """Add rules, made by `rule`; a policy uses one by its id, as a pack of one: ``use: [ID]``."""

    @hookspec
    def agent_replay_packs(self) -> Mapping[str, PackFactory]:
        """Add packs by name: functions from the options under ``packs:`` to rules; a policy names them in ``use``."""

    @hookspec
    def agent_replay_importers(self) -> Sequence[Importer]:
        """Add foreign formats to ``agent-replay import``."""

    @hookspec
    def agent_replay_adapters(self) -> Sequence[Adapter]:
        """Add adapters: seams into the classes through which a framework calls tools."""

    @hookspec
    def agent_replay_report_formats(self) -> Mapping[str, Callable[[Mapping[str, Any]], str]]:
        """Add report formats by file ending: functions from the report's JSON form to the text of the file."""


@cache
def plugin_manager() -> pluggy.PluginManager:
    """Give this process' plugin manager, with the plugins of the entry point group in it."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    manager.load_setuptools_entrypoints(PROJECT)
    return manager


def register_all(plugins: Sequence[object]) -> None:
    """Register those that implement one of our hooks: pytest's plugins, conftests among them."""
    manager = plugin_manager()
    for plugin in plugins:
        if not manager.is_registered(plugin) and _implements_any(plugin):
            manager.register(plugin)


def _implements_any(plugin: object) -> bool:
    functions = getattr(plugin, "__dict__", {}).items()
    return any(hasattr(item, f"{PROJECT}_impl") for name, item in functions if name.startswith("agent_replay_"))
