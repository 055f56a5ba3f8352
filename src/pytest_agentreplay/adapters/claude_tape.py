"""The tape of one session with Claude Code: what it said, and what it was told.

Played, it says the same in the same order, waiting where it once waited to be
told something. Nothing here knows tools, or what becomes of a message.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, Final

from pytest_agentreplay.errors import DivergenceError
from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.tools.gate import Asides

_PLACE: Final = "claude-code/session"
_PATIENCE: Final = 30.0
"""Seconds that a played session waits for the agent to say what it said when it was recorded."""


class Tape:
    """Plays a session that was recorded, or records one.

    Args:
        asides: where recordings are kept.
        options: what the session is started with.
    """

    def __init__(self, asides: Asides, options: dict[str, Any]) -> None:
        self._asides = asides
        self._options = options
        recorded = asides.recall(_PLACE, options)
        self._recorded: list[dict[str, Any]] | None = None if recorded is MISSING else recorded["conversation"]
        if recorded is not MISSING:
            self._compare_options(recorded["options"])
        self._heard: list[dict[str, Any]] = []
        self._told: list[dict[str, Any]] = []
        self._news = asyncio.Event()
        self._ended = False

    @property
    def plays(self) -> bool:
        """Whether the session is played from its recording, and Claude Code isn't there."""
        return self._recorded is not None

    def written(self, data: str) -> None:
        """Take what the SDK tells Claude Code."""
        for line in data.splitlines():
            if line.strip():
                told = json.loads(line)
                self._told.append(told)
                self._heard.append({"told": told})
        self._news.set()

    async def listening(self, messages: AsyncIterator[dict[str, Any]]) -> AsyncIterator[dict[str, Any]]:
        """Pass on what Claude Code says, and note it."""
        async for message in messages:
            self._heard.append({"said": message})
            yield message

    async def play(self) -> AsyncIterator[dict[str, Any]]:
        """Say what was recorded.

        Raises:
            DivergenceError: when the agent tells Claude Code something else than it did, or nothing.
        """
        said: dict[str, str] = {}  # the SDK makes new ids for what it asks
        taken = 0
        for entry in self._recorded or ():
            if "told" in entry:
                actual = await self._next_told(taken, entry["told"])
                taken += 1
                self._compare(entry["told"], actual)
                if entry["told"].get("type") == "control_request":
                    said[entry["told"]["request_id"]] = actual["request_id"]
                continue
            yield _renamed(entry["said"], said)

    async def _next_told(self, taken: int, expected: dict[str, Any]) -> dict[str, Any]:
        while True:
            found = next((told for told in self._told[taken:] if _kind(told) == _kind(expected)), None)
            if found is not None:
                self._told.remove(found)
                self._told.insert(taken, found)
                return found
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), _PATIENCE)
            except TimeoutError:
                raise self._diverged(
                    f"the agent did not tell Claude Code what it told it when it was recorded: {_kind(expected)}",
                ) from None

    def _compare(self, recorded: dict[str, Any], actual: dict[str, Any]) -> None:
        before, after = recorded.get("message"), actual.get("message")
        if recorded.get("type") == "user" and before != after:
            fact = "the agent told Claude Code something else than when it was recorded"
            raise self._diverged(fact, recorded=_short(before), told=_short(after))

    def _compare_options(self, recorded: dict[str, Any]) -> None:
        for name in {**recorded, **self._options}:
            before, after = recorded.get(name), self._options.get(name)
            if before != after:
                self._diverged(
                    f"Claude Code is started with another {name}", recorded=_short(before), now=_short(after)
                )

    def _diverged(self, fact: str, **details: str) -> DivergenceError:
        remedy = "mend the agent; if it is right: record it again with --agent-record=rewrite"
        error = DivergenceError(fact, **details, next=remedy)
        self._asides.object(error)
        return error

    def end(self) -> None:
        """Keep what was recorded."""
        if not self.plays and not self._ended:
            self._asides.keep(_PLACE, self._options, {"options": self._options, "conversation": self._heard})
        self._ended = True


def options_of(transport: Any) -> dict[str, Any]:
    """Say what a session is started with, as far as it decides what Claude Code does."""
    options = transport._options
    names = ("model", "system_prompt", "allowed_tools", "disallowed_tools", "permission_mode", "max_turns")
    given = {name: getattr(options, name, None) for name in names}
    return {name: value for name, value in given.items() if isinstance(value, str | int | list | dict)}


def _kind(told: dict[str, Any]) -> str:
    kind = str(told.get("type"))
    if kind == "control_request":
        return f"{kind} {told.get('request', {}).get('subtype')}"
    if kind == "control_response":
        return f"{kind} to {told.get('response', {}).get('request_id')}"
    return kind


def _renamed(message: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    response = message.get("response")
    if message.get("type") != "control_response" or not isinstance(response, dict):
        return message
    request = response.get("request_id")
    return {**message, "response": {**response, "request_id": ids.get(str(request), request)}}


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else text[:197] + "..."
