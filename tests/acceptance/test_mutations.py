"""Every harmful change of an agent fails its golden trace, every harmless one passes, and no real write ever runs."""

from __future__ import annotations

from pathlib import Path

import mutation_project
import pytest
from mutation_project import HARMFUL, HARMLESS, STYLES

INI = """
pythonpath = . {here}
agent_replay_tools =
    plain_plain:charge = write
    plain_async:charge = write
"""


@pytest.fixture(scope="module")
def replayed(big_shop):
    """One session over the agents of all styles with all mutations."""
    (big_shop.path / "golden_traces" / "refund.yaml").unlink()
    for name, text in mutation_project.modules():
        big_shop.module(text, name)
    for name, text in mutation_project.traces():
        big_shop.trace(name, text)
    here = Path(mutation_project.__file__).parent
    (big_shop.path / "pytest.ini").write_text("[pytest]" + INI.format(here=here))
    outcomes = big_shop.outcomes("--agent-replay")
    assert not (big_shop.path / "escaped.txt").exists()
    return outcomes


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("mutation", HARMLESS)
def test_a_harmless_change_passes(replayed, style, mutation):
    """What the golden trace doesn't pin may change."""
    found = replayed[f"{style}/{mutation}"]

    assert found.outcome == "passed", found.shown


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("mutation", HARMFUL)
def test_a_harmful_change_fails(replayed, style, mutation):
    """The trace fails, and its first divergence is of the kind of the change."""
    expected = HARMFUL[mutation]
    found = replayed[f"{style}/{mutation}"]

    assert found.outcome == "failed", found.shown
    if expected.told and found.kinds:
        assert found.kinds[0] in expected.told, found.shown
    assert expected.says in found.shown
    assert bool(found.kinds) or expected.says


def test_every_trace_was_run_and_counted(replayed):
    """Nothing was skipped or left out, and what was withheld is counted."""
    assert len(replayed) == len(STYLES) * len(HARMLESS | HARMFUL)
    assert all(found.facts[0]["withheld"] >= 3 for name, found in replayed.items() if name.endswith("/same"))
    assert all(found.facts[0]["live"] == 0 for found in replayed.values())


def test_unclassified_tools_are_named(replayed):
    """A tool that nobody classified counts as a write, and the summary says so."""
    assert "notify" in replayed["plain/same"].facts[0]["unclassified"]
    assert "charge" not in replayed["plain/same"].facts[0]["unclassified"]
    assert "unclassified    notify, stray (counted as writes)" in replayed.stdout
