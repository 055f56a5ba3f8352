"""Claude Code's session files: the steps before a call, and what the user typed.

One JSON object a line. What the program or a model wrote in the user's place (a
summary, a reminder, a command's output, a sub-agent's order) is no prompt: a user
vouches for prompts. Nothing here knows rules.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pytest_agentreplay.cli.claude_tools import effect_of
from pytest_agentreplay.errors import SettingsError
from pytest_agentreplay.trace import Step, Trace

_MOST: Final = 32 << 20  # bytes, the last ones; older steps are not seen
_NOT_TYPED: Final = ("isMeta", "isSidechain", "isCompactSummary", "isVisibleInTranscriptOnly", "toolUseResult")
_WRAPPED: Final = re.compile(r"\s*<[a-z]")
_SUBAGENT: Final = "subagent"


@dataclass(frozen=True, slots=True)
class Session:
    """What came before a call.

    Attributes:
        steps: in the order of their beginnings; calls that are still at work have no outcome.
        prompts: what the user typed, in order.
    """

    steps: tuple[Step, ...]
    prompts: tuple[str, ...]


@dataclass(slots=True)
class _Reader:
    steps: list[dict[str, Any]] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)
    calls: dict[str, dict[str, Any]] = field(default_factory=dict)

    def read(self, entry: Any) -> None:
        if not isinstance(entry, dict) or entry.get("type") not in ("user", "assistant"):
            return
        message = entry.get("message")
        if not isinstance(message, dict):
            return
        actor = {"actor": _SUBAGENT} if entry.get("isSidechain") else {}
        for block in _blocks(message.get("content")):
            if block.get("type") == "text":
                self._text(entry["type"], block.get("text"), entry, actor)
            elif block.get("type") == "tool_use":
                self._call(block, actor)
            elif block.get("type") == "tool_result":
                self._result(block)

    def _text(self, role: str, text: Any, entry: Mapping[str, Any], actor: dict[str, str]) -> None:
        if not isinstance(text, str):
            return
        if role == "user" and (any(entry.get(key) for key in _NOT_TYPED) or _WRAPPED.match(text)):
            role = "system"
        if role == "user":
            self.prompts.append(text)
        self.steps.append({"message": role, "content": text, **actor})

    def _call(self, block: Mapping[str, Any], actor: dict[str, str]) -> None:
        tool, args, call_id = block.get("name"), block.get("input"), block.get("id")
        if not isinstance(tool, str) or not tool or not isinstance(args, dict):
            return
        step: dict[str, Any] = {"tool": tool, "args": args, **actor}
        if isinstance(call_id, str):
            if call_id in self.calls:  # a resumed session's file repeats what came before
                return
            step["id"] = call_id
            self.calls[call_id] = step
        self.steps.append(step)

    def _result(self, block: Mapping[str, Any]) -> None:
        step = self.calls.get(str(block.get("tool_use_id")))
        if step is None or "result" in step or "error" in step:
            return
        content = block.get("content")
        if block.get("is_error"):
            message = content if isinstance(content, str) else json.dumps(content)
            step["error"] = {"type": "ToolError", "message": message}
        else:
            step["result"] = content

    def before(self, call_id: str | None, tool: str, args: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Give the steps before a call, which may be written down already."""
        for index in range(len(self.steps) - 1, -1, -1):
            step = self.steps[index]
            pending = "result" not in step and "error" not in step and step.get("tool") == tool
            if step.get("id") == call_id if call_id is not None else pending and step["args"] == args:
                return self.steps[:index]
        return self.steps


def read_session(path: str, call_id: str | None, tool: str, args: Mapping[str, Any]) -> Session:
    """Read the steps of a session before a call.

    Args:
        path: the session's file; of a large one the last 32 MiB.
        call_id: the call's id; without one the last call that has no result yet and looks the same is taken for it.
        tool: the call's tool.
        args: its arguments.

    Raises:
        SettingsError: when the file can't be read.
    """
    reader = _Reader()
    for entry in _entries(path):
        reader.read(entry)
    steps = reader.before(call_id, tool, args)
    effects = {step["tool"]: effect_of(step["tool"]) for step in steps if "tool" in step}
    trace = Trace.model_validate({"steps": steps, "tools": effects})
    return Session(tuple(trace.steps), tuple(reader.prompts))


def _entries(path: str) -> Iterator[Any]:
    lines = _tail(path).split(b"\n")
    for number, line in enumerate(lines, start=1):
        try:
            if line.strip():
                yield json.loads(line)
        except (ValueError, RecursionError):
            if number < len(lines):  # the last line may still be being written
                raise SettingsError("the session's file can't be read, and a rule looks back", at=path) from None


def _tail(path: str) -> bytes:
    try:
        with Path(path).expanduser().open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _MOST))
            data = file.read(_MOST)
    except (OSError, ValueError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise SettingsError(f"the session's file can't be read, and a rule looks back: {why}", at=path) from None
    return data.partition(b"\n")[2] if size > _MOST else data


def _blocks(content: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(content, str):
        yield {"type": "text", "text": content}
    elif isinstance(content, list):
        yield from (block for block in content if isinstance(block, dict))
