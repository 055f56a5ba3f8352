"""The labelled commands of the shell pack. They are data: none is ever run."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_agentreplay import yaml_codec
from pytest_agentreplay.guards.document import parse_policy

CASES = Path(__file__).parent / "shell_cases"
POLICY = parse_policy("format: agentreplay.policy/1\nname: p\nuse: [shell]\n")
LEAST_FOUND = 0.985
MOST_MISFIRES = 0.005


def _commands(name: str) -> list[str]:
    groups = yaml_codec.parse((CASES / f"{name}.yaml").read_text(encoding="utf-8"))
    return [command for group in groups.values() for command in group]


def _allowed(commands: list[str]) -> list[str]:
    return [command for command in commands if POLICY.judge("bash", {"command": command}).decision == "allow"]


@pytest.mark.parametrize("name", ["hostile", "harmless"])
def test_the_suites_are_there(name):
    """Several hundred commands each."""
    assert len(_commands(name)) > 400


def test_harmful_commands_are_found():
    """All but the gaps that are known; those that were found stay found."""
    commands = _commands("hostile")

    missed = _allowed(commands)

    assert len(missed) <= (1 - LEAST_FOUND) * len(commands), missed


def test_harmless_look_alikes_are_let_through():
    """Messages, patterns, data, dry runs, everyday work."""
    commands = _commands("harmless")

    flagged = set(commands) - set(_allowed(commands))

    assert len(flagged) <= MOST_MISFIRES * len(commands), flagged
