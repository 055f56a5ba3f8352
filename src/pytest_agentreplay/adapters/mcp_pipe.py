"""The pipe to an MCP server: what was asked of it but calls of tools, recorded, and answered without the server.

Initialisation and listings are what a client wants of a server before it calls
its tools. Nothing here knows the client, or what a call becomes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

from pytest_agentreplay.errors import UnrecordedCallError
from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.tools.gate import Asides

_CALLS: Final = "tools/call"
_NOT_FOUND: Final = -32601


def server_name(command: str, args: Sequence[str]) -> str:
    """Name a server as it is started, on any machine: its command and arguments, paths by their last part."""
    return quote(" ".join(PurePath(part).name or part for part in (command, *args)), safe="")


class RecordedServer:
    """A server's process whose answers are noted; in all else the process.

    Args:
        process: the real one.
        asides: where they are noted.
        name: the server's.
    """

    def __init__(self, process: Any, asides: Asides, name: str) -> None:
        self._process = process
        self._asides = asides
        self._name = name
        self._asked: dict[Any, dict[str, Any]] = {}
        self.stdin = _Tapped(process.stdin, _Lines(self._sent))
        self.stdout = _Tapped(process.stdout, _Lines(self._received))
        asides.keep(f"mcp/{name}/start", None, None)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._process, name)

    async def __aenter__(self) -> RecordedServer:
        await self._process.__aenter__()
        return self

    async def __aexit__(self, *details: Any) -> None:
        await self._process.__aexit__(*details)

    def _sent(self, message: dict[str, Any]) -> None:
        if "id" in message and "method" in message:
            self._asked[message["id"]] = message

    def _received(self, message: dict[str, Any]) -> None:
        asked = self._asked.pop(message.get("id"), None)
        if asked is not None and asked["method"] != _CALLS:
            answer = {key: message[key] for key in ("result", "error") if key in message}
            self._asides.keep(f"mcp/{self._name}/{asked['method']}", asked.get("params"), answer)


class PlayedServer:
    """Stands in for a server's process, and answers what was recorded.

    Args:
        asides: where the answers are.
        name: the server's.
    """

    pid = 0
    returncode: int | None = None

    def __init__(self, asides: Asides, name: str) -> None:
        import anyio

        self._asides = asides
        self._name = name
        self._give, self.stdout = anyio.create_memory_object_stream[bytes](1000)
        self.stdin = _Written(_Lines(self._asked), self._over)
        self._ended = anyio.Event()

    async def __aenter__(self) -> PlayedServer:
        return self

    async def __aexit__(self, *details: Any) -> None:
        self._over()

    async def wait(self) -> int:
        """Wait until the client is done with the server."""
        await self._ended.wait()
        return 0

    def terminate(self) -> None:
        """End it."""
        self._over()

    kill = terminate

    def _over(self) -> None:
        self.returncode = 0
        self._give.close()
        self._ended.set()

    def _asked(self, message: dict[str, Any]) -> None:
        if "id" not in message or "method" not in message:
            return
        answer = self._asides.recall(f"mcp/{self._name}/{message['method']}", message.get("params"))
        if answer is MISSING:
            answer = {"error": {"code": _NOT_FOUND, "message": f"{message['method']} was not recorded"}}
            if message["method"] != "server/discover":  # which clients try first, on servers that may not know it
                self._asides.object(
                    UnrecordedCallError(
                        f"the MCP server was asked for {message['method']}, which was not recorded",
                        next="record it again with --agent-record=rewrite",
                    )
                )
        line = json.dumps({"jsonrpc": "2.0", "id": message["id"], **answer})
        self._give.send_nowait(line.encode() + b"\n")


class _Lines:
    """Cuts what passes a pipe into its messages."""

    def __init__(self, take: Callable[[dict[str, Any]], None]) -> None:
        self._take = take
        self._left = b""

    def feed(self, data: bytes) -> None:
        *lines, self._left = (self._left + data).split(b"\n")
        for line in lines:
            try:
                message = json.loads(line)
            except ValueError:
                continue  # no message: the client says so itself
            for one in message if isinstance(message, list) else [message]:
                if isinstance(one, dict):
                    self._take(one)


class _Tapped:
    """A real pipe whose lines are looked at."""

    def __init__(self, stream: Any, lines: _Lines) -> None:
        self._stream = stream
        self._lines = lines

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    async def send(self, data: bytes) -> None:
        self._lines.feed(data)
        await self._stream.send(data)

    async def receive(self, *args: Any) -> bytes:
        data: bytes = await self._stream.receive(*args)
        self._lines.feed(data)
        return data


class _Written:
    """The end of a pipe that a played server reads."""

    def __init__(self, lines: _Lines, over: Callable[[], None]) -> None:
        self._lines = lines
        self._over = over

    async def send(self, data: bytes) -> None:
        self._lines.feed(data)

    async def aclose(self) -> None:
        self._over()
