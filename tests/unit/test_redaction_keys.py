"""Which keys promise a secret."""

from __future__ import annotations

import pytest

from pytest_agentreplay.redaction.keys import KeyRules


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("password", "password"),
        ("userPassword", "password"),
        ("DB_PASS", "password"),
        ("password2", "password"),
        ("api_key", "token"),
        ("apikey", "token"),
        ("X-Api-Key", "token"),
        ("openaiApiKey", "token"),
        ("OPENAI_API_KEY", "token"),
        ("Authorization", "token"),
        ("aws_secret_access_key", "token"),
        ("accessToken", "token"),
        ("client.secret", "secret"),
        ("SecretKey", "secret"),
        ("Set-Cookie", "cookie"),
        ("ssh_private_key", "private_key"),
        ("card number", "card"),
        ("CVV", "cvv"),
        ("pin", "pin"),
        ("social_security_number", "ssn"),
        ("secret_value", "secret"),
    ],
)
def test_sensitive_keys_are_known_however_they_are_written(key: str, kind: str) -> None:
    """Snake, kebab, camel, spaced and run together are one key."""
    assert KeyRules().kind_of(key) == kind


@pytest.mark.parametrize(
    "key",
    [
        *("token_count", "max_tokens", "tokens", "tokenizer", "max_token", "next_page_token", "cost_per_token"),
        *("secretary", "secret_name", "pinned", "led_pin", "spin", "key", "primary_key", "keyboard", "monkey"),
        *("has_password", "password_reset_url", "passenger", "passed", "compass", "cookie_consent", "session_id"),
        *("author", "authorization_url", "storage_key", "discard_number", "zip_code", "status_code", ""),
    ],
)
def test_whole_words_decide(key: str) -> None:
    """A sensitive word inside another word, or before another word, promises nothing."""
    assert KeyRules().kind_of(key) is None


def test_users_keys_are_added_and_taken_away() -> None:
    """A project's own keys count like the built-in ones, and its exceptions win."""
    rules = KeyRules({"customer ref": "customer_ref"}, ["sessionToken"], ["cookie"])

    assert rules.kind_of("billing_customerRef") == "customer_ref"
    assert rules.kind_of("session_token") is None
    assert rules.kind_of("cookie") is None
    assert rules.kind_of("access_token") == "token"
