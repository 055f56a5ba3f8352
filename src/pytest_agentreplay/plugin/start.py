"""The start of a session with our flags: what must be true before anything is collected."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from pytest_agentreplay.errors import PolicyFormatError, SettingsError
from pytest_agentreplay.plugin.settings import DEFAULT_DIR, settings_of, trace_dirs
from pytest_agentreplay.plugin.summary import report_formats
from pytest_agentreplay.reports.formats import renderer_for
from pytest_agentreplay.storage import find_traces, format_of


def start(config: pytest.Config) -> None:
    """Check the settings and add the trace directories to what pytest collects.

    Raises:
        pytest.UsageError: when a setting can't be used, or there is no golden trace to replay.
    """
    try:
        settings_of(config)
        for name in config.option.agent_replay_report or ():
            renderer_for(name, report_formats())
    except (SettingsError, PolicyFormatError) as error:
        raise pytest.UsageError(str(error)) from None
    if config.option.agent_replay and not hasattr(config, "workerinput"):
        _require_directories(config)
        _refuse_other_endings(config)
    if config.option.agent_replay:
        config.pluginmanager.register(TraceDirs(trace_dirs(config)), "agent_replay_dirs")
    if config.option.agent_replay and config.args_source is not config.ArgsSource.ARGS:
        _require_traces(config)
        _add_directories(config)


class TraceDirs:
    """Keeps pytest from passing over trace directories whose names it takes for build folders or environments."""

    def __init__(self, dirs: tuple[Path, ...]) -> None:
        self._dirs = dirs

    @pytest.hookimpl(tryfirst=True)
    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Pass over nothing under a trace directory but what `find_traces` passes over."""
        directory = next((one for one in self._dirs if collection_path.is_relative_to(one)), None)
        if directory is None:
            return None
        parts = collection_path.relative_to(directory).parts
        return None if any(part.startswith(".") or part == "__pycache__" for part in parts) else False


def _require_directories(config: pytest.Config) -> None:
    for directory in trace_dirs(config):
        if config.getini("agent_replay_dirs") and not directory.is_dir():
            raise pytest.UsageError(
                f"agent_replay_dirs names {directory}, which is no directory\n"
                "  next     create it, or correct the ini key"
            )


def _require_traces(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    places = [*trace_dirs(config), *(Path(os.path.abspath(arg.partition("::")[0])) for arg in config.args)]
    if not any(_holds_trace(place) for place in places):
        raise pytest.UsageError(
            f"--agent-replay found no golden trace under {', '.join(_names(config))}\n"
            "  next     write one, import one with `agent-replay import`, or name paths to run without"
        )


def _names(config: pytest.Config) -> Iterable[str]:
    return config.getini("agent_replay_dirs") or [DEFAULT_DIR]


def _refuse_other_endings(config: pytest.Config) -> None:
    for directory in trace_dirs(config):
        for path in sorted(directory.rglob("*")) if directory.is_dir() else ():
            if path.suffix.lower() in (".yml", ".yaml") and path.suffix != ".yaml" and format_of(_head(path)):
                raise pytest.UsageError(
                    f"{path} is never replayed: its name ends in {path.suffix}\n  next     rename it to .yaml"
                )


def _holds_trace(place: Path) -> bool:
    files = find_traces(place) if place.is_dir() else [place]
    return any((format_of(_head(path)) or "").startswith("agentreplay.trace/") for path in files)


def _head(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _add_directories(config: pytest.Config) -> None:
    present = [Path(os.path.abspath(arg.partition("::")[0])) for arg in config.args]
    for directory in trace_dirs(config):
        if directory.is_dir() and not any(directory.is_relative_to(arg) for arg in present):
            config.args.append(str(directory))
