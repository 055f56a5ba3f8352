"""One message in one form, whatever its dialect calls a call, an argument or an answer.

Aliases are tried in order, the most specific first. Nothing here knows of other
messages: which answer belongs to which call is decided in steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pytest_agentreplay.interop.chat.answers import Answer, read_answer
from pytest_agentreplay.interop.chat.content import dig, first, json_text, plain, split_blocks
from pytest_agentreplay.interop.documents import parse_json

Tell = Callable[[str], None]

_ROLES: Final = {"human": "user", "ai": "assistant", "gemini": "assistant", "function": "tool", "tool_result": "tool"}
_TYPES: Final = frozenset({*_ROLES, "user", "assistant", "system", "developer", "tool"}) - {"function", "tool_result"}
_CALL_LISTS: Final = ("tool_calls", "toolCalls")
_NAME: Final = ("name", "tool_name", "toolName")
_ARGUMENTS: Final = ("arguments", "args", "input", "parameters")
CALL_ID: Final = ("tool_call_id", "tool_use_id", "toolCallId", "call_id", "id")
_REASONING: Final = ("reasoning_content", "reasoning", "thinking")
_MODEL: Final = ("model", "model_name", "extra.response.model", "response_metadata.model_name")
_USAGE: Final = ("usage", "usage_metadata", "extra.response.usage")
_KNOWN: Final = frozenset(
    {
        *("role", "type", "content", "name", "function", "function_call", "tool_call", "tool_call_ids", "refusal"),
        *("error", "is_error", "isError", "status", "requestor", "state", "extra", "response_metadata"),
        *(*_CALL_LISTS, *CALL_ID, *_REASONING, *_MODEL, *_USAGE),
    }
)


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call as the message tells it.

    Attributes:
        by: who asked for it, where the message says so.
        answer: what came back, where the call itself carries it.
    """

    name: str
    id: str | None = None
    args: dict[str, Any] | None = None
    raw_args: str | None = None
    by: str | None = None
    executed_by: str | None = None
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message, calls and answers taken out of its content."""

    role: str
    content: Any = None
    calls: list[Call] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    reasoning: str | None = None
    model: str | None = None
    usage: dict[str, int | float] | None = None


class UnusableMessageError(ValueError):
    """A message without which its transcript would be a lie; its text says why."""


def role_of(value: Any) -> str | None:
    """Name the role of what looks like a message, in OpenAI's words; None for anything else."""
    if not isinstance(value, dict):
        return None
    role = value.get("role")
    if isinstance(role, str) and role:
        return _ROLES.get(role, role)
    kind = value.get("type")
    if not isinstance(kind, str) or kind not in _TYPES or not {"content", "toolCalls"} & set(value):
        return None
    return _ROLES.get(kind, kind)


def unplaced_keys(message: Mapping[str, Any]) -> set[str]:
    """Name the keys with a value that a trace has no place for."""
    return {key for key, value in message.items() if key not in _KNOWN and value not in (None, "", [], {})}


def read_message(message: dict[str, Any], tell: Tell) -> Message:
    """Read one message.

    Raises:
        UnusableMessageError: for a tool call without a name.
    """
    role = role_of(message) or ""
    if role == "tool":
        inner = split_blocks(message.get("content")).answers
        return Message(role, answers=[read_answer(block) for block in inner or [message]])
    blocks = split_blocks(message.get("content"))
    calls = list(_calls(message, tell))
    listed = {call.id for call in calls if call.id is not None}
    calls += [call for call in (_call(block, tell) for block in blocks.calls) if call.id not in listed]
    said = first(message, _REASONING)
    reasoning = said if isinstance(said, str) and said else "\n".join(blocks.thoughts) or None
    model = next((name for path in _MODEL if isinstance(name := dig(message, path), str) and name), None)
    answers = [read_answer(block) for block in blocks.answers]
    return Message(role, plain(blocks.rest), calls, answers, reasoning, model, read_usage(message))


def read_usage(holder: Any) -> dict[str, int | float] | None:
    """Read token counts in the trace's words; None where there are none."""
    usage: dict[str, Any] = next((found for path in _USAGE if isinstance(found := dig(holder, path), dict)), {})
    names = {"prompt_tokens": "input_tokens", "completion_tokens": "output_tokens"}
    counts: dict[str, int | float] = {}
    for key, count in usage.items():
        if type(count) in (int, float):
            counts[names.get(key, key)] = count
    return counts or None


def _calls(message: dict[str, Any], tell: Tell) -> Iterator[Call]:
    listed = first(message, _CALL_LISTS)
    if isinstance(listed, list):
        for call in listed:
            if not isinstance(call, dict):
                raise UnusableMessageError(f"a tool call is a mapping, not {type(call).__name__}")
            yield _call(call, tell)
    elif listed:
        raise UnusableMessageError(f"tool calls are a list, not {type(listed).__name__}")
    legacy = message.get("function_call")
    if isinstance(legacy, dict) and not listed:
        yield _call(legacy, tell)


def _call(call: dict[str, Any], tell: Tell) -> Call:
    function = call.get("function")
    inner = function if isinstance(function, dict) else call
    name = function if isinstance(function, str) else first(inner, _NAME)
    if not isinstance(name, str) or not name:
        raise UnusableMessageError("a tool call has no name")
    args, raw_args = _arguments(first(inner, _ARGUMENTS), name, tell)
    identity = first(call, CALL_ID)
    by = call.get("requestor")
    provider = str(call.get("type", "")).startswith(("server_", "mcp_"))
    return Call(
        name,
        None if identity is None else str(identity),
        args,
        raw_args,
        by if isinstance(by, str) else None,
        "provider" if provider else None,
        read_answer(call) if call.get("result") is not None else None,
    )


def _arguments(value: Any, name: str, tell: Tell) -> tuple[dict[str, Any] | None, str | None]:
    if value is None or isinstance(value, dict):
        return value, None
    if not isinstance(value, str):
        tell(f"the arguments of {name} are a {type(value).__name__}; kept as text in raw_args")
        return None, json_text(value)
    try:
        parsed = parse_json(value)
    except ValueError:
        tell(f"the arguments of {name} are not valid JSON; kept in raw_args")
        return None, value
    if isinstance(parsed, dict):
        return parsed, None
    tell(f"the arguments of {name} are no JSON object; kept in raw_args")
    return None, value
