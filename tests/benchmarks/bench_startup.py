"""What the plugin costs a test session that doesn't use it.

Instructions of a whole pytest with one empty test, in a fresh environment with the wheel installed and without it:
what an editable install costs says nothing, since pytest reads the list of files of every plugin's distribution.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from measuring import Row, can_count, instructions

ROOT = Path(__file__).parents[2]
NAMES = ("pytest-agentreplay-guard", "pytest-agentreplay-guard-entry")


def rows(folder: Path) -> Iterator[Row]:
    """Measure."""
    if not can_count():
        yield Row("installed and unused: not measured, valgrind is not installed", float("nan"), "x", 1.01)
        return
    python, wheels = _environment(folder)
    (folder / "test_one.py").write_text("def test_one(): pass\n")
    (folder / "pytest.ini").write_text("[pytest]\n")
    bare = _count(python, folder)
    for note, how in (("as pip installs", ()), ("as installers do that don't compile", ("--no-compile",))):
        _pip(python, "install", "--no-deps", *how, *wheels)
        yield Row("installed and unused, to not installed", _count(python, folder) / bare, "x", 1.01, note)
        blocked = _count(python, folder, "-p", "no:pytest_agentreplay")
        yield Row("of it for being listed, with the plugin blocked", blocked / bare, "x", None, note)
        _pip(python, "uninstall", "--yes", *NAMES)


def _environment(folder: Path) -> tuple[Path, list[str]]:
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    _pip(python, "wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT), str(ROOT / "entry"))
    wheels = sorted(map(str, folder.glob("*.whl")))
    _pip(python, "install", "--constraint", str(ROOT / "constraints.txt"), str(ROOT))
    _pip(python, "uninstall", "--yes", *NAMES)
    return python, wheels


def _pip(python: Path, *arguments: str) -> None:
    quiet = ["--quiet", "--disable-pip-version-check"]
    subprocess.run([python, "-m", "pip", *quiet, *arguments], check=True, capture_output=True)


def _count(python: Path, folder: Path, *options: str) -> int:
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "test_one.py"]
    return min(instructions(command, folder) for _ in range(2))  # the first one may write bytecode
