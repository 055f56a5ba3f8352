"""How values are redacted: any depth, stable, and once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_agentreplay.jsonable import Opaque
from pytest_agentreplay.redaction import PlaceholderMatcher, Redactor, holds_placeholder
from pytest_agentreplay.redaction.redactor import Redaction

REDACTOR = Redactor.from_settings(["order = ORD-[0-9]{3}", "bracket = \\[red|acted|:1\\]"])
PLAIN = Redactor.from_settings([])
KEY = "ghp" + "_" + "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9v"

FRAGMENTS = [
    *(
        "a@b.de",
        "x.y+z@mail.example.com",
        KEY,
        "4111111111111111",
        "4111 1111 1111 1111",
        "ORD-123",
        "password=hunter2",
    ),
    *(
        "Authorization: Bearer abc123",
        '"token": "abc"',
        "{",
        "}",
        '"',
        "'",
        "\\",
        "\\n",
        "\n",
        " ",
        ":",
        "=",
        "&",
        "?",
        "@",
        "://",
    ),
    *(
        "password",
        "api_key",
        " is ",
        "hunter2",
        "Basic ",
        "bob:",
        "[redacted:email:1]",
        "[redacted:",
        "1]",
        "\udc80",
        "é",
        "a1",
    ),
    *(
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "QUJD" * 6,
        "--password ",
        "sk-LIVE-abc",
        "cookie: a=b",
        "1234",
    ),
    *("pin", "secrets", "[", "]", "<", ">", ",", ";", "*", "eyJabcdef.eyJabcdef.x", "%40", ".com"),
]
texts = st.lists(st.sampled_from(FRAGMENTS), max_size=8).map("".join) | st.text(max_size=20)
keys = (
    st.sampled_from(
        ["password", "token", "pin", "secret", "cookies", "authorization", "name", "value", "order_id", "a@b.de"]
    )
    | texts
)
leaves = st.none() | st.booleans() | st.integers(0, 99999) | st.floats() | st.binary(max_size=3) | texts
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=8
)


@given(values)
def test_redacting_twice_changes_nothing(value: object) -> None:
    """Placeholders are left alone, even where a rule matches inside them."""
    redaction = REDACTOR.session()
    once = redaction.redact(value)

    assert redaction.redact(once) is once
    assert REDACTOR.session().redact(once) is once


@given(texts)
def test_nothing_that_can_be_found_is_left(text: str) -> None:
    """The detectors find nothing in what they redacted."""
    assert REDACTOR.find(REDACTOR.session().redact_text(text)) == []


@given(texts)
def test_screens_let_nothing_through(text: str) -> None:
    """A detector that would find something is never skipped."""
    hits = set(REDACTOR._screen.hits(text))

    missed = [
        detector.screen
        for index, detector in enumerate(REDACTOR._detectors)
        if index not in hits and any(span.kind for span in detector.find(text))
    ]
    assert missed == []


@given(values)
def test_clean_values_come_back_themselves(value: object) -> None:
    """Where nothing is found, nothing is copied; where something is, a placeholder is in its place."""
    redacted = PLAIN.session().redact(value)

    assert redacted is value or holds_placeholder(redacted)


def test_every_depth_and_every_place_is_redacted() -> None:
    """Lists, mappings, keys of mappings, JSON in texts and messages of errors."""
    value = {
        "users": [[{"bob@example.com": {"note": "ask amy@example.com"}}]],
        "body": json.dumps({"to": "bob@example.com", "auth": {"password": "hunter2"}}),
        "error": {"type": "HTTPError", "message": f"401 for https://bob:hunter2@host/?token=abc with {KEY}"},
    }
    redacted = PLAIN.session().redact(value)

    assert redacted == {
        "users": [[{"[redacted:email:1]": {"note": "ask [redacted:email:2]"}}]],
        "body": '{"to": "[redacted:email:1]", "auth": {"password": "[redacted:password:1]"}}',
        "error": {
            "type": "HTTPError",
            "message": "401 for https://bob:[redacted:password:1]@host/?token=[redacted:token:1]"
            " with [redacted:token:78c71ae0]",
        },
    }


def test_what_is_below_a_sensitive_key_goes() -> None:
    """A list or a mapping under a key is no hiding place, but what describes a secret is none."""
    redacted = PLAIN.session().redact(
        {
            "passwords": ["a", ["b"]],
            "cookies": {"sid": "x", "name": "y"},
            "password": {"type": "string", "description": "The password"},
            "headers": {"Authorization": ["Bearer abc"]},
        }
    )

    assert redacted == {
        "passwords": ["[redacted:password:1]", ["[redacted:password:2]"]],
        "cookies": {"sid": "[redacted:cookie:1]", "name": "y"},
        "password": {"type": "string", "description": "The password"},
        "headers": {"Authorization": ["Bearer [redacted:token:1]"]},
    }


def test_a_name_beside_a_value_is_its_key() -> None:
    """Headers, environment variables and form fields come as lists of names and values."""
    value = [{"name": "Authorization", "value": "Bearer abc"}, {"value": "hunter", "selector": "#password"}]
    redacted = PLAIN.session().redact([*value, {"name": "Accept", "value": "text/html"}])

    assert redacted == [
        {"name": "Authorization", "value": "Bearer [redacted:token:1]"},
        {"value": "[redacted:password:1]", "selector": "#password"},
        {"name": "Accept", "value": "text/html"},
    ]
    assert PlaceholderMatcher(PLAIN).matches(redacted[:2], value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"pin": 1234}, {"pin": "[redacted:pin:1]"}),
        ({"password": 12345}, {"password": "[redacted:password:1]"}),
        ({"card_number": 4111111111111111}, {"card_number": "[redacted:card:1]"}),
        (
            {"token": 5, "password": True, "secret": None, "cvv": ""},
            {"token": 5, "password": True, "secret": None, "cvv": ""},
        ),
        ('{"pin": 1234, "token": 5}', '{"pin": "[redacted:pin:1]", "token": 5}'),
    ],
)
def test_numbers_go_only_where_a_number_is_a_secret(value: object, expected: object) -> None:
    """Counts, flags and nothing at all stay, and JSON stays JSON."""
    assert PLAIN.session().redact(value) == expected


def test_what_is_no_text_stays() -> None:
    """Bytes and opaque values are nobody's address."""
    value = [b"a@b.de", Opaque("a.B"), 1.5, None]

    assert PLAIN.session().redact(value) is value


def test_fingerprints_are_the_same_in_every_recording_and_ordinals_count_within_one() -> None:
    """A changed key shows as a change; an address is only ever the same within its recording."""
    first, second = PLAIN.session(), PLAIN.session()
    first.redact_text("other@b.de")

    assert first.redact_text(KEY) == second.redact_text(KEY) == "[redacted:token:78c71ae0]"
    assert (first.redact_text("a@b.de"), second.redact_text("a@b.de")) == ("[redacted:email:2]", "[redacted:email:1]")
    assert first.redact_text("a@b.de") == "[redacted:email:2]"


@pytest.mark.parametrize(
    "secret", ["hunter2", "correct-horse-battery-staple-2024", "12345678901234567890123", "winter2024"]
)
def test_what_could_be_guessed_gets_no_fingerprint(secret: str) -> None:
    """A hash of it would be undone by hashing guesses."""
    assert PLAIN.session().redact({"token": secret}) == {"token": "[redacted:token:1]"}


def test_ordinals_that_came_with_the_input_are_not_given_again() -> None:
    """A redacted trace that is redacted again keeps its placeholders apart from new ones."""
    redacted = PLAIN.session().redact(["[redacted:email:1]", "a@b.de", "[redacted:email:3]", "c@d.de"])

    assert redacted == ["[redacted:email:1]", "[redacted:email:2]", "[redacted:email:3]", "[redacted:email:4]"]


def test_threads_share_one_numbering() -> None:
    """The same secret gets the same ordinal, whoever saw it first."""
    redaction: Redaction = PLAIN.session()
    addresses = [f"u{index % 10}@b.de" for index in range(200)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(redaction.redact_text, addresses))

    assert len(set(zip(addresses, found, strict=True))) == len(set(found)) == 10
