"""The loop that the example agents share: ask the model, make the calls it wants, tell it the outcomes.

The model is a plain function of the conversation that stands in for a real
one, so that the examples need no network and decide the same every time. As in
most agents, a tool's exception is told to the model instead of ending the run;
a call that the guard blocked ends the work on the request. Nothing here knows
any tool.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pytest_agentreplay import GuardBlocked


@dataclass(frozen=True)
class Call:
    """A tool call that the model asks for."""

    tool: str
    args: dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What came of one call: a result, or the exception that the tool raised."""

    call: Call
    result: Any = None
    error: Exception | None = None


@dataclass
class Conversation:
    """Everything the model sees: what the user asked, and the outcomes so far."""

    request: str
    outcomes: list[Outcome] = field(default_factory=list)

    def of(self, tool: str) -> list[Outcome]:
        """List the outcomes of one tool, oldest first."""
        return [outcome for outcome in self.outcomes if outcome.call.tool == tool]


Decision: TypeAlias = list[Call] | str
"""The calls to make next, in parallel if there are several, or the final answer."""

ScriptedModel: TypeAlias = Callable[[Conversation], Decision]
Observer: TypeAlias = Callable[[Conversation], None]
Tools: TypeAlias = Mapping[str, Callable[..., Any]]

OUT_OF_TURNS = "I could not finish this."


def _ignore(conversation: Conversation) -> None:
    return None


def converse(
    model: ScriptedModel, tools: Tools, request: str, *, observe: Observer = _ignore, max_turns: int = 8
) -> str:
    """Run the loop with plain functions; parallel calls run in threads."""
    conversation = Conversation(request)
    for _ in range(max_turns):
        decision = model(conversation)
        if isinstance(decision, str):
            return decision
        conversation.outcomes += _make_all(tools, decision)
        refused = _refusal(conversation)
        if refused is not None:
            return refused
        observe(conversation)
    return OUT_OF_TURNS


async def aconverse(
    model: ScriptedModel, tools: Tools, request: str, *, observe: Observer = _ignore, max_turns: int = 8
) -> str:
    """Run the loop with coroutine functions; parallel calls run as tasks."""
    conversation = Conversation(request)
    for _ in range(max_turns):
        decision = model(conversation)
        if isinstance(decision, str):
            return decision
        conversation.outcomes += await asyncio.gather(*(_amake(tools, call) for call in decision))
        refused = _refusal(conversation)
        if refused is not None:
            return refused
        observe(conversation)
    return OUT_OF_TURNS


def _refusal(conversation: Conversation) -> str | None:
    for outcome in conversation.outcomes:
        if isinstance(outcome.error, GuardBlocked):
            return f"I may not call {outcome.call.tool}: {outcome.error.reason}."
    return None


def _make_all(tools: Tools, calls: list[Call]) -> list[Outcome]:
    if len(calls) == 1:
        return [_make(tools, calls[0])]
    with ThreadPoolExecutor(max_workers=len(calls)) as pool:
        return list(pool.map(lambda call: _make(tools, call), calls))


def _make(tools: Tools, call: Call) -> Outcome:
    try:
        return Outcome(call, result=tools[call.tool](**call.args))
    except Exception as error:
        return Outcome(call, error=error)


async def _amake(tools: Tools, call: Call) -> Outcome:
    try:
        return Outcome(call, result=await tools[call.tool](**call.args))
    except Exception as error:
        return Outcome(call, error=error)
