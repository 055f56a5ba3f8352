"""From a run to a golden trace: the first recording, a new one of an old trace, and an update.

What is written is redacted first. Nothing here decides whether a recording may
be kept; that is the test's outcome.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_agentreplay.compare import Divergence
from pytest_agentreplay.jsonable import MISSING, equal
from pytest_agentreplay.redaction import Redaction, Redactor
from pytest_agentreplay.runtime.observed_calls import ObservedCall, ObservedState
from pytest_agentreplay.runtime.run import Run
from pytest_agentreplay.runtime.values import lenient
from pytest_agentreplay.storage import save_trace
from pytest_agentreplay.tools.effects import UNCLASSIFIED
from pytest_agentreplay.trace import RunInfo, StateStep, Step, ToolStep, Trace


def record_trace(run: Run, given: Any, redactor: Redactor) -> Trace:
    """Make the golden trace of a run with real tools.

    Args:
        run: the run; its `trace` is the golden trace that is recorded again, if there is one.
        given: the agent's input; `MISSING` where the agent took none.
        redactor: what is replaced before anything is written.
    """
    redaction = redactor.session()
    old = run.trace
    recorded_input = old.input if old is not None else given if given is MISSING else lenient(given)
    fields: dict[str, Any] = {"input": redaction.redact(recorded_input)} if recorded_input is not MISSING else {}
    effects = {call.tool: call.effect for call in run.observed_calls if call.effect_source != UNCLASSIFIED}
    if old is None and effects:
        fields["tools"] = effects
    fields["steps"] = [_redacted(step, redaction) for step in run.steps]
    fields |= _ending(run, redaction)
    if old is None:
        return Trace(run=_where_from(None), **fields)
    fields.pop("input", None)
    changed = _replace(old, fields)
    return changed if _same(old, changed) else _replace(changed, {"run": _where_from(old.run)})


def updated_trace(run: Run, redactor: Redactor) -> Trace:
    """Make the golden trace that accepts what a replayed run did; recorded facts of unchanged steps stay."""
    assert run.trace is not None
    redaction = redactor.session()
    redaction.redact(run.trace.input if run.trace.input is not MISSING else None)
    steps = [_redacted(step, redaction) if fresh else step for step, fresh in _merged(run)]
    return _replace(run.trace, {"steps": steps, **_ending(run, redaction)})


def refuses_update(run: Run, divergences: Iterable[Divergence]) -> str:
    """Say why a run's divergences can't be accepted; empty when they can."""
    golden = run.trace
    if golden is None or golden.path is None:
        return "the trace is in no file"
    if golden.kind == "incident":
        return "an incident pins what must not happen; change its `expect` by hand"
    if golden.expect is not None:
        return "what the trace expects is written by hand; change its `expect`"
    for problem in run.problems:
        return f"the run had a problem of another kind ({problem.kind}), which no update accepts"
    for divergence in divergences:
        if divergence.kind in ("error", "verdict", "not_observed"):
            return f"a divergence of kind {divergence.kind} can't be accepted"
    return ""


def keep(trace: Trace, path: Path) -> None:
    """Write a golden trace.

    Raises:
        TraceFormatError: when it can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    save_trace(trace, path)


def _where_from(old: RunInfo | None) -> RunInfo:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    fields = {name: getattr(old, name) for name in old.model_fields_set} if old is not None else {"source": "pytest"}
    return RunInfo(**{**fields, "recorded_at": now})


def _ending(run: Run, redaction: Redaction) -> dict[str, Any]:
    if run.error is not None:
        return {"error": run.error.model_copy(update={"message": redaction.redact_text(run.error.message)})}
    return {} if run.recorded_output is MISSING else {"output": redaction.redact(run.recorded_output)}


def _replace(trace: Trace, changes: dict[str, Any]) -> Trace:
    fields = {name: getattr(trace, name) for name in trace.model_fields_set}
    if "output" in changes or "error" in changes:
        fields.pop("output", None)
        fields.pop("error", None)
    return Trace(**{**fields, **changes})


def _same(old: Trace, new: Trace) -> bool:
    from pytest_agentreplay.trace.document import to_document

    return equal(to_document(old), to_document(new))


def _redacted(step: Step, redaction: Redaction) -> Step:
    values: dict[str, Any] = {
        name: redaction.redact(getattr(step, name))
        for name in ("args", "raw_args", "result", "state")
        if name in step.model_fields_set and getattr(step, name) is not None
    }
    error = getattr(step, "error", None)
    if error is not None:
        attributes = redaction.redact(error.attributes) if error.attributes else error.attributes
        changed = {"message": redaction.redact_text(error.message), "attributes": attributes}
        values["error"] = error.model_copy(update={name: item for name, item in changed.items() if item is not None})
    return step.model_copy(update=values)


def _merged(run: Run) -> Iterator[tuple[Step, bool]]:
    """Give the run's steps, each recorded one with what only the recording knows, and whether it is fresh.

    Steps that a replay can't observe (models, messages, other actors) stay before the
    recorded call that they led to.
    """
    assert run.trace is not None
    ledge = _leading_steps(run.trace.steps)
    for note in run.notes:
        if isinstance(note, ObservedState):
            yield note.to_step(), True
            continue
        for step in ledge.pop(id(note.golden), ()):
            yield step, False
        yield _merge(note), note.golden is None
    for step in ledge.pop(id(None), ()):
        yield step, False


def _leading_steps(steps: Iterable[Step]) -> dict[int, list[Step]]:
    ledge: dict[int, list[Step]] = {}
    waiting: list[Step] = []
    for step in steps:
        if isinstance(step, ToolStep) and step.by_agent:
            ledge[id(step)] = waiting
            waiting = []
        elif not isinstance(step, StateStep):
            waiting.append(step)
    ledge[id(None)] = waiting
    return ledge


def _merge(call: ObservedCall) -> ToolStep:
    if call.golden is None:
        return call.to_step()
    changes: dict[str, Any] = {}
    if call.state is not MISSING and not equal(call.state, call.golden.state):
        changes["state"] = call.state
    return call.golden.model_copy(update=changes)
