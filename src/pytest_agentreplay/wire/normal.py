"""The normal form of a request's body: equal for two runs of the same agent.

Ids are numbered in the order in which they appear, what differs from run to run by
itself is left out, and arguments that are JSON in a text are parsed. Only what the
format says is an id counts as one: an argument called ``id`` is content, and stays.
Nothing here knows cassettes, or what is secret.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Final

from pytest_agentreplay.jsonable import Value
from pytest_agentreplay.wire.fields import WireError, parse_json, plain

VOLATILE: Final = frozenset(
    {
        *("user", "metadata", "requestMetadata", "labels", "prompt_cache_key", "safety_identifier"),
        *("idempotency_key", "session_id", "sessionId", "request_id", "requestId", "trace_id", "client_request_id"),
    }
)
"""Root keys that name a run or a user, never what is asked."""

_CONVERSATION: Final = frozenset({"messages", "input", "contents", "system", "systemInstruction", "system_instruction"})
_ROOT_IDS: Final = frozenset({"previous_response_id", "conversation", "container"})
_IDS: Final = frozenset({"id", "call_id", "tool_call_id", "tool_use_id", "toolUseId", "item_id", "approval_request_id"})
# When and by whom something was made; opaque to all but the provider, and another in every run.
_STAMPS: Final = frozenset(
    {
        *("created", "created_at", "createdAt", "completed_at", "timestamp"),
        *("signature", "thoughtSignature", "thought_signature", "encrypted_content"),
    }
)
_ALWAYS_CONTENT: Final = frozenset({"arguments", "args", "parameters", "json", "response", "action", "results"})
_CALL_ID: Final = re.compile(r"\b(?:call|toolu|tooluse|srvtoolu|chatcmpl)[_-][A-Za-z0-9_-]{16,}")
_SHORTEST_ID_IN_TEXT: Final = 8
_WORD: Final = re.compile(rf"[\w-]{{{_SHORTEST_ID_IN_TEXT},}}")
_BEGINNING: Final = 4
_FEW: Final = 8


def normal_form(dialect: str | None, body: Value, drop: Collection[str] = ()) -> Value:
    """Return the normal form of a request's parsed body.

    Args:
        dialect: the request's; None for a body of no known format, of which only ids of tool calls are numbered.
        body: JSON.
        drop: what to leave out besides: a key at any depth, or a dotted path from the root, where ``*`` is any
            key or index.
    """
    numbers = _Numbers()
    if dialect is None or not isinstance(body, dict):
        formed = _without_counters(body)
    else:
        formed = {key: _root(key, value, numbers) for key, value in sorted(body.items()) if key not in VOLATILE}
    formed = _Texts(numbers).replaced(formed)
    if not drop:
        return formed
    paths = [tuple(name.split(".")) for name in drop]
    return _without(formed, frozenset(path[0] for path in paths if len(path) == 1), [p for p in paths if len(p) > 1])


class _Numbers:
    """Ids as they appear, each with its number."""

    def __init__(self) -> None:
        self.by_id: dict[str, int] = {}

    def name(self, identity: str) -> str:
        return f"<id {self.number(identity)}>"

    def number(self, identity: str) -> int:
        return self.by_id.setdefault(identity, len(self.by_id) + 1)


def _without_counters(body: Value) -> Value:
    """Leave out what counts the messages of JSON-RPC, as MCP is carried by."""
    if not isinstance(body, dict) or "jsonrpc" not in body:
        return body
    formed = {key: value for key, value in body.items() if key != "id"}
    params = formed.get("params")
    if isinstance(params, dict) and isinstance(params.get("_meta"), dict):
        meta = {key: value for key, value in params["_meta"].items() if key != "progressToken"}
        formed["params"] = {**params, "_meta": meta}
    return formed


def _root(key: str, value: Value, numbers: _Numbers) -> Value:
    if key in _CONVERSATION:
        return _bare(_formed(value, numbers))
    return numbers.name(value) if key in _ROOT_IDS and isinstance(value, str) else value


def _formed(value: Value, numbers: _Numbers) -> Value:
    if isinstance(value, list):
        return _in_order([_formed(item, numbers) for item in value])
    if not isinstance(value, dict):
        return value
    content = _content_keys(value)
    formed: dict[str, Any] = {}
    for key in sorted(value, key=str):
        item = value[key]
        if key in _STAMPS:
            continue
        if key in _IDS and isinstance(item, str):
            formed[key] = numbers.name(item)
        elif key in content:
            formed[key] = _parsed(item) if key == "arguments" else item
        else:
            formed[key] = _formed(item, numbers)
    if "content" in formed:
        formed["content"] = _bare(formed["content"])
    return formed


def _bare(content: Value) -> Value:
    """Take a lone text out of its list: clients write it either way."""
    return plain(content) if isinstance(content, list) and content else content


def _content_keys(holder: dict[str, Any]) -> Collection[str]:
    """Name the keys of a block below which the agent's own data is."""
    kind = holder.get("type")
    kind = kind if isinstance(kind, str) else ""
    if holder.get("role") in ("tool", "function") or kind.endswith("tool_result") or "toolUseId" in holder:
        return _ALWAYS_CONTENT | {"content", "input"}
    if kind.endswith(("_use", "_call", "_output")):
        return _ALWAYS_CONTENT | {"input", "output", "outputs"}
    return _ALWAYS_CONTENT


def _parsed(arguments: Value) -> Value:
    if not isinstance(arguments, str):
        return arguments
    try:
        return parse_json(arguments, "the arguments") if arguments.strip() else {}
    except WireError:
        return arguments


def _in_order(items: list[Value]) -> list[Value]:
    """Sort neighbouring tool outputs by the order of their calls: parallel calls come back in any order."""
    ordered: list[Value] = []
    outputs: list[tuple[int, Value]] = []
    for item in items:
        number = _answers(item)
        if number is not None:
            outputs.append((number, item))
            continue
        ordered += _sorted(outputs)
        outputs = []
        ordered.append(item)
    return ordered + _sorted(outputs)


def _sorted(outputs: list[tuple[int, Value]]) -> list[Value]:
    return [item for _, item in sorted(outputs, key=lambda pair: pair[0])]


def _answers(item: Value) -> int | None:
    """Return the number of the call that an item answers, None where it answers none."""
    if not isinstance(item, dict):
        return None
    kind = str(item.get("type", ""))
    if isinstance(item.get("toolResult"), dict):
        identity = item["toolResult"].get("toolUseId")
    elif item.get("role") == "tool" or kind.endswith("_output") or kind == "tool_result":
        identity = item.get("tool_call_id", item.get("call_id", item.get("tool_use_id")))
    else:
        return None
    return int(identity[4:-1]) if isinstance(identity, str) and identity.startswith("<id ") else None


class _Texts:
    """Replaces ids inside texts: some frameworks write them out for the model to read."""

    def __init__(self, numbers: _Numbers) -> None:
        self._numbers = numbers
        known = [identity for identity in numbers.by_id if len(identity) >= _SHORTEST_ID_IN_TEXT]
        self._words = frozenset(identity for identity in known if _WORD.fullmatch(identity))
        self._others = sorted(frozenset(known) - self._words, key=len, reverse=True)
        # Ids mostly begin alike; looking for that first keeps long texts from being taken apart.
        beginnings = {identity[:_BEGINNING] for identity in self._words}
        self._beginnings = beginnings if len(beginnings) <= _FEW else {""}

    def replaced(self, value: Value) -> Value:
        if isinstance(value, str):
            return self._text(value) if len(value) >= _SHORTEST_ID_IN_TEXT else value
        if isinstance(value, list):
            return [self.replaced(item) for item in value]
        if isinstance(value, dict):
            return {key: self.replaced(item) for key, item in value.items()}
        return value

    def _text(self, text: str) -> str:
        if self._words and any(beginning in text for beginning in self._beginnings):
            text = _WORD.sub(self._word, text)
        for identity in self._others:
            if identity in text:
                text = text.replace(identity, self._numbers.name(identity))
        if "call" in text or "tool" in text or "chatcmpl" in text:
            text = _CALL_ID.sub(lambda found: self._numbers.name(found[0]), text)
        return text

    def _word(self, found: re.Match[str]) -> str:
        return self._numbers.name(found[0]) if found[0] in self._words else found[0]


def _without(value: Value, names: frozenset[str], paths: list[tuple[str, ...]]) -> Value:
    """Leave out the names at any depth, and what the paths lead to from here."""
    if isinstance(value, list):
        return [_without(item, names, _below(paths, str(index))) for index, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    gone = names | {path[0] for path in paths if len(path) == 1}
    return {key: _without(item, names, _below(paths, key)) for key, item in value.items() if key not in gone}


def _below(paths: list[tuple[str, ...]], key: str) -> list[tuple[str, ...]]:
    """Return the paths as they go on below a key."""
    return [path[1:] for path in paths if len(path) > 1 and path[0] in (key, "*")]
