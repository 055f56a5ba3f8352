"""The shell pack: what commands and code among a call's arguments would do, judged by what it is done to."""

from pytest_agentreplay.guards.packs.shell.rules import VERSION, rules

__all__ = ["VERSION", "rules"]
