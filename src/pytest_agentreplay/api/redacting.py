"""Redacting: a recorded or imported trace without the secrets and personal data that came with it.

Everything that a run brought along is gone over; the names that a trace works by
(tools, models, roles, formats) are left alone. Nothing here knows what is secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pytest_agentreplay.jsonable import decode
from pytest_agentreplay.redaction import Redaction, Redactor
from pytest_agentreplay.trace import Effect, Trace
from pytest_agentreplay.trace.document import to_document

_OF_TRACE = ("title", "description", "input")
_OF_STEP = ("content", "reasoning", "plan", "args", "raw_args", "result", "error", "state", "verdict", "at")
_OF_END = ("output", "error")


def redacted(
    trace: Trace,
    redactor: Redactor,
    effects: Mapping[str, Effect] = MappingProxyType({}),
    *,
    redaction: Redaction | None = None,
) -> Trace:
    """Give the trace as it may be kept.

    Args:
        trace: as recorded or imported.
        redactor: what has to go.
        effects: what is known of tools; those that the trace calls are declared in it.
        redaction: numbers what it replaces; a new one where nothing else is redacted with the trace.
    """
    redaction = redaction or redactor.session()
    document: dict[str, Any] = decode(to_document(trace))
    parts = [(document, _OF_TRACE), *((step, _OF_STEP) for step in document.get("steps", ())), (document, _OF_END)]
    parts.append((document.get("run", {}), ("labels",)))
    for replace in (redaction.redact, redaction.spread):
        for part, keys in parts:
            part.update({key: replace(part[key]) for key in keys if key in part})
    called = {step.tool for step in trace.tool_steps}
    declared = trace.tools | {tool: effect for tool, effect in effects.items() if tool in called}
    return Trace.model_validate(document | ({"tools": declared} if declared else {}))
