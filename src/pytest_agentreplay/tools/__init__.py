"""Tools: what they are called, what they do to the world, and the boundary in front of their bodies."""

from pytest_agentreplay.tools.decorator import tool
from pytest_agentreplay.tools.spec import Effect, Kind, ToolSpec, find_spec

__all__ = ["Effect", "Kind", "ToolSpec", "find_spec", "tool"]
