"""Cassettes of vcrpy and pytest-recording: HTTP traffic with models, made into runs.

    exchanges      interactions that ask a model something, or call a tool over MCP
    conversations  which exchanges go on from which, and what a sub-agent's are
    steps          one run's exchanges as steps, results paired with calls
    importer       all of it, one cassette at a time

Only `parse_vcr` is meant for others.
"""

from pytest_agentreplay.interop.vcr.importer import parse_vcr

__all__ = ["parse_vcr"]
