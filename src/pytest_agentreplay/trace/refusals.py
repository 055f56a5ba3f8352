"""Refusals: the error of a document with problems, at the line and column of the first."""

from __future__ import annotations

import re
from typing import TypeVar

from pytest_agentreplay import yaml_codec
from pytest_agentreplay.checks import render_path
from pytest_agentreplay.errors import AgentReplayError
from pytest_agentreplay.trace.problems import Location, Problem

WHOLE = "the whole document"
_SCALAR = re.compile(r"[^\s,\]}#]+")
E = TypeVar("E", bound=AgentReplayError)


def refusal(kind: type[E], problems: list[Problem], text: str | bytes, source: str) -> E:
    """Make the error that tells the first problem of a document, and how many there are more."""
    first, *rest = problems
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    line, column = yaml_codec.locate(text, first.path)
    details = {"at": f"{source}:{line}:{column}", "path": render_path(first.path) or WHOLE}
    details["next"] = _quoting(first.path, text, line, column) if first.unquoted else first.remedy
    if rest:
        details["more"] = f"{len(rest)} more problem{'s' if len(rest) > 1 else ''} after this one"
    return kind(first.fact, **details)


def _quoting(path: Location, text: str, line: int, column: int) -> str:
    """Write the remedy for a scalar that is to be text, with the digits that the file has."""
    written = text.removeprefix("\ufeff").split("\n")[line - 1][column - 1 :]
    key = path[-1] if path and isinstance(path[-1], str) else ""
    token = _SCALAR.match(written.partition(":")[2].strip() if key else written)
    if token is None:
        return "put it in quotes"
    return f'quote it: {key}: "{token[0]}"' if key else f'quote it: "{token[0]}"'
