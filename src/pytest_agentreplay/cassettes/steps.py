"""Answers from a trace: the model's own steps, written as its provider would send them.

For a trace that has model steps and no cassette. The n-th request to the model
gets the n-th model step: what it said, and as its tool calls those that follow
it up to the next one. Nothing here knows how requests are intercepted.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Any

from pytest_agentreplay.cassettes.errors import UnrecordedModelCallError
from pytest_agentreplay.cassettes.interactions import HttpRequest, HttpResponse
from pytest_agentreplay.cassettes.tape import described
from pytest_agentreplay.jsonable import MISSING, canonical
from pytest_agentreplay.trace import ModelStep, Step, ToolStep, Trace
from pytest_agentreplay.wire import ModelReply, ModelRequest, ToolOutput, ToolUse, write_reply


class StepAnswers:
    """Answers requests from the model steps of a trace, in order."""

    def __init__(self, trace: Trace) -> None:
        self._replies = replies_of(trace.steps)
        self._asked = 0
        self._lock = threading.Lock()

    def answer(self, request: HttpRequest) -> tuple[HttpResponse, ModelReply | None] | None:
        """Give the next answer; None for a request that asks nothing of a model.

        Raises:
            UnrecordedModelCallError: when the trace has no model step left.
        """
        asked = request.asked
        if asked is None:
            return None
        with self._lock:
            number = self._asked = self._asked + 1
        if number > len(self._replies):
            raise _no_step_left(number, len(self._replies), asked)
        reply = self._replies[number - 1]
        written = write_reply(asked, reply)
        headers = {name.lower(): [value] for name, value in dict(written.headers).items()}
        return HttpResponse(written.status, written.body, headers, "OK"), reply


def _no_step_left(number: int, held: int, asked: ModelRequest) -> UnrecordedModelCallError:
    return UnrecordedModelCallError(
        f"model#{number} has no answer: the trace has {held} model step{'' if held == 1 else 's'}, and no cassette",
        asked=described(asked),
        next="mend the agent; if it is right: record the model's traffic with --agent-record=rewrite",
    )


def replies_of(steps: Sequence[Step]) -> list[ModelReply]:
    """Make the replies that a trace's model steps stand for, in order."""
    replies: list[ModelReply] = []
    for index, step in enumerate(steps):
        if isinstance(step, ModelStep):
            replies.append(_reply(step, _decided(step, steps[index + 1 :]), len(replies) + 1))
    return replies


def _decided(model: ModelStep, following: Iterable[Step]) -> list[ToolStep]:
    """List the calls that a model step decided: those of the same actor, up to its next step."""
    decided: list[ToolStep] = []
    for step in following:
        if isinstance(step, ModelStep):
            break
        if isinstance(step, ToolStep) and step.actor == model.actor:
            decided.append(step)
    return decided


def _reply(model: ModelStep, decided: Sequence[ToolStep], number: int) -> ModelReply:
    uses = tuple(_use(step, f"call_{number}_{place}") for place, step in enumerate(decided, 1))
    outputs = tuple(
        ToolOutput(None if step.result is MISSING else step.result, use.id, step.tool, step.error is not None)
        for step, use in zip(decided, uses, strict=True)
        if use.by_provider
    )
    return ModelReply(
        model=model.model,
        content=_text(model.content),
        reasoning=model.reasoning,
        tool_uses=uses,
        tool_outputs=outputs,
        usage={name: int(count) for name, count in (model.usage or {}).items()},
    )


def _use(step: ToolStep, default_id: str) -> ToolUse:
    return ToolUse(
        step.tool,
        MISSING if step.args is None and step.raw_args is not None else step.args or {},
        step.id or default_id,
        step.raw_args,
        by_provider=step.executed_by == "provider",
    )


def _text(content: Any) -> str | None:
    """Give what a model step said as one text, of content blocks their texts."""
    if content is None or isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = [block.get("text") for block in content if isinstance(block, dict)]
        return "".join(text for text in texts if isinstance(text, str)) or None
    return canonical(content)
