"""A framework's own machinery: threads and reports that are neither the agent's nor a test's business."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from pytest_agentreplay.runtime import lineage
from pytest_agentreplay.tools import gate


def not_the_agents(original: Callable[..., Any]) -> Callable[..., Any]:
    """Let what a function starts, as a worker that outlives the run, belong to no run."""

    @functools.wraps(original)
    def start(*args: Any, **kwargs: Any) -> Any:
        with lineage.carrying(None):
            return original(*args, **kwargs)

    return start


def unreported(original: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function that reports to the framework's makers do nothing while a test replays or records."""

    @functools.wraps(original)
    def report(*args: Any, **kwargs: Any) -> Any:
        return None if gate.in_test() else original(*args, **kwargs)

    return report
