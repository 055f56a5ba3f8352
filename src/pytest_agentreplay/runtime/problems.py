"""Problems: what went wrong at the boundary, kept until the run is judged.

Frameworks swallow, wrap and retry exceptions, so whatever goes wrong is noted
here first and raised second; an agent can't make it go away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from pytest_agentreplay.errors import AgentReplayError


class StoppedError(AgentReplayError):
    """A run was stopped at a limit."""


ProblemKind: TypeAlias = Literal[
    "unmatched", "escape", "survivor", "stopped", "blocked", "tool", "nested", "model", "bypassed"
]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that went wrong.

    Attributes:
        call_index: the call it belongs to, so that it and a divergence there are told once.
        error: what was raised at the place, ready to be raised again.
    """

    kind: ProblemKind
    error: Exception
    call_index: int | None = None
