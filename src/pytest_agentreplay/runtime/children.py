"""Child processes of a run: how one that imports the package learns that it must withhold writes.

A spawned child finds the marker in its environment; a forked one finds it too,
with a process id that is not its own. Nothing here withholds anything.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

RUN_ENVIRONMENT: Final = "PYTEST_AGENTREPLAY_RUN"
"""The variable that holds the process id of the run that started a process."""

_lock: Final = threading.Lock()
_marked = 0
_before: str | None = None


@contextmanager
def run_marker() -> Iterator[None]:
    """Mark this process's environment, which its children inherit, while a run is active.

    Runs may overlap: the first one in marks it, the last one out puts back what was there.
    """
    global _marked, _before
    with _lock:
        if not _marked:
            _before = os.environ.get(RUN_ENVIRONMENT)
            os.environ[RUN_ENVIRONMENT] = str(os.getpid())
        _marked += 1
    try:
        yield
    finally:
        with _lock:
            _marked -= 1
            if not _marked:
                _restore(_before)


def in_child_of_run() -> bool:
    """Tell whether a run of another process, still active or not, started this process."""
    marker = os.environ.get(RUN_ENVIRONMENT)
    return marker is not None and marker != str(os.getpid())


def with_marker(env: Mapping[Any, Any]) -> dict[Any, Any]:
    """Mark an environment that a child is given in the place of its parent's; names are text or bytes."""
    unmarked = {name: value for name, value in env.items() if os.fsdecode(name) != RUN_ENVIRONMENT}
    return {**unmarked, os.fsencode(RUN_ENVIRONMENT): str(os.getpid()).encode()}


def _restore(value: str | None) -> None:
    if value is None:
        os.environ.pop(RUN_ENVIRONMENT, None)
    else:
        os.environ[RUN_ENVIRONMENT] = value
