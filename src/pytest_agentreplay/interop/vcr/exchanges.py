"""What a cassette's interactions say: exchanges with a model, and calls of tools over MCP.

What is neither (telemetry, polling, uploads) is nobody's step. Nothing here knows
which exchange belongs to which conversation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from pytest_agentreplay.cassettes import Interaction
from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.trace import ErrorInfo
from pytest_agentreplay.wire import ModelReply, ModelRequest, WireError, read_reply, read_request
from pytest_agentreplay.wire.fields import parse_json
from pytest_agentreplay.wire.sse import looks_like_events, parse_events

TellAt: TypeAlias = Callable[[str, str], None]
_MCP_ERROR: Final = "McpError"


@dataclass(frozen=True, slots=True, eq=False)
class Exchange:
    """One request to a model and its reply.

    Attributes:
        index: of its interaction in the cassette.
        body: the reply's bytes, for what the model of a reply has no place for.
    """

    index: int
    request: ModelRequest
    reply: ModelReply
    host: str
    body: bytes = b""


@dataclass(frozen=True, slots=True, eq=False)
class ServerCall:
    """One call of a tool over MCP.

    Attributes:
        result: the content that the server gave; `MISSING` where there is none, or an error.
    """

    index: int
    tool: str
    args: dict[str, Any]
    result: Any = MISSING
    error: ErrorInfo | None = None


def place_of(index: int) -> str:
    """Name an interaction as messages do."""
    return f"interactions[{index}]"


def find_exchanges(interactions: Sequence[Interaction], tell: TellAt) -> tuple[list[Exchange], list[ServerCall]]:
    """Find what asks a model or calls a tool; what claims to and can't be read is told, by place and fact."""
    exchanges: list[Exchange] = []
    calls: list[ServerCall] = []
    for index, interaction in enumerate(interactions):
        try:
            exchange = _exchange(index, interaction)
        except WireError as error:
            tell(place_of(index), f"left out, it can't be read: {error.fact}")
            continue
        if exchange is not None:
            exchanges.append(exchange)
        elif (call := _server_call(index, interaction)) is not None:
            calls.append(call)
    return exchanges, calls


def _exchange(index: int, interaction: Interaction) -> Exchange | None:
    request, response = interaction.request, interaction.response
    asked = read_request(request.method, request.url, request.headers, request.body)
    if asked is None:
        return None
    reply = read_reply(asked.dialect, response.status, response.headers, response.body)
    return Exchange(index, asked, reply, request.host, response.body)


def _server_call(index: int, interaction: Interaction) -> ServerCall | None:
    asked = interaction.request.value
    if not isinstance(asked, dict) or asked.get("method") != "tools/call" or "jsonrpc" not in asked:
        return None
    params = asked.get("params")
    name = params.get("name") if isinstance(params, dict) else None
    if not isinstance(params, dict) or not isinstance(name, str) or not name:
        return None
    args = params.get("arguments")
    answer = _answer(interaction.response.body, asked.get("id"))
    return ServerCall(index, name, args if isinstance(args, dict) else {}, *_outcome(answer))


def _answer(body: bytes, identity: Any) -> dict[str, Any]:
    """Find the answer to a request of JSON-RPC, alone or among events."""
    texts = [event.data for event in parse_events(body)] if looks_like_events(body) else [body]
    for text in texts:
        try:
            message = parse_json(text, "a message")
        except WireError:
            continue
        if isinstance(message, dict) and message.get("id") == identity and {"result", "error"} & set(message):
            return message
    return {}


def _outcome(answer: dict[str, Any]) -> tuple[Any, ErrorInfo | None]:
    failure, result = answer.get("error"), answer.get("result")
    if isinstance(failure, dict):
        return MISSING, ErrorInfo(type=_MCP_ERROR, message=str(failure.get("message", "")))
    if not isinstance(result, dict):
        return MISSING, None
    content = result.get("content", MISSING)
    if result.get("isError") is True:
        texts = [block.get("text") for block in content if isinstance(block, dict)] if isinstance(content, list) else []
        return MISSING, ErrorInfo(type=_MCP_ERROR, message="\n".join(text for text in texts if isinstance(text, str)))
    return content, None
