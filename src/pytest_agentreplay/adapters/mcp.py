"""MCP: every client calls a server's tools through its session, in both major versions of the SDK.

FastMCP's client and the frameworks' MCP tools end there too; where one of them
has a boundary of its own, that one counts. A server's hints are the effects. A server
on a pipe need not be there in replay; one behind a URL is answered from the
cassette.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from pytest_agentreplay.adapters.actors import actor
from pytest_agentreplay.adapters.adapter import Patches
from pytest_agentreplay.adapters.hints import hinted
from pytest_agentreplay.adapters.mcp_pipe import PlayedServer, RecordedServer, server_name
from pytest_agentreplay.errors import GuardBlocked
from pytest_agentreplay.jsonable import MISSING, NotJsonError, Value, snapshot
from pytest_agentreplay.tools import gate
from pytest_agentreplay.tools.framework_calls import FrameworkCall, across, framework_tool
from pytest_agentreplay.tools.spec import Effect

_Effects = WeakKeyDictionary[Any, dict[str, Effect]]


def install(patches: Patches) -> None:
    """Put the seams in place."""
    from mcp import ClientSession
    from mcp.client import stdio

    effects: _Effects = WeakKeyDictionary()
    patches.replace(ClientSession, "call_tool", lambda original: _call_tool(original, effects))
    patches.replace(ClientSession, "list_tools", lambda original: _list_tools(original, effects))
    patches.replace(stdio, "_create_platform_compatible_process", _start_server)


class _Call(FrameworkCall):
    __slots__ = ("_go_on",)

    def __init__(self, args: dict[str, Any], go_on: Callable[[], Any]) -> None:
        super().__init__(args, actor=actor())
        self._go_on = go_on

    def proceed(self) -> Any:
        return self._go_on()

    def encode(self, result: Any) -> Value:
        """Write a tool's result as the protocol does.

        Raises:
            NotJsonError: for a result that asks for something before the tool can end.
        """
        from mcp.types import CallToolResult

        if not isinstance(result, CallToolResult):
            raise NotJsonError((), type(result).__name__)
        written = result.model_dump(mode="json", by_alias=True, exclude_none=True)
        return snapshot({name: value for name, value in written.items() if (name, value) != ("isError", False)})

    def decode(self, recorded: Value) -> Any:
        """Make a tool's result: of what the protocol says, or of any JSON as its text."""
        from mcp.types import CallToolResult, TextContent

        value = snapshot(recorded)
        if isinstance(value, dict) and "content" in value:
            return CallToolResult.model_validate(value)
        text = value if isinstance(value, str) else _text(value)
        return CallToolResult(content=[TextContent(type="text", text=text)])

    def refused(self, blocked: GuardBlocked) -> Any:
        """Tell the client that the call failed, and why."""
        from mcp.types import CallToolResult

        return CallToolResult.model_validate({"content": [{"type": "text", "text": str(blocked)}], "isError": True})


def _call_tool(original: Callable[..., Any], effects: _Effects) -> Callable[..., Any]:
    @functools.wraps(original)
    async def call_tool(
        self: Any, name: str, arguments: dict[str, Any] | None = None, *rest: Any, **options: Any
    ) -> Any:
        if gate.active is None:
            return await original(self, name, arguments, *rest, **options)
        tool = framework_tool(name, "mcp", effects.get(self, {}).get(name), is_async=True)
        call = _Call(arguments or {}, lambda: original(self, name, arguments, *rest, **options))
        return await across(tool, call)

    return call_tool


def _list_tools(original: Callable[..., Any], effects: _Effects) -> Callable[..., Any]:
    @functools.wraps(original)
    async def list_tools(self: Any, *args: Any, **options: Any) -> Any:
        listed = await original(self, *args, **options)
        known = effects.setdefault(self, {})
        for tool in listed.tools:
            effect = hinted(tool.annotations)
            if effect is not None:
                known[tool.name] = effect
        return listed

    return list_tools


def _start_server(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def start(command: str, args: list[str], *rest: Any, **options: Any) -> Any:
        asides = gate.asides()
        if asides is None:
            return await original(command, args, *rest, **options)
        name = server_name(command, args)
        if asides.recall(f"mcp/{name}/start", None) is not MISSING:
            return PlayedServer(asides, name)
        return RecordedServer(await original(command, args, *rest, **options), asides, name)

    return start


def _text(value: Value) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)
