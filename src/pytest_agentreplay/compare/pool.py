"""Pools: multisets of golden calls that the calls of a run are taken from.

A call made twice counts twice. Nothing here knows of order or of divergences.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Hashable, Iterable, Sequence

from pytest_agentreplay.compare.calls import Call
from pytest_agentreplay.jsonable import canonical
from pytest_agentreplay.trace.expect import ArgsMode


def signature(call: Call, mode: ArgsMode) -> Hashable:
    """Return what two calls share when they are the same call."""
    return call.tool if mode == "ignore" else (call.tool, call.key)


def arguments(call: Call) -> frozenset[tuple[str, str]]:
    """Return the arguments of a call as a set; a text that was no JSON is one argument."""
    if call.args is None:
        return frozenset({("", call.key)})
    return frozenset((name, canonical(value)) for name, value in call.args.items())


def fits(golden: Call, run: Call, mode: ArgsMode) -> bool:
    """Tell whether a call of the run is the golden one."""
    if signature(golden, mode) == signature(run, mode):
        return True
    return mode == "subset" and golden.tool == run.tool and arguments(golden) <= arguments(run)


class Pool:
    """Golden calls that wait to be met by calls of the run.

    Attributes:
        pairs: index of a golden call -> the call of the run that met it.
    """

    def __init__(self, golden: Iterable[Call], mode: ArgsMode) -> None:
        self._golden = list(golden)
        self._mode = mode
        self._waiting: dict[Hashable, deque[Call]] = defaultdict(deque)
        for call in self._golden:
            self._waiting[signature(call, mode)].append(call)
        self.pairs: dict[int, Call] = {}

    def __len__(self) -> int:
        return len(self._golden) - len(self.pairs)

    def left(self) -> list[Call]:
        """Return the golden calls that nothing met, in their order."""
        return [call for call in self._golden if call.index not in self.pairs]

    def take(self, call: Call) -> bool:
        """Let a call of the run meet a golden one, if one is left for it."""
        waiting = self._waiting.get(signature(call, self._mode))
        if not waiting:
            return False
        self.pairs[waiting.popleft().index] = call
        return True


class SubsetPool(Pool):
    """A pool where a golden call is met by any call that has its arguments among others.

    A call of the run may meet several golden ones, so a pair is given up for
    another where that lets one more call in (augmenting paths, as in Kuhn's
    algorithm for bipartite matching).
    """

    def __init__(self, golden: Iterable[Call], mode: ArgsMode) -> None:
        super().__init__(golden, mode)
        self._wanted = {call.index: arguments(call) for call in self._golden}
        self._met: dict[int, int] = {}  # index of a call of the run -> index of the golden call it met
        self._free: dict[str, dict[int, None]] = defaultdict(dict)
        for call in self._golden:
            self._free[call.tool][call.index] = None

    def take(self, call: Call) -> bool:
        """Let a call of the run meet a golden one, if pairs can be arranged so that one is left for it."""
        free = self._free[call.tool]
        given = arguments(call)
        index = next((index for index in free if self._wanted[index] <= given), None)
        reached_from = {index: call} if index is not None else {}
        if index is None and free:
            index = self._rearranged(call, reached_from)
        if index is None:
            return False
        del free[index]
        self._pair(index, call, reached_from)
        return True

    def _rearranged(self, call: Call, reached_from: dict[int, Call]) -> int | None:
        """Find a free golden call at the end of a chain of pairs that could each be given up for the next."""
        unseen = [golden.index for golden in self._golden if golden.tool == call.tool]
        queue = deque([call])
        while queue and unseen:
            current = queue.popleft()
            given = arguments(current)
            reached = [index for index in unseen if self._wanted[index] <= given]
            unseen = [index for index in unseen if not self._wanted[index] <= given]
            for index in reached:
                reached_from[index] = current
                if index not in self.pairs:
                    return index
                queue.append(self.pairs[index])
        return None

    def _pair(self, index: int, call: Call, reached_from: dict[int, Call]) -> None:
        while True:
            current = reached_from[index]
            given_up = self._met.get(current.index)
            self.pairs[index] = current
            self._met[current.index] = index
            if current is call or given_up is None:
                return
            index = given_up


def pool_of(golden: Iterable[Call], mode: ArgsMode) -> Pool:
    """Make the pool that a way of comparing arguments needs."""
    return SubsetPool(golden, mode) if mode == "subset" else Pool(golden, mode)


class Remainder:
    """What remains of both sides where they part: which calls are too few, which too many."""

    def __init__(self, golden: Sequence[Call], run: Sequence[Call], mode: ArgsMode) -> None:
        self.golden = golden
        self.run = run
        self.mode = mode
        self._golden_counts = Counter(signature(call, mode) for call in golden)
        self._run_counts = Counter(signature(call, mode) for call in run)

    def never_comes(self, golden: Call) -> bool:
        """Tell whether the run has fewer such calls left than the golden trace."""
        have = self._run_counts[signature(golden, self.mode)]
        if self.mode == "subset":
            have = sum(fits(golden, call, self.mode) for call in self.run)
        return have < self._golden_counts[signature(golden, self.mode)]

    def is_too_many(self, run: Call) -> bool:
        """Tell whether the run has more such calls left than the golden trace."""
        return self.in_golden(run) < self._run_counts[signature(run, self.mode)]

    def in_golden(self, run: Call) -> int:
        """Count the golden calls left that a call of the run fits."""
        if self.mode == "subset":
            return sum(fits(call, run, self.mode) for call in self.golden)
        return self._golden_counts[signature(run, self.mode)]
