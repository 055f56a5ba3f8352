"""Every code block of the documentation runs, and the reference leaves nothing out."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

import pytest_agentreplay
from pytest_agentreplay import errors, plugin
from pytest_agentreplay.api.guarding import guard
from pytest_agentreplay.api.hooks import Hooks
from pytest_agentreplay.checks import CHECK_NAMES
from pytest_agentreplay.cli.arguments import parser
from pytest_agentreplay.guards.conditions.sight import ROOTS
from pytest_agentreplay.guards.packs import PACKS
from pytest_agentreplay.guards.schema import policy_schema
from pytest_agentreplay.plugin.settings import MARKER_KEYS
from pytest_agentreplay.redaction import KINDS
from pytest_agentreplay.trace.document import trace_schema
from tests.doc_pages import DOCS, FENCE, ROOT, Project, blocks_of

PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
FRAMEWORKS = DOCS / "how-to" / "frameworks"  # run with the frameworks' own tests, since they need the frameworks
REFERENCE = "\n".join(path.read_text("utf-8") for path in sorted((DOCS / "reference").glob("*.md")))
MOST_EXCERPTS = 6  # in all pages together


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.parent != FRAMEWORKS], ids=lambda page: str(page.relative_to(ROOT))
)
def test_every_block_of_a_page_does_what_it_says(page, tmp_path):
    """A reader who types what a page shows, in its order, sees what it shows."""
    project = Project(tmp_path)

    for block in blocks_of(page):
        project.take(block)


@pytest.mark.parametrize("page", sorted(FRAMEWORKS.glob("*.md")), ids=lambda page: page.stem)
def test_every_page_of_a_framework_is_run_with_it(page):
    """A page that the core suite can't run is run by the tests of its framework."""
    runs = [path for path in (ROOT / "tests" / "frameworks").rglob("test_*.py") if f'"{page.stem}' in path.read_text()]

    assert runs


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
