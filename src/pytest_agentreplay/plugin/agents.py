"""Which agent a golden trace is replayed with, and whether the trace may name it so."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pytest_agentreplay.errors import SettingsError, TraceFormatError

PYTEST_MARKS = frozenset(
    {"skip", "skipif", "xfail", "parametrize", "usefixtures", "filterwarnings", "tryfirst", "trylast", "agent_replay"}
)


def import_agent(name: str, named_by: str) -> Callable[..., Any]:
    """Import an agent by ``module:callable``.

    Raises:
        SettingsError: when there is no such callable; suggests pytest's `pythonpath`.
    """
    module_name, _, path = name.partition(":")
    if not module_name or not path:
        raise SettingsError(f"{named_by} names the agent {name!r}", next="write it as module:callable")
    try:
        found: Any = importlib.import_module(module_name)
    except Exception as error:  # a module may fail in any way while it is imported
        raise SettingsError(
            f"the agent {name} can't be imported: {type(error).__name__}: {error}",
            trace=named_by,
            next="set `pythonpath` in pytest's configuration, or install the package that holds it",
        ) from (None if isinstance(error, ModuleNotFoundError) and error.name == module_name else error)
    for part in path.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise SettingsError(
            f"the agent {name} is not callable" if found is not None else f"the module {module_name} has no {path}",
            trace=named_by,
            next="name a function, sync or async",
        )
    return found  # type: ignore[no-any-return]


def importable_name(agent: Callable[..., Any]) -> str | None:
    """Name an agent as ``module:callable``, if a golden trace can import it so; test modules are no home for one."""
    module_name, path = getattr(agent, "__module__", None), getattr(agent, "__qualname__", None)
    module = sys.modules.get(module_name or "")
    if module is None or not path or module_name == "__main__" or _is_test_module(str(module_name)):
        return None
    found: Any = module
    for part in path.split("."):
        found = getattr(found, part, None)
    return f"{module_name}:{path}" if found is agent else None


def _is_test_module(name: str) -> bool:
    last = name.rpartition(".")[2]
    return last.startswith("test_") or last.endswith("_test") or last == "conftest"


def refuse_pytest_marks(tags: Iterable[str], path: Path) -> None:
    """Refuse tags that would change how pytest runs the test.

    Raises:
        TraceFormatError: naming the tag.
    """
    for name in tags:
        if name in PYTEST_MARKS:
            raise TraceFormatError(
                f"the tag {name} is one of pytest's own marks", at=str(path), path="tags", next="choose another word"
            )
