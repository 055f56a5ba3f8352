"""One run's exchanges as steps: calls where the model asked for them, results where they were told to it.

Everything is in the order of the cassette, sub-agents among the agent. Nothing here
knows how exchanges were put into runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pytest_agentreplay.interop.vcr.conversations import Conversation
from pytest_agentreplay.interop.vcr.exchanges import Exchange, ServerCall, TellAt, place_of
from pytest_agentreplay.jsonable import MISSING, Missing, canonical
from pytest_agentreplay.trace import ErrorInfo, MessageStep, ModelStep, Step, ToolStep
from pytest_agentreplay.wire import Message, ToolOutput, ToolUse
from pytest_agentreplay.wire.exchanges import CUT_OFF, error_parts
from pytest_agentreplay.wire.fields import dumps

PROVIDER: Final = "provider"
MCP: Final = "mcp"
"""Who executed a call that a model's call led to, as it went to the MCP server: noted, and never expected."""

_TOOL_ERROR: Final = "ToolError"
_UNKNOWN_MODEL: Final = "unknown"


@dataclass(slots=True, eq=False)
class _Call:
    use: ToolUse
    actor: str | None = None
    group: int | None = None
    place: str = ""
    executed_by: str | None = None
    answered: bool = False
    result: Any = MISSING
    error: ErrorInfo | None = None

    def answer(self, output: ToolOutput) -> None:
        self.answered = True
        if output.is_error:
            text = output.content if isinstance(output.content, str) else _text(output.content)
            attributes = None if isinstance(output.content, str) else {"content": output.content}
            self.error = ErrorInfo(type=_TOOL_ERROR, message=text, attributes=attributes)
        else:
            self.result = output.content

    def step(self) -> ToolStep:
        return ToolStep(
            tool=self.use.name,
            id=self.use.id,
            args=None if isinstance(self.use.args, Missing) else self.use.args,
            raw_args=self.use.raw_args,
            result=self.result,
            error=self.error,
            group=self.group,
            actor=self.actor,
            executed_by=self.executed_by,
        )


def _text(content: Any) -> str:
    texts = [block.get("text") for block in content if isinstance(block, dict)] if isinstance(content, list) else []
    return "\n".join(text for text in texts if isinstance(text, str)) or dumps(content)


@dataclass(slots=True)
class Assembly:
    """The steps of one run, growing exchange by exchange.

    Attributes:
        tell: takes what is odd, by place and fact.
        input: what the first user message said; `MISSING` before it.
        output: what the agent said after its last call; `MISSING` if nothing.
        usage: token counts of the agent's own exchanges, summed.
    """

    tell: TellAt
    input: Any = MISSING
    output: Any = MISSING
    usage: dict[str, int | float] = field(default_factory=dict)
    _entries: list[Step | _Call] = field(default_factory=list)
    _open: list[_Call] = field(default_factory=list)
    _groups: int = 0

    def add_run(self, run: Conversation | None, server_calls: Sequence[ServerCall]) -> None:
        """Add the exchanges of a run and the calls over MCP made in it, in order."""
        members = run.members if run else []
        events: list[tuple[int, Any]] = [(call.index, call) for call in server_calls]
        for one in members:
            pairs = zip(one.exchanges, one.new, strict=True)
            events += [(exchange.index, (one, exchange, new)) for exchange, new in pairs]
        for _, event in sorted(events, key=lambda pair: pair[0]):
            if isinstance(event, ServerCall):
                self._add_server_call(event)
            else:
                self._add_exchange(*event)

    def finish(self) -> list[Step]:
        """Return the steps, and tell of the calls that nothing answered."""
        steps: list[Step] = []
        for entry in self._entries:
            if not isinstance(entry, _Call):
                steps.append(entry)
                continue
            if not entry.answered and entry.executed_by is None:
                self.tell(entry.place, f"{_named(entry.use)} has no result")
            steps.append(entry.step())
        return steps

    def _add_exchange(self, conversation: Conversation, exchange: Exchange, new: tuple[Message, ...]) -> None:
        actor, place = conversation.actor, place_of(exchange.index)
        earlier = sum(len(message.tool_uses) for message in new)
        if earlier:
            what = f"{earlier} call{'s' * (earlier > 1)} in messages that were sent along"
            self.tell(place, f"{what}: from before this run, or examples; left out")
        for message in new:
            self._add_message(message, actor, place)
        if exchange.reply.error is not None:
            self.tell(place, f"the model gave no good answer: {_failure(exchange.reply.error)}")
        if exchange.reply.error is None or exchange.reply.content or exchange.reply.tool_uses:
            self._add_reply(exchange, actor, place)

    def _add_message(self, message: Message, actor: str | None, place: str) -> None:
        outputs = [output for output in message.tool_outputs if not message.tool_uses]
        for output in outputs:
            self._answer(output, actor, place)
        if message.content is None:
            return
        self._entries.append(MessageStep(message=message.role, content=message.content, actor=actor))
        if message.role == "user" and actor is None and self.input is MISSING:
            self.input = message.content

    def _answer(self, output: ToolOutput, actor: str | None, place: str) -> None:
        call = self._take(output, actor)
        if call is not None:
            call.answer(output)
            return
        whose = f" of {output.name}" if output.name else ""
        self.tell(place, f"a tool result{whose} answers no open call; kept as a message")
        self._entries.append(MessageStep(message="tool", content=output.content, actor=actor))

    def _take(self, output: ToolOutput, actor: str | None) -> _Call | None:
        """Find the call that an output is for: the last of its id, else the first of its name that is open."""
        waiting = [call for call in self._open if call.actor == actor]
        by_id = [call for call in waiting if output.id is not None and call.use.id == output.id]
        nameless = [call for call in waiting if call.use.id is None or output.id is None]
        by_name = [call for call in nameless if output.name in (None, call.use.name)]
        found = by_id[-1:] or by_name[:1]
        if not found:
            return None
        self._open.remove(found[0])
        return found[0]

    def _add_reply(self, exchange: Exchange, actor: str | None, place: str) -> None:
        reply = exchange.reply
        self._entries.append(
            ModelStep(
                model=reply.model or exchange.request.model or _UNKNOWN_MODEL,
                content=reply.content,
                reasoning=reply.reasoning,
                usage=dict(reply.usage) or None,
                actor=actor,
            )
        )
        local = [use for use in reply.tool_uses if not use.by_provider]
        self._groups += len(local) > 1
        provided = {output.id: output for output in reply.tool_outputs}
        for use in reply.tool_uses:
            group = self._groups if len(local) > 1 and not use.by_provider else None
            call = _Call(use, actor, group, place, PROVIDER if use.by_provider else None)
            if use.by_provider and use.id in provided:
                call.answer(provided[use.id])
            elif not use.by_provider:
                self._open.append(call)
            self._entries.append(call)
        if actor is None:
            for name, count in reply.usage.items():
                self.usage[name] = self.usage.get(name, 0) + count
            self.output = MISSING if local or reply.content is None else reply.content

    def _add_server_call(self, call: ServerCall) -> None:
        """Add a call over MCP: the agent's own, or what became of one that a model asked for."""
        asked = canonical(call.args)
        led = any(
            waiting.use.name.endswith(call.tool)
            and not isinstance(waiting.use.args, Missing)
            and canonical(waiting.use.args) == asked
            for waiting in self._open
        )
        use = ToolUse(call.tool, call.args)
        entry = _Call(use, place=place_of(call.index), executed_by=MCP if led else None)
        entry.answered = call.result is not MISSING or call.error is not None
        entry.result, entry.error = call.result, call.error
        self._entries.append(entry)
        if not led:
            self.output = MISSING


def _failure(error: str) -> str:
    """Say what went wrong without the provider's words, which may hold anything."""
    if error == CUT_OFF:
        return error
    status, kind, _ = error_parts(error)
    return " ".join(str(part) for part in (status, kind) if part) or "an error"


def _named(use: ToolUse) -> str:
    return use.name if use.id is None else f"{use.name} ({use.id:.60})"
