"""A trace without an agent: its recorded calls go through today's policies, one after the other."""

from __future__ import annotations

from pytest_agentreplay.compare import Divergence, Observed, judge_verdicts_of
from pytest_agentreplay.guards.evaluator import Guard
from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.runtime.guarding import RunGuard
from pytest_agentreplay.trace import ToolStep, Trace, Verdict


def judge_stream(trace: Trace, guard: Guard) -> tuple[dict[str, Verdict], list[Divergence]]:
    """Judge every recorded call by today's policies and hold the verdicts against what the trace expects."""
    verdicts = todays_verdicts(trace, guard)
    return verdicts, judge_verdicts_of(trace, Observed(steps=trace.steps, verdicts=verdicts))


def todays_verdicts(trace: Trace, guard: Guard) -> dict[str, Verdict]:
    """Judge every recorded call of the agent, in order; by address."""
    run = RunGuard(guard, trace.input)
    verdicts: dict[str, Verdict] = {}
    for step in trace.steps:
        if isinstance(step, ToolStep) and step.by_agent:
            told = step.verdict.context if step.verdict is not None and step.verdict.context else {}
            run.tell(MISSING, {name: told[name] for name in ("plan", "retrieved", "external") if name in told})
            args = step.args if step.raw_args is None else {"raw_args": step.raw_args}
            verdicts[step.address] = run.judge(step.tool, args or {}, step.effect)
            run.remember(step)
        else:
            run.note(step)
    return verdicts


def says_of_verdicts(trace: Trace) -> bool:
    """Tell whether a trace expects any verdict at all."""
    if trace.expect is not None:
        return bool(trace.expect.verdicts)
    return any(step.verdict is not None for step in trace.tool_steps)
