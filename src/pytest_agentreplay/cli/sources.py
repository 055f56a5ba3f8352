"""Sources: the traces that a command line names, by path, by name or on standard input.

Nothing here knows what is done with them.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pytest_agentreplay.errors import SettingsError, TraceFormatError
from pytest_agentreplay.storage.names import resolve_name
from pytest_agentreplay.storage.trace_files import load_trace
from pytest_agentreplay.trace import Trace
from pytest_agentreplay.trace.document import parse_trace

STDIN = "-"
DEFAULT_DIRECTORY = "golden_traces"


def load(name: str) -> Trace:
    """Load the trace that a command line names.

    Raises:
        SettingsError: when there is no such trace.
        TraceFormatError: when it is broken.
    """
    if name == STDIN:
        return parse_trace(read_stdin(), "<stdin>")
    path = Path(name)
    if path.is_dir():
        raise SettingsError(f"{name} is a directory", next="name one of the traces in it")
    if path.is_file():
        return load_trace(path)
    if path.exists():  # a pipe, as the shell's <(...)
        return parse_trace(path.read_bytes(), name)
    return load_trace(_named(name, path))


def _named(name: str, path: Path) -> Path:
    directory = Path(DEFAULT_DIRECTORY)
    if path.suffix not in (".yaml", ".yml") and directory.is_dir():
        return resolve_name(name, [directory])
    try:
        load_trace(path)
    except TraceFormatError as error:  # it says what is near
        details = {label: text for label, text in error.details.items() if label != "next"}
        raise SettingsError(error.fact, **details, next="correct the path") from None
    return path


def shown(trace: Trace, name: str) -> str:
    """Say which trace it is, as the user would name it."""
    if trace.path is None:
        return "<stdin>" if name == STDIN else name
    return str(relative(trace.path))


def relative(path: Path) -> Path:
    """Give a path as seen from the working directory, if it is below it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def read_stdin() -> bytes:
    """Read all of standard input.

    Raises:
        SettingsError: when it is closed.
    """
    if sys.stdin is None:
        raise SettingsError("standard input is closed", next="name a file instead of -")
    return sys.stdin.buffer.read()
