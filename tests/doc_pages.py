"""Pages of the documentation as projects: what each kind of block does, for the tests that run them.

One temporary project a page, its blocks in order. A block says what it is:

| fence | means |
| --- | --- |
| any language with ``title=path`` | the file is written; a trace or policy is parsed, JSON and TOML too |
| ``console`` | each ``$ command`` runs in the project and prints what is shown; ``...`` stands for anything |
| ``python`` | the code runs in the project |
| ``yaml`` | keys of a trace or a policy; they are parsed |
| ``json`` | it is parsed |
| ``sh`` | commands in the checkout itself; targets of make are there |
| ``text`` | an excerpt, kept nowhere else |
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_agentreplay.guards.document import parse_policy
from pytest_agentreplay.guards.spec import FORMAT as POLICY_FORMAT
from pytest_agentreplay.guards.spec import PolicySpec
from pytest_agentreplay.storage import is_trace_text
from pytest_agentreplay.trace.document import parse_trace

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"

FENCE = re.compile(r"^(?P<ticks>```+)(?P<info>[^`\n]*)\n(?P<body>.*?)^(?P=ticks)[ \t]*$", re.MULTILINE | re.DOTALL)
# Console scripts don't put the working directory on the path, as `python -m` would.
COMMANDS = {
    "pytest": "env PYTHONSAFEPATH=1 '{python}' -m pytest",
    "agent-replay": "env PYTHONSAFEPATH=1 '{python}' -m pytest_agentreplay",
    "python": "'{python}'",
    "pip": "'{python}' '{pip}'",
}
# Stands in for pip, which needs a registry and would change the environment that runs this: it writes what
# `pip install --editable .` leaves of a project's entry points.
PIP = """\
import sys, tomllib
from pathlib import Path
assert sys.argv[1:] == ["install", "--quiet", "--editable", "."], sys.argv
project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
folder = Path(f"{project['name'].replace('-', '_')}-{project['version']}.dist-info")
folder.mkdir()
(folder / "METADATA").write_text(f"Metadata-Version: 2.1\\nName: {project['name']}\\nVersion: {project['version']}\\n")
lines = [f"[{group}]\\n" + "".join(f"{name} = {place}\\n" for name, place in points.items())
         for group, points in project.get("entry-points", {}).items()]
(folder / "entry_points.txt").write_text("\\n".join(lines))
"""


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    place: str
    language: str
    title: str
    body: str


def blocks_of(page: Path) -> Iterator[Block]:
    """Read the blocks of a page, in order."""
    text = page.read_text("utf-8")
    for found in FENCE.finditer(text):
        language, _, options = found["info"].strip().partition(" ")
        title = options.removeprefix("title=").strip()
        assert not options or options.startswith("title="), f"{page.name}: {found['info']!r}"
        line = text.count("\n", 0, found.start()) + 1
        yield Block(f"{page.relative_to(ROOT)}:{line}", language, title, found["body"])


class Project:
    """The temporary project of one page.

    Args:
        path: where it may be made.
        environment: variables that its commands run with.
    """

    def __init__(self, path: Path, environment: Mapping[str, str] | None = None) -> None:
        self._environment = environment or {}
        self.path = path / "project"
        self.path.mkdir()
        self._bin = path / "bin"
        self._bin.mkdir()
        pip = self._bin / "pip.py"
        pip.write_text(PIP)
        for name, line in COMMANDS.items():
            script = self._bin / name
            script.write_text(f'#!/bin/sh\nexec {line.format(python=sys.executable, pip=pip)} "$@"\n')
            script.chmod(0o755)

    def take(self, block: Block) -> None:
        """Do what a block says."""
        if block.language == "console":
            self._converse(block)
        elif block.title:
            self._write(block)
        elif block.language == "python":
            self._run_python(block)
        elif block.language == "yaml":
            _parse_keys(block)
        elif block.language == "json":
            json.loads(block.body)
        elif block.language == "sh":
            _try_commands(block)
        else:
            assert block.language == "text", f"{block.place}: nobody checks a block of this language"

    def _write(self, block: Block) -> None:
        path = self.path / block.title
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.body, encoding="utf-8")
        if block.language == "yaml" and is_trace_text(block.body):
            parse_trace(block.body, block.place)
        elif block.language == "yaml" and f"format: {POLICY_FORMAT}" in block.body:
            parse_policy(block.body, block.place)
        elif block.language == "json" and path.suffix == ".json":
            json.loads(block.body)
        elif block.language == "toml":
            tomllib.loads(block.body)

    def _run_python(self, block: Block) -> None:
        done = self._run([sys.executable, "-c", block.body])
        assert done.returncode == 0, f"{block.place}\n{done.stdout}"

    def _converse(self, block: Block) -> None:
        _, *parts = re.split(r"^\$ ", block.body, flags=re.MULTILINE)
        assert parts, f"{block.place}: a console block without a command"
        for part in parts:
            command, _, shown = part.partition("\n")
            while command.endswith("\\"):
                more, _, shown = shown.partition("\n")
                command = command[:-1] + more.strip()
            done = self._run(["sh", "-c", command])
            is_shown = re.fullmatch(_pattern(shown), _tidy(done.stdout), re.DOTALL) is not None
            if (shown.strip() and not is_shown) or (not shown.strip() and done.returncode != 0):
                told = f"--- shown\n{shown}--- printed, exit code {done.returncode}\n{done.stdout}"
                pytest.fail(f"{block.place}: $ {command}\n{told}", pytrace=False)

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        environment = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST_")}
        installed = [str(self.path)] if list(self.path.glob("*.dist-info")) else []
        environment |= {
            "PATH": os.pathsep.join([str(self._bin), environment.get("PATH", os.defpath)]),
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), *installed]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONWARNINGS": "ignore",  # of other plugins, about themselves
            "COLUMNS": "80",
            "PY_COLORS": "0",
            **self._environment,
        }
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL}
        return subprocess.run(command, cwd=self.path, env=environment, text=True, check=False, timeout=120, **pipes)


def _pattern(shown: str) -> str:
    """Make a regular expression of what a page shows: a line of dots is any lines, dots in a line anything in it."""
    pattern = ""
    for line in _tidy(shown).splitlines():
        if line.strip() == "...":
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += r"[^\n]*".join(map(re.escape, line.split("..."))) + "\n"
    return pattern


def _tidy(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines()) + "\n"


def _parse_keys(block: Block) -> None:
    if re.match("|".join(PolicySpec.model_fields), block.body):
        parse_policy(f"format: {POLICY_FORMAT}\n{block.body.removeprefix(f'format: {POLICY_FORMAT}')}", block.place)
        return
    whole = is_trace_text(block.body)
    parse_trace(block.body if whole else f"format: agentreplay.trace/1\n{block.body}", block.place)


def _try_commands(block: Block) -> None:
    for line in block.body.splitlines():
        words = line.partition("#")[0].split()
        if words[:1] == ["make"]:
            assert shutil.which("make"), "make is part of a fresh machine"
            subprocess.run(["make", "--dry-run", "--silent", *words[1:]], cwd=ROOT, check=True, capture_output=True)
        else:
            assert words[:2] in (["git", "clone"], ["pip", "install"]) or words[:1] == ["cd"], f"{block.place}: {line}"
