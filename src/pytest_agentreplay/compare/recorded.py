"""What was recorded, expected again: trajectory, ending, states, verdicts and output.

Nothing here knows of `expect`.
"""

from __future__ import annotations

from collections import Counter

from pytest_agentreplay.checks import brief
from pytest_agentreplay.compare.alignment import align
from pytest_agentreplay.compare.differences import differences
from pytest_agentreplay.compare.divergence import Divergence, DivergenceKind
from pytest_agentreplay.compare.judgement import Judgement
from pytest_agentreplay.jsonable import MISSING, Value, equal
from pytest_agentreplay.trace import ErrorInfo, StateStep, Step, ToolStep, Verdict
from pytest_agentreplay.trace.expect import ArgsMode, Trajectory


def judge_trajectory(judgement: Judgement, trajectory: Trajectory, args: ArgsMode) -> None:
    """Hold the calls against the golden ones; notes which met which."""
    if judgement.run.as_recorded:
        return
    alignment = align(judgement.golden_calls, judgement.calls, trajectory=trajectory, args=args)
    judgement.pair(alignment.pairs)
    parted = alignment.divergence
    if parted is not None:
        made = parted.run_index
        inside = made is not None and made < len(judgement.calls)
        judgement.add(parted, judgement.calls[made].position if made is not None and inside else None)


def judge_error(judgement: Judgement, *, required: bool) -> None:
    """Fail an exception that left the agent unless it is the recorded one.

    Args:
        judgement: the run.
        required: a recorded exception that doesn't come is a divergence too.
    """
    golden, run = judgement.golden.error, judgement.run.error
    if run is None:
        if golden is not None and required:
            cause = f"the agent ended normally; {_ending(golden)} was recorded"
            judgement.add(Divergence("error", "end", cause, expected=_error(golden)))
    elif golden is None:
        judgement.add(Divergence("error", "end", f"the agent raised {_ending(run)}", actual=_error(run)))
    elif not _same_error(golden, run):
        cause = f"the agent raised {_ending(run)}; {_ending(golden)} was recorded"
        judgement.add(_unequal("error", "end", cause, _error(golden), _error(run)))


def _same_error(golden: ErrorInfo, run: ErrorInfo) -> bool:
    """Compare type and message; a type written without its module is any of that name, no message is any message."""
    run_type = run.type if "." in golden.type else run.type.rpartition(".")[2]
    return golden.type == run_type and ("message" not in golden.model_fields_set or golden.message == run.message)


def _ending(error: ErrorInfo) -> str:
    return f"{error.type}({brief(error.message)})" if error.message else error.type


def _error(error: ErrorInfo) -> Value:
    return {"type": error.type, "message": error.message}


def judge_states(judgement: Judgement) -> None:
    """Hold every golden state against the run's: of a step by the step, a checkpoint by `at` and occurrence."""
    made: Counter[str | None] = Counter()
    checkpoints = {}
    for step in judgement.run.steps:
        if type(step) is StateStep and step.actor is None:
            made[step.at] += 1
            checkpoints[step.at, made[step.at]] = step
    wanted: Counter[str | None] = Counter()
    for golden in judgement.golden.steps:
        if golden.state is MISSING or not _by_agent(golden):
            continue
        if type(golden) is StateStep:
            wanted[golden.at] += 1
            _judge_checkpoint(judgement, golden, checkpoints.get((golden.at, wanted[golden.at])))
        else:
            _judge_state_of_step(judgement, golden)


def _by_agent(step: Step) -> bool:
    return step.by_agent if type(step) is ToolStep else step.actor is None


def _judge_checkpoint(judgement: Judgement, golden: StateStep, made: StateStep | None) -> None:
    if made is not None:
        _judge_state(judgement, golden.address, golden.state, made.state, judgement.moment_of(made.address))
        return
    where = f" at {golden.at!r}" if golden.at else ""
    judgement.not_observed(golden.address, f"the checkpoint{where} never came")


def _judge_state_of_step(judgement: Judgement, golden: Step) -> None:
    address = judgement.address_met(golden.address)
    state = judgement.run.find_state(address)
    if state is not MISSING:
        _judge_state(judgement, golden.address, golden.state, state, judgement.moment_of(address))
    elif type(golden) is not ToolStep or judgement.came(address):  # a call that never came is the trajectory's
        judgement.not_observed(golden.address, f"the state after {golden.address} was not observed")


def _judge_state(judgement: Judgement, address: str, expected: Value, actual: Value, moment: int) -> None:
    actual = judgement.run.in_terms_of(expected, actual)
    if not equal(expected, actual):
        judgement.add(_unequal("state", address, "", expected, actual, at="state"), moment)


def judge_output(judgement: Judgement) -> None:
    """Hold the output against the recorded one."""
    expected = judgement.golden.output
    actual = judgement.run.in_terms_of(expected, judgement.run.output)
    if expected is MISSING or judgement.run.error is not None:  # no output after an exception: that is told as such
        return
    if actual is MISSING:
        judgement.not_observed("end", "the agent's output was not observed")
    elif not equal(expected, actual):
        judgement.add(_unequal("output", "end", "", expected, actual, at="output"))


def judge_verdicts(judgement: Judgement) -> None:
    """Hold today's verdict on every call against the recorded one, before environment and mode cap either."""
    if judgement.run.verdicts is None:
        return
    for golden in judgement.golden.tool_steps:
        address = judgement.address_met(golden.address)
        if golden.verdict is None or not golden.by_agent or not judgement.came(address):
            continue
        today = judgement.run.verdicts.get(address)
        if today is None:
            judgement.not_observed(golden.address, f"no verdict on {golden.address} was observed")
        elif today.effective != golden.verdict.effective:
            judgement.add(_other_verdict(golden.address, golden.verdict, today), judgement.moment_of(address))


def _other_verdict(address: str, golden: Verdict, today: Verdict) -> Divergence:
    was = f"{golden.effective}{_rules(golden)}"
    cause = f"{address} is judged {today.effective}{_rules(today)} where {was} was recorded{_changed(golden, today)}"
    return Divergence("verdict", address, cause, expected=golden.effective, actual=today.effective)


def _rules(verdict: Verdict) -> str:
    named = [one.rule if one.version is None else f"{one.rule} version {one.version}" for one in verdict.findings]
    policy = f" of {verdict.policy}" if verdict.policy else ""
    return f" by {', '.join(named)}{policy}" if named else ""


def _changed(golden: Verdict, today: Verdict) -> str:
    before = {one.rule: one.version for one in golden.findings}
    changes = [
        f"{one.rule} went from version {before[one.rule]} to {one.version}"
        for one in today.findings
        if one.rule in before and before[one.rule] != one.version
    ]
    if not changes and golden.policy and today.policy and golden.policy != today.policy:
        changes = [f"the policy went from {golden.policy} to {today.policy}"]
    return f"; {', '.join(changes)}" if changes else ""


def unexpected_blocks(judgement: Judgement, expected: set[str]) -> None:
    """Fail every block that neither the golden trace nor an expectation wants.

    Args:
        judgement: the run.
        expected: addresses of calls whose block is expected.
    """
    if not any(verdict.decision == "block" for verdict in (judgement.run.verdicts or {}).values()):
        return
    golden_blocks = {step.address for step in judgement.golden.tool_steps if step.by_agent and _blocks(step)}
    same_calls = {(call.tool, call.key) for call in judgement.golden_calls if call.address in golden_blocks}
    for call in judgement.calls:
        verdict = (judgement.run.verdicts or {}).get(call.address)
        if verdict is None or verdict.decision != "block" or call.address in expected | golden_blocks:
            continue
        if (call.tool, call.key) not in same_calls:
            cause = f"{call.address} was blocked{_rules(verdict)}, which nothing expects"
            if verdict.reason:
                cause += f": {verdict.reason}"
            judgement.add(Divergence("verdict", call.address, cause, actual="block"), call.position)


def _blocks(step: ToolStep) -> bool:
    return step.verdict is not None and step.verdict.effective == "block"


def _unequal(
    kind: DivergenceKind, address: str, cause: str, expected: Value, actual: Value, *, at: str = ""
) -> Divergence:
    found = tuple(differences(expected, actual, at=at))
    if not cause:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        cause = f"{found[0]}{more}"
    return Divergence(kind, address, cause, expected=expected, actual=actual, differences=found)
