"""The frozen clock: the agent's time is that of the recording, everybody else's is the real one."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from pytest_agentreplay.errors import SettingsError
from pytest_agentreplay.runtime import lineage
from pytest_agentreplay.runtime.observed_calls import ObservedCall
from pytest_agentreplay.tools.spec import ToolSpec
from pytest_agentreplay.trace import Trace

pytest.importorskip("time_machine")  # the extra `freeze`

from pytest_agentreplay.runtime.frozen_clock import FrozenClock, recorded_moments, recorded_start

START = datetime(2026, 5, 4, 2, 11, 9, 123000, tzinfo=UTC)


def _trace(steps, recorded_at="2026-05-04T02:11:09Z"):
    return Trace.model_validate(
        {"run": {"recorded_at": recorded_at}, "steps": [{"tool": "a", **step} for step in steps]}
    )


def _call(index, golden=None):
    spec = ToolSpec("a", print, kind="function")
    return ObservedCall(index, spec, {}, "", "write", "", golden=golden)


@pytest.fixture
def freeze():
    """Freezes clocks, and thaws them after the test."""
    clocks = []

    def freeze(clock):
        clocks.append(clock)
        clock.freeze()
        return clock

    with lineage.Lineage().entered():
        yield freeze
        for clock in reversed(clocks):
            clock.thaw()


def test_the_agent_finds_every_clock_at_the_start(freeze):
    """However it asks; and it stays so."""
    freeze(FrozenClock(START, {}))
    time.sleep(0.002)

    assert datetime.now(UTC) == START
    assert time.time() == START.timestamp()
    assert time.time_ns() == 1777860669123000000
    assert time.gmtime()[:6] == (2026, 5, 4, 2, 11, 9)


def test_only_the_agent_does(freeze):
    """A real tool has the real time, and so has what a test times with."""
    freeze(FrozenClock(START, {}))
    before = time.monotonic()
    time.sleep(0.002)

    assert time.monotonic() > before
    with lineage.outside():
        assert abs(datetime.now(UTC) - START) > timedelta(days=1)
    with lineage.carrying(None):
        assert abs(datetime.now(UTC) - START) > timedelta(days=1)


@pytest.mark.parametrize("hours", [0, 5.75, -3.5, 14, -11])
def test_local_time_has_the_offset_of_the_start(hours, freeze):
    """Whatever the machine's time zone is."""
    offset = timezone(timedelta(hours=hours))
    freeze(FrozenClock(START.astimezone(offset), {}))

    assert datetime.now() == START.astimezone(offset).replace(tzinfo=None)
    assert datetime.now().astimezone().utcoffset() == timedelta(hours=hours)


def test_all_is_put_back():
    """The time and the time zone."""
    zone, names = os.environ.get("TZ"), time.tzname
    clock = FrozenClock(START, {})
    with lineage.Lineage().entered():
        clock.freeze()
        clock.thaw()
        now = datetime.now(UTC)

    assert abs(now - START) > timedelta(days=1)
    assert (os.environ.get("TZ"), time.tzname) == (zone, names)


def test_a_replayed_clock_moves_as_the_recorded_one(freeze):
    """To the start of the next call, after the last one to its end; never back, and not where nothing is known."""
    golden = _trace(
        [
            {"started_at": "2026-05-04T02:11:10Z"},
            {"started_at": "2026-05-04T02:11:12Z"},
            {},
            {"started_at": "2026-05-04T02:11:11Z", "duration_ms": 2250},
        ]
    )
    clock = freeze(FrozenClock(recorded_start(golden), recorded_moments(golden, golden.tool_steps)))
    seconds = [datetime.now().second]
    for index, step in enumerate([*golden.tool_steps[:2], None, *golden.tool_steps[2:]]):
        call = _call(index, step)
        clock.begin_call(call)
        clock.end_call(call)
        seconds.append(datetime.now().second)

    assert seconds == [9, 12, 12, 12, 12, 13]
    assert (call.started_at, call.duration_ms) == (None, None)


def test_a_recording_clock_notes_what_it_showed(freeze):
    """In milliseconds, so that a trace can hold it exactly."""
    now = datetime.now(UTC)
    clock = freeze(FrozenClock(now.replace(microsecond=0), None))
    first, second = _call(0), _call(1)
    clock.begin_call(first)
    clock.begin_call(second)
    time.sleep(0.003)
    clock.end_call(second)
    time.sleep(0.003)
    clock.end_call(first)

    assert first.started_at == second.started_at == now.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert first.duration_ms is not None
    assert second.duration_ms is not None
    assert first.duration_ms >= second.duration_ms + 3 >= 6
    assert datetime.now(UTC) == now.replace(microsecond=0) + timedelta(milliseconds=first.duration_ms)


def test_a_run_starts_with_its_first_call_at_the_latest():
    """Some recordings say when they were made at their end."""
    golden = _trace([{"started_at": "2026-05-04T04:11:00"}], recorded_at="2026-05-04T09:11:09+02:00")

    assert recorded_start(golden) == datetime(2026, 5, 4, 4, 11, tzinfo=UTC)
    assert recorded_start(golden).utcoffset() == timedelta(hours=2)


@pytest.mark.parametrize("steps", [[], [{}], [{"duration_ms": 3}]])
def test_traces_that_say_little_are_fine(steps):
    """The clock then stands at the start to the end."""
    golden = _trace(steps)

    assert recorded_moments(golden, golden.tool_steps) == {}


@pytest.mark.parametrize(
    ("trace", "told"),
    [
        (Trace(), "doesn't say when it was recorded"),
        (_trace([], recorded_at="noon"), "run.recorded_at has the time 'noon'"),
        (_trace([{"started_at": "soon"}]), "its first call has the time 'soon'"),
    ],
)
def test_a_time_that_is_none_is_refused(trace, told):
    """With the place where it stands."""
    with pytest.raises(SettingsError, match=told):
        recorded_start(trace)
