"""Storage: traces on disk, in golden files and in a cache of parsed ones.

Looking for files comes with the room; reading them is imported when it is first
asked for, since every YAML file of a test suite is looked at and few are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_agentreplay.storage.names import (
    find_name,
    find_traces,
    format_of,
    is_trace_text,
    resolve_name,
    trace_name,
)

if TYPE_CHECKING:
    from pytest_agentreplay.storage.cache import TraceCache
    from pytest_agentreplay.storage.trace_files import load_trace, save_trace, update_trace
else:
    _HOME_OF = {
        "TraceCache": "cache",
        "load_trace": "trace_files",
        "save_trace": "trace_files",
        "update_trace": "trace_files",
    }

    def __getattr__(name: str) -> Any:
        home = _HOME_OF.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        found = getattr(import_module(f"{__name__}.{home}"), name)
        globals()[name] = found
        return found


__all__ = [
    "TraceCache",
    "find_name",
    "find_traces",
    "format_of",
    "is_trace_text",
    "load_trace",
    "resolve_name",
    "save_trace",
    "trace_name",
    "update_trace",
]
