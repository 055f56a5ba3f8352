"""From a run to a golden trace: the first recording, a new one of an old trace, and an update.

What is written is redacted first. Nothing here decides whether a recording may
be kept; that is the test's outcome.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_agentreplay.api.redacting import redacted
from pytest_agentreplay.compare import Divergence
from pytest_agentreplay.jsonable import MISSING, Missing, Value, equal
from pytest_agentreplay.redaction import Redaction, Redactor
from pytest_agentreplay.runtime.observed_calls import ObservedCall, ObservedModel, ObservedState
from pytest_agentreplay.runtime.run import Run
from pytest_agentreplay.runtime.values import lenient
from pytest_agentreplay.storage import save_trace
from pytest_agentreplay.tools.effects import UNCLASSIFIED
from pytest_agentreplay.trace import RECORDED_HERE, ModelStep, RunInfo, StateStep, Step, ToolStep, Trace, Verdict


def record_trace(
    run: Run,
    given: Any,
    redactor: Redactor,
    agent: str | None = None,
    *,
    cassette: str | None = None,
    redaction: Redaction | None = None,
    began_at: str | None = None,
) -> Trace:
    """Make the golden trace of a run with real tools.

    Args:
        run: the run; its `trace` is the golden trace that is recorded again, if there is one.
        given: the agent's input; `MISSING` where the agent took none.
        redactor: what is replaced before anything is written.
        agent: how a first recording names its agent, ``module:callable``.
        cassette: the file beside the trace that the model's traffic is recorded in; None where there was none.
        redaction: numbers what is replaced; a new one where nothing else is redacted with the trace.
        began_at: the time of the recording; now where nothing depends on it.
    """
    steps: list[Step] = [
        _as_recorded(step) for step in run.steps
    ]  # a trace tells its steps their effects; the run has its own
    made = Trace(run=_where_from(None, cassette, began_at), steps=steps, **_given(given), **_ending(run))
    clean = redacted(made, redactor, redaction=redaction)
    old = run.trace
    if old is None:
        effects = {call.tool: call.effect for call in run.observed_calls if call.effect_source != UNCLASSIFIED}
        facts: dict[str, Any] = {"agent": agent, "tools": effects}
        return _replace(clean, {name: fact for name, fact in facts.items() if fact})
    changed = _retold(old, clean, clean.steps)
    linked = cassette == (old.run.cassette if old.run is not None else None)
    if linked and _same(old, changed):
        return changed
    return _replace(changed, {"run": _where_from(old.run, cassette, began_at)})


def updated_trace(run: Run, given: Any, redactor: Redactor) -> Trace:
    """Make the golden trace that accepts what a replayed run did; recorded facts of unchanged steps stay."""
    assert run.trace is not None
    merged = list(_merged(run))
    copies: list[Step] = [step.model_copy() for step in merged]  # a trace tells its steps their addresses
    clean = redacted(Trace(steps=copies, **_given(given), **_ending(run)), redactor)
    known = set(map(id, run.trace.steps))
    steps = [old if id(old) in known else new for old, new in zip(merged, clean.steps, strict=True)]
    return _retold(run.trace, clean, steps)


def refuses_update(run: Run, divergences: Iterable[Divergence], *, by_test: bool = False) -> str:
    """Say why a run's divergences can't be accepted; empty when they can.

    Args:
        run: the run.
        divergences: where it parted from what was expected.
        by_test: the expectations are the test's and not the trace's.
    """
    golden = run.trace
    if by_test:
        return "what is expected is written in the test; change it there"
    if golden is None or golden.path is None:
        return "the trace is in no file"
    if golden.kind == "incident":
        return "an incident pins what must not happen; change its `expect` by hand"
    if golden.expect is not None:
        return "what the trace expects is written by hand; change its `expect`"
    for problem in run.problems:
        return f"the run had a problem of another kind ({problem.kind}), which no update accepts"
    for divergence in divergences:
        if divergence.kind in ("error", "not_observed"):
            return f"a divergence of kind {divergence.kind} can't be accepted"
        if divergence.kind == "verdict" and (run.guard is None or "block" in (divergence.expected, divergence.actual)):
            return "a block can't be accepted, nor that one is gone; record it again with --agent-record=rewrite"
    return ""


def keep(trace: Trace, path: Path) -> None:
    """Write a golden trace.

    Raises:
        TraceFormatError: when it can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    save_trace(trace, path)


def _as_recorded(step: ToolStep | ModelStep | StateStep) -> Step:
    """Copy a step, its verdict as it is kept: without the time it took, an allow in its short form."""
    verdict = getattr(step, "verdict", None)
    return step.model_copy(update={} if verdict is None else {"verdict": _as_kept(verdict)})


def _as_kept(verdict: Verdict) -> Verdict:
    if verdict.decision == "allow" and verdict.effective == "allow":
        return Verdict(decision="allow")
    return Verdict(**{name: getattr(verdict, name) for name in verdict.model_fields_set if name != "duration_us"})


def _where_from(old: RunInfo | None, cassette: str | None, began_at: str | None) -> RunInfo:
    now = began_at or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    fields = {name: getattr(old, name) for name in old.model_fields_set} if old is not None else {}
    fields.pop("cassette", None)
    link: dict[str, Any] = {} if cassette is None else {"cassette": cassette}
    return RunInfo(**{**fields, "source": RECORDED_HERE, "recorded_at": now, **link})


def _given(given: Any) -> dict[str, Any]:
    return {} if given is MISSING else {"input": lenient(given)}


def _ending(run: Run) -> dict[str, Any]:
    if run.error is not None:
        return {"error": run.error}
    return {} if run.recorded_output is MISSING else {"output": run.recorded_output}


def _retold(old: Trace, new: Trace, steps: list[Step]) -> Trace:
    """Keep all of a golden trace but its steps and its ending."""
    ending: dict[str, Any] = {name: getattr(new, name) for name in ("output", "error") if name in new.model_fields_set}
    return _replace(old, {"steps": steps, **ending})


def _replace(trace: Trace, changes: dict[str, Any]) -> Trace:
    fields = {name: getattr(trace, name) for name in trace.model_fields_set}
    if "output" in changes or "error" in changes:
        fields.pop("output", None)
        fields.pop("error", None)
    return Trace(**{**fields, **changes})


def _same(old: Trace, new: Trace) -> bool:
    from pytest_agentreplay.trace.document import to_document

    return equal(to_document(old), to_document(new))


def _merged(run: Run) -> Iterator[Step]:
    """Give the run's steps, each recorded one with what only the recording knows.

    Steps that a replay can't observe (models, messages, other actors) stay before the
    recorded call that they led to. A checkpoint that the recording tells as a call's state stays that.
    """
    assert run.trace is not None
    ledge = _leading_steps(run.trace.steps, with_models=not run.model_calls)
    mentioned = Counter(step.at for step in run.trace.steps if isinstance(step, StateStep))
    told_by_call = False
    for note, made in zip(run.notes, run.steps, strict=True):
        if isinstance(note, ObservedState):
            mentioned[note.at] -= 1
            if not told_by_call or mentioned[note.at] >= 0:
                yield note.to_step()
            continue
        if isinstance(note, ObservedModel):
            yield note.to_step()
            continue
        told_by_call = note.golden is not None and note.golden.state is not MISSING
        yield from ledge.pop(id(note.golden), ())
        yield _merge(note, run.find_state(made.address) if told_by_call else note.state)
    yield from ledge.pop(id(None), ())


def _leading_steps(steps: Iterable[Step], *, with_models: bool) -> dict[int, list[Step]]:
    ledge: dict[int, list[Step]] = {}
    waiting: list[Step] = []
    for step in steps:
        if isinstance(step, ToolStep) and step.by_agent:
            ledge[id(step)] = waiting
            waiting = []
        elif not isinstance(step, StateStep) and (with_models or not isinstance(step, ModelStep)):
            waiting.append(step)
    ledge[id(None)] = waiting
    return ledge


def _merge(call: ObservedCall, state: Value | Missing) -> ToolStep:
    golden = call.golden
    if golden is None:
        step = call.to_step()
        return step if step.verdict is None else step.model_copy(update={"verdict": _as_kept(step.verdict)})
    changes: dict[str, Any] = {}
    if state is not MISSING and not equal(state, golden.state):
        changes["state"] = state
    if golden.verdict and call.verdict and golden.verdict.effective != call.verdict.effective:
        changes["verdict"] = _as_kept(call.verdict)
    return golden.model_copy(update=changes) if changes else golden
