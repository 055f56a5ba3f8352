"""The labelled commands of the shell pack. They are data: none is ever run."""

from __future__ import annotations

import pytest
from shell_report import POLICY, labelled, wrong


def _commands(misjudged):
    return {category: [sample.command for sample in found] for category, found in misjudged.items()}


@pytest.mark.parametrize(("kind", "least"), [("hostile", 1300), ("harmless", 850)])
def test_the_suites_are_there(kind, least):
    """Several hundred commands each, none of them twice."""
    commands = [sample.command for sample in labelled(kind)]

    assert len(commands) >= least
    assert len(commands) == len(set(commands))


def test_harmful_commands_are_found():
    """Those that were found stay found."""
    _, missed = wrong(labelled("hostile"), is_harmful=True)

    assert not missed, _commands(missed)


def test_harmful_commands_are_found_for_what_they_do():
    """The rule under which a command is labelled objects, whatever others do."""
    other = {
        sample.command: sample.category
        for sample in labelled("hostile")
        if sample.category
        not in [finding.rule for finding in POLICY.judge("bash", {"command": sample.command}).findings]
    }

    assert not other


def test_harmless_look_alikes_are_let_through():
    """Messages, patterns, data, dry runs, everyday work."""
    _, flagged = wrong(labelled("harmless"), is_harmful=False)

    assert not flagged, _commands(flagged)
