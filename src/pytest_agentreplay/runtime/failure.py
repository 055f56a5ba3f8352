"""Failure texts: what a person reads when a run parts from its golden trace.

The first divergence only, once, with its place in the file, both trajectories
around it, the difference as paths, and one line on what to do. Nothing here
decides what a divergence is.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_agentreplay.compare import Divergence, Observed, side_by_side, trajectories
from pytest_agentreplay.errors import AgentReplayError, DivergenceError
from pytest_agentreplay.runtime.problems import Problem
from pytest_agentreplay.trace import ToolStep, Trace
from pytest_agentreplay.yaml_codec import locate

if TYPE_CHECKING:
    from pytest_agentreplay.runtime.run import Run

_SHOWN_DIFFERENCES = 8
_OF_A_RUN_CUT_SHORT = ("missing", "state", "output", "error", "not_observed")
"""What follows from a model that had no answer any more."""


def failure_of(run: Run, divergences: Sequence[Divergence], *, by_test: bool = False) -> Exception | None:
    """Make the one error that tells how a run failed; None when nothing went wrong.

    A problem at the boundary that is also the first divergence is told once. A problem of
    another kind comes first when nothing diverged before it ended the run, and is named
    beside the first divergence otherwise.
    """
    problems = run.problems
    missed = next((problem for problem in problems if problem.kind == "model"), None)
    if missed is not None and all(one.kind in _OF_A_RUN_CUT_SHORT for one in divergences):
        return _problem_error([missed, *(problem for problem in problems if problem is not missed)])
    stopped = next((problem for problem in problems if problem.kind == "stopped"), None)
    if stopped is not None and all(one.kind in ("not_observed", "error") for one in divergences):
        divergences = [_over_limit(run, stopped)]
    if run.ended_in_block:  # the block is what happened; that it left the agent is its consequence
        divergences = [one for one in divergences if one.kind != "error"] or divergences
    if not divergences:
        return _problem_error(problems)
    first = divergences[0]
    if run.ended_by is not None and first.kind == "error":
        return _problem_error([run.ended_by, *(problem for problem in problems if problem is not run.ended_by)])
    told = next((problem for problem in problems if _is_told_by(first, problem)), None)
    shown = divergences[:1] if run.cut_short else divergences
    error = divergence_error(run.trace or Trace(), run.observed(), shown, told, by_test=by_test)
    others = [problem for problem in problems if problem is not told]
    if others and "--agent-update" in error.details["next"]:
        error.details["next"] = "mend the agent"  # an update accepts no problem of another kind
    _add_problems(error, others)
    return error


def divergence_error(
    golden: Trace,
    run: Observed,
    divergences: Sequence[Divergence],
    told: Problem | None = None,
    *,
    by_test: bool = False,
) -> DivergenceError:
    """Make the error that tells of the first divergence.

    Args:
        golden: the golden trace.
        run: what was observed.
        divergences: all of them, what showed first first.
        told: the problem at the boundary that is the same thing as the first divergence.
        by_test: the expectations are the test's and not the trace's.
    """
    first = divergences[0]
    error = DivergenceError(f"{first.headline}: {first.cause}", **_details(golden, run, first))
    if len(divergences) > 1:
        rest = [f"{one.headline}: {one.cause}" for one in divergences[1:]]
        error.details["also"] = "\n".join(rest[:3] + ([f"{len(rest) - 3} more"] if len(rest) > 3 else []))
    error.details["next"] = _remedy(golden, first, told, by_test=by_test)
    error.divergence = first
    return error


def _over_limit(run: Run, stopped: Problem) -> Divergence:
    address = "end" if stopped.call_index is None else run.calls()[stopped.call_index].address
    return Divergence("budget", address, str(stopped.error), run_index=stopped.call_index)


def _problem_error(problems: Sequence[Problem]) -> Exception | None:
    if not problems:
        return None
    error = problems[0].error
    if isinstance(error, AgentReplayError):
        _add_problems(error, problems[1:])
    return error


def complete_text(run: Run) -> str:
    """Tell all of it: every divergence with every difference, and both trajectories whole."""
    lines: list[str] = []
    for divergence in run.divergences:
        lines.append(str(divergence))
        lines += [f"  {one}" for one in divergence.differences]
    if run.trace is not None and run.divergences:
        golden, made = trajectories(run.trace, run.observed())
        lines += ["", side_by_side(golden, made, run.divergences[0], width=_width(), context=len(golden) + len(made))]
    return "\n".join(lines)


def _is_told_by(divergence: Divergence, problem: Problem) -> bool:
    return problem.kind in ("unmatched", "stopped") and problem.call_index == divergence.run_index


def _add_problems(error: AgentReplayError, problems: Sequence[Problem]) -> None:
    texts = [str(problem.error) for problem in problems if problem.error is not error]
    if texts:
        already = [error.details["also"]] if "also" in error.details else []
        remedy = error.details.pop("next", None)
        error.details["also"] = "\n".join([*already, *texts[:5]])
        if remedy is not None:
            error.details["next"] = remedy


def _details(golden: Trace, run: Observed, divergence: Divergence) -> dict[str, str]:
    details = {"trace": place_in_trace(golden, divergence.address)}
    if divergence.golden_index is not None or divergence.kind == "missing":
        details["calls"] = _trajectories(golden, run, divergence)
    if judged := _verdict(run, divergence):
        details["verdict"] = judged
    if len(divergence.differences) > 1:
        shown = [str(one) for one in divergence.differences[:_SHOWN_DIFFERENCES]]
        left = len(divergence.differences) - len(shown)
        details["differs"] = "\n".join(shown + ([f"{left} more"] if left else []))
    return details


def _verdict(run: Observed, divergence: Divergence) -> str:
    """Tell what the guard had against the call where the run parts; a verdict that diverged is told as such."""
    made = [step for step in run.steps if isinstance(step, ToolStep) and step.by_agent]
    if divergence.kind == "verdict" or divergence.run_index is None or divergence.run_index >= len(made):
        return ""
    verdict = (run.verdicts or {}).get(made[divergence.run_index].address)
    if verdict is None or not verdict.findings:
        return ""
    rules = ", ".join(finding.rule for finding in verdict.findings)
    return f"{verdict.effective} by {rules} of {verdict.policy}: {verdict.reason}"


def _trajectories(golden: Trace, run: Observed, divergence: Divergence) -> str:
    return side_by_side(*trajectories(golden, run), divergence, width=_width() - 14)


def _width() -> int:
    return max(74, min(shutil.get_terminal_size((100, 24)).columns, 120))


def place_in_trace(golden: Trace, address: str) -> str:
    """Say where a step of a golden trace stands: ``golden_traces/refund.yaml:23, issue_refund#1``."""
    if golden.path is None:
        return f"{golden.name}, {address}"
    index = next((index for index, step in enumerate(golden.steps) if step.address == address), None)
    where = ("output",) if address == "end" else ("steps", index) if index is not None else ("steps",)
    return f"{relative(golden.path)}:{_line(golden.path, where)}, {address}"


def _line(path: Path, where: tuple[str | int, ...]) -> int:
    try:
        return locate(path.read_text(encoding="utf-8"), where)[0]
    except (OSError, UnicodeDecodeError):
        return 1  # the file went away since it was read; its name is still worth saying


def relative(path: Path) -> str:
    """Write a path the short way, relative to the working directory where it is below."""
    try:
        return str(path).removeprefix(os.path.join(os.getcwd(), ""))
    except OSError:  # the working directory is gone
        return str(path)


def _remedy(golden: Trace, divergence: Divergence, told: Problem | None, *, by_test: bool) -> str:
    if divergence.kind == "not_observed":
        return "let the run show it, or take the expectation out"
    if golden.kind == "incident" and not by_test:
        return "mend the agent: an incident's trace pins what must not happen again"
    if told is not None and told.kind == "unmatched":
        return "mend the agent; if it is right: record again with --agent-record=rewrite, or add it to replay.answers"
    if by_test or golden.expect is not None:
        return f"mend the agent, or change what the {'test' if by_test else 'trace'} expects"
    if told is not None:
        return "mend the agent: it does not come to an end"
    if divergence.kind == "error":
        return "mend the agent; if it is right: write the `error` that it ends in into the trace"
    return "mend the agent; if it is right: accept it with --agent-update"
