"""Freezing: what follows from a recording, and nothing else of the process."""

from __future__ import annotations

import os
import random
import secrets
import threading
import uuid
from uuid import uuid1, uuid4

import pytest

from pytest_agentreplay.errors import SettingsError
from pytest_agentreplay.runtime import lineage, propagation
from pytest_agentreplay.runtime.freezing import Frozen, parse_subjects
from pytest_agentreplay.runtime.frozen_chance import FrozenIds, FrozenRandom
from pytest_agentreplay.runtime.patching import Patches
from pytest_agentreplay.trace import Trace


def _trace(**run):
    return Trace.model_validate({"run": run} if run else {})


def _drawn(golden, name="refund"):
    frozen = Frozen(frozenset({"random", "ids"}), golden, name, recording=False)
    with lineage.Lineage().entered(), frozen.in_force():
        return random.random(), uuid4(), uuid1(), uuid.uuid4()


def test_numbers_and_ids_follow_from_the_recording():
    """The same recording gives the same, another one another."""
    first = _drawn(_trace(recorded_at="2026-05-04T02:11:09Z"))

    assert _drawn(_trace(recorded_at="2026-05-04T02:11:09Z"), "renamed") == first
    assert not set(_drawn(_trace(recorded_at="2026-05-04T02:11:10Z"))) & set(first)
    assert len(set(first)) == 4
    assert [one.version for one in first[1:]] == [4, 1, 4]


def test_a_seed_of_the_model_is_that_of_the_numbers_and_of_no_id():
    """Ids stay those of one recording."""
    seeded = _drawn(_trace(recorded_at="2026-05-04T02:11:09Z", model={"seed": 7}))

    assert seeded[0] == random.Random(7).random()
    assert seeded[1:] == _drawn(_trace(recorded_at="2026-05-04T02:11:09Z"))[1:]


def test_without_a_time_they_follow_from_the_name():
    """A trace that was written by hand has no other."""
    assert _drawn(_trace()) == _drawn(_trace())
    assert _drawn(_trace()) != _drawn(_trace(), "other")


def test_nothing_is_left_behind():
    """Numbers go on as if none had been drawn, and ids are the system's."""
    random.seed(3)
    expected = random.Random(3).random()
    _drawn(_trace())

    assert random.random() == expected
    assert uuid.os is os
    assert uuid4() != uuid4()


def test_keys_are_never_frozen():
    """Neither the system's random bytes nor what `secrets` makes of them."""
    ids = FrozenIds("seed")
    with lineage.Lineage().entered():
        ids.freeze()
        first = secrets.token_hex(), os.urandom(16)
        ids.thaw()
        ids.freeze()
        second = secrets.token_hex(), os.urandom(16)
        ids.thaw()

    assert not set(first) & set(second)


def test_only_the_run_finds_its_ids():
    """Other threads of the process, and real tools, have the system's; the run's own threads have the run's."""
    propagation.install()
    ids, made = FrozenIds("seed"), {}
    outsider_goes = threading.Event()
    outsider = threading.Thread(target=lambda: (outsider_goes.wait(5), made.update(outsider=uuid4())))
    outsider.start()
    for name in ("first", "second"):
        with lineage.Lineage().entered():
            ids = FrozenIds("seed")
            ids.freeze()
            insider = threading.Thread(target=lambda name=name: made.update({name: uuid4()}))
            insider.start()
            insider.join()
            with lineage.outside():
                made[f"{name} tool"] = uuid4()
            if name == "second":
                outsider_goes.set()
                outsider.join()
            ids.thaw()
    propagation.uninstall()

    assert made["first"] == made["second"]
    assert len(set(made.values())) == 4


def test_packages_draw_from_streams_of_their_own():
    """How many ids a library makes on its way changes none of the agent's."""
    made = []
    for library_calls in (0, 3):
        ids = FrozenIds("seed")
        with lineage.Lineage().entered():
            ids.freeze()
            for _ in range(library_calls):
                exec("uuid4()", {"uuid4": uuid4, "__name__": "somelibrary.client"})
            made.append(uuid4())
            ids.thaw()

    assert made[0] == made[1]


def test_real_tools_draw_the_outer_numbers():
    """What a tool draws takes nothing from the agent's numbers, also where tools overlap."""
    random.seed(5)
    outer, own = random.Random(5), random.Random(9)
    numbers = FrozenRandom(9)
    numbers.freeze()
    agent = [random.random()]
    with numbers.aside():
        tools = [random.random()]
        with numbers.aside():
            tools.append(random.random())
    agent.append(random.random())
    numbers.thaw()

    assert agent == [own.random(), own.random()]
    assert tools == [outer.random(), outer.random()]
    assert random.random() == outer.random()


def test_a_tool_that_outlives_the_run_changes_nothing():
    """The outer numbers go on where they were."""
    random.seed(5)
    numbers = FrozenRandom(9)
    numbers.freeze()
    with numbers.aside():
        numbers.thaw()
        drawn = random.random()

    assert drawn == random.Random(5).random()


@pytest.mark.parametrize(
    ("given", "subjects"),
    [
        (True, {"time", "random", "ids"}),
        (False, set()),
        (None, set()),
        ("all", {"time", "random", "ids"}),
        ("time ids", {"time", "ids"}),
        ([], set()),
        (["ids"], {"ids"}),
    ],
)
def test_subjects_are_read(given, subjects):
    """As the marker and the ini file write them."""
    assert parse_subjects(given, "here") == subjects


@pytest.mark.parametrize("given", ["tiem", ["time", "id"], [7]])
def test_a_subject_that_is_none_is_refused(given):
    """And the error names those that are."""
    with pytest.raises(SettingsError, match="here can't freeze"):
        parse_subjects(given, "here")


def test_what_was_none_is_replaced_too():
    """A module's attribute may hold nothing."""

    class Module:
        attribute = None

    patches = Patches()
    patches.replace(Module, "attribute", lambda original: "ours")

    assert Module.attribute == "ours"
    patches.undo()
    assert Module.attribute is None
