"""The JSON Schema of the policy format, made from the models.

It knows the shape alone: what one key demands of another, paths, references and the
options of packs are told when the policy is loaded.
"""

from __future__ import annotations

from typing import Any

from pytest_agentreplay.guards.spec import PolicySpec
from pytest_agentreplay.trace.schema import RecordSchema


def policy_schema() -> dict[str, Any]:
    """Make the JSON Schema of a policy."""
    schema = PolicySpec.model_json_schema(schema_generator=RecordSchema)
    schema["title"] = "policy"
    schema["required"] = ["format"]
    _flatten_exception(schema["$defs"]["ExceptionSpec"])
    return schema


def _flatten_exception(schema: dict[str, Any]) -> None:
    """Put the checks of an exception beside its other keys, as a file has them."""
    del schema["properties"]["match"], schema["required"]
    schema["additionalProperties"] = True
    schema["minProperties"] = 1
