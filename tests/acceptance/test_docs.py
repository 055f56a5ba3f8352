"""Every code block of the documentation runs, and the reference leaves nothing out.

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

import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import pytest_agentreplay
from pytest_agentreplay import errors, plugin
from pytest_agentreplay.api.guarding import guard
from pytest_agentreplay.api.hooks import Hooks
from pytest_agentreplay.checks import CHECK_NAMES
from pytest_agentreplay.cli.arguments import parser
from pytest_agentreplay.guards.conditions.sight import ROOTS
from pytest_agentreplay.guards.document import parse_policy
from pytest_agentreplay.guards.packs import PACKS
from pytest_agentreplay.guards.schema import policy_schema
from pytest_agentreplay.guards.spec import FORMAT as POLICY_FORMAT
from pytest_agentreplay.guards.spec import PolicySpec
from pytest_agentreplay.plugin.settings import MARKER_KEYS
from pytest_agentreplay.redaction import KINDS
from pytest_agentreplay.storage import is_trace_text
from pytest_agentreplay.trace.document import parse_trace, trace_schema

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
REFERENCE = "\n".join(path.read_text("utf-8") for path in sorted((DOCS / "reference").glob("*.md")))
MOST_EXCERPTS = 6  # in all pages together

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
    """The temporary project of one page."""

    def __init__(self, path: Path) -> None:
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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_of_a_page_does_what_it_says(page, tmp_path):
    """A reader who types what a page shows, in its order, sees what it shows."""
    project = Project(tmp_path)

    for block in blocks_of(page):
        project.take(block)


def test_excerpts_are_few():
    """What nothing checks is the exception."""
    blocks = [block for page in PAGES for block in blocks_of(page)]
    excerpts = [block.place for block in blocks if block.language == "text" and not block.title]

    assert len(excerpts) <= MOST_EXCERPTS, excerpts


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    """Links between pages, and to files of the repository, are right."""
    text = FENCE.sub("", page.read_text("utf-8"))
    targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text)]

    assert [name for name in targets if name and "://" not in name and not (page.parent / name).exists()] == []


def test_every_page_is_in_the_index():
    """What nobody can find is not documented."""
    index = (DOCS / "README.md").read_text("utf-8")
    names = [str(page.relative_to(DOCS)) for page in PAGES[1:] if page != DOCS / "README.md"]

    assert [name for name in names if f"({name})" not in index] == []


def _options() -> list[str]:
    options = pytest.Parser(_ispytest=True)
    plugin.pytest_addoption(options)
    return [*(option.names()[0] for group in options._groups for option in group.options), *options._inidict]


def _verbs() -> dict[str, list[str]]:
    verbs = next(action for action in parser()._actions if action.nargs == "A...")
    return {
        name: [option for action in verb._actions for option in action.option_strings if option.startswith("--")]
        for name, verb in verbs.choices.items()
    }


def _keys(schema: dict[str, Any]) -> list[str]:
    return sorted({key for part in [schema, *schema["$defs"].values()] for key in part.get("properties", ())})


def _run_members() -> list[str]:
    return [name for name in vars(pytest_agentreplay.Run) if not name.startswith("_")]


# What the plugin and the reports use of a run; the rest is the user's.
INNER = {"bind_input", "cut_short", "find_state", "hand_over", "judge", "note_end", "notes"}
INNER |= {"guard", "note_input", "observed", "observed_calls", "recorded_output"}
PUBLIC = {
    "option": _options(),
    "verb": [f"agent-replay {name}" for name in _verbs()],
    "flag of a verb": sorted({option for options in _verbs().values() for option in options}),
    "key of a trace": _keys(trace_schema()),
    "key of a policy": _keys(policy_schema()),
    "place that a rule sees": list(ROOTS),
    "pack": list(PACKS),
    "argument of guard": list(inspect.signature(guard).parameters),
    "check": sorted(CHECK_NAMES),
    "public name": list(pytest_agentreplay.__all__),
    "error": [
        name for name, item in vars(errors).items() if isinstance(item, type) and issubclass(item, BaseException)
    ],
    "option of the marker": list(MARKER_KEYS),
    "hook": [name for name in vars(Hooks) if name.startswith("agent_replay_")],
    "member of a run": [name for name in _run_members() if name not in INNER],
    "kind of secret": list(KINDS),
}


@pytest.mark.parametrize(("sort", "name"), [(sort, name) for sort, names in PUBLIC.items() for name in names])
def test_the_reference_leaves_nothing_out(sort, name):
    """Everything that a user can type is in the reference: as code, alone, called, with a value, or as a YAML key."""
    word = re.escape(name)
    told = rf"`(?:[\w@.]+\.)?{word}(?:[(= ][^`\n]*)?`|(?<![\w-]){word}: "

    assert re.search(told, REFERENCE), f"{sort} {name}"


def test_the_reference_knows_no_flag_that_is_not_there():
    """A flag that was renamed or taken out leaves the reference too; the pages of packs name other programs' flags."""
    there = {"--version", *_options(), *(option for options in _verbs().values() for option in options)}
    own = [path.read_text("utf-8") for path in (DOCS / "reference").glob("*.md") if not path.name.startswith("packs-")]
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", "\n".join(own)))

    assert named - there == set()
