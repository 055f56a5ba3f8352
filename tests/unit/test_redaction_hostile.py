"""No text makes redaction slow."""

from __future__ import annotations

import time

import pytest

from pytest_agentreplay.redaction import Redactor

SIZE = 200_000  # characters; a quadratic search of them takes minutes
REDACTOR = Redactor.from_settings([])


@pytest.mark.parametrize(
    "seed",
    [
        *(
            "a",
            "@",
            "a@",
            "a@b.",
            "a@b.com",
            "://",
            "://a:a@",
            "sk-a1",
            "eyJa.",
            "-----BEGIN PRIVATE KEY-----A",
            "4111 ",
        ),
        *(
            "password=",
            "password: ",
            'password="',
            "password: ',",
            "cvv=",
            '"secrets":[{',
            '"secret":{"a":"',
            "<password>",
        ),
        *(
            "token ",
            "token a1b2c3 ",
            "--password a ",
            "Bearer a1",
            "cookie: a=",
            "\\",
            'password:\\"',
            "[redacted:",
            "aa bb ",
        ),
        *("token: 1", "4111111111111111", "xoxb-1", "a@a.a@a.", "Authorization: digest ", "&token="),
    ],
)
def test_time_is_linear_in_the_text(seed: str) -> None:
    """A text that was made to make patterns backtrack costs no more than microseconds a character."""
    text = (seed * (SIZE // len(seed) + 1))[:SIZE]
    start = time.process_time()
    REDACTOR.find(text)

    assert time.process_time() - start < 30


def test_rules_that_uncover_one_another_come_to_an_end() -> None:
    """What would take a pass for each character is redacted as a whole."""
    redaction = Redactor.from_settings(["x = ^a"]).session()
    once = redaction.redact_text("a" * 1000 + "b")

    assert redaction.redact_text(once) == once
    assert "aa" not in once
