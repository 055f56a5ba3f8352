"""Judgement: one run held against one golden trace, while it is being judged.

Collects divergences with the moment at which each showed. Nothing here knows
which expectations there are.
"""

from __future__ import annotations

from functools import cached_property

from pytest_agentreplay.checks import Mismatch
from pytest_agentreplay.compare.calls import Call, calls_of
from pytest_agentreplay.compare.divergence import Divergence, DivergenceKind
from pytest_agentreplay.compare.observed import Observed
from pytest_agentreplay.trace import Trace


def trajectories(golden: Trace, run: Observed) -> tuple[list[Call], list[Call]]:
    """Return the calls that a golden trace expects of the agent, and those that it made, as compared."""
    effects = run.all_effects() | golden.tools
    ignored = list(dict.fromkeys([*golden.replay.ignore_args, *run.ignore_args]))
    return (
        calls_of(golden.steps, ignore_args=ignored, with_defaults=run.with_defaults, effects=effects),
        calls_of(run.steps, ignore_args=ignored, with_defaults=run.with_defaults, effects=effects),
    )


class Judgement:
    """One golden trace, one run, and where they were found to part.

    Attributes:
        golden: the golden trace.
        run: what the run showed.
        end: the moment after the last step.
    """

    def __init__(self, golden: Trace, run: Observed) -> None:
        self.golden = golden
        self.run = run
        self.end = len(run.steps)
        self._met: dict[str, str] = {}
        self._moments = {step.address: moment for moment, step in enumerate(run.steps)}
        self._found: list[tuple[int, Divergence]] = []

    @cached_property
    def _trajectories(self) -> tuple[list[Call], list[Call]]:
        return trajectories(self.golden, self.run)

    @property
    def golden_calls(self) -> list[Call]:
        """The calls that the golden trace expects of the agent, as compared."""
        return self._trajectories[0]

    @property
    def calls(self) -> list[Call]:
        """The calls that the agent made, as compared."""
        return self._trajectories[1]

    def moment_of(self, address: str) -> int:
        """Return when a step of the run was taken; the end where it never was."""
        return self._moments.get(address, self.end)

    def came(self, address: str) -> bool:
        """Tell whether the run has a step of that address."""
        return address in self._moments

    def pair(self, pairs: dict[int, int]) -> None:
        """Note which call of the run met which golden one, by their indices."""
        self._met = {self.golden_calls[index].address: self.calls[made].address for index, made in pairs.items()}

    def address_met(self, golden_address: str) -> str:
        """Return the address, in the run, of the step that a golden step stands for."""
        return self._met.get(golden_address, golden_address)

    def add(self, divergence: Divergence, moment: int | None = None) -> None:
        """Note a divergence, and when it showed: at the end if not said."""
        self._found.append((self.end if moment is None else moment, divergence))

    def mismatch(self, kind: DivergenceKind, address: str, mismatch: Mismatch, moment: int | None = None) -> None:
        """Note that a check doesn't hold."""
        cause = str(mismatch)
        self.add(Divergence(kind, address, cause, expected=mismatch.expected, actual=mismatch.actual), moment)

    def not_observed(self, address: str, cause: str) -> None:
        """Note that an expectation needs what nothing saw."""
        self.add(Divergence("not_observed", address, cause))

    def too_many(self, call: Call, cause: str) -> None:
        """Note a call that is one too many."""
        self.add(Divergence("extra", call.address, cause, actual=call.to_dict(), run_index=call.index), call.position)

    def divergences(self) -> list[Divergence]:
        """Return what was found, what showed first first."""
        return [divergence for _, divergence in sorted(self._found, key=lambda found: found[0])]
