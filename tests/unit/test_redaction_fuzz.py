"""The redactor under anything: it never fails, twice changes nothing, and what it wrote matches what it read."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_agentreplay.redaction import PlaceholderMatcher, Redactor
from pytest_agentreplay.redaction.patterns import DETECTORS

PEM = ("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----", "-----BEGIN ")
BODY = "MIIEvQIBADANBgkqhkiG9w0BAQ"
pieces = st.sampled_from(
    [
        *PEM,
        *(BODY, "\n", "\\n", "password", "=", ":", " ", "'", '"', "\\", "api_key", "token: ", "Bearer ", "Basic "),
        *("eyJhbGciOi.eyJzdWIi.x", "sk-", "ghp_" + "a1B2" * 9, "[redacted:", "[redacted:email:1]", "a@b.co"),
        *("[redacted:token:ab12cd34]", "4111111111111111", "4111 1111 1111 1111", "://u:p@h", "https://", "{", "}"),
        *("[", "]", "<password>", "</password>", "&", "?", "\x00", "\ud800", "é", "\U0001f600", "--password ", "0"),
        *("the password is ", "9" * 20, "=>", "\t", ";", ",", "é@é.fr", "*" * 9, "None"),
    ]
)
texts = st.lists(pieces | st.text(max_size=5), max_size=12).map("".join)
keys = texts | st.sampled_from(["password", "pin", "api_key", "card_number", "value", "name", "description"])
values = st.recursive(
    texts | st.integers() | st.floats(allow_nan=False) | st.none() | st.booleans() | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)
REDACTORS = [
    Redactor.from_settings([]),
    Redactor.from_settings(["key: customer", "n = ([0-9]+)x?", "-email", "any = [^a]"]),
]
quick = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@quick
@given(values, st.sampled_from(REDACTORS))
def test_redacting_never_fails_and_is_done_once(value, redactor):
    """Whatever the value, a second time finds nothing more."""
    redaction = redactor.session()
    once = redaction.redact(value)

    assert redactor.session().redact(once) == once
    redaction.spread(value)


@quick
@given(values)
def test_what_was_redacted_stands_for_what_was_there(value):
    """Or a fresh recording would fail its own first replay."""
    redacted = REDACTORS[0].session().redact(value)

    assert PlaceholderMatcher(REDACTORS[0]).matches(redacted, value)


@quick
@given(texts)
def test_every_detector_finds_places_in_the_text(text):
    """Also where its screen would not have let the text through."""
    for detector in DETECTORS:
        for span in detector.find(text):
            assert 0 <= span.start < span.end <= len(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no key at all",
        "-----END PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY----- -----BEGIN PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----" * 3,
        "-----END PRIVATE KEY-----" * 3,
        f"-----BEGIN PRIVATE KEY-----\n{BODY}",
        f"-----BEGIN PRIVATE KEY-----\n{BODY}\n-----BEGIN PRIVATE KEY-----\n{BODY}\n-----END PRIVATE KEY-----",
    ],
)
def test_keys_that_begin_or_end_alone_are_no_mistake(text):
    """Cut off at either end, nested, or not there."""
    clean = REDACTORS[0].session().redact_text(text)

    assert BODY not in clean
