"""Importing the package, or having it installed and unused, costs nothing."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import pytest

HEAVY = {"pydantic", "yaml", "deepdiff", "syrupy", "vcr", "re2"}


def _loaded_after(code: str) -> set[str]:
    report = "import sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_import_loads_nothing_heavy():
    """The package root resolves its names when they are asked for."""
    loaded = _loaded_after("import pytest_agentreplay")

    assert "pytest_agentreplay" in loaded
    assert not loaded & HEAVY
    assert "pytest" not in loaded


@pytest.mark.parametrize("name", ["tool", "checkpoint"])
def test_names_of_production_code_load_nothing_heavy(name):
    """What decorates an agent's tools stays light in production too."""
    loaded = _loaded_after(f"from pytest_agentreplay import {name}")

    assert not loaded & HEAVY
    assert "pytest" not in loaded


@pytest.mark.skipif(
    not entry_points(group="pytest11", name="pytest_agentreplay"), reason="the package is on the path but not installed"
)
def test_installed_and_unused_plugin_loads_nothing_heavy(tmp_path):
    """A suite that uses none of our fixtures, flags and markers doesn't pay for the plugin."""
    tmp_path.joinpath("test_theirs.py").write_text(
        "import sys\n"
        "def test_theirs():\n"
        "    assert 'pytest_agentreplay.plugin' in sys.modules\n"
        f"    assert not {HEAVY!r} & set(sys.modules)\n"
    )
    # Syrupy's own plugin is the one that loads it.
    command = [sys.executable, "-m", "pytest", "-p", "no:syrupy", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
