"""The gate in a child process of a replayed run: nothing can be answered or noted there, so nothing runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, NoReturn

from pytest_agentreplay.errors import RunStopped
from pytest_agentreplay.tools.spec import ToolSpec


class ChildGate:
    """Withholds every call."""

    def call(self, spec: ToolSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> NoReturn:
        """Withhold a call of a plain function."""
        _withhold(spec)

    async def acall(self, spec: ToolSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> NoReturn:
        """Withhold a call of a coroutine function."""
        _withhold(spec)

    def generate(self, spec: ToolSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[Any]:
        """Withhold a call of a generator function."""
        yield _withhold(spec)

    async def agenerate(self, spec: ToolSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> AsyncIterator[Any]:
        """Withhold a call of an async generator function."""
        yield _withhold(spec)

    def checkpoint(self, state: Any, at: str | None, context: dict[str, Any]) -> None:
        """Take no notice: the run is in another process."""


def _withhold(spec: ToolSpec) -> NoReturn:
    raise RunStopped(f"{spec.name} was withheld: a child process of a replayed run runs no tools")
