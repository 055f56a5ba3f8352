"""One exchange with a model, whatever provider's wire format it came in.

Plain data: what was asked, what was answered. Nothing here knows a provider,
HTTP, or what becomes of an exchange.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from pytest_agentreplay.jsonable import MISSING, Missing, Value

Role: TypeAlias = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A call of a tool that the model asked for.

    Attributes:
        id: the provider's call id; a note, never a key.
        args: by parameter name; `MISSING` where they were not a JSON object.
        raw_args: the text as sent, where `args` is `MISSING`.
        by_provider: the provider runs it (web search, code execution), not the agent.
    """

    name: str
    args: dict[str, Any] | Missing = MISSING
    id: str | None = None
    raw_args: str | None = None
    by_provider: bool = False


@dataclass(frozen=True, slots=True)
class ToolOutput:
    """What the agent told the model that a tool returned.

    Attributes:
        id: that of the call it answers.
        name: the tool's, where the format says it or an earlier message of the request does.
    """

    content: Value
    id: str | None = None
    name: str | None = None
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a request.

    Attributes:
        content: a text, or the provider's content blocks other than tool calls and outputs, as JSON; None for none.
    """

    role: Role
    content: Value = None
    reasoning: str | None = None
    tool_uses: tuple[ToolUse, ...] = ()
    tool_outputs: tuple[ToolOutput, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """What was asked of a model.

    Attributes:
        dialect: the wire format's name, such as ``openai-chat``.
        model: as the request names it.
        messages: in order; system instructions first.
        tools: names of the tools offered, in order.
        stream: the answer was asked for as a stream of events.
        settings: what else the request sets (temperature, seed, limits), by the format's own names.
        definitions: what is said of each tool, by its name, in the format's own form.
    """

    dialect: str
    model: str
    messages: tuple[Message, ...]
    tools: tuple[str, ...] = ()
    stream: bool = False
    settings: dict[str, Any] = field(default_factory=dict)
    definitions: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelReply:
    """What a model answered.

    Attributes:
        model: as the answer names it; empty where it doesn't.
        content: its text; None where it said none.
        tool_uses: in the order decided.
        tool_outputs: of tools that the provider ran.
        usage: ``input_tokens`` and ``output_tokens``, where told.
        finish: the provider's own word for why it stopped.
        error: what the provider said went wrong; None for a good answer.
    """

    model: str = ""
    content: str | None = None
    reasoning: str | None = None
    tool_uses: tuple[ToolUse, ...] = ()
    tool_outputs: tuple[ToolOutput, ...] = ()
    usage: dict[str, int] = field(default_factory=dict)
    finish: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class WireResponse:
    """An HTTP response as bytes, its headers by lower-case name."""

    status: int
    headers: dict[str, str]
    body: bytes
