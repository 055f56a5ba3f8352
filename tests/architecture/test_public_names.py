"""The public names are there, all resolved only when they are asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import pytest_agentreplay
from pytest_agentreplay import errors

NAMES = [
    "tool",
    "guard",
    "rule",
    "load_policy",
    "Policy",
    "DecisionContext",
    "checkpoint",
    "load_trace",
    "save_trace",
    "Trace",
    "Step",
    "ToolStep",
    "ModelStep",
    "MessageStep",
    "StateStep",
    "Run",
    "Verdict",
    "Finding",
    "Divergence",
]
ERRORS = [
    "AgentReplayError",
    "TraceFormatError",
    "PolicyFormatError",
    "UnrecordedCallError",
    "DivergenceError",
    "EscapeError",
    "GuardBlocked",
    "RunStopped",
]


@pytest.mark.parametrize("name", NAMES + ERRORS)
def test_public_name_resolves(name):
    """Every name that the documentation gives can be imported from the root."""
    assert getattr(pytest_agentreplay, name) is not None
    assert name in pytest_agentreplay.__all__
    assert name in dir(pytest_agentreplay)


@pytest.mark.parametrize("name", NAMES)
def test_public_name_is_resolved_lazily(name):
    """The root doesn't hold a name before somebody asks for it."""
    code = f"import pytest_agentreplay as root; print({name!r} in vars(root))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"


def test_unknown_name_is_an_attribute_error():
    """A typo fails as with any module."""
    with pytest.raises(AttributeError, match="load_traces"):
        _ = pytest_agentreplay.load_traces


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_the_same_everywhere(name):
    """The root's errors are the ones that the package raises, all of them of one tree."""
    error = getattr(pytest_agentreplay, name)

    assert error is getattr(errors, name)
    assert issubclass(error, BaseException if name == "RunStopped" else pytest_agentreplay.AgentReplayError)
    assert issubclass(error, Exception) is (name != "RunStopped")


def test_a_divergence_is_an_assertion_error():
    """Pytest and its users treat a divergence as a failed assertion."""
    assert issubclass(pytest_agentreplay.DivergenceError, AssertionError)
