"""Frozen chance: random numbers and generated ids that come back in every run of one recording.

The ids of the `uuid` module are covered, however its functions were imported; what
asks the system for random bytes itself (`secrets`, `os.urandom`, native code) never
is, since keys are made of that. Nothing here knows where a seed comes from.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pytest_agentreplay.runtime import lineage
from pytest_agentreplay.runtime.patching import Patches


class FrozenRandom:
    """The random numbers of `random`, and of numpy's global generator where numpy is imported.

    Real tools draw from what would be drawn without us, so that the agent's own
    numbers are the same where a recorded result stands for the tool.

    Args:
        seed: what they follow from.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._lock = threading.Lock()
        self._real_tools = 0
        self._is_on = False

    def freeze(self) -> None:
        """Let the agent's numbers begin."""
        self._outer = _state()
        random.seed(self._seed)
        if (generator := _numpy()) is not None:
            generator.seed(self._seed % 2**32)
        self._is_on = True

    def thaw(self) -> None:
        """Go on as if nothing had been drawn."""
        with self._lock:
            self._is_on = False
            if not self._real_tools:
                _restore(self._outer)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Mark the time that a real tool runs; what the agent draws in parallel comes from the outer numbers too."""
        with self._lock:
            self._real_tools += 1
            if self._real_tools == 1:
                self._swap()
        try:
            yield
        finally:
            with self._lock:
                self._real_tools -= 1
                if self._real_tools == 0:
                    self._swap()

    def _swap(self) -> None:
        if self._is_on:
            inner = _state()
            _restore(self._outer)
            self._outer = inner


def _numpy() -> Any:
    numpy = sys.modules.get("numpy")
    return None if numpy is None else numpy.random


def _state() -> tuple[Any, Any]:
    generator = _numpy()
    return random.getstate(), None if generator is None else generator.get_state()


def _restore(state: tuple[Any, Any]) -> None:
    random.setstate(state[0])
    if state[1] is not None:
        _numpy().set_state(state[1])


class FrozenIds:
    """The ids of `uuid1` and `uuid4`.

    Each package draws from its own stream: how many ids a library makes on its
    way to a real model or tool is nothing that the agent's own ids depend on.

    Args:
        seed: what they follow from.
    """

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._streams: dict[str, random.Random] = {}
        self._patches = Patches()

    def freeze(self) -> None:
        """Let the agent's ids begin."""
        self._patches.replace(uuid, "os", lambda system: _System(self._bytes))
        self._patches.replace(uuid, "_generate_time_safe", self._first_version)

    def thaw(self) -> None:
        """Let the system make ids again."""
        self._patches.undo()

    def _first_version(self, real: Callable[[], Any] | None) -> Callable[[], tuple[bytes, int | None]]:
        def generate() -> tuple[bytes, int | None]:
            return uuid.UUID(bytes=self._bytes(16), version=1).bytes, None

        return generate

    def _bytes(self, count: int) -> bytes:
        mark = lineage.current_mark()
        if mark is None or mark.is_aside:
            return os.urandom(count)
        package = _asking_package()
        stream = self._streams.setdefault(package, random.Random(f"{self._seed} {package}"))  # noqa: S311 - no secret
        return stream.randbytes(count)


class _System:
    """The module `os` as the module `uuid` has it."""

    def __init__(self, urandom: Callable[[int], bytes]) -> None:
        self.urandom = urandom

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)


def _asking_package() -> str:
    """Name the top-level package of the code that wants an id."""
    frame = sys._getframe(2)
    while frame.f_globals.get("__name__") in ("uuid", __name__) and frame.f_back is not None:
        frame = frame.f_back
    return str(frame.f_globals.get("__name__")).partition(".")[0]
