"""Commands that an assistant wrote as text, in mini-swe-agent's first protocol.

There a reply holds exactly one fenced command, and the next user message is its
output. Only a transcript that is plainly in that protocol is read so: shell
examples in an ordinary conversation are no calls. Nothing here pairs or orders.
"""

from __future__ import annotations

import re
from typing import Any, Final

from pytest_agentreplay.interop.chat.messages import role_of

TOOL: Final = "bash"
_OPENING: Final = re.compile(r"```(mswea_bash_command|bash)[ \t]*\n")
_CLOSING: Final = "\n```"
_RETURNED: Final = re.compile(r"\s*<returncode>(-?\d{1,9})</returncode>")


def with_commands(messages: list[Any]) -> list[Any]:
    """Rewrite fenced commands and their outputs as calls and answers; other transcripts come back as they are."""
    if not _is_protocol(messages):
        return messages
    rewritten: list[Any] = []
    waiting = False
    for message in messages:
        role, content = role_of(message), message.get("content") if isinstance(message, dict) else None
        if role == "user" and waiting:
            rewritten.append({"role": "tool", "content": content, **_outcome(content)})
            waiting = False
        elif role == "assistant" and isinstance(content, str) and len(found := _fenced(content)) == 1:
            call = {"name": TOOL, "arguments": {"command": found[0][1].strip()}}
            rewritten.append({**message, "tool_calls": [call]})
            waiting = True
        else:
            rewritten.append(message)
            waiting = waiting and role != "assistant"
    return rewritten


def _is_protocol(messages: list[Any]) -> bool:
    plain = [message for message in messages if isinstance(message, dict)]
    if any(
        role_of(message) == "tool" or message.get("tool_calls") or message.get("function_call") for message in plain
    ):
        return False
    said = [(role_of(message), message.get("content")) for message in plain]
    fences = {
        label for role, text in said if role == "assistant" and isinstance(text, str) for label, _ in _fenced(text)
    }
    returned = any(role == "user" and isinstance(text, str) and _RETURNED.match(text) for role, text in said)
    return "mswea_bash_command" in fences or ("bash" in fences and returned)


def _fenced(text: str) -> list[tuple[str, str]]:
    """Find the fenced commands of a reply, each with its label, in one pass."""
    found: list[tuple[str, str]] = []
    position = 0
    while (opening := _OPENING.search(text, position)) and (end := text.find(_CLOSING, opening.end() - 1)) >= 0:
        found.append((opening[1], text[opening.end() : end]))
        position = end + len(_CLOSING)
    return found


def _outcome(content: Any) -> dict[str, Any]:
    """Give an output the mark that later versions of the format have beside it."""
    found = _RETURNED.match(content) if isinstance(content, str) else None
    return {"extra": {"returncode": int(found[1])}} if found else {}
