"""Claude Code's own tools, and which of them only look."""

from __future__ import annotations

from typing import Final

from pytest_agentreplay.trace import Effect

_LOOKING: Final = {"Read", "Glob", "Grep", "LS", "LSP", "NotebookRead", "WebFetch", "WebSearch"}
_RESOURCES: Final = {"ListMcpResourcesTool", "ReadMcpResourceTool"}
_TODOS: Final = {"TodoRead", "TodoWrite", "TaskCreate", "TaskGet", "TaskList", "TaskOutput", "TaskUpdate"}
_TALK: Final = {"AskUserQuestion", "BashOutput", "EnterPlanMode", "ExitPlanMode", "ToolSearch"}
_READS: Final = _LOOKING | _RESOURCES | _TODOS | _TALK
"""What changes nothing, or nothing but the session itself."""


def effect_of(tool: str) -> Effect:
    """Tell what a tool does to the world: ``write`` for every tool that isn't known to only look, MCP's included."""
    return "read" if tool in _READS else "write"
