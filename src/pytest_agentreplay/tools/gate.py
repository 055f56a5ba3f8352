"""The gate: the one process-global read that every tool call makes.

It holds nothing (tools run as they are), a session (which answers), or a
quarantine (which withholds what outlives its run). It is global and not a
ContextVar because plain threads and pool threads lose a ContextVar. Nothing
here knows what a session does.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from typing import Any, Protocol

from pytest_agentreplay.tools.spec import ToolSpec

RUN_ENVIRONMENT = "PYTEST_AGENTREPLAY_RUN"
"""The variable that holds the process id of the run that started a process."""


class Gate(Protocol):
    """What answers calls of tools in the place of their bodies."""

    def call(self, spec: ToolSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Answer a call of a plain function."""

    async def acall(self, spec: ToolSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Answer a call of a coroutine function."""

    def generate(self, spec: ToolSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[Any]:
        """Answer a call of a generator function."""

    def agenerate(self, spec: ToolSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> AsyncIterator[Any]:
        """Answer a call of an async generator function."""

    def checkpoint(self, state: Any, at: str | None, context: dict[str, Any]) -> None:
        """Note a checkpoint; `state` is `MISSING` where only context was told."""


class Asides(Protocol):
    """Keeps what adapters note of a run that is no call, and goes over no HTTP."""

    def recall(self, place: str, question: Any) -> Any:
        """Give what was noted of the next such exchange; `MISSING` where nothing was."""

    def keep(self, place: str, question: Any, answer: Any) -> None:
        """Note an exchange, as JSON."""

    def object(self, error: Exception) -> None:
        """Let the run fail with an error, whatever the agent makes of it."""

    def hand_over(self, tool: str) -> None:
        """Note that a tool which the model called is an agent, whose own calls pass the boundary in its place."""


def _inherited() -> Gate | None:
    """Give the gate of a process that a replayed run started; a forked one is told when it forks."""
    if RUN_ENVIRONMENT not in os.environ or os.environ[RUN_ENVIRONMENT] == str(os.getpid()):
        return None
    from pytest_agentreplay.tools.children import ChildGate

    return ChildGate()


active: Gate | None = _inherited()
"""The gate now in force. Read it as ``gate.active``; write it only through `set_active`."""


def set_active(gate: Gate | None) -> None:
    """Put a gate in force, or none."""
    global active
    active = gate


def in_test() -> bool:
    """Tell whether a test replays or records here, so that nothing is to be reported to anybody."""
    gate: Any = active
    while gate is not None:
        if getattr(gate, "in_test", False):
            return True
        gate = getattr(gate, "under", None)
    return False


def asides() -> Asides | None:
    """Find where adapters note what is no call; None outside a run, and in one that has nothing of it."""
    found: Asides | None = getattr(active, "asides", None)
    return found


def hand_over(tool: str) -> None:
    """Let a tool that is an agent, and so makes no call of its own, be no tool that went around the boundary."""
    noted = asides()
    if noted is not None:
        noted.hand_over(tool)
