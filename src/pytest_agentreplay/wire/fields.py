"""Fields of a wire document, read without trusting that they are what the format says.

What a format requires raises `WireError` where it is something else; what it
merely allows is left out. Nothing here knows a provider.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any, Final

from pytest_agentreplay.errors import AgentReplayError
from pytest_agentreplay.jsonable import MISSING, Missing, Value
from pytest_agentreplay.wire.model import ToolUse

MAX_DEPTH: Final = 200
_TEXT_TYPES: Final = ("text", "input_text", "output_text")
_KINDS: Final = {dict: "a mapping", list: "a list", str: "a text", bool: "a boolean", bytes: "bytes"}


class WireError(AgentReplayError):
    """A body claims to be a provider's format and can't be read; ``details`` name the path inside it."""


def parse_json(text: str | bytes, what: str) -> Value:
    """Parse JSON nested at most `MAX_DEPTH` deep.

    Raises:
        WireError: in any other case; `what` names the text.
    """
    try:
        value = json.loads(text)
    except UnicodeDecodeError as error:
        raise WireError(f"{what} is no text: byte {error.start} is not {error.encoding}") from None
    except json.JSONDecodeError as error:
        raise WireError(f"{what} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise WireError(f"{what} is nested deeper than {MAX_DEPTH} levels") from None
    except ValueError:
        raise WireError(f"{what} is not JSON: a number with too many digits") from None
    return shallow(value, what)


def shallow(value: Value, what: str) -> Value:
    """Return the value.

    Raises:
        WireError: when it is nested deeper than `MAX_DEPTH`.
    """
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [item for parent in level for item in _children(parent) if isinstance(item, dict | list)]
        if not level:
            return value
    raise WireError(f"{what} is nested deeper than {MAX_DEPTH} levels")


def _children(value: Value) -> Collection[Value]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def mapping(value: Value, path: str) -> dict[str, Any]:
    """Return a value that has to be a mapping.

    Raises:
        WireError: when it is none.
    """
    if isinstance(value, dict):
        return value
    raise WireError(f"expected a mapping, found {_kind(value)}", path=path)


def listed(value: Value, path: str) -> list[Any]:
    """Return a value that has to be a list; empty for null.

    Raises:
        WireError: when it is something else.
    """
    if value is None:
        return []
    if isinstance(value, list):
        return value
    raise WireError(f"expected a list, found {_kind(value)}", path=path)


def mappings(value: Value, path: str) -> list[dict[str, Any]]:
    """Return a value that has to be a list of mappings; empty for null.

    Raises:
        WireError: when it is something else.
    """
    return [mapping(item, f"{path}[{index}]") for index, item in enumerate(listed(value, path))]


def text(value: Value) -> str | None:
    """Return a text that says something, None for anything else."""
    return value if isinstance(value, str) and value else None


def inner(value: Value, *keys: str) -> dict[str, Any]:
    """Follow keys through mappings; empty where they don't lead to one."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def counted(usage: Value, **names: str) -> dict[str, int]:
    """Pick token counts, our names by the format's: ``counted(usage, input_tokens="prompt_tokens")``."""
    holder = usage if isinstance(usage, dict) else {}
    return {ours: holder[theirs] for ours, theirs in names.items() if type(holder.get(theirs)) is int}


def others(body: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    """Return what a request sets beside the keys that have a place in the model."""
    return {key: value for key, value in body.items() if key not in known}


def tool_use(name: Value, arguments: Value, path: str, *, id: Value = None, by_provider: bool = False) -> ToolUse:
    """Make a tool use of a name and arguments, which may be JSON in a text; a blank text is no arguments.

    Raises:
        WireError: when there is no name.
    """
    if not isinstance(name, str) or not name:
        raise WireError("a tool call has no name", path=path)
    args, raw = _arguments(arguments)
    return ToolUse(name, args, id if isinstance(id, str) else None, raw, by_provider)


def _arguments(value: Value) -> tuple[dict[str, Any] | Missing, str | None]:
    if value is None:
        return {}, None
    if isinstance(value, dict):
        return value, None
    if not isinstance(value, str):
        return MISSING, json.dumps(value, ensure_ascii=False)
    if not value.strip():
        return {}, None
    try:
        parsed = parse_json(value, "the arguments")
    except WireError:
        return MISSING, value
    return (parsed, None) if isinstance(parsed, dict) else (MISSING, value)


def arguments_text(use: ToolUse) -> str:
    """Write the arguments of a tool use as formats do that have them in a text."""
    if isinstance(use.args, Missing):
        return use.raw_args or ""
    return dumps(use.args)


def arguments_object(use: ToolUse) -> Value:
    """Write the arguments of a tool use for formats that have them as JSON, which can't hold a broken text."""
    if not isinstance(use.args, Missing):
        return use.args
    try:
        return parse_json(use.raw_args or "{}", "the arguments")
    except WireError:
        return {}


def dumps(value: Value) -> str:
    """Write JSON as providers do: compact, and plain ASCII so that any text survives."""
    return json.dumps(value, separators=(",", ":"))


def plain(blocks: list[Any], type_key: str | None = "type") -> Value:
    """Shorten a list of blocks: None for none, a text for one bare text block, else the list."""
    if not blocks:
        return None
    block = blocks[0]
    if len(blocks) > 1 or isinstance(block, str):
        return blocks if len(blocks) > 1 else block
    if not isinstance(block, dict) or not isinstance(block.get("text"), str) or block.get("annotations"):
        return blocks
    bare = {"text"} if type_key is None else {type_key, "text", "annotations", "logprobs"}
    is_text = type_key is None or block.get(type_key) in _TEXT_TYPES
    return block["text"] if set(block) <= bare and is_text else blocks


def _kind(value: Value) -> str:
    if value is None:
        return "nothing"
    return _KINDS.get(type(value), "a number")
