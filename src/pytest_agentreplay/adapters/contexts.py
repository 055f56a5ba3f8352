"""Contexts: the object of the user's that a framework hands to tools, read as state and written back.

A stubbed tool changes nothing in it, so what the recorded tool left there is put
back. Nothing here knows a framework.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping, MutableMapping
from typing import Any

from pytest_agentreplay.jsonable import MISSING, Missing, Opaque, Value, equal
from pytest_agentreplay.runtime.values import lenient


def read_context(context: Any) -> Value | Missing:
    """Give a context's fields as JSON, what can't be by its type; `MISSING` where there is none."""
    fields = _fields(context)
    return MISSING if not fields else lenient(fields)


def write_context(context: Any, recorded: Value) -> None:
    """Give the fields of a context their recorded values, where they have others and JSON can say so."""
    present = _fields(context)
    if not isinstance(recorded, Mapping) or present is None:
        return
    hints = _hints(type(context))
    for name, value in recorded.items():
        if _holds_opaque(value) or (name in present and equal(lenient(present[name]), value)):
            continue
        _set(context, name, _typed(value, hints.get(name)))
    for name in [name for name in present if name not in recorded]:
        if isinstance(context, MutableMapping):
            del context[name]


def _fields(context: Any) -> dict[str, Any] | None:
    if context is None or isinstance(context, str | int | float | bytes | type):
        return None
    if isinstance(context, Mapping):
        return {str(key): value for key, value in context.items()}
    if dataclasses.is_dataclass(context):
        return {field.name: getattr(context, field.name, None) for field in dataclasses.fields(context)}
    held = getattr(context, "__dict__", None)
    return None if held is None else {name: value for name, value in held.items() if not name.startswith("_")}


def _set(context: Any, name: str, value: Any) -> None:
    if isinstance(context, MutableMapping):
        context[name] = value
        return
    try:
        setattr(context, name, value)
    except dataclasses.FrozenInstanceError:
        object.__setattr__(context, name, value)


def _hints(kind: type) -> dict[str, Any]:
    try:
        return typing.get_type_hints(kind, include_extras=True)
    except Exception:  # annotations that can't be resolved type nothing
        return {}


def _typed(value: Value, annotation: Any) -> Any:
    if annotation is None:
        return value
    from pydantic import TypeAdapter

    try:
        return TypeAdapter(annotation).validate_python(value)
    except Exception:  # whatever a user's type raises: the plain value is what was recorded
        return value


def _holds_opaque(value: Value) -> bool:
    if isinstance(value, Opaque):
        return True
    if isinstance(value, Mapping):
        return any(_holds_opaque(item) for item in value.values())
    return isinstance(value, list) and any(_holds_opaque(item) for item in value)
