"""What placeholders look like, and how they are told from text."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pytest_agentreplay.redaction import holds_placeholder, placeholder_kind
from pytest_agentreplay.redaction.placeholders import PLACEHOLDER, fingerprint, is_ordinal, render


def test_fingerprint_is_the_same_in_every_process() -> None:
    """A file written on one machine compares equal on another."""
    code = "from pytest_agentreplay.redaction.placeholders import fingerprint; print(fingerprint('s3cret'))"
    elsewhere = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()

    assert fingerprint("s3cret") == elsewhere == "0a1975d3"


def test_fingerprint_takes_lone_surrogates() -> None:
    """No text is too odd to be hashed."""
    assert len(fingerprint("\udc80")) == 8


@pytest.mark.parametrize(
    ("tag", "expected"), [("1", True), ("9999999", True), ("12345678", False), ("7f3a9c1e", False)]
)
def test_ordinals_and_fingerprints_never_look_alike(tag: str, expected: bool) -> None:
    """A fingerprint of eight decimal digits is still no ordinal."""
    assert PLACEHOLDER.fullmatch(render("token", tag))
    assert is_ordinal(tag) is expected


@pytest.mark.parametrize(
    "text", ["[redacted]", "[redacted:]", "[redacted:email:0]", "[redacted:email:a@b.de]", "[redacted:A:1]"]
)
def test_what_only_resembles_a_placeholder_is_none(text: str) -> None:
    """Nothing can be hidden from redaction by wrapping it."""
    assert not holds_placeholder(text)
    assert placeholder_kind(text) is None


@pytest.mark.parametrize(
    "value",
    ["to [redacted:email:1]", ["x", {"a": "[redacted:email:2]"}], {"[redacted:email:3]": 1}],
)
def test_placeholders_are_found_at_any_depth_and_in_keys(value: object) -> None:
    """Holding a placeholder is a property of the whole value."""
    assert holds_placeholder(value)


def test_kind_of_a_placeholder_is_its_name() -> None:
    """The guard treats a placeholder as what it replaced."""
    assert placeholder_kind("pay with [redacted:card:2]") == "card"
