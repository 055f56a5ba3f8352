"""Claude Agent SDK: the loop, the model and the built-in tools run in another process, Claude Code.

Recorded is what the two say to each other, and every call of a tool by the hooks
around it. A replay needs no Claude Code: the tape answers in its place, so that
no tool of it runs, and in-process tools are not asked either. Nothing here knows
what is decided about a call.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from pytest_agentreplay.adapters.adapter import Patches
from pytest_agentreplay.adapters.claude_tape import Tape, options_of
from pytest_agentreplay.errors import GuardBlocked
from pytest_agentreplay.jsonable import Value, snapshot
from pytest_agentreplay.tools import gate
from pytest_agentreplay.tools.framework_calls import FrameworkCall, across, framework_tool
from pytest_agentreplay.tools.spec import Effect

_READS = frozenset({"Read", "Glob", "Grep", "LS", "WebFetch", "WebSearch", "NotebookRead", "TodoRead", "BashOutput"})
_SUB_AGENTS = frozenset({"Task", "Agent"})
"""Tools by which Claude Code starts an agent of its own, whose calls are seen."""


def install(patches: Patches) -> None:
    """Put the seams in place."""
    from claude_agent_sdk._internal.query import Query
    from claude_agent_sdk._internal.transport.subprocess_cli import SubprocessCLITransport as Transport

    tapes: WeakKeyDictionary[Any, Tape] = WeakKeyDictionary()
    patches.replace(Query, "__init__", _hooked)
    patches.replace(Query, "_handle_sdk_mcp_request", lambda original: _in_process_tool(original, tapes))
    patches.replace(Transport, "connect", lambda original: _connect(original, tapes))
    patches.replace(Transport, "write", lambda original: _write(original, tapes))
    patches.replace(Transport, "read_messages", lambda original: _read_messages(original, tapes))
    patches.replace(Transport, "end_input", lambda original: _end_input(original, tapes))
    patches.replace(Transport, "close", lambda original: _close(original, tapes))


# -- what Claude Code and the SDK say to each other --------------------------------------------


def _connect(original: Callable[..., Any], tapes: WeakKeyDictionary[Any, Tape]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def connect(self: Any) -> Any:
        asides = gate.asides()
        if asides is None:
            return await original(self)
        tape = tapes[self] = Tape(asides, options_of(self))
        if tape.plays:
            self._ready = True
            return None
        return await original(self)

    return connect


def _write(original: Callable[..., Any], tapes: WeakKeyDictionary[Any, Tape]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def write(self: Any, data: str) -> Any:
        tape = tapes.get(self)
        if tape is not None:
            tape.written(data)
            if tape.plays:
                return None
        return await original(self, data)

    return write


def _read_messages(original: Callable[..., Any], tapes: WeakKeyDictionary[Any, Tape]) -> Callable[..., Any]:
    @functools.wraps(original)
    def read_messages(self: Any) -> Any:
        tape = tapes.get(self)
        if tape is None:
            return original(self)
        return tape.play() if tape.plays else tape.listening(original(self))

    return read_messages


def _end_input(original: Callable[..., Any], tapes: WeakKeyDictionary[Any, Tape]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def end_input(self: Any) -> Any:
        tape = tapes.get(self)
        return None if tape is not None and tape.plays else await original(self)

    return end_input


def _close(original: Callable[..., Any], tapes: WeakKeyDictionary[Any, Tape]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def close(self: Any) -> Any:
        tape = tapes.pop(self, None)
        if tape is not None:
            tape.end()
        return await original(self)

    return close


# -- calls of tools ----------------------------------------------------------------------------


class _Call(FrameworkCall):
    __slots__ = ("_admitted", "_outcome")

    def __init__(self, given: dict[str, Any], id: str | None) -> None:
        actor = given.get("agent_type") if given.get("agent_id") else None
        super().__init__(given.get("tool_input") or {}, id=id, actor=actor)
        self._admitted = asyncio.Event()
        self._outcome: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def proceed(self) -> Any:
        """Let Claude Code run the tool, and wait for what it tells of it."""
        self._admitted.set()
        return self._outcome

    def encode(self, result: Any) -> Value:
        """Write a tool's response, which came as JSON."""
        return snapshot(result)

    async def admitted(self, call: asyncio.Task[Any]) -> bool:
        """Wait until the call was let through, or got its end without."""
        waiting = asyncio.ensure_future(self._admitted.wait())
        await asyncio.wait({waiting, call}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        return self._admitted.is_set()

    def ended(self, response: Any) -> None:
        """Take what the tool returned."""
        if not self._outcome.done():
            self._outcome.set_result(response)

    def failed(self, message: str) -> None:
        """Take what the tool failed with."""
        if not self._outcome.done():
            self._outcome.set_exception(ClaudeCodeToolError(message))


class ClaudeCodeToolError(Exception):
    """What a tool of Claude Code failed with."""


class _Hooks:
    """The hooks around the calls of one session with Claude Code."""

    def __init__(self) -> None:
        self._calls: dict[str, tuple[_Call, asyncio.Task[Any]]] = {}

    async def before(self, given: dict[str, Any], id: str | None, context: Any) -> dict[str, Any]:
        name = given["tool_name"]
        if gate.active is None or name in _SUB_AGENTS:
            return {}
        call = _Call(given, id)
        tool = framework_tool(name, "claude-agent-sdk", _effect(name), is_async=True)
        crossing: asyncio.Task[Any] = asyncio.ensure_future(across(tool, call))
        if await call.admitted(crossing):
            self._calls[id or ""] = (call, crossing)
            return {}
        error = crossing.exception()
        if error is None:
            return {}  # answered by the recording: the tape goes on as it was
        reason = str(error) if isinstance(error, GuardBlocked) else f"{type(error).__name__}: {error}"
        decision = {"permissionDecision": "deny", "permissionDecisionReason": reason}
        return {"hookSpecificOutput": {"hookEventName": "PreToolUse", **decision}}

    async def after(self, given: dict[str, Any], id: str | None, context: Any) -> dict[str, Any]:
        await self._end(id, lambda call: call.ended(given.get("tool_response")))
        return {}

    async def after_failure(self, given: dict[str, Any], id: str | None, context: Any) -> dict[str, Any]:
        await self._end(id, lambda call: call.failed(str(given.get("error") or "the tool failed")))
        return {}

    async def _end(self, id: str | None, tell: Callable[[_Call], None]) -> None:
        call, crossing = self._calls.pop(id or "", (None, None))
        if call is not None and crossing is not None:
            tell(call)
            await asyncio.wait({crossing})
            crossing.exception()  # it was told to the model by Claude Code

    def added_to(self, hooks: dict[str, list[dict[str, Any]]] | None) -> dict[str, list[dict[str, Any]]]:
        """Add these hooks behind a user's own."""
        added = dict(hooks or {})
        events = {"PreToolUse": self.before, "PostToolUse": self.after, "PostToolUseFailure": self.after_failure}
        for event, hook in events.items():
            added[event] = [*added.get(event, []), {"matcher": None, "hooks": [hook]}]
        return added


def _hooked(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def __init__(self: Any, *args: Any, hooks: Any = None, **options: Any) -> None:  # noqa: N807 - replaces it
        if gate.active is not None:
            hooks = _Hooks().added_to(hooks)
        original(self, *args, hooks=hooks, **options)

    return __init__


def _in_process_tool(original: Callable[..., Any], tapes: WeakKeyDictionary[Any, Tape]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def _handle_sdk_mcp_request(self: Any, server_name: str, message: dict[str, Any]) -> Any:
        tape = tapes.get(self.transport)
        if tape is not None and tape.plays and message.get("method") == "tools/call":
            nothing = {"content": [], "isError": False}  # goes nowhere: what the model was told is on the tape
            return {"jsonrpc": "2.0", "id": message.get("id"), "result": nothing}
        return await original(self, server_name, message)

    return _handle_sdk_mcp_request


def _effect(name: str) -> Effect | None:
    """Classify Claude Code's own tools; others are whatever their author says."""
    return "read" if name in _READS else None
