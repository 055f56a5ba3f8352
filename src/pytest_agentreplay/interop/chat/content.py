"""Values inside a message: aliases, dotted paths, and lists of content blocks.

Nothing here knows what a call or an answer becomes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

_TEXT_TYPES = frozenset({"text", "input_text", "output_text"})
_CALL_TYPES = frozenset({"tool_use", "server_tool_use", "mcp_tool_use", "tool_call"})
_THOUGHT_TYPES = frozenset({"thinking", "reasoning"})


def first(holder: dict[str, Any], names: Sequence[str]) -> Any:
    """Return what the first of several names holds, None where all are absent or null."""
    return next((value for name in names if (value := holder.get(name)) is not None), None)


def dig(holder: Any, path: str) -> Any:
    """Follow a dotted path through mappings, None where it ends early."""
    for name in path.split("."):
        if not isinstance(holder, dict):
            return None
        holder = holder.get(name)
    return holder


def json_text(value: Any) -> str:
    """Write a value as JSON, for places that hold text only."""
    return json.dumps(value, ensure_ascii=False)


def text_of(content: Any) -> str | None:
    """Read content that is nothing but text, parts joined by line breaks; None for any other."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list) or not content:
        return None
    parts = [_part_text(part) for part in content]
    return "\n".join(part for part in parts if part is not None) if None not in parts else None


def _part_text(part: Any) -> str | None:
    if isinstance(part, str):
        return part
    if not isinstance(part, dict) or _kind(part) not in _TEXT_TYPES:
        return None
    text = first(part, ("text", "content"))
    return text if isinstance(text, str) else None


def _kind(block: Any) -> str:
    """Name a block's type with underscores, as most dialects do; empty where it has none."""
    kind = block.get("type") if isinstance(block, dict) else None
    return kind.replace("-", "_") if isinstance(kind, str) else ""


def plain(content: Any) -> Any:
    """Unwrap a list that holds one bare text block; leave all else as it is."""
    if isinstance(content, list) and len(content) == 1 and (text := _part_text(content[0])) is not None:
        bare = isinstance(content[0], str) or set(content[0]) <= {"type", "text", "content"}
        return text if bare else content
    return content


@dataclass(frozen=True, slots=True)
class Blocks:
    """Content taken apart.

    Attributes:
        rest: what is neither a call, an answer nor a thought; None where nothing remains.
    """

    rest: Any = None
    calls: list[dict[str, Any]] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)


def split_blocks(content: Any) -> Blocks:
    """Take content apart; what is no list of blocks is all rest."""
    if not isinstance(content, list):
        return Blocks(content)
    blocks = Blocks([])
    for block in content:
        kind = _kind(block)
        thought = first(block, ("thinking", "text", "content")) if kind in _THOUGHT_TYPES else None
        if kind in _CALL_TYPES:
            blocks.calls.append(block)
        elif kind == "tool_result" or kind.endswith("_tool_result"):
            blocks.answers.append(block)
        elif isinstance(thought, str):
            blocks.thoughts.append(thought)
        else:
            blocks.rest.append(block)
    return blocks if blocks.rest or not content else replace(blocks, rest=None)
