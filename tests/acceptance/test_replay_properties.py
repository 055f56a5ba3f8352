"""Any sequence of calls replays against its own recording, and a one-call mutation of it never passes."""

from __future__ import annotations

import asyncio
import math
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_agentreplay import UnrecordedCallError, load_trace, tool
from pytest_agentreplay.api.guarding import SessionGuards
from pytest_agentreplay.api.recording import keep, record_trace
from pytest_agentreplay.api.replaying import ActiveRun
from pytest_agentreplay.api.sessions import SessionMaker
from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.redaction import Redactor

REDACTOR = Redactor()


class DeclinedError(Exception):
    """A user's exception, with a constructor that needs more than a message."""

    def __init__(self, code, /, *, reason):
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


@dataclass
class World:
    """What the real tools answer, by call, while a recording is made; none may run in a replay."""

    outcomes: dict = field(default_factory=dict)
    barrier: threading.Barrier | None = None
    is_open: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, name, args):
        assert self.is_open, f"a real {name} ran in replay"
        with self.lock:
            outcome = self.outcomes[spell((name, args))].pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


WORLD = World()


@tool(effect="read")
def look(topic, depth=1):
    if WORLD.barrier is not None:
        WORLD.barrier.wait(5)
    return WORLD.answer("look", {"topic": topic, "depth": depth})


@tool(effect="write")
def store(topic, depth=1):
    if WORLD.barrier is not None:
        WORLD.barrier.wait(5)
    return WORLD.answer("store", {"topic": topic, "depth": depth})


@tool(effect="write", name="asend")
async def send(topic, depth=1):
    await asyncio.sleep(0)
    return WORLD.answer("asend", {"topic": topic, "depth": depth})


KNOWN = (ValueError, KeyError, OSError, DeclinedError, UnrecordedCallError)
PLAIN = {"look": look, "store": store, "asend": lambda **args: asyncio.run(send(**args))}

TEXTS = st.text(max_size=6) | st.sampled_from(
    ["", " ", "a: b", "- x", "null", "1e3", "|\n", "\ud800", "é\x85\u2028", "$type"]
)
ATOMS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([2**63, -(2**70), 0.1, 2.0, -0.0, math.inf, -math.inf, math.nan, 1e300])
    | TEXTS
    | st.binary(max_size=4)
)
VALUES = st.recursive(
    ATOMS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)
ERRORS = st.one_of(
    st.builds(ValueError, TEXTS),
    st.builds(KeyError, TEXTS),
    st.builds(TimeoutError),
    st.builds(OSError, st.just(2), TEXTS),
    st.builds(DeclinedError, st.integers(0, 5), reason=TEXTS),
)
# Few topics, so that calls repeat.
TOPICS = st.sampled_from([0, 1, True, "1", "a", None, [1, {"b": None}], b"a", math.nan])
CALLS = st.tuples(st.sampled_from(["look", "store", "asend"]), TOPICS, st.sampled_from([MISSING, 1, 2]))
GROUPED = st.tuples(st.sampled_from(["look", "store"]), TOPICS, st.sampled_from([MISSING, 1, 2]))
BLOCKS = st.lists(st.tuples(CALLS) | st.lists(GROUPED, min_size=2, max_size=3).map(tuple), max_size=5)


def spell(value):
    """A text that is equal for equal JSON values: numbers by value, booleans apart, NaN equal to itself."""
    if isinstance(value, bool) or value is None:
        return repr(value)
    if isinstance(value, int | float):
        return (
            "nan"
            if value != value
            else f"n{int(value)}"
            if value not in (math.inf, -math.inf) and value == int(value)
            else repr(value)
        )
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(spell, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(sorted(f"{key!r}:{spell(item)}" for key, item in value.items())) + "}"
    return repr(value)


def spelled(call):
    """A call as `spell` has it, defaults filled in."""
    name, topic, depth = call
    return spell((name, {"topic": topic, "depth": 1 if depth is MISSING else depth}))


def make(call):
    """Make a call and tell how it came out."""
    name, topic, depth = call
    args = {"topic": topic} if depth is MISSING else {"depth": depth, "topic": topic}
    try:
        return ["ok", PLAIN[name](**args)]
    except KNOWN as error:
        return [type(error).__name__, str(error), getattr(error, "code", None)]


def agent(blocks, *, reverse=False):
    """Make all calls, those of one block in parallel, and give every answer back."""
    answers = []
    for block in blocks:
        block = list(reversed(block)) if reverse else block
        if len(block) == 1:
            answers.append(make(block[0]))
            continue
        WORLD.barrier = threading.Barrier(len(block))
        with ThreadPoolExecutor(len(block)) as pool:
            answers.append(sorted(pool.map(make, block), key=spell))
        WORLD.barrier = None
    return answers


def maker(folder, record="none"):
    return SessionMaker(
        dirs=(folder,),
        root=folder,
        load=load_trace,
        effects={},
        ignore_args=(),
        record=record,
        live_reads=False,
        guards=SessionGuards((), "production", "enforce"),
        redactor=REDACTOR,
        abandon=None,
    )


@contextmanager
def active(prepared):
    """One run that is judged by nobody."""
    run = ActiveRun(prepared.session, expect=prepared.expect, check=True, seal=None)
    run.begin()
    try:
        yield run
    finally:
        run.end()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("traces")


def record(folder, blocks, data):
    """Record the agent with real tools; gives the loaded trace."""
    WORLD.outcomes = {}
    for call in (call for block in blocks for call in block):
        WORLD.outcomes.setdefault(spelled(call), []).append(data.draw(VALUES | ERRORS))
    WORLD.is_open = True
    path = folder / "made.yaml"
    path.unlink(missing_ok=True)
    try:
        with active(maker(folder, "once").prepare(path)) as recording:
            recording.run.note_end(agent(blocks))
        assert recording.verdict() is None
        keep(record_trace(recording.run, MISSING, REDACTOR), path)
    finally:
        WORLD.is_open = False
    return load_trace(path)


def failure(folder, blocks, trace, **kwargs):
    """Replay an agent; gives what the test would see."""
    with active(maker(folder).prepare(trace, **kwargs)) as run:
        run.run.note_end(agent(blocks, reverse=not kwargs))
    return SimpleNamespace(error=run.verdict(), run=run.run)


@settings(max_examples=80, deadline=None)
@given(blocks=BLOCKS, data=st.data())
def test_any_run_replays_against_its_own_recording(folder, blocks, data):
    """Same calls, same answers, errors and all; a parallel group in any order."""
    trace = record(folder, blocks, data)

    found = failure(folder, blocks, trace)

    assert found.error is None, str(found.error)
    assert len(found.run.tools) == sum(map(len, blocks))


def mutated(data, calls):
    """Change one call of a sequence, or where it stands."""
    at = data.draw(st.integers(0, len(calls) - 1))
    other = data.draw(CALLS)
    kind = data.draw(st.sampled_from(["drop", "repeat", "change", "insert", "swap"]))
    if kind == "drop":
        return [*calls[:at], *calls[at + 1 :]]
    if kind == "swap":
        return [*calls[:at], *reversed(calls[at : at + 2]), *calls[at + 2 :]]
    return [
        *calls[:at],
        *{"repeat": [calls[at]] * 2, "change": [other], "insert": [other, calls[at]]}[kind],
        *calls[at + 1 :],
    ]


def accepted(blocks, calls):
    """Tell, the slow and obvious way, whether calls are the recorded ones: each block as a multiset, in turn."""
    rest = list(map(spelled, calls))
    for block in blocks:
        mine, rest = rest[: len(block)], rest[len(block) :]
        if sorted(mine) != sorted(map(spelled, block)):
            return False
    return not rest


@settings(max_examples=150, deadline=None)
@given(blocks=BLOCKS.filter(bool), data=st.data())
def test_a_mutation_of_one_call_never_passes_under_strict(folder, blocks, data):
    """It passes exactly when the calls are still the recorded ones, in their order, and no real tool runs."""
    trace = record(folder, blocks, data)
    calls = mutated(data, [call for block in blocks for call in block])

    found = failure(folder, [(call,) for call in calls], trace, expect={"trajectory": "strict"})

    assert (found.error is None) == accepted(blocks, calls), str(found.error)
