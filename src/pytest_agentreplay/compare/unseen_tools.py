"""Unseen tools: what the model was told of tools, held against the calls at the boundary.

A tool's output in a request to the model that no call at the boundary produced
means that the tool ran around it. Pure functions over a run's exchanges with
the model and its calls; nothing here knows how either comes to be known.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, TypeAlias

from pytest_agentreplay.jsonable import MISSING, Value
from pytest_agentreplay.wire import ModelReply, ModelRequest, ToolOutput, ToolUse

Exchange: TypeAlias = tuple[ModelRequest, ModelReply]

_OF_FRAMEWORKS: Final = (
    *("transfer_to_*", "handoff_to_*", "handoff", "delegate_work_to_coworker", "ask_question_to_coworker"),
    *("final_result", "final_result_*", "final_answer", "set_model_response"),
)
"""Tools that a framework answers itself: handing over to another agent, giving the final output."""

_REFUSALS: Final = re.compile(
    r"validation error|fix the errors and try again|unknown tool|no such tool|(tool|function)\b.{0,80}\bnot found"
    r"|not a valid tool|error invoking tool|invalid (json|arguments|input|parameters)|required positional argument"
    r"|output tool not used|tool not executed|final result processed|returning structured (response|output)"
    r"|unexpected keyword argument|mandatory input parameters"
    r"|[\"']loc[\"']: ?[\[(].{0,300}[\"']msg[\"']:",  # pydantic's errors, as they are
    re.IGNORECASE | re.DOTALL,
)
"""What frameworks tell the model in the place of a tool that they didn't call."""

_TEXT_READ: Final = 4000


@dataclass(frozen=True, slots=True)
class UnseenTool:
    """A tool that ran around the boundary.

    Attributes:
        outputs: how many outputs of it the model was told of.
        calls: how many calls of it passed the boundary.
    """

    name: str
    outputs: int
    calls: int


def unseen_tools(exchanges: Sequence[Exchange], calls: Iterable[str], ignore: Collection[str] = ()) -> list[UnseenTool]:
    """Find the tools whose outputs the model was told of more often than they passed the boundary.

    Only calls that the model asked for in these exchanges count, so a history that the agent
    was given doesn't. A call at the boundary that the model never asked for by its name stands
    for one that it asked for: its tool is known to the model by another name, or calls it.

    Args:
        exchanges: the run's requests to the model, each with its reply, in order.
        calls: the tool of every call at the boundary, blocked and unanswered ones too.
        ignore: patterns of tool names that are never missed.
    """
    made = Counter(_plain(name) for name in calls)
    told = Counter(_plain(use.name) for use in _carried_out(exchanges) if not _is_ignored(use.name, ignore))
    asked = {_plain(use.name): use.name for _, reply in exchanges for use in reply.tool_uses}
    spare = sum(count for name, count in made.items() if name not in asked)
    found = []
    for name, outputs in told.items():
        missing = outputs - made[name]
        if missing <= 0:
            continue
        if missing <= spare:
            spare -= missing
            continue
        found.append(UnseenTool(asked[name], outputs, made[name]))
    return found


def _carried_out(exchanges: Sequence[Exchange]) -> Iterator[ToolUse]:
    """Give the calls that the model asked for and was told an output of that looks like a tool's own."""
    asked: defaultdict[str, list[ToolUse]] = defaultdict(list)
    outputs: dict[str, list[ToolOutput]] = {}
    given: dict[str, int] = {}
    offered: set[str] = set()
    names: dict[str | None, str] = {}
    for request, reply in exchanges:
        offered.update(request.tools)
        for key, told in _by_key(request, names).items():
            if key not in asked:
                given[key] = max(given.get(key, 0), len(told))  # told before anything was asked for: history
            elif len(told) > len(outputs.get(key, ())):
                outputs[key] = told
        for use in reply.tool_uses:
            if not use.by_provider:
                asked[_key(use.id, use.name)].append(use)
                names[use.id] = use.name
    said = {reply.content.strip() for _, reply in exchanges if reply.content}
    for key, told in outputs.items():
        for use, output in zip(asked[key], told[given.get(key, 0) :], strict=False):
            # What a model of this run said is a sub-agent's answer, and the sub-agent's own tools are counted.
            is_said = _as_text(output.content).strip().strip('"') in said
            if not is_said and _is_own(use, output) and (not offered or use.name in offered):
                yield use


def _by_key(request: ModelRequest, names: Mapping[str | None, str]) -> dict[str, list[ToolOutput]]:
    found: defaultdict[str, list[ToolOutput]] = defaultdict(list)
    for message in request.messages:
        for output in message.tool_outputs:
            found[_key(output.id, output.name or names.get(output.id))].append(output)
    return found


def _key(id: str | None, name: str | None) -> str:
    """Tell calls apart: agents that run beside each other may number theirs alike."""
    return f"{name} {id or ''}"


def _is_own(use: ToolUse, output: ToolOutput) -> bool:
    """Tell a tool's own output from what a framework says in its place."""
    if output.is_error or use.args is MISSING:
        return False
    return _REFUSALS.search(_as_text(output.content)) is None


def _as_text(content: Value) -> str:
    return (content if isinstance(content, str) else str(content))[:_TEXT_READ]


def _is_ignored(name: str, patterns: Collection[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in (*_OF_FRAMEWORKS, *patterns))


def _plain(name: str) -> str:
    """Fold what providers change in a tool's name: ``email.send`` is told as ``email_send``."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower())
