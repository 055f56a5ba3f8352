"""What came back from a call: its result exactly as recorded, or the error it was marked as.

Only an explicit mark makes an error: an ``error`` text or mapping (AgentDojo,
Inspect), ``error: true`` (tau2), ``is_error`` (Anthropic), ``status: error``, or a
``returncode`` other than zero (mini-swe-agent); records adds tau-bench's. A text
that merely reads like an error stays a result. An error whose class the
transcript doesn't name is a `TOOL_ERROR`. Nothing here knows which call an answer belongs to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from pytest_agentreplay.interop.chat.content import dig, first, json_text, text_of
from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.trace import ErrorInfo

TOOL_ERROR: Final = "ToolError"
_ID: Final = ("tool_call_id", "tool_use_id", "toolCallId", "call_id")
_NAME: Final = ("name", "tool_name", "toolName")
_VALUE: Final = ("content", "result", "output")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from one call.

    Attributes:
        id: the provider's id of the call, if the answer names it.
        name: the tool, if the answer names it.
        result: `MISSING` where there is an error, or nothing at all.
        state: the agent's state after the call, where the transcript has it.
    """

    id: str | None = None
    name: str | None = None
    result: Any = MISSING
    error: ErrorInfo | None = None
    state: Any = MISSING


def read_answer(holder: dict[str, Any]) -> Answer:
    """Read a tool message, a tool-result block, or a call that carries its own result."""
    identity = first(holder, _ID)
    if identity is None:
        listed = holder.get("tool_call_ids")
        identity = listed[0] if isinstance(listed, list) and listed else holder.get("id")
    value = next((holder[name] for name in _VALUE if name in holder), MISSING)
    value = _unwrapped(value)
    error = _error(holder, value)
    return Answer(
        None if identity is None else str(identity),
        _name(holder),
        MISSING if error else value,
        error,
        holder.get("state", MISSING),
    )


def failed_command(value: Any, returncode: int) -> ErrorInfo:
    """Make the error of a command that ended with another return code than zero."""
    return ErrorInfo(type=TOOL_ERROR, message=_message(value), attributes={"returncode": returncode})


def _name(holder: dict[str, Any]) -> str | None:
    function = holder.get("function")
    names = (function, first(holder, _NAME), dig(holder, "tool_call.function"), dig(holder, "tool_call.function.name"))
    return next((name for name in names if isinstance(name, str) and name), None)


def _unwrapped(value: Any) -> Any:
    """Take a result out of the envelope that Gemini's protocol puts around every one."""
    if isinstance(value, list) and len(value) == 1:
        response = dig(value[0], "functionResponse.response")
        if isinstance(response, dict):
            return response["output"] if set(response) == {"output"} else response
    return value


def _error(holder: dict[str, Any], value: Any) -> ErrorInfo | None:
    error = holder.get("error")
    if isinstance(error, str) and error:
        return _error_info(error, value)
    if isinstance(error, dict) and error:
        kind, message = error.get("type"), error.get("message")
        known = isinstance(kind, str) and isinstance(message, str)
        rest = {key: item for key, item in error.items() if not known or key not in ("type", "message")}
        text = message if isinstance(message, str) else json_text(error)
        return _error_info(text, value, rest, kind if isinstance(kind, str) and kind else TOOL_ERROR)
    if True in (error, holder.get("is_error"), holder.get("isError")) or holder.get("status") == "error":
        return _error_info(_message(value), value)
    returncode = dig(holder, "extra.returncode")
    return failed_command(value, returncode) if type(returncode) is int and returncode != 0 else None


def _error_info(message: str, value: Any, rest: dict[str, Any] | None = None, kind: str = TOOL_ERROR) -> ErrorInfo:
    told = value is MISSING or value in (None, "", []) or value == message or text_of(value) == ""
    attributes = {**(rest or {}), **({} if told else {"content": value})}
    return ErrorInfo(type=kind, message=message, attributes=attributes or None)


def _message(value: Any) -> str:
    text = text_of(value)
    return text if text is not None else "" if value in (MISSING, None, []) else json_text(value)
