"""Expectations: whether a run did what its golden trace expects of it.

With no `expect` everything recorded is expected; with one, exactly what it lists,
and that no exception leaves the agent and no call is blocked unexpectedly. Nothing
here knows how a run came about, or how a failure is told.
"""

from __future__ import annotations

from pytest_agentreplay.checks import check_at, compile_check
from pytest_agentreplay.compare.counts import judge_budget, judge_calls, judge_order, judge_repeats
from pytest_agentreplay.compare.divergence import Divergence
from pytest_agentreplay.compare.judgement import Judgement
from pytest_agentreplay.compare.messages import judge_messages
from pytest_agentreplay.compare.observed import Observed
from pytest_agentreplay.compare.recorded import (
    judge_error,
    judge_output,
    judge_states,
    judge_trajectory,
    judge_verdicts,
    unexpected_blocks,
)
from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.trace import Decision, Expect, StateCheck, ToolStep, Trace, tool_address


def judge(expect: Expect | None, golden: Trace, run: Observed) -> list[Divergence]:
    """Judge a run by its golden trace.

    Args:
        expect: what is expected; everything recorded if None. Give the trace's own, or what stands in for it.
        golden: the golden trace.
        run: what the run showed.

    Returns:
        Every divergence, what showed first first; none if the run is as expected.
    """
    judgement = Judgement(golden, run)
    judge_error(judgement, required=expect is None)  # first, since what never came after it is its consequence
    if expect is None:
        judge_trajectory(judgement, "strict", "equal")
        judge_verdicts(judgement)
        judge_states(judgement)
        judge_output(judgement)
        unexpected_blocks(judgement, {one.address for one in judgement.divergences() if one.kind == "verdict"})
    else:
        _judge_listed(judgement, expect)
    return judgement.divergences()


def judge_verdicts_of(golden: Trace, run: Observed) -> list[Divergence]:
    """Judge verdicts alone: those that `expect` lists, or without one those that were recorded."""
    judgement = Judgement(golden, run)
    if golden.expect is None:
        judge_verdicts(judgement)
    else:
        _judge_expected_verdicts(judgement, golden.expect.verdicts or {})
    return judgement.divergences()


def _judge_listed(judgement: Judgement, expect: Expect) -> None:
    if expect.trajectory is not None:
        judge_trajectory(judgement, expect.trajectory, expect.args or "equal")
    judge_calls(judgement, expect.calls or {})
    judge_order(judgement, expect.order or [])
    judge_repeats(judgement, expect.no_repeats)
    for state_check in expect.state or []:
        _judge_state_check(judgement, state_check)
    blocks = _judge_expected_verdicts(judgement, expect.verdicts or {})
    unexpected_blocks(judgement, blocks)
    if expect.expects("output"):
        _judge_output_check(judgement, expect)
    if expect.expects("messages"):
        judge_messages(judgement, expect.messages)
    judge_budget(judgement, expect.budget)


def _judge_state_check(judgement: Judgement, expected: StateCheck) -> None:
    address = expected.after
    if address != "end" and not judgement.came(address):
        judgement.not_observed(address, f"the run has no {address}, so no state after it")
        return
    state = judgement.run.find_state(address)
    if state is MISSING:
        judgement.not_observed(address, f"the state after {address} was not observed")
        return
    check = compile_check(expected.check)
    mismatch = check.test(state) if expected.path is None else check_at(check, state, expected.path)
    if mismatch is not None:
        judgement.mismatch("state", address, mismatch, judgement.moment_of(address))


def _judge_expected_verdicts(judgement: Judgement, expected: dict[str, Decision]) -> set[str]:
    """Hold verdicts against expected ones; returns the addresses that this leaves nothing more to say of."""
    verdicts = judgement.run.verdicts
    settled: set[str] = set()
    if verdicts is None:
        return settled
    for name, decision in expected.items():
        addresses = _addresses(judgement, name)
        if not addresses:
            judgement.not_observed(name, f"{name} was never called, so it has no verdict; {decision} was expected")
        for address in addresses:
            settled.add(address)
            today = verdicts.get(address)
            if today is None:
                judgement.not_observed(address, f"no verdict on {address} was observed; {decision} was expected")
            elif today.effective != decision:
                reason = f" ({today.reason})" if today.reason else ""
                cause = f"{address} is judged {today.effective}{reason}; {decision} was expected"
                parted = Divergence("verdict", address, cause, expected=decision, actual=today.effective)
                judgement.add(parted, judgement.moment_of(address))
    return settled


def _addresses(judgement: Judgement, name: str) -> list[str]:
    """Return the calls that a name stands for: one by its address, or all that the agent made of a tool."""
    tools = [step for step in judgement.run.steps if type(step) is ToolStep]
    exact = [step.address for step in tools if step.address == name]
    return exact or [step.address for step in tools if step.by_agent and name in (step.tool, tool_address(step.tool))]


def _judge_output_check(judgement: Judgement, expect: Expect) -> None:
    run = judgement.run
    if run.error is not None:  # no output after an exception: that is told as such, unless it was recorded
        if judgement.golden.error is not None:
            judgement.not_observed("end", "the agent raised, so it has no output to check")
    elif run.output is MISSING:
        judgement.not_observed("end", "the agent's output was not observed")
    elif (mismatch := compile_check(expect.output).test(run.output)) is not None:
        judgement.mismatch("output", "end", mismatch)
