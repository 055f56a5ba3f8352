"""Failures: what went wrong, in a line of fact and one of remedy, whatever it was.

Nothing here decides the exit code, or writes anything.
"""

from __future__ import annotations

import traceback
from pathlib import Path

from pytest_agentreplay.errors import AgentReplayError, describe


def told(error: BaseException) -> str:
    """Say what went wrong; a mistake of ours with the place to report."""
    if isinstance(error, AgentReplayError):
        return str(error)
    if isinstance(error, OSError):
        return _system_error(error)
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    return _internal_error(error)


def _system_error(error: OSError) -> str:
    at = {"at": str(error.filename)} if error.filename else {}
    return describe((error.strerror or str(error)).lower(), {**at, "next": "correct that, and try again"})


def _internal_error(error: BaseException) -> str:
    places = traceback.extract_tb(error.__traceback__)
    at = {"at": f"{Path(places[-1].filename).name}:{places[-1].lineno}, in {places[-1].name}"} if places else {}
    report = "report it with the command that you typed: this is a mistake in agent-replay or in one of its plugins"
    return describe(f"internal error: {type(error).__name__}: {error}", {**at, "next": report})
