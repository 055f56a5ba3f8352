"""What a redacted value stands for in a replay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_agentreplay.redaction import PlaceholderMatcher, Redactor

REDACTOR = Redactor.from_settings([])
KEY = "ghp" + "_" + "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9v"
FRAGMENTS = [
    *(
        "a@b.de",
        "c@d.de",
        KEY,
        "4111 1111 1111 1111",
        "password=hunter2",
        "token: abc123",
        '{"pin": 1234}',
        '"secret": "x y"',
    ),
    *(
        " ",
        "\n",
        ",",
        "plain",
        "[",
        "}",
        "https://bob:pw@h/",
        "Authorization: Bearer abc",
        "\udc80",
        "4111111111111111",
    ),
]
texts = st.lists(st.sampled_from(FRAGMENTS), max_size=5).map("".join)
keys = st.sampled_from(["password", "token", "pin", "to", "note", "name", "value"]) | texts
leaves = st.none() | st.booleans() | st.integers(0, 9999) | texts
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=8
)


def _matcher() -> PlaceholderMatcher:
    return PlaceholderMatcher(REDACTOR)


@given(st.lists(values, max_size=5))
def test_a_fresh_recording_passes_its_first_replay(recorded: list[object]) -> None:
    """What one session redacted matches the same raw values in the same order, and again."""
    redaction, matcher = REDACTOR.session(), _matcher()
    golden = [redaction.redact(value) for value in recorded]

    assert all(matcher.matches(old, new) for old, new in zip(golden, recorded, strict=True))
    assert all(matcher.matches(old, new) for old, new in zip(golden, recorded, strict=True))


@given(st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=24, max_size=24))
def test_another_key_never_matches(body: str) -> None:
    """A secret that nobody can guess is pinned, even by its placeholder."""
    key = "ghp" + "_" + body
    golden = REDACTOR.session().redact({"args": f"use {KEY}", "api_key": KEY})

    assert _matcher().matches(golden, {"args": f"use {key}", "api_key": key}) is (key == KEY)


def test_an_address_written_by_hand_matches_raw() -> None:
    """Nobody has to write placeholders, not even beside one."""
    golden = {"to": "bob@example.com", "text": "bob@example.com paid with [redacted:card:1]"}
    incoming = {"to": "bob@example.com", "text": "bob@example.com paid with 4111 1111 1111 1111"}

    assert _matcher().matches(golden, incoming)
    assert not _matcher().matches(golden, incoming | {"to": "amy@example.com"})
    assert not _matcher().matches(golden, incoming | {"text": "amy@example.com paid with 4111 1111 1111 1111"})


def test_values_without_placeholders_are_compared_as_they_are() -> None:
    """Equality stays JSON's, type-strict."""
    matcher = _matcher()

    assert matcher.matches({"a": 2, "b": [1.0]}, {"b": [1], "a": 2.0})
    assert not matcher.matches({"a": 1}, {"a": True})
    assert not matcher.matches("a@b.de", "c@d.de")


def test_an_ordinal_stands_for_one_secret_and_one_secret_for_it() -> None:
    """The first match decides, for the whole replay."""
    matcher = _matcher()

    assert matcher.matches("to [redacted:email:1]", "to new@b.de")
    assert matcher.matches(["[redacted:email:1]"], ["new@b.de"])
    assert not matcher.matches("[redacted:email:1]", "other@b.de")
    assert not matcher.matches("[redacted:email:2]", "new@b.de")
    assert matcher.matches("[redacted:email:2]", "other@b.de")


def test_a_failed_comparison_leaves_no_mark() -> None:
    """Candidates may be tried in turn."""
    matcher = _matcher()

    assert not matcher.matches({"to": "[redacted:email:1]", "n": 1}, {"to": "a@b.de", "n": 2})
    assert matcher.matches({"to": "[redacted:email:1]", "n": 1}, {"to": "c@d.de", "n": 1})


def test_a_served_placeholder_comes_back_as_it_is() -> None:
    """An agent that was given the placeholder can't know the secret: another address is another address."""
    matcher = _matcher()
    matcher.served({"contacts": [{"mail": "[redacted:email:1]"}]})

    assert matcher.matches({"to": "[redacted:email:1]"}, {"to": "[redacted:email:1]"})
    assert not matcher.matches({"to": "[redacted:email:1]"}, {"to": "attacker@evil.com"})


def test_a_secret_that_the_agent_showed_before_stays_what_it_was() -> None:
    """A placeholder that is served later doesn't part a secret from its ordinal."""
    matcher = _matcher()

    assert matcher.matches("[redacted:email:1]", "a@b.de")
    matcher.served("found [redacted:email:1]")
    assert matcher.matches("[redacted:email:1]", "a@b.de")


@pytest.mark.parametrize(
    ("golden", "incoming", "same"),
    [
        ({"password": "[redacted:password:1]"}, {"password": "anything at all"}, True),
        ({"password": "[redacted:password:1]"}, {"password": 12345}, True),
        ({"password": "[redacted:password:1]"}, {"password": ""}, False),
        ({"password": "[redacted:password:1]"}, {"password": None}, False),
        ({"password": "[redacted:password:1]"}, {}, False),
        ({"text": "[redacted:password:1]"}, {"text": "anything at all"}, False),
        ({"text": "[redacted:email:1]"}, {"text": "4111111111111111"}, False),
        ({"text": "[redacted:email:1] "}, {"text": "a@b.de"}, False),
        ({"h": {"Authorization": "Bearer [redacted:token:1]"}}, {"h": {"Authorization": "Bearer abc"}}, True),
        ({"h": {"Authorization": "Bearer [redacted:token:1]"}}, {"h": {"Authorization": "Basic abc"}}, False),
        ('{"pin": "[redacted:pin:1]"}', '{"pin": 1234}', True),
        ('{"pin": "[redacted:pin:1]"}', '{"pin": "1234"}', True),
        (["[redacted:email:1]", "[redacted:email:1]"], ["a@b.de", "c@d.de"], False),
        (["[redacted:email:1]", "[redacted:email:2]"], ["a@b.de", "a@b.de"], False),
        (["[redacted:email:1]"], ["a@b.de", "c@d.de"], False),
        ({"[redacted:email:1]": 1, "[redacted:email:2]": 2}, {"b@b.de": 2, "a@b.de": 1}, True),
        ({"[redacted:email:1]": 1, "[redacted:email:2]": 2}, {"b@b.de": 2, "a@b.de": 3}, False),
        ({"[redacted:email:1]": 1}, {"name": 1}, False),
        ({"to": "[redacted:email:1]"}, {"to": ["a@b.de"]}, False),
    ],
)
def test_what_a_placeholder_stands_for(golden: object, incoming: object, same: bool) -> None:
    """The rest of a text, the shape of a value, and the kind of a secret are exact."""
    assert _matcher().matches(golden, incoming) is same
