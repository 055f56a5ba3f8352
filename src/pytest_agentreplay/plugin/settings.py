"""What a test session was told: flags and ini keys, read once, checked, and made usable."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from pytest_agentreplay.api.guarding import SessionGuards
from pytest_agentreplay.api.hooks import plugin_manager, register_all
from pytest_agentreplay.api.model_traffic import ModelSource
from pytest_agentreplay.errors import SettingsError
from pytest_agentreplay.redaction import Redactor
from pytest_agentreplay.runtime.freezing import Subject, parse_subjects
from pytest_agentreplay.storage import TraceCache, load_trace
from pytest_agentreplay.tools.effects import parse_tool_lines
from pytest_agentreplay.trace import Effect, Trace

DEFAULT_DIR = "golden_traces"
MARKER_KEYS = ("allow_hosts", "allow_paths", "allow_processes", "env", "freeze", "model", "traces", "tags")
_KEY = pytest.StashKey["Settings"]()


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one test session.

    Attributes:
        root: what relative paths are relative to.
        dirs: directories of golden traces, absolute.
        effects: effects by tool name, from the ini file.
        swaps: functions to swap, ``module:function``, with their effects.
    """

    root: Path
    dirs: tuple[Path, ...]
    effects: dict[str, Effect]
    swaps: dict[str, Effect]
    ignore_args: tuple[str, ...]
    agent: str
    record: Literal["none", "once", "rewrite"]
    update: bool
    live_reads: bool
    redactor: Redactor
    freeze: frozenset[Subject]
    cache: TraceCache | None
    guards: SessionGuards
    model: ModelSource
    ignore_body: tuple[str, ...]
    ignore_tools: tuple[str, ...]

    def load(self, path: Path) -> Trace:
        """Load a trace, from the parsed cache where that can be trusted."""
        return self.cache.load(path) if self.cache is not None else load_trace(path)


def settings_of(config: pytest.Config) -> Settings:
    """Read a session's settings, once.

    Raises:
        SettingsError: when one of them can't be used.
    """
    if _KEY not in config.stash:
        config.stash[_KEY] = _read(config)
    return config.stash[_KEY]


def _read(config: pytest.Config) -> Settings:
    register_all(list(config.pluginmanager.get_plugins()))
    effects, swaps = parse_tool_lines(config.getini("agent_replay_tools"))
    redactions = [line for lines in plugin_manager().hook.agent_replay_redactions() for line in lines]
    option = config.option
    return Settings(
        root=config.rootpath,
        dirs=trace_dirs(config),
        effects=effects,
        swaps=swaps,
        ignore_args=tuple(config.getini("agent_replay_ignore_args")),
        agent=config.getini("agent_replay_agent"),
        record=option.agent_replay_record,
        update=option.agent_replay_update,
        live_reads=option.agent_replay_live_reads,
        redactor=Redactor.from_settings([*config.getini("agent_replay_redact"), *redactions]),
        freeze=parse_subjects(config.getini("agent_replay_freeze"), "agent_replay_freeze"),
        cache=_cache(config),
        guards=_guards(config),
        model=option.agent_replay_model,
        ignore_body=tuple(config.getini("agent_replay_ignore_body")),
        ignore_tools=tuple(config.getini("agent_replay_ignore_tools")),
    )


def trace_dirs(config: pytest.Config) -> tuple[Path, ...]:
    """The directories of golden traces, configured or the default one; absolute."""
    return tuple(config.rootpath / name for name in config.getini("agent_replay_dirs") or [DEFAULT_DIR])


def _guards(config: pytest.Config) -> SessionGuards:
    option = config.option
    given = [config.invocation_params.dir / name for name in option.agent_replay_policy or ()]
    named = [config.rootpath / name for name in config.getini("agent_replay_policies")]
    guards = SessionGuards(
        [*named, *given],
        option.agent_replay_environment or config.getini("agent_replay_env") or "production",
        option.agent_replay_guard or "enforce",
    )
    guards.check()
    return guards


def _cache(config: pytest.Config) -> TraceCache | None:
    cache = getattr(config, "cache", None)
    return TraceCache(cache.mkdir("agentreplay")) if cache is not None else None


def marker_options(node: Any) -> dict[str, Any]:
    """Merge the `agent_replay` markers of a test, the closest one winning.

    Raises:
        SettingsError: for a keyword that the marker doesn't have.
    """
    merged: dict[str, Any] = {}
    for mark in reversed(list(node.iter_markers("agent_replay"))):
        for name, value in mark.kwargs.items():
            if name not in MARKER_KEYS:
                near = difflib.get_close_matches(name, MARKER_KEYS, 1)
                raise SettingsError(
                    f"the marker agent_replay has no option {name}",
                    next=f"did you mean {near[0]}?" if near else f"use one of {', '.join(MARKER_KEYS)}",
                )
            merged[name] = value
        if mark.args:
            raise SettingsError("the marker agent_replay takes keywords only", next="name the option")
    return merged
