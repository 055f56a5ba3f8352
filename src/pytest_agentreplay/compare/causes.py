"""Causes: divergences of calls, and the sentence that says why.

Nothing here knows how a divergence is found.
"""

from __future__ import annotations

from collections.abc import Sequence

from pytest_agentreplay.compare.calls import Call, render_value
from pytest_agentreplay.compare.differences import Difference, differences
from pytest_agentreplay.compare.divergence import Divergence
from pytest_agentreplay.trace.expect import ArgsMode


def other_arguments(golden: Call, run: Call, mode: ArgsMode = "equal") -> Divergence:
    """Say that a recorded call was made with other arguments."""
    found = _argument_differences(golden, run, mode)
    return Divergence(
        kind="arguments",
        address=golden.address,
        cause=f"{golden.tool} was called {_with(found)}",
        expected=golden.to_dict(),
        actual=run.to_dict(),
        differences=tuple(found),
        golden_index=golden.index,
        run_index=run.index,
    )


def extra_call(run: Call, golden: Sequence[Call], made: Sequence[Call], instead_of: Call | None = None) -> Divergence:
    """Say that a call was made that the recording doesn't have there.

    Args:
        run: the call.
        golden: all golden calls.
        made: all calls of the run.
        instead_of: the golden call that was expected in its place.
    """
    recorded = sum((call.tool, call.key) == (run.tool, run.key) for call in golden)
    nth = sum((call.tool, call.key) == (run.tool, run.key) for call in made if call.index <= run.index)
    if recorded and nth > recorded:
        such = f"{recorded} such call{'s' * (recorded > 1)}"
        cause = f"{run} was already made {_times(nth - 1)}: the recording has {such}, this is the {_ordinal(nth)}"
    elif instead_of is not None:
        cause = f"{run} was called where {instead_of} was recorded"
    else:
        cause = f"{run} was called, and the recording has no such call" + (" left" if recorded else "")
    past_end = golden[-1].index + 1 if golden else 0
    return Divergence(
        kind="extra",
        address=run.address,
        cause=cause,
        actual=run.to_dict(),
        golden_index=instead_of.index if instead_of else past_end,
        run_index=run.index,
    )


def missing(golden: Call, instead: Call | None) -> Divergence:
    """Say that a recorded call never came, and what the run went on with."""
    cause = f"{golden} was never called" + (f"; the run went on with {instead}" if instead else "")
    index = instead.index if instead else None
    return Divergence(
        "missing", golden.address, cause, expected=golden.to_dict(), golden_index=golden.index, run_index=index
    )


def missing_at_end(golden: Call, run: Sequence[Call]) -> Divergence:
    """Say that the run ended before a recorded call."""
    after = f" after {run[-1].address or run[-1]}" if run else " without a call"
    cause = f"the run ended{after}; {golden} was recorded next"
    last = run[-1].index + 1 if run else 0
    return Divergence(
        "missing", golden.address, cause, expected=golden.to_dict(), golden_index=golden.index, run_index=last
    )


def out_of_order(golden: Call, run: Call) -> Divergence:
    """Say that a call was made before one that was recorded first."""
    cause = f"{run} was called before {golden}, which was recorded first"
    return _order(golden, run, cause)


def too_early(golden: Call, run: Call) -> Divergence:
    """Say that a recorded call was made, but before its turn."""
    return _order(golden, run, f"{golden} was called before the calls that were recorded before it")


def _order(golden: Call, run: Call, cause: str) -> Divergence:
    return Divergence(
        "order",
        golden.address,
        cause,
        expected=golden.to_dict(),
        actual=run.to_dict(),
        golden_index=golden.index,
        run_index=run.index,
    )


def _argument_differences(golden: Call, run: Call, mode: ArgsMode) -> list[Difference]:
    if golden.args is None or run.args is None:
        sides = (call.raw_args if call.args is None else call.args for call in (golden, run))
        return differences(*sides, at="args")
    given = run.args
    if mode == "subset":
        given = {name: value for name, value in given.items() if name in golden.args}
    return differences(golden.args, given, at="args")


def _with(found: list[Difference]) -> str:
    if not found:
        return "with other arguments"
    first = found[0]
    name = first.path.removeprefix("args").lstrip(".")
    expected, actual = render_value(first.expected), render_value(first.actual)
    if not name:
        text = f"with {actual} where {expected} was recorded"
    elif first.kind == "added":
        text = f"with {name} {actual}, which was not recorded"
    elif first.kind == "removed":
        text = f"without {name}, which was recorded as {expected}"
    else:
        text = f"with {name} {actual} where {expected} was recorded"
    others = len(found) - 1
    return text + (f" (and {others} more difference{'s' * (others > 1)})" if others else "")


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
