"""The lines of ``agent_replay_redact``."""

from __future__ import annotations

import pytest

from pytest_agentreplay.errors import SettingsError
from pytest_agentreplay.redaction import Redactor


def _redact(lines: list[str], value: object) -> object:
    return Redactor.from_settings(lines).session().redact(value)


def test_a_kind_can_be_left_alone() -> None:
    """A minus and a kind turn that kind off, and nothing else."""
    assert _redact(["-email"], "a@b.de, password=hunter2") == "a@b.de, password=[redacted:password:1]"


def test_a_key_can_be_added() -> None:
    """What is under an added key goes, in mappings and in texts, under the key's own name."""
    assert _redact(["key: customerRef"], {"customer_ref": "c-17"}) == {"customer_ref": "[redacted:customer_ref:1]"}
    assert (
        _redact(["key: Kundennummer"], 'x {"kundennummer": "c-17"}')
        == 'x {"kundennummer": "[redacted:kundennummer:1]"}'
    )


def test_a_key_can_be_taken_away() -> None:
    """An excepted key's value stays, unless it gives itself away."""
    redacted = _redact(["-key: session_token"], {"session_token": "abc", "sessionToken": "a@b.de"})

    assert redacted == {"session_token": "abc", "sessionToken": "[redacted:email:1]"}


def test_an_expression_can_be_added() -> None:
    """What matches goes; where the expression has a group, the group goes."""
    assert _redact(["order = ORD-[0-9]{3}"], "ORD-123 ORD-124 ORD-123") == (
        "[redacted:order:1] [redacted:order:2] [redacted:order:1]"
    )
    assert _redact(["ref = ref#([0-9]+)"], "ref#12") == "ref#[redacted:ref:1]"
    assert _redact(["x = é+"], "\udc80 ééé") == "\udc80 [redacted:x:1]"


def test_empty_lines_say_nothing() -> None:
    """An indented list in an ini file starts with an empty line."""
    assert _redact(["", "  "], "plain") == "plain"


@pytest.mark.parametrize(
    ("line", "fact"),
    [
        ("order = (", "is no regular expression"),
        ("order = (?<=a)b", "is no regular expression"),
        ("order = x*", "matches the empty text"),
        ("-emial", "there is no kind 'emial'"),
        ("key: --", "names no key"),
        ("what is this", "no known form"),
    ],
)
def test_bad_lines_are_named(line: str, fact: str) -> None:
    """A line that can't be used is a settings error that quotes it."""
    with pytest.raises(SettingsError, match=fact) as caught:
        Redactor.from_settings(["-card", line])

    assert caught.value.details["at"] == line


def test_the_nearest_kind_is_named() -> None:
    """A mistyped kind is told what it resembles."""
    with pytest.raises(SettingsError) as caught:
        Redactor.from_settings(["-emial"])

    assert caught.value.details["closest"] == "email"
