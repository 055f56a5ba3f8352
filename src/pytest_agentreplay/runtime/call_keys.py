"""Call keys: texts that are equal exactly when two calls of a tool are identical.

Ignored arguments are left out, and an argument left out equals its default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_agentreplay.checks import remove_paths
from pytest_agentreplay.jsonable import Value, canonical
from pytest_agentreplay.runtime.values import json_args
from pytest_agentreplay.tools.binding import defaults
from pytest_agentreplay.tools.spec import ToolSpec
from pytest_agentreplay.trace import ToolStep


class CallKeys:
    """Makes keys for the calls of one run and of its recording.

    Args:
        ignored: argument paths that don't count.
    """

    def __init__(self, ignored: tuple[str, ...]) -> None:
        self._ignored = ignored
        self._defaults: dict[str, Mapping[str, Value]] = {}
        self._of_steps: dict[int, str] = {}  # by identity: the steps live as long as the run

    def of_call(self, spec: ToolSpec, args: Mapping[str, Value]) -> str:
        """Make the key of a call; learns the tool's defaults for the recorded calls of it."""
        if spec.name not in self._defaults:
            self._defaults[spec.name] = json_args(defaults(spec))
        return self.of_args(spec.name, args)

    def of_step(self, step: ToolStep) -> str:
        """Make the key of a recorded call."""
        known = self._of_steps.get(id(step))
        if known is not None:
            return known
        key = step.raw_args if step.raw_args is not None else self.of_args(step.tool, step.args or {})
        if step.tool in self._defaults:  # else it changes with the tool's first call
            self._of_steps[id(step)] = key
        return key

    def of_args(self, tool: str, args: Mapping[str, Value]) -> str:
        """Make the key of a tool's arguments."""
        return canonical(self.compared(tool, args))

    def with_defaults(self, tool: str, args: Mapping[str, Value]) -> dict[str, Value]:
        """Fill in the defaults of arguments that were left out, as far as the tool was called yet."""
        return {**self._defaults.get(tool, {}), **args}

    def compared(self, tool: str, args: Mapping[str, Value]) -> dict[str, Any]:
        """Give the arguments that count: defaults filled in, ignored ones left out."""
        filled = self.with_defaults(tool, args)
        return remove_paths(filled, self._ignored) if self._ignored else filled
