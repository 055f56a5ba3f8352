"""The agent under test of the imported runs: it repeats the decisions that the run recorded.

A stand-in for the agent that made the run, which is not here. It asks every tool
anew and takes what the boundary answers, so that answering, order, parallel
groups, errors and effects are exercised on real data.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from pytest_agentreplay import ToolStep, Trace, load_trace, tool


class RepeatingAgent:
    """Makes the calls of a trace, those of a parallel group at once, and ends as the trace does."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._tools = {step.tool: _make_tool(step.tool) for step in trace.tool_steps}

    def __call__(self, request: str) -> Any:
        """Run the agent on the first message of the recorded conversation."""
        steps = [step for step in self._trace.tool_steps if step.by_agent]
        for group, together in groupby(enumerate(steps), key=_group):
            calls = [step for _, step in together]
            with ThreadPoolExecutor(len(calls)) as pool:
                list(pool.map(self._repeat, calls) if group >= 0 else map(self._repeat, calls))
        return self._trace.output if "output" in self._trace.model_fields_set else None

    def _repeat(self, step: ToolStep) -> Any:
        try:
            return self._tools[step.tool](**(step.args or {}))
        except Exception as error:
            if step.error is None or str(error) != step.error.message:
                raise
            return None


def _group(numbered: tuple[int, ToolStep]) -> int:
    index, step = numbered
    return -index - 1 if step.group is None else step.group


def _make_tool(name: str) -> Callable[..., Any]:
    def body(**arguments: Any) -> Any:
        raise AssertionError(f"{name} must not run in replay")

    return tool(name=name)(body)


@pytest.fixture
def agent_under_test(golden_trace: Path) -> RepeatingAgent:
    """Give each imported trace the agent that repeats it."""
    return RepeatingAgent(load_trace(golden_trace))
