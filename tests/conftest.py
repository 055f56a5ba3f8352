"""What all tests share: pytester, for tests of the plugin as its users run it; and a clock that others can't slow."""

from __future__ import annotations

import time

import pytest

pytest_plugins = ["pytester"]


@pytest.fixture(scope="session", autouse=True)
def _deadlines_by_own_work():
    """Hold rules to their deadline by what they compute: a busy machine must not make a verdict unavailable."""
    from pytest_agentreplay.guards.evaluator import Guard

    defaults = Guard.__init__.__kwdefaults__
    clock = defaults["clock"]
    defaults["clock"] = time.thread_time_ns
    yield
    defaults["clock"] = clock
