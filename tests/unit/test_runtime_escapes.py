"""An escape says what would permit it, and of a model what would answer it."""

from __future__ import annotations

import pytest

from pytest_agentreplay.runtime.escapes import Escape


@pytest.mark.parametrize(
    "host", ["api.openai.com", "mine.openai.azure.com", "bedrock-runtime.us-east-1.amazonaws.com", "API.anthropic.com"]
)
def test_a_connection_to_a_model_is_told_of_recordings(host):
    """The trace has no recording of it, or the model would have been answered."""
    error = Escape("connection", f"connect to {host}:443", "shop.py:3 in ask", host).error()

    assert "--agent-record=rewrite" in error.details["next"]
    assert "model='live'" in error.details["next"]


def test_another_connection_is_told_of_its_option():
    """What is no model's is a tool's, or permitted."""
    error = Escape("connection", "connect to api.stripe.com:443", "shop.py:3 in pay", "api.stripe.com").error()

    assert "allow_hosts=['api.stripe.com']" in error.details["next"]
