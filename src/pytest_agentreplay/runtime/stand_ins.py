"""Stand-ins: recorded values that stand for others, since parts of them were redacted.

A run that does what was recorded never asks, so nothing is looked into before
somebody does. Nothing here knows which values are compared, or why.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pytest_agentreplay.jsonable import MISSING, Missing, Value, equal
from pytest_agentreplay.redaction import PlaceholderMatcher, Redactor, holds_placeholder
from pytest_agentreplay.trace import ToolStep, Trace


class StandIns:
    """What the placeholders of one golden trace stand for in one run.

    Args:
        golden: the recording.
        redactor: recognises what its placeholders stand for.
    """

    def __init__(self, golden: Trace, redactor: Redactor) -> None:
        self._golden = golden
        self._redactor = redactor
        self._looked = False
        self._matcher: PlaceholderMatcher | None = None
        self._served: list[Value] = []

    def serve(self, value: Value) -> None:
        """Note that the agent was given a recorded value, so that it now has the placeholders in it."""
        if self._matcher is not None:
            self._matcher.served(value)
        elif not self._looked:
            self._served.append(value)

    def stands_for(self, recorded: Value | Missing, actual: Value | Missing) -> bool:
        """Tell whether a recorded value with redacted parts stands for an actual one."""
        if recorded is MISSING or actual is MISSING:
            return False
        if equal(recorded, actual):
            return True
        return self.any and self._matcher is not None and self._matcher.matches(recorded, actual)

    def with_placeholders(self, recorded: Value | Missing, actual: Value | Missing) -> Value | Missing:
        """Put the recorded placeholders in the place of the parts of an actual value that they stand for."""
        if recorded is MISSING or actual is MISSING or equal(recorded, actual) or not self.any:
            return actual
        if self.stands_for(recorded, actual):
            return recorded
        if isinstance(recorded, dict) and isinstance(actual, dict):
            return {key: self._at(key, recorded, item) for key, item in actual.items()}
        if isinstance(recorded, list) and isinstance(actual, list):
            pairs = zip(recorded, actual, strict=False)
            return [*(self.with_placeholders(*pair) for pair in pairs), *actual[len(recorded) :]]
        return actual

    def _at(self, key: str, recorded: dict[str, Value], actual: Value) -> Value:
        """Compare under the key, which may be what makes a value sensitive."""
        if key in recorded and self.stands_for({key: recorded[key]}, {key: actual}):
            return recorded[key]
        return self.with_placeholders(recorded.get(key, MISSING), actual)

    @property
    def any(self) -> bool:
        """Whether the recording holds a placeholder at all."""
        if not self._looked:
            self._looked = True
            if _is_redacted(self._golden):
                self._matcher = PlaceholderMatcher(self._redactor)
                for value in self._served:
                    self._matcher.served(value)
            self._served.clear()
        return self._matcher is not None


def _is_redacted(golden: Trace) -> bool:
    return any(holds_placeholder(payload) for payload in _payloads(golden))


def _payloads(golden: Trace) -> Iterator[Any]:
    yield golden.input
    yield golden.output
    for step in golden.steps:
        yield step.state
        if isinstance(step, ToolStep):
            yield from (step.args, step.result)
