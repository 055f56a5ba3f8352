"""The MCP adapter keeps what every adapter keeps, for the SDK's client and FastMCP's."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from fastmcp import Client as FastClient
from fastmcp import FastMCP
from mcp import Client, ClientSession
from mcp.server import MCPServer

from pytest_agentreplay.adapters.built_in import BUILT_IN
from pytest_agentreplay.conformance.adapters import AdapterConformance, BuiltAgent

MCP = next(adapter for adapter in BUILT_IN if adapter.name == "mcp")


class TestMCP(AdapterConformance):
    adapter = MCP
    lacks: ClassVar = {"streaming": "an MCP client gives a result as a whole"}

    def server(self, tools, names):
        server = MCPServer("demo")
        for name in names:
            server.tool()(_in_thread(getattr(tools, name)))
        return server

    def client(self, server):
        return Client(server)

    async def call(self, client, name, args):
        result = await client.call_tool(name, args)
        return "".join(block.text for block in result.content)

    def build(self, tools, script):
        heard = []
        server = self.server(tools, script.tools)

        async def converse():
            async with self.client(server) as client:
                for turn in script.turns:
                    heard.extend(await asyncio.gather(*(self.call(client, name, args) for name, args in turn)))
            return script.says

        return BuiltAgent(lambda mode: converse() if mode == "async" else asyncio.run(converse()), heard)

    def seams(self):
        return [ClientSession.call_tool, ClientSession.list_tools]


class TestFastMCP(TestMCP):
    def server(self, tools, names):
        server = FastMCP("demo")
        for name in names:
            server.tool(_in_thread(getattr(tools, name)))
        return server

    def client(self, server):
        return FastClient(server)

    async def call(self, client, name, args):
        result = await client.call_tool(name, args, raise_on_error=False)
        return "".join(block.text for block in result.content)


def _in_thread(function):
    """Let calls overlap, as those of a server that waits for others do."""
    import functools

    @functools.wraps(function)
    async def called(*args, **kwargs):
        return await asyncio.to_thread(function, *args, **kwargs)

    return called
