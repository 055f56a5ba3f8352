"""Golden traces as tests: YAML files beside the Python ones.

A file becomes one real pytest function, so fixtures, marks, ``--lf`` and ``-k``
work as everywhere. It is parsed when it runs, not when it is collected.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pytest_agentreplay.errors import AgentReplayError
from pytest_agentreplay.plugin.agents import PYTEST_MARKS
from pytest_agentreplay.plugin.call_phase import is_in_section
from pytest_agentreplay.plugin.fixture import AgentReplay
from pytest_agentreplay.plugin.settings import Settings, marker_options, settings_of
from pytest_agentreplay.storage import find_traces, format_of, trace_name

_HAS_TAGS = re.compile(r"^\s*[\"']?tags[\"']?\s*:|^\s*\{", re.MULTILINE)
_NAMES_AGENT = re.compile(r"^[\"']?agent[\"']?\s*:|^\s*\{", re.MULTILINE)


def collect_file(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Make the collector of a trace file; None for YAML files that are none of ours."""
    if path.name.endswith(".http.yaml") or path.name.startswith("."):
        return None
    settings = settings_of(parent.config)
    kind = format_of(_text(path)) or ""
    if _directory_of(path, settings) is None and not kind.startswith("agentreplay."):
        return None
    if kind.startswith("agentreplay.policy/"):
        from pytest_agentreplay.plugin.policies import PolicyFile

        return PolicyFile.from_parent(parent, path=path)
    return GoldenTraceFile.from_parent(parent, path=path)


def _directory_of(path: Path, settings: Settings) -> Path | None:
    """Find the trace directory that a file is under; by its text, at a tenth of the price of `is_relative_to`."""
    text = str(path)
    return next((one for one in settings.dirs if text.startswith(f"{one}{os.sep}")), None)


def parametrize_golden_trace(metafunc: pytest.Metafunc) -> None:
    """Give a Python test every golden trace, or those that its marker names."""
    if isinstance(metafunc.definition.parent, GoldenTraceFile):
        return
    settings = settings_of(metafunc.config)
    try:
        chosen = list(_chosen(settings, marker_options(metafunc.definition)))
    except AgentReplayError as error:
        pytest.fail(str(error), pytrace=False)
    if not chosen:
        places = ", ".join(map(str, settings.dirs))
        pytest.fail(
            f"golden_trace stands for no trace under {places}\n  next     add one, or widen the marker", pytrace=False
        )
    names, paths = zip(*chosen, strict=True)
    metafunc.parametrize("golden_trace", paths, ids=names, indirect=True)


def _chosen(settings: Settings, options: dict[str, Any]) -> Iterator[tuple[str, Path]]:
    patterns = options.get("traces")
    patterns = [patterns] if isinstance(patterns, str) else patterns
    tags = set(options.get("tags") or ())
    for directory in settings.dirs:
        for path in find_traces(directory):
            name = trace_name(path, directory)
            if patterns is not None and not any(fnmatch(name, pattern) for pattern in patterns):
                continue
            if (format_of(_text(path)) or "").startswith("agentreplay.policy/"):
                continue
            if tags and not tags & set(settings.load(path).tags):
                continue
            yield name, path


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


class GoldenTraceFile(pytest.Module):
    """One trace file. A Module, since module-scoped autouse fixtures fail on anything less."""

    def _getobj(self) -> ModuleType:
        return ModuleType(self.path.stem)

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        """Make the one test of this file; several where `agent_under_test` is parametrized."""
        settings = settings_of(self.config)
        text = _text(self.path)
        name = trace_name(self.path, _directory_of(self.path, settings) or self.path.parent)
        has_fixture = bool(self.session._fixturemanager.getfixturedefs("agent_under_test", self))
        from_fixture = has_fixture and not _NAMES_AGENT.search(text) and not settings.agent
        function = _replay_given if from_fixture else _replay_named
        setattr(self.obj, name, function)
        for made in self._genfunctions(name, function):
            item = GoldenTraceItem.from_parent(
                self,
                name=made.name,
                callspec=getattr(made, "callspec", None),
                fixtureinfo=made._fixtureinfo,
                originalname=name,
            )
            item.tag(settings, text)
            yield item


class GoldenTraceItem(pytest.Function):
    """The test of one golden trace."""

    def tag(self, settings: Settings, text: str) -> None:
        """Turn the trace's tags into marks; a file that can't be read fails when it runs."""
        if "tags" not in text or not _HAS_TAGS.search(text):
            return
        try:
            tags = settings.load(self.path).tags
        except AgentReplayError:
            return  # the same error fails the item, with its place, when it runs
        for name in tags:
            if name not in PYTEST_MARKS:
                self.config.addinivalue_line("markers", f"{name}: a tag of golden traces")
                self.add_marker(name)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Say where the test is: in its trace, not in this module."""
        return self.path, 0, self.name

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show our own errors by their fact: all of it is in a section below, and our frames mend nothing."""
        if isinstance(excinfo.value, AgentReplayError) and excinfo.value.__cause__ is None:
            return excinfo.value.fact if is_in_section(self, excinfo.value) else str(excinfo.value)
        return super().repr_failure(excinfo)


def _replay_named(agent_replay: AgentReplay) -> None:
    __tracebackhide__ = True
    agent_replay.replay_file()


def _replay_given(agent_replay: AgentReplay, agent_under_test: Any) -> None:
    __tracebackhide__ = True
    agent_replay.replay_file(agent_under_test)
