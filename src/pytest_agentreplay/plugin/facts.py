"""Facts about one replay, as plain data: they cross from a test to reports, workers and summaries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pytest_agentreplay.errors import DivergenceError
from pytest_agentreplay.redaction import Redactor
from pytest_agentreplay.runtime.failure import complete_text, relative
from pytest_agentreplay.runtime.timeline import timeline
from pytest_agentreplay.tools.effects import UNCLASSIFIED
from pytest_agentreplay.trace import Trace, Verdict

if TYPE_CHECKING:
    from pytest_agentreplay.plugin.scopes import Result


_TOLD = ("failure", "divergences", "timeline")


def facts_of(result: Result, outcome: str, report: Redactor | None) -> dict[str, Any]:
    """Gather what reports and the summary say of one replay; JSON only.

    Args:
        result: the replay.
        outcome: pytest's outcome of the test it belongs to.
        report: what is replaced in facts that a report file will hold, timeline included; None where none
            is written, since a timeline is as large as its run and a session keeps its facts to the end.
    """
    run = result.run
    calls = run.observed_calls
    failure = result.failure
    facts = {
        "trace": result.name,
        "path": relative(result.path) if result.path else None,
        "title": run.trace.title if run.trace else None,
        "kind": run.trace.kind if run.trace else "baseline",
        "outcome": result.done or ("diverged" if failure is not None else outcome),
        "failure": str(failure) if failure is not None else None,
        "divergences": [divergence.to_dict() for divergence in run.divergences],
        "answered": sum(call.answered_by in ("recording", "answers") for call in calls),
        "withheld": sum(call.effect == "write" and call.answered_by != "live" for call in calls),
        "live": sum(call.answered_by == "live" for call in calls),
        "escapes": sum(problem.kind == "escape" for problem in run.problems),
        "unmatched": sum(problem.kind == "unmatched" for problem in run.problems),
        "effects": {call.tool: [call.effect, call.effect_source] for call in calls},
        "unclassified": sorted({call.tool for call in calls if call.effect_source == UNCLASSIFIED}),
        "drift": [drift.address for drift in run.drifts],
        "verdicts": _counted(run.verdicts.values()),
        "rules": _objecting(run.verdicts.values()),
        "unjudged": run.guard is not None and run.guard.guard.mode == "off",
        "late": list(run.guard.late) if run.guard is not None else [],
        "timeline": timeline(run) if report is not None else [],
    }
    return cleaned(facts, report)


def cleaned(facts: dict[str, Any], report: Redactor | None) -> dict[str, Any]:
    """Replace what a report file may not hold; None where none is written."""
    return facts if report is None else {**facts, **report.session().redact({key: facts[key] for key in _TOLD})}


def facts_of_stream(trace: Trace, verdicts: Iterable[Verdict], failure: Exception | None) -> dict[str, Any]:
    """Gather the same of a trace without an agent, whose recorded calls went through today's policies."""
    judged = list(verdicts)
    return {
        "trace": trace.name,
        "path": relative(trace.path) if trace.path else None,
        "title": trace.title,
        "kind": trace.kind,
        "outcome": "passed" if failure is None else "diverged",
        "failure": str(failure) if failure is not None else None,
        "divergences": [failure.divergence.to_dict()] if isinstance(failure, DivergenceError) else [],
        **dict.fromkeys(("answered", "withheld", "live", "escapes", "unmatched"), 0),
        **{name: [] for name in ("unclassified", "drift", "late", "timeline")},
        "effects": {},
        "verdicts": _counted(judged),
        "rules": _objecting(judged),
        "unjudged": False,
    }


def _counted(verdicts: Iterable[Verdict]) -> dict[str, int]:
    return dict(Counter(verdict.decision for verdict in verdicts))


def _objecting(verdicts: Iterable[Verdict]) -> dict[str, int]:
    return dict(Counter(finding.rule for verdict in verdicts for finding in verdict.findings))


def sections_of(results: Iterable[Result], *, verbose: bool) -> Iterable[tuple[str, str]]:
    """Give the report sections of a test: every failure, and the drift of live reads.

    Args:
        results: the replays of the test.
        verbose: tell all of a failure, and not only where it began.
    """
    for result in results:
        if result.failure is not None:
            notes = getattr(result.failure, "__notes__", [])
            yield f"agent replay: {result.name}", "\n".join([str(result.failure), *notes])
            if verbose and result.run.divergences:
                yield f"agent replay, all of it: {result.name}", complete_text(result.run)
        for drift in result.run.drifts:
            yield f"tool drift: {drift.address}", f"recorded  {drift.recorded!r}\nlive      {drift.live!r}"
