"""The terminal: what a verb says, and how it gets there whatever the terminal is like.

What traces hold was written by strangers: control characters are shown, never
sent. No colours. Nothing here knows any verb.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import dataclass
from typing import Any, TextIO

_NARROWEST, _WIDEST = 40, 160


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a verb found.

    Attributes:
        text: for people.
        data: the same as JSON.
        code: the exit code.
    """

    text: str
    data: Any
    code: int = 0


def width() -> int:
    """The columns to write in: the terminal's or those of ``COLUMNS``, 80 where there is neither."""
    return min(max(shutil.get_terminal_size((80, 24)).columns, _NARROWEST), _WIDEST)


def say(outcome: Outcome, *, as_json: bool) -> None:
    """Write an outcome to standard output.

    Raises:
        OSError: when it can't be written; a reader that has gone away is fine.
    """
    # ASCII alone: a marked-up character that the terminal lacks would be no JSON any more.
    _write(sys.stdout, json.dumps(outcome.data, indent=2) if as_json else visible(outcome.text))


def say_line(data: Any) -> None:
    """Write JSON to standard output as one line, at once.

    Raises:
        OSError: as `say` does.
    """
    _write(sys.stdout, json.dumps(data, separators=(",", ":")))


def complain(text: str, code: int) -> int:
    """Write what is wrong to standard error; returns the exit code."""
    try:
        _write(sys.stderr, visible(f"agent-replay: {text}"))
    except OSError:  # nobody is left to be told
        _silence(sys.stderr)
    return code


def settle() -> None:
    """Send what is still buffered, so that nothing fails when the interpreter ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):  # gone or closed: whoever wrote has been told
            _silence(stream)


def visible(text: str) -> str:
    r"""Show what would not be printed (escape sequences, text direction marks) as ``\x1b``."""
    return "".join(
        char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode("ascii") for char in text
    )


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:  # closed by whoever started the command
        return
    encoding = stream.encoding or "utf-8"
    try:
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        stream.flush()
    except BrokenPipeError:
        _silence(stream)


def _silence(stream: TextIO | None) -> None:
    """Let what is buffered go nowhere, or the interpreter would complain about it at its end."""
    try:
        if stream is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError):  # no descriptor of its own: nothing will be flushed
        return
