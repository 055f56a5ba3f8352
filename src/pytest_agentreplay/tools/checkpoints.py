"""Checkpoints: where an agent tells its state, and what its next decisions are made on."""

from __future__ import annotations

from typing import Any

from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.tools import gate


def checkpoint(
    state: Any = MISSING,
    *,
    at: str | None = None,
    plan: Any = MISSING,
    retrieved: Any = MISSING,
    external: Any = MISSING,
) -> None:
    """Tell the agent's state, or what its next decisions are made on; does nothing outside a session.

    Args:
        state: any value; what can't be JSON is recorded by its type.
        at: where in the agent this is: a node, a turn. Golden states are matched by it.
        plan: the intent that later calls are held against.
        retrieved: what was looked up for the next decisions.
        external: facts from outside, by name.
    """
    active = gate.active
    if active is not None:
        context = {"plan": plan, "retrieved": retrieved, "external": external}
        active.checkpoint(state, at, {name: value for name, value in context.items() if value is not MISSING})
