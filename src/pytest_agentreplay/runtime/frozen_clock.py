"""The frozen clock: for the agent, time stands still between its calls and moves as it was recorded.

Only what the agent itself does finds it so: real tools, the boundary's own timers and
whatever else runs in the process have the real time. The one door to time-machine.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from pytest_agentreplay.errors import SettingsError
from pytest_agentreplay.runtime import lineage
from pytest_agentreplay.runtime.observed_calls import ObservedCall
from pytest_agentreplay.trace import ToolStep, Trace

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class FrozenClock:
    """The clock of one run.

    Args:
        start: the time that it shows first; local time has its offset.
        moments: the time after each recorded call, by its address; None while a recording is made.
    """

    def __init__(self, start: datetime, moments: Mapping[str, datetime] | None) -> None:
        self._machine = _time_machine()
        self._now = start
        self._zone = start.tzinfo
        self._moments = moments
        self._began: dict[int, datetime] = {}
        self._ns = 0
        self._show(start)

    def freeze(self) -> None:
        """Stop the clock."""
        self._outer_zone = _set_zone(_posix_zone(self._now))
        self._travel = self._machine.travel(self._now, tick=False)
        self._travel.start().time_ns = self._time_ns  # asked by every clock of Python, each time

    def thaw(self) -> None:
        """Let everybody have the real time again."""
        self._travel.stop()
        _set_zone(self._outer_zone)

    def begin_call(self, call: ObservedCall) -> None:
        """Note when a call begins that is recorded."""
        if self._moments is None:
            self._began[call.index] = self._now
            call.started_at = write_time(self._now.astimezone(UTC))

    def end_call(self, call: ObservedCall) -> None:
        """Move to where the recorded clock stood after a call; while recording, to the real time."""
        if self._moments is None:
            self._show(max(self._now, self._real_now()))
            call.duration_ms = (self._now - self._began.pop(call.index)) // _MILLISECOND
        elif call.golden is not None and call.golden.address in self._moments:
            self._show(max(self._now, self._moments[call.golden.address]))

    def _show(self, now: datetime) -> None:
        self._now = now
        self._ns = (now - _EPOCH) // timedelta(microseconds=1) * 1000

    def _time_ns(self) -> int:
        mark = lineage.current_mark()
        is_agent = mark is not None and not mark.is_aside
        return self._ns if is_agent else self._machine.escape_hatch.time.time_ns()

    def _real_now(self) -> datetime:
        return in_milliseconds(datetime.fromtimestamp(self._machine.escape_hatch.time.time(), self._zone))


def recorded_start(golden: Trace) -> datetime:
    """Find when a recorded run began.

    Raises:
        SettingsError: when its trace doesn't say.
    """
    said = golden.run.recorded_at if golden.run is not None else None
    if said is None:
        raise SettingsError(
            "the trace doesn't say when it was recorded, so time can't be frozen to it",
            trace=_name(golden),
            next="write run.recorded_at into it, or record it again with --agent-record=rewrite",
        )
    start = read_time(said, "run.recorded_at", golden)
    first = next((step.started_at for step in golden.tool_steps if step.started_at), None)
    return start if first is None else min(start, read_time(first, "its first call", golden).astimezone(start.tzinfo))


def recorded_moments(golden: Trace, calls: Sequence[ToolStep]) -> dict[str, datetime]:
    """Find the time after each call: when the next one began, else when it was done; left out where nothing says."""
    began = [read_time(call.started_at, call.address, golden) if call.started_at else None for call in calls]
    moments: dict[str, datetime] = {}
    for call, start, following in zip(calls, began, [*began[1:], None], strict=False):
        if following is not None:
            moments[call.address] = following
        elif start is not None:
            moments[call.address] = start + timedelta(milliseconds=round(call.duration_ms or 0))
    return moments


def read_time(text: str, what: str, golden: Trace) -> datetime:
    """Read a time of a trace; UTC where it names no offset.

    Raises:
        SettingsError: when it is none.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(
            f"{what} has the time {text!r}, which is none",
            trace=_name(golden),
            next="write it as 2026-05-04T02:11:09Z",
        ) from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def write_time(moment: datetime) -> str:
    """Write a time as traces do, to the millisecond."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def in_milliseconds(moment: datetime) -> datetime:
    """Cut a time to what a trace can hold."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _time_machine() -> Any:
    try:
        import time_machine
    except ModuleNotFoundError:
        raise SettingsError(
            "freezing time needs time-machine, which is not installed",
            next="pip install 'time-machine>=3', or this package with its extra `freeze`",
        ) from None
    if hasattr(time_machine.escape_hatch.time, "monotonic"):  # older ones freeze that too, and event loops hang
        raise SettingsError("freezing time needs time-machine 3 or newer", next="pip install 'time-machine>=3'")
    return time_machine


def _name(golden: Trace) -> str:
    return str(golden.path) if golden.path is not None else golden.name


def _posix_zone(moment: datetime) -> str:
    """Write an offset as the variable TZ takes it, whose sign is the other way round."""
    offset = moment.utcoffset() or timedelta()
    name = timezone(offset).tzname(None).removeprefix("UTC").replace(":", "") or "UTC"
    minutes = -offset // timedelta(minutes=1)
    sign = "-" if minutes < 0 else ""
    return f"<{name}>{sign}{abs(minutes) // 60}:{abs(minutes) % 60:02}"


def _set_zone(zone: str | None) -> str | None:
    """Set the local time zone; gives the one before. Where Python can't (Windows), local time stays as it is."""
    before = os.environ.get("TZ")
    if not hasattr(time, "tzset"):
        return before
    if zone is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = zone
    time.tzset()
    return before
