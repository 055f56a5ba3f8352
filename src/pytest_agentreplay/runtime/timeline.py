"""A run as a list of plain rows: what reports show, frame by frame."""

from __future__ import annotations

from typing import Any

from pytest_agentreplay.jsonable import MISSING, encode
from pytest_agentreplay.runtime.run import Run
from pytest_agentreplay.trace import ToolStep


def timeline(run: Run) -> list[dict[str, Any]]:
    """Give one row a step, JSON only: address, arguments, outcome, effect, state and where the answer came from."""
    answered = iter(run.observed_calls)
    rows: list[dict[str, Any]] = []
    for step in run.steps:
        row: dict[str, Any] = {"address": step.address}
        if isinstance(step, ToolStep):
            call = next(answered)
            row |= {
                "tool": step.tool,
                "args": encode(step.args) if step.raw_args is None else step.raw_args,
                "effect": call.effect,
                "effect_from": call.effect_source,
                "answered_by": call.answered_by,
            }
            if step.result is not MISSING:
                row["result"] = encode(step.result)
            if step.error is not None:
                row["error"] = f"{step.error.type}: {step.error.message}"
        if step.state is not MISSING:
            row["state"] = encode(step.state)
        rows.append(row)
    return rows
