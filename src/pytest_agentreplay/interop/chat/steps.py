"""Messages to steps: every call where it was asked for, with the answer that came for it.

Answers find their calls by id and by position, since real agents reuse ids and
some answers carry none: among the open calls of that id the ones of the latest
turn, in the order they were made. Nothing here knows any dialect.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pytest_agentreplay.interop.chat.answers import Answer
from pytest_agentreplay.interop.chat.content import text_of
from pytest_agentreplay.interop.chat.messages import Call, Message, Tell
from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.trace import MessageStep, ModelStep, Step, ToolStep

_AGENT = "assistant"
_RUN_END = "exit"


@dataclass(slots=True, eq=False)
class _OpenCall:
    call: Call
    actor: str | None
    group: int | None
    place: str
    answer: Answer | None = None

    def step(self) -> ToolStep:
        answer = self.answer or Answer()
        return ToolStep(
            tool=self.call.name,
            id=self.call.id,
            args=self.call.args,
            raw_args=self.call.raw_args,
            result=answer.result,
            error=answer.error,
            state=answer.state,
            group=self.group,
            actor=self.actor,
            executed_by=self.call.executed_by,
        )


class _OpenCalls:
    """Calls that wait for an answer; each found in constant time, however many there are."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str | None], list[tuple[int, deque[_OpenCall]]]] = {}
        self._ids: set[str] = set()

    def add(self, call: _OpenCall, turn: int) -> bool:
        """Open a call; tells whether its id was used before."""
        for key in (("id", call.call.id), ("name", call.call.name), ("any", None)):
            turns = self._waiting.setdefault(key, [])
            if not turns or turns[-1][0] != turn:
                turns.append((turn, deque()))
            turns[-1][1].append(call)
        if call.call.id is None:
            return False
        known = call.call.id in self._ids
        self._ids.add(call.call.id)
        return known

    def take(self, answer: Answer) -> tuple[_OpenCall | None, bool]:
        """Return the call that an answer is for, and whether only its position says so."""
        if answer.id in self._ids:
            return self._next(("id", answer.id)), False
        found = self._next(("name", answer.name)) if answer.name else self._next(("any", None))
        return found, found is not None and answer.id is not None and found.call.id is not None

    def _next(self, key: tuple[str, str | None]) -> _OpenCall | None:
        turns = self._waiting.get(key, [])
        while turns:
            queue = turns[-1][1]
            while queue and queue[0].answer is not None:
                queue.popleft()
            if queue:
                return queue.popleft()
            turns.pop()
        return None


@dataclass(slots=True)
class Assembly:
    """The steps of one conversation, growing message by message.

    Attributes:
        model: what its model calls are named by where a message doesn't say.
        input: what the first user message said; `MISSING` before it.
        output: what the agent said after the last call; `MISSING` if nothing.
        usage: token counts of the agent's model calls, summed.
    """

    model: str
    input: Any = MISSING
    output: Any = MISSING
    usage: dict[str, int | float] = field(default_factory=dict)
    _entries: list[Step | _OpenCall] = field(default_factory=list)
    _open: _OpenCalls = field(default_factory=_OpenCalls)
    _turn: int = 0
    _groups: int = 0
    _asking: bool = False

    def add(self, message: Message, place: str, tell: Tell) -> None:
        """Append what one message brings; the agent asks before it is answered, others answer before they speak."""
        if message.role == _AGENT:
            self._speak(message)
            self._ask(message, place, tell)
        for answer in message.answers:
            self._answer(answer, tell)
        if message.role not in (_AGENT, "tool"):
            self._speak(message)
            self._ask(message, place, tell)

    def finish(self, note: Callable[[str, str], None]) -> list[Step]:
        """Return the steps, and note the calls that nothing answered, by place and fact."""
        steps: list[Step] = []
        for entry in self._entries:
            if isinstance(entry, _OpenCall):
                if entry.answer is None:
                    note(entry.place, f"{_named(entry.call)} has no result")
                steps.append(entry.step())
            else:
                steps.append(entry)
        return steps

    def _speak(self, message: Message) -> None:
        content = message.content
        if message.role == _AGENT:
            self._entries.append(
                ModelStep(
                    model=message.model or self.model,
                    content=content,
                    reasoning=message.reasoning,
                    usage=message.usage,
                )
            )
            for name, count in (message.usage or {}).items():
                self.usage[name] = self.usage.get(name, 0) + count
        elif _says(content) or not (message.calls or message.answers):
            self._entries.append(MessageStep(message=message.role, content=content))
        if not _says(content):
            return
        if message.role in (_AGENT, _RUN_END):
            self.output = _bare(content)
        elif message.role == "user" and self.input is MISSING:
            self.input = _bare(content)

    def _ask(self, message: Message, place: str, tell: Tell) -> None:
        if message.calls and not self._asking:
            self._turn += 1
        self._asking = bool(message.calls)
        if len(message.calls) > 1:
            self._groups += 1
        for call in message.calls:
            asker = call.by or message.role
            group = self._groups if len(message.calls) > 1 else None
            entry = _OpenCall(call, None if asker == _AGENT else asker, group, place, call.answer)
            self._entries.append(entry)
            self.output = MISSING
            if call.answer is None and self._open.add(entry, self._turn):
                tell(f"call id {call.id!r:.60} was used before; its answers are told apart by position")

    def _answer(self, answer: Answer, tell: Tell) -> None:
        self._asking = False
        entry, guessed = self._open.take(answer)
        whose = f" for call id {answer.id!r:.60}" if answer.id is not None else ""
        if entry is None:
            tell(f"a tool result{whose} answers no open call; kept as a message")
            content = answer.error.message if answer.error else answer.result
            self._entries.append(MessageStep(message="tool", content=None if content is MISSING else content))
            return
        if guessed:
            tell(f"a tool result{whose} names no known call; taken by position as the answer to {_named(entry.call)}")
        if answer.result is MISSING and answer.error is None:
            tell(f"the result of {_named(entry.call)} is absent")
        entry.answer = answer


def _says(content: Any) -> bool:
    return content not in (None, "", [])


def _bare(content: Any) -> Any:
    text = text_of(content)
    return content if text is None else text


def _named(call: Call) -> str:
    return call.name if call.id is None else f"{call.name} ({call.id:.60})"
