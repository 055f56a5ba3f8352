"""Which exchanges go on from which: conversations, and which of them are a sub-agent's.

A request goes on from an exchange when it answers its calls, or sends its messages
along and more. A conversation is a sub-agent's when it lies between a call of another
one and that call's output, and was told the call's arguments or gave its output.
Nothing here makes steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from pytest_agentreplay.interop.vcr.exchanges import Exchange
from pytest_agentreplay.jsonable import Missing, Value, canonical
from pytest_agentreplay.wire import Message, ModelRequest, ToolUse

_TELLING: Final = 4  # a shorter text may be in another by chance


@dataclass(slots=True, eq=False)
class Conversation:
    """Exchanges of one agent with its model.

    Attributes:
        new: for each exchange, the messages of its request that no earlier one had.
        actor: what its agent is called, where another one runs it.
        within: the conversations of the agents that it runs, where nobody runs it.
        known: the messages of the last request, as keys.
    """

    exchanges: list[Exchange] = field(default_factory=list)
    new: list[tuple[Message, ...]] = field(default_factory=list)
    actor: str | None = None
    within: list[Conversation] = field(default_factory=list)
    known: list[str] = field(default_factory=list)

    @property
    def first(self) -> int:
        """The index of the first interaction."""
        return self.exchanges[0].index

    @property
    def last(self) -> int:
        """The index of the last interaction."""
        return self.exchanges[-1].index

    @property
    def members(self) -> list[Conversation]:
        """The conversation itself and those of its sub-agents."""
        return [self, *self.within]

    @property
    def indices(self) -> set[int]:
        """The indices of its own interactions."""
        return {exchange.index for exchange in self.exchanges}


def find_conversations(exchanges: Sequence[Exchange]) -> list[Conversation]:
    """Find the conversations of agents that nobody runs, in the order in which they begin."""
    conversations: list[Conversation] = []
    for exchange in exchanges:
        keys = _keys(_said(exchange.request))
        candidates = [(_going_on(one, exchange, keys), one) for one in reversed(conversations)]
        found = [(new, one) for new, one in candidates if new is not None]
        if found:
            new, conversation = min(found, key=lambda pair: len(pair[0]))
        else:
            new, conversation = exchange.request.messages, Conversation()
            conversations.append(conversation)
        conversation.exchanges.append(exchange)
        conversation.new.append(new)
        conversation.known = keys
    return _outermost(conversations)


def _going_on(conversation: Conversation, exchange: Exchange, keys: list[str]) -> tuple[Message, ...] | None:
    """Return the messages that a request adds to a conversation, None where it doesn't go on from it."""
    last, messages, known = conversation.exchanges[-1], _said(exchange.request), conversation.known
    if known and keys[: len(known)] == known:
        if len(keys) > len(known):
            return _changed_system(last.request, exchange.request) + _without_reply(messages[len(known) :])
        return () if last.reply.error is not None else None
    asked = {use.id for use in last.reply.tool_uses if use.id is not None}
    answered = {output.id for message in messages for output in message.tool_outputs}
    previous = exchange.request.settings.get("previous_response_id")
    if asked & answered or (isinstance(previous, str) and previous.encode() in last.body):
        return _after_last_reply(messages)
    return None


def _said(request: ModelRequest) -> tuple[Message, ...]:
    return tuple(message for message in request.messages if message.role != "system")


def _changed_system(before: ModelRequest, now: ModelRequest) -> tuple[Message, ...]:
    """Return the instructions that are new: an agent that took over has its own."""
    known = set(_keys(tuple(message for message in before.messages if message.role == "system")))
    return tuple(message for message in now.messages if message.role == "system" and _keys((message,))[0] not in known)


def _without_reply(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Leave out the reply, which comes back as the first of the new messages."""
    start = next((at for at, message in enumerate(messages) if message.role != "assistant"), len(messages))
    return messages[start:]


def _after_last_reply(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    spoken = [at for at, message in enumerate(messages) if message.role == "assistant"]
    return messages[spoken[-1] + 1 if spoken else 0 :]


def _keys(messages: tuple[Message, ...]) -> list[str]:
    return [canonical([message.role, message.content, _calls(message), _outputs(message)]) for message in messages]


def _calls(message: Message) -> list[object]:
    return [[use.name, None if isinstance(use.args, Missing) else use.args, use.raw_args] for use in message.tool_uses]


def _outputs(message: Message) -> list[object]:
    return [[output.id, output.content] for output in message.tool_outputs]


def _outermost(conversations: list[Conversation]) -> list[Conversation]:
    """Put the conversations of sub-agents into the one that runs them."""
    outermost: list[Conversation] = []
    for conversation in conversations:
        for runner in outermost:
            if (caller := _caller(runner, conversation)) is not None:
                conversation.actor = caller
                runner.within.append(conversation)
                break
        else:
            outermost.append(conversation)
    return outermost


def _caller(runner: Conversation, conversation: Conversation) -> str | None:
    """Name the call of a conversation in which another one lies, None where there is none."""
    pairs = zip(runner.exchanges, runner.exchanges[1:], runner.new[1:], strict=False)
    for before, after, told in pairs:
        if before.index < conversation.first and conversation.last < after.index:
            return next((use.name for use in _waiting(before) if _is_run_by(conversation, use, told)), None)
    return None


def _waiting(exchange: Exchange) -> list[ToolUse]:
    return [use for use in exchange.reply.tool_uses if not use.by_provider]


def _is_run_by(conversation: Conversation, use: ToolUse, told: tuple[Message, ...]) -> bool:
    """Tell whether a conversation was told a call's arguments, or gave its output."""
    heard = " ".join(_texts([message.content for message in conversation.new[0]]))
    if any(len(text) >= _TELLING and text in heard for text in _texts(use.args)):
        return True
    said = conversation.exchanges[-1].reply.content or ""
    outputs = [one.content for message in told for one in message.tool_outputs if one.id == use.id]
    return len(said) >= _TELLING and any(said in text for text in _texts(outputs))


def _texts(value: Value) -> list[str]:
    if isinstance(value, str):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for item in items for text in _texts(item)]
