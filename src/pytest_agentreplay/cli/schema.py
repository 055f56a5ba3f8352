"""``agent-replay schema``: the JSON Schema of a format, for editors."""

from __future__ import annotations

import argparse
import json

from pytest_agentreplay.cli.terminal import Outcome
from pytest_agentreplay.errors import SettingsError


def run(options: argparse.Namespace) -> Outcome:
    """Print the schema.

    Raises:
        SettingsError: for policies.
    """
    if options.of == "policy":
        raise SettingsError("policies aren't supported by this version", next="agent-replay schema trace")
    from pytest_agentreplay.trace.schema import trace_schema

    schema = trace_schema()
    return Outcome(json.dumps(schema, indent=2), schema)
