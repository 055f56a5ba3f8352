"""``agent-replay schema``: the JSON Schema of a format, for editors."""

from __future__ import annotations

import argparse
import json
from typing import Any

from pytest_agentreplay.cli.terminal import Outcome


def run(options: argparse.Namespace) -> Outcome:
    """Print the schema."""
    schema = _schema(options.of)
    return Outcome(json.dumps(schema, indent=2), schema)


def _schema(of: str) -> dict[str, Any]:
    if of == "policy":
        from pytest_agentreplay.guards.schema import policy_schema

        return policy_schema()
    from pytest_agentreplay.trace.schema import trace_schema

    return trace_schema()
