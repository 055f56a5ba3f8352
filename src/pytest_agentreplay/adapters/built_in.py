"""The adapters that come with the package, each imported with its framework."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from pytest_agentreplay.adapters.adapter import Adapter, Patches


def _of_module(module: str) -> Callable[[Patches], None]:
    def install(patches: Patches) -> None:
        import_module(f"pytest_agentreplay.adapters.{module}").install(patches)

    return install


BUILT_IN = (
    Adapter("langchain", "langchain_core", _of_module("langchain")),
    Adapter("langgraph", "langgraph.pregel", _of_module("langgraph")),
    Adapter("openai-agents", "agents", _of_module("openai_agents")),
    Adapter("pydantic-ai", "pydantic_ai", _of_module("pydantic_ai")),
    Adapter("mcp", "mcp", _of_module("mcp")),
    Adapter("google-adk", "google.adk", _of_module("google_adk")),
    Adapter("claude-agent-sdk", "claude_agent_sdk", _of_module("claude_agent_sdk")),
    Adapter("crewai", "crewai", _of_module("crewai")),
    Adapter("smolagents", "smolagents", _of_module("smolagents")),
)
