"""Hints: an MCP server's annotations and an author's metadata, however they are spelled."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pytest_agentreplay.adapters.hints import declared, hinted


@pytest.mark.parametrize("form", [dict, lambda **hints: SimpleNamespace(**hints)], ids=["mapping", "object"])
@pytest.mark.parametrize(
    ("hints", "effect"),
    [
        ({"readOnlyHint": True}, "read"),
        ({"read_only_hint": True}, "read"),
        ({"readOnlyHint": False}, "write"),
        ({"readOnlyHint": None}, None),
        ({"readOnlyHint": True, "destructiveHint": True}, "write"),
        ({"destructive_hint": True}, "write"),
        ({"destructiveHint": False}, None),
        ({}, None),
    ],
)
def test_hints_of_a_server(form, hints, effect):
    """Both versions' spellings; what calls itself destructive is a write, whatever else it says."""
    assert hinted(form(**hints)) == effect


def test_no_annotations_say_nothing():
    """A tool without annotations is left to the other sources."""
    assert hinted(None) is None


@pytest.mark.parametrize(
    ("metadata", "effect"),
    [
        ({"effect": "read"}, "read"),
        ({"effect": "write"}, "write"),
        ({"effect": "both"}, None),
        ({}, None),
        (None, None),
    ],
)
def test_what_an_author_declares(metadata, effect):
    """Only the two effects count."""
    assert declared(metadata) == effect
