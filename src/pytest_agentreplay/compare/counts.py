"""Counts and order: how often tools are called, in which order, and at what expense.

Nothing here knows of the recorded trajectory.
"""

from __future__ import annotations

from itertools import pairwise

from pytest_agentreplay.checks import check_at, compile_check
from pytest_agentreplay.compare.calls import Call, calls_of
from pytest_agentreplay.compare.divergence import Divergence
from pytest_agentreplay.compare.judgement import Judgement
from pytest_agentreplay.trace import Budget, CallLimit


def judge_calls(judgement: Judgement, limits: dict[str, CallLimit]) -> None:
    """Hold the number of calls of each tool against its limits."""
    if not limits:
        return
    # With the arguments that comparing ignores: a limit may be about just those.
    calls = calls_of(judgement.run.steps, with_defaults=judgement.run.with_defaults)
    for tool, limit in limits.items():
        _judge_limit(judgement, tool, limit, _counted(calls, tool, limit))


def _counted(calls: list[Call], tool: str, limit: CallLimit) -> list[Call]:
    checks = [(path, compile_check(spec)) for path, spec in (limit.args or {}).items()]
    return [
        call
        for call in calls
        if call.tool == tool and all(check_at(check, call.args or {}, path) is None for path, check in checks)
    ]


def _judge_limit(judgement: Judgement, tool: str, limit: CallLimit, counted: list[Call]) -> None:
    most = limit.max if limit.exactly is None else limit.exactly
    least = limit.min if limit.exactly is None else limit.exactly
    such = f"{tool} with such arguments" if limit.args else tool
    if most is not None and len(counted) > most:
        allowed = f"at most {_calls(most)}" if most else "no call"
        cause = f"{such} was called {_calls(len(counted), 'time')}; {allowed} of it was expected"
        judgement.too_many(counted[most], cause)
    if least is not None and len(counted) < least:
        cause = f"{such} was called {_calls(len(counted), 'time')}; at least {_calls(least)} of it was expected"
        judgement.add(Divergence("missing", tool, cause, expected=least, actual=len(counted)))


def _calls(count: int, word: str = "call") -> str:
    return f"{count} {word}{'s' * (count != 1)}"


def judge_order(judgement: Judgement, chains: list[list[str]]) -> None:
    """Hold the first call of each tool against the first of the next one named; a tool that never comes is missing."""
    if not chains:
        return
    first: dict[str, Call] = {}
    for call in judgement.calls:
        first.setdefault(call.tool, call)
    for chain in chains:
        for tool in chain:
            if tool not in first:
                after = " -> ".join(chain)
                judgement.add(Divergence("missing", tool, f"{tool} was never called; the order {after} was expected"))
        made = [first[tool] for tool in chain if tool in first]
        for before, after_it in pairwise(made):
            if before.index > after_it.index:
                cause = f"{after_it.address} came before {before.address}; {' -> '.join(chain)} was expected"
                judgement.add(_out_of_order(before, after_it, cause), after_it.position)
                break


def _out_of_order(expected: Call, came: Call, cause: str) -> Divergence:
    return Divergence(
        "order", came.address, cause, expected=expected.to_dict(), actual=came.to_dict(), run_index=came.index
    )


def judge_repeats(judgement: Judgement, most: int | None) -> None:
    """Fail the first call that is made identically too often in a row."""
    if most is None:
        return
    in_a_row = 0
    last: tuple[str, str] | None = None
    for call in judgement.calls:
        in_a_row = in_a_row + 1 if (call.tool, call.key) == last else 1
        last = (call.tool, call.key)
        if in_a_row > most:
            cause = f"{call} was made {in_a_row} times in a row; at most {most} was expected"
            judgement.too_many(call, cause)
            return


def judge_budget(judgement: Judgement, budget: Budget | None) -> None:
    """Hold what the run used against its budget."""
    if budget is None:
        return
    made = judgement.calls
    if budget.tool_calls is not None and len(made) > budget.tool_calls:
        breaking = made[budget.tool_calls]
        cause = f"the run made {_calls(len(made), 'tool call')}; the budget is {budget.tool_calls}"
        parted = Divergence("budget", breaking.address, cause, budget.tool_calls, len(made), run_index=breaking.index)
        judgement.add(parted, breaking.position)
    run = judgement.run
    _judge_use(judgement, "model calls", budget.model_calls, run.model_calls)
    _judge_use(judgement, "input tokens", budget.input_tokens, run.input_tokens)
    _judge_use(judgement, "output tokens", budget.output_tokens, run.output_tokens)


def _judge_use(judgement: Judgement, what: str, most: int | None, used: int | None) -> None:
    if most is None:
        return
    if used is None:
        judgement.not_observed("end", f"the {what} were not observed; the budget is {most}")
    elif used > most:
        judgement.add(Divergence("budget", "end", f"the run used {used} {what}; the budget is {most}", most, used))
