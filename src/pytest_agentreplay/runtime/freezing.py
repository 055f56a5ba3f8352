"""Freezing: time, random numbers and ids of a run are those of its recording.

A recording is made under the same conditions as its replays: the agent's clock
stands still between its calls, and what is drawn follows from the moment when
the run began, which the trace holds. Nothing here knows when a run begins.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import datetime
from typing import Final, Literal, TypeAlias

from pytest_agentreplay.errors import SettingsError
from pytest_agentreplay.runtime import lineage
from pytest_agentreplay.runtime.frozen_chance import FrozenIds, FrozenRandom
from pytest_agentreplay.runtime.frozen_clock import (
    FrozenClock,
    in_milliseconds,
    recorded_moments,
    recorded_start,
    write_time,
)
from pytest_agentreplay.runtime.observed_calls import ObservedCall
from pytest_agentreplay.trace import Trace

Subject: TypeAlias = Literal["time", "random", "ids"]
SUBJECTS: Final[tuple[Subject, ...]] = ("time", "random", "ids")


class Frozen:
    """What is frozen in one run.

    Args:
        subjects: what is.
        golden: the recording; None while the first one is made.
        name: stands for the time of the recording where the trace doesn't say it.
        recording: real tools run, and what the agent finds is recorded.

    Attributes:
        began_at: when the run that is recorded began; None in a replay.

    Raises:
        SettingsError: when the recording doesn't say what time it was, or time-machine is not installed.
    """

    def __init__(self, subjects: frozenset[Subject], golden: Trace | None, name: str, *, recording: bool) -> None:
        self._subjects = subjects
        self._golden = golden
        self._recording = recording
        self._name = name
        self._clock: FrozenClock | None = None
        self._random: FrozenRandom | None = None
        self.began_at: str | None = None
        if "time" in subjects:  # what it lacks is said before the run begins
            self._clock = self._make_clock(_now())

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Freeze the world for the code of the run, until it is over."""
        began = _now()
        self.began_at = write_time(began) if self._recording else None
        if "time" in self._subjects:
            self._clock = self._make_clock(began)
        self._random = FrozenRandom(self._seed()) if "random" in self._subjects else None
        ids = FrozenIds(self._origin()) if "ids" in self._subjects else None
        with ExitStack() as scope:
            for part in (self._clock, self._random, ids):
                if part is not None:
                    part.freeze()
                    scope.callback(part.thaw)
            yield

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Mark the code inside as a real tool's, which finds the world as it is."""
        with lineage.outside(), self._random.aside() if self._random is not None else nullcontext():
            yield

    def begin_call(self, call: ObservedCall) -> None:
        """Note on a call that is recorded when it began."""
        if self._clock is not None:
            self._clock.begin_call(call)

    def end_call(self, call: ObservedCall) -> None:
        """Let time go on, now that a call has its outcome."""
        if self._clock is not None:
            self._clock.end_call(call)

    def _make_clock(self, began: datetime) -> FrozenClock:
        if self._recording or self._golden is None:
            return FrozenClock(began, None)
        calls = [step for step in self._golden.tool_steps if step.by_agent]
        return FrozenClock(recorded_start(self._golden), recorded_moments(self._golden, calls))

    def _origin(self) -> str:
        """Give what differs from recording to recording, and not from replay to replay."""
        run = self._golden.run if self._golden is not None else None
        return self.began_at or (run.recorded_at if run is not None else None) or self._name

    def _seed(self) -> int:
        model = self._golden.run.model if self._golden is not None and self._golden.run is not None else None
        if model is not None and model.seed is not None:
            return model.seed
        return int.from_bytes(hashlib.sha256(self._origin().encode()).digest()[:8])


def _now() -> datetime:
    return in_milliseconds(datetime.now().astimezone())


def parse_subjects(given: bool | str | Iterable[str] | None, where: str) -> frozenset[Subject]:
    """Read what is to be frozen: ``True`` or ``all`` for everything, names, or nothing.

    Raises:
        SettingsError: for a name that stands for nothing.
    """
    if isinstance(given, bool) or given is None:
        return frozenset(SUBJECTS if given else ())
    names = given.split() if isinstance(given, str) else list(given)
    known = {str(name): frozenset([name]) for name in SUBJECTS} | {"all": frozenset(SUBJECTS)}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, 1)
            details = {"closest": near[0]} if near else {}
            raise SettingsError(
                f"{where} can't freeze {name!r}", **details, next=f"name some of {', '.join(SUBJECTS)}, or all"
            )
    return frozenset().union(*(known[name] for name in names))
