"""What a replay may reach around its tools: the marker's openings and pytest's own temporary folders."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from pytest_agentreplay.runtime.sealing import Escape, Seal


def seal_options(request: pytest.FixtureRequest, options: dict[str, Any]) -> Seal:
    """Make the seal of one test's runs."""
    config = request.config
    processes = options.get("allow_processes") or ()

    def temporary() -> Iterable[Path]:
        factory = getattr(config, "_tmp_path_factory", None)
        return [factory.getbasetemp()] if factory is not None else []

    return Seal(
        report=_nowhere,
        allow_hosts=frozenset(_listed(options.get("allow_hosts"))),
        allow_paths=tuple(config.rootpath / path for path in _listed(options.get("allow_paths"))),
        allow_processes=processes if processes is True else tuple(_listed(processes)),
        temporary=temporary,
    )


def _nowhere(escape: Escape) -> None:
    """Stand in until the run, which is told of its escapes, takes its place."""


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return [value] if isinstance(value, str | Path) else list(value)


def abandon_session(config: pytest.Config) -> Callable[[str], NoReturn]:
    """Make the last resort against an agent that swallows even `RunStopped`: say why, and end the process."""

    def abandon(reason: str) -> NoReturn:
        capture = config.pluginmanager.getplugin("capturemanager")
        if capture is not None:
            capture.suspend_global_capture(in_=True)
        text = f"agent replay: {reason}\n  next     the agent swallows RunStopped and goes on: let BaseException pass"
        current = os.environ.get("PYTEST_CURRENT_TEST", "")
        print(f"\nFAILED {current}\n{text}", file=sys.__stderr__ or sys.stderr, flush=True)
        os._exit(pytest.ExitCode.TESTS_FAILED)

    return abandon
