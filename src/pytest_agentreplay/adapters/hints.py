"""Hints: what a framework, or the MCP server behind it, says of a tool's effect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_agentreplay.tools.spec import Effect


def hinted(annotations: Any) -> Effect | None:
    """Read an MCP server's annotations of a tool, an object or a mapping, in either version's spelling."""
    if _hint(annotations, "destructiveHint", "destructive_hint") is True:
        return "write"
    read_only = _hint(annotations, "readOnlyHint", "read_only_hint")
    return None if read_only is None else "read" if read_only else "write"


def declared(metadata: Any) -> Effect | None:
    """Read ``{"effect": "read"}`` in what a framework lets an author say of a tool."""
    said = metadata.get("effect") if isinstance(metadata, Mapping) else None
    return "read" if said == "read" else "write" if said == "write" else None


def _hint(annotations: Any, *names: str) -> Any:
    if isinstance(annotations, Mapping):
        return next((annotations[name] for name in names if name in annotations), None)
    return next((getattr(annotations, name) for name in names if hasattr(annotations, name)), None)
