"""Alignment: the first place where the calls of a run part from the golden ones.

Both trajectories are walked to the first mismatch. What it is follows from what
remains of both, as multisets, so that one call inserted, left out, changed or
moved is called that:

| | the run's call is too many | it isn't |
| --- | --- | --- |
| the golden call never comes | `arguments` if the tool agrees, else `extra` | `missing` |
| it comes later | `extra` | `order` |

"Too many" is: more such calls remain in the run than in the golden trace. (A call of
another tool that is too many, but that the golden trace still holds, stands for
that one: the golden call before it is `missing`.) A parallel group is one multiset:
its calls come in any order. Nothing here knows of states, outputs or expectations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from pytest_agentreplay.compare import causes
from pytest_agentreplay.compare.calls import Call
from pytest_agentreplay.compare.divergence import Divergence
from pytest_agentreplay.compare.pool import Remainder, arguments, fits, pool_of
from pytest_agentreplay.trace.expect import ArgsMode, Trajectory

_NEAREST_AMONG: Final = 100


@dataclass(frozen=True, slots=True)
class Alignment:
    """How two trajectories go together.

    Attributes:
        divergence: the first place where they part; None where the run is as expected.
        pairs: index of a golden call -> index of the run's call that met it, up to the divergence
            where the order counts.
    """

    divergence: Divergence | None
    pairs: dict[int, int] = field(default_factory=dict)


def align(
    golden: Sequence[Call], run: Sequence[Call], *, trajectory: Trajectory = "strict", args: ArgsMode = "equal"
) -> Alignment:
    """Hold the calls of a run against golden ones.

    Args:
        golden: the expected calls.
        run: the calls that were made.
        trajectory: ``strict``: the same calls in the same order; ``in_order``: the golden ones in their order,
            others between; ``unordered``: the same calls; ``subset``: no others than the golden ones; ``superset``:
            all golden ones, others allowed; ``writes``: the write calls strictly, reads free.
        args: ``equal``; ``subset``: the golden arguments are among the run's; ``ignore``: the tool alone counts.
    """
    return _ALIGN[trajectory](golden, run, args)


def _strict(golden: Sequence[Call], run: Sequence[Call], mode: ArgsMode) -> Alignment:
    pairs: dict[int, int] = {}
    made = 0
    for start, block in _blocks(golden):
        pool = pool_of(block, mode)
        while pool and made < len(run) and pool.take(run[made]):
            made += 1
        pairs.update((index, call.index) for index, call in pool.pairs.items())
        if pool:
            left = pool.left()
            rest = Remainder([*left, *golden[start + len(block) :]], run[made:], mode)
            if made == len(run):
                return Alignment(causes.missing_at_end(left[0], run), pairs)
            instead_of = _instead_of(left, run[made], rest)
            return Alignment(instead_of or causes.extra_call(run[made], golden, run, left[0]), pairs)
    if made < len(run):
        return Alignment(causes.extra_call(run[made], golden, run), pairs)
    return Alignment(None, pairs)


def _instead_of(left: Sequence[Call], call: Call, rest: Remainder) -> Divergence | None:
    """Say what it is that one call of the run comes where the golden calls `left` should; None where it is extra."""
    absent = [one for one in left if rest.never_comes(one)]
    expected = absent[0] if absent else left[0]
    if rest.is_too_many(call):
        alike = [one for one in absent if one.tool == call.tool]
        if alike:
            return causes.other_arguments(_nearest(call, alike), call, rest.mode)
        if not absent or not rest.in_golden(call):
            return None
    if absent:
        return causes.missing(expected, call)
    return causes.out_of_order(expected, call)


def _in_order(golden: Sequence[Call], run: Sequence[Call], mode: ArgsMode) -> Alignment:
    pairs: dict[int, int] = {}
    made = 0
    for start, block in _blocks(golden):
        pool = pool_of(block, mode)
        came = made
        while pool and made < len(run):
            pool.take(run[made])
            made += 1
        pairs.update((index, call.index) for index, call in pool.pairs.items())
        if pool:
            met = set(pairs.values())
            unmet = [call for call in run if call.index not in met]
            left = pool.left()
            rest = Remainder([*left, *golden[start + len(block) :]], unmet, mode)
            later = run[came].index if came < len(run) else len(run)
            return Alignment(_never_in_order(left, rest, later, mode), pairs)
    return Alignment(None, pairs)


def _never_in_order(left: Sequence[Call], rest: Remainder, later: int, mode: ArgsMode) -> Divergence:
    """Say why the first of the golden calls `left` doesn't come at its turn or after it."""
    absent = [one for one in left if rest.never_comes(one)]
    if not absent:
        too_early = next(call for call in rest.run if fits(left[0], call, mode))
        return causes.too_early(left[0], too_early)
    alike = [call for call in rest.run if call.index >= later and call.tool == absent[0].tool]
    changed = [call for call in alike[:_NEAREST_AMONG] if rest.is_too_many(call)]
    if changed:
        return causes.other_arguments(absent[0], _nearest(absent[0], changed), mode)
    return causes.missing(absent[0], None)


def _unordered(golden: Sequence[Call], run: Sequence[Call], mode: ArgsMode) -> Alignment:
    return _as_multisets(golden, run, mode, more=False, fewer=False)


def _subset(golden: Sequence[Call], run: Sequence[Call], mode: ArgsMode) -> Alignment:
    return _as_multisets(golden, run, mode, more=False, fewer=True)


def _superset(golden: Sequence[Call], run: Sequence[Call], mode: ArgsMode) -> Alignment:
    return _as_multisets(golden, run, mode, more=True, fewer=False)


def _as_multisets(golden: Sequence[Call], run: Sequence[Call], mode: ArgsMode, *, more: bool, fewer: bool) -> Alignment:
    pool = pool_of(golden, mode)
    too_many = [call for call in run if not pool.take(call)]
    left = pool.left()
    pairs = {index: call.index for index, call in pool.pairs.items()}
    if too_many and not more:
        alike = [one for one in left if one.tool == too_many[0].tool]
        if alike:
            return Alignment(causes.other_arguments(_nearest(too_many[0], alike), too_many[0], mode), pairs)
        return Alignment(causes.extra_call(too_many[0], golden, run), pairs)
    if left and not fewer:
        changed = [call for call in too_many if call.tool == left[0].tool]
        if changed:
            return Alignment(causes.other_arguments(left[0], _nearest(left[0], changed), mode), pairs)
        return Alignment(causes.missing(left[0], None), pairs)
    return Alignment(None, pairs)


def _writes(golden: Sequence[Call], run: Sequence[Call], mode: ArgsMode) -> Alignment:
    # Groups lose their reads here and stay one multiset.
    return _strict(
        [call for call in golden if call.effect == "write"], [call for call in run if call.effect == "write"], mode
    )


_ALIGN: Final[dict[Trajectory, Callable[[Sequence[Call], Sequence[Call], ArgsMode], Alignment]]] = {
    "strict": _strict,
    "in_order": _in_order,
    "unordered": _unordered,
    "subset": _subset,
    "superset": _superset,
    "writes": _writes,
}


def _blocks(calls: Iterable[Call]) -> Iterator[tuple[int, list[Call]]]:
    """Cut calls into parallel groups, and single calls where they have none: (start, calls)."""
    start = 0
    for _, same in groupby(calls, lambda call: ("alone", call.index) if call.group is None else ("group", call.group)):
        block = list(same)
        yield start, block
        start += len(block)


def _nearest(call: Call, others: Sequence[Call]) -> Call:
    """Return the call that shares the most arguments; the first of equals."""
    given = arguments(call)
    return max(others[:_NEAREST_AMONG], key=lambda other: len(given & arguments(other)))
