"""MCP servers need not be there in replay: on a pipe and behind a URL, by the SDK's client and FastMCP's."""

from __future__ import annotations

import socket
import subprocess
import sys
import time

import pytest

from tests.doc_pages import DOCS, Project, blocks_of

SERVER = '''
import sys
from pathlib import Path
from fastmcp import FastMCP

server = FastMCP("desk")
STARTED = Path(__file__).with_name("started.txt")


@server.tool(annotations={"readOnlyHint": True})
def lookup(order: str) -> dict:
    """Look up."""
    return {"order": order, "paid": True}


@server.tool
def refund(order: str) -> str:
    """Pay back."""
    return f"paid back {order}"


if __name__ == "__main__":
    with STARTED.open("a") as file:
        file.write("started\\n")
    if len(sys.argv) > 1:
        server.run(transport="http", port=int(sys.argv[1]), show_banner=False)
    else:
        server.run(show_banner=False)
'''
SDK = """
import sys
from pathlib import Path
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

SERVER = StdioServerParameters(command=sys.executable, args=[str(Path(__file__).with_name("server.py"))])


async def agent():
    async with stdio_client(SERVER) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        tools = await session.list_tools()
        found = await session.call_tool("lookup", {"order": "o-1"})
        done = await session.call_tool("refund", {"order": "o-1"})
        return [sorted(tool.name for tool in tools.tools), found.content[0].text, done.content[0].text]
"""
FAST = """
import sys
from pathlib import Path
from fastmcp import Client
from fastmcp.client.transports import PythonStdioTransport


async def agent():
    async with Client(PythonStdioTransport(Path(__file__).with_name("server.py"), keep_alive=False)) as client:
        tools = await client.list_tools()
        found = await client.call_tool("lookup", {"order": "o-1"})
        done = await client.call_tool("refund", {"order": "o-1"})
        return [sorted(tool.name for tool in tools), found.data, done.data]
"""
HTTP = """
import os
from fastmcp import Client


async def agent():
    async with Client(os.environ["DESK"]) as client:
        tools = await client.list_tools()
        found = await client.call_tool("lookup", {"order": "o-1"})
        done = await client.call_tool("refund", {"order": "o-1"})
        return [sorted(tool.name for tool in tools), found.data, done.data]
"""
TEST = """
import pytest
from agent import agent


@pytest.mark.asyncio
async def test_it(agent_replay):
    run = await agent_replay.arun("desk", agent)
    assert run.tools == ["lookup", "refund"]
    assert [step.effect for step in run.calls()] == ["read", "write"]
"""


def _project(tmp_path, agent, environment=None):
    project = Project(tmp_path, environment)
    for name, text in {"server.py": SERVER, "agent.py": agent, "test_agent.py": TEST}.items():
        (project.path / name).write_text(text)
    return project


@pytest.mark.parametrize("agent", [SDK, FAST], ids=["sdk", "fastmcp"])
def test_a_server_on_a_pipe_is_not_started(tmp_path, agent):
    """Initialisation, listings and calls are answered from what was recorded."""
    project = _project(tmp_path, agent)
    recorded = project._run(["pytest", "-q", "--agent-record=once"])
    (project.path / "server.py").write_text("raise SystemExit('must not be started')")
    replayed = project._run(["pytest", "-q"])

    assert "1 passed" in recorded.stdout, recorded.stdout
    assert "1 passed" in replayed.stdout, replayed.stdout
    assert (project.path / "started.txt").read_text() == "started\n"


def test_without_a_recording_of_the_server_the_escape_says_so(tmp_path):
    """A replay of a trace written by hand doesn't start a server behind one's back."""
    project = _project(tmp_path, SDK)
    (project.path / "golden_traces").mkdir()
    (project.path / "golden_traces" / "desk.yaml").write_text("format: agentreplay.trace/1\nsteps: []\n")
    replayed = project._run(["pytest", "-q"])

    assert "1 failed" in replayed.stdout and "process" in replayed.stdout
    assert not (project.path / "started.txt").exists()


def test_a_server_behind_a_url_is_not_asked(tmp_path):
    """Its answers are in the cassette; the calls are answered from the trace."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    project = _project(tmp_path, HTTP, {"DESK": f"http://127.0.0.1:{port}/mcp"})
    server = subprocess.Popen([sys.executable, "server.py", str(port)], cwd=project.path, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        recorded = project._run(["pytest", "-q", "--agent-record=once"])
    finally:
        server.terminate()
        server.wait()
    replayed = project._run(["pytest", "-q"])

    assert "1 passed" in recorded.stdout, recorded.stdout
    assert "1 passed" in replayed.stdout, replayed.stdout


def _wait_for(port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server did not start")


def test_the_page(tmp_path):
    """The page of this protocol does what it shows."""
    project = Project(tmp_path)
    for block in blocks_of(DOCS / "how-to" / "frameworks" / "mcp.md"):
        project.take(block)
