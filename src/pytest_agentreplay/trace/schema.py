"""The JSON Schema of the trace format, made from the models.

Portable (draft 2020-12, no ``$id``), so that editors check a golden trace while
it is typed. It knows the shape alone: what one key demands of another, and of the
check vocabulary, is told when the trace is loaded.
"""

from __future__ import annotations

import inspect
import re
from typing import Any, get_args

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.trace.expect import StateCheck
from pytest_agentreplay.trace.model import Trace
from pytest_agentreplay.trace.verdicts import Decision

_ATTRIBUTE = re.compile(r"^ {4}(\w+): (.+(?:\n {8,}.+)*)", re.MULTILINE)


class RecordSchema(GenerateJsonSchema):
    """Schemas of `Record` models: no generated titles, descriptions from docstrings, no default where there is none."""

    def generate(self, schema: Any, mode: Any = "validation") -> JsonSchemaValue:
        """Generate a schema that names its dialect."""
        return {"$schema": self.schema_dialect, **super().generate(schema, mode)}

    def model_schema(self, schema: Any) -> JsonSchemaValue:
        """Describe a model and its properties by its docstring."""
        result = super().model_schema(schema)
        summary, attributes = _docstring(schema["cls"])
        result.pop("title", None)
        result["description"] = summary
        for name, text in attributes.items():
            if name in result["properties"]:
                result["properties"][name]["description"] = text
        return result

    def default_schema(self, schema: Any) -> JsonSchemaValue:
        """Leave out the defaults that stand for nothing."""
        if schema.get("default") is MISSING or schema.get("default", MISSING) is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Say no: a title made from the field's name tells nothing."""
        return False


def trace_schema() -> dict[str, Any]:
    """Make the JSON Schema of a golden trace."""
    schema = Trace.model_json_schema(schema_generator=RecordSchema)
    schema["title"] = "golden trace"
    schema["required"] = ["format"]
    schema["allOf"] = [
        {"if": {"properties": {"kind": {"const": "incident"}}, "required": ["kind"]}, "then": {"required": ["expect"]}}
    ]
    _flatten_check(schema["$defs"]["StateCheck"])
    _allow_short_forms(schema["$defs"])
    return schema


def _allow_short_forms(models: dict[str, Any]) -> None:
    # By hand: pydantic 2.11 can't refer to a model from the input type of a validator.
    models["ToolStep"]["properties"]["verdict"]["anyOf"].insert(0, {"enum": list(get_args(Decision))})
    limits = models["Expect"]["properties"]["calls"]["anyOf"][0]
    limits["additionalProperties"] = {"anyOf": [limits["additionalProperties"], {"const": "never"}]}


def _flatten_check(schema: dict[str, Any]) -> None:
    """Put the names of the check vocabulary beside `after` and `path`, as a file has them."""
    names = [name for name in StateCheck.file_keys() if name not in ("after", "path")]
    del schema["properties"]["check"]
    schema["properties"].update({name: {} for name in names})
    schema["required"] = ["after"]
    schema["anyOf"] = [{"required": [name]} for name in names]


def _docstring(cls: type[Any]) -> tuple[str, dict[str, str]]:
    text = inspect.cleandoc(cls.__doc__ or "").replace("``", "`")
    summary, _, attributes = text.partition("Attributes:")
    return " ".join(summary.split()), {name: " ".join(words.split()) for name, words in _ATTRIBUTE.findall(attributes)}
