"""Masks leave of a state what is the same in every run."""

from __future__ import annotations

import random
import tempfile
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_agentreplay.errors import SettingsError
from pytest_agentreplay.jsonable import Opaque
from pytest_agentreplay.snapshots.masks import Masks

FIRST, SECOND = "6f1b2c3d-0a1b-4c2d-8e3f-112233445566", "00000000-0a1b-4c2d-8e3f-112233445566"
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["a", "b c", "2026-05-04", "call_1", FIRST, SECOND]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("klmno"), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (FIRST, "<uuid:1>"),
        (FIRST.upper(), "<uuid:1>"),
        (f"run-{FIRST}-0, lc_{FIRST}", "run-<uuid:1>-0, lc_<uuid:1>"),
        (uuid.UUID(FIRST).hex, "<uuid:1>"),
        ("call_AbCdEfGhIjKlMnOpQrStUvWx", "<id:1>"),
        ("toolu_01XFDUDYJgAACzvnptvVoYEL", "<id:1>"),
        ("chatcmpl-9abCdefGhijKLmnop", "<id:1>"),
        ("tooluse_kZJMlvQmRJ6e-yJE5GIl7Q", "<id:1>"),
        ("2026-05-04T02:11:09Z", "<timestamp>"),
        ("2026-05-04 02:11:09.123456", "<timestamp>"),
        ("at 2026-05-04T02:11:09+02:00.", "at <timestamp>."),
        ("Mon, 04 May 2026 02:11:09 GMT", "<timestamp>"),
        ("<shop.Cart object at 0x7f00deadbeef>", "<shop.Cart object at <address>>"),
        (f"{tempfile.gettempdir()}/pytest-of-ann/pytest-7/popen-gw1/test_it0/a.txt", "<tmp>/a.txt"),
        (f"open('{tempfile.gettempdir()}/tmpab_12x9z/a b.txt')", "open('<tmp>/a b.txt')"),
        (f"{tempfile.gettempdir()}/fixed/a.txt", "<tmp>/fixed/a.txt"),
        ("/base/test_it0/a.txt", "<tmp>/a.txt"),
    ],
)
def test_volatile_texts_are_masked(text, masked):
    """By their form, inside of other text too."""
    assert Masks(roots=["/base"]).mask({"text": text}) == {"text": masked}


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-04",
        "10:00",
        "call_center_opening_hours",
        "call_1",
        "run_2026",
        "msg_template",
        "d41d8cd98f00b204e9800998ecf8427e",
        "0xdeadbeef",
        "0x52908400098527886E0F7030069857D2E4169EE7",
        f"work{tempfile.gettempdir()}/a.txt",
        f"{tempfile.gettempdir()}x/a.txt",
        "1234567890123456789012345678901234567890",
        "ORD-000001",
    ],
)
def test_what_means_something_stays(text):
    """Dates, names and digests are no volatile values."""
    assert Masks().mask([text]) == [text]


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("duration", {"elapsed": 3, "latency_ms": 12.5, "took": 0, "duration_ms": 3, "durationMs": 3, "duration": 1.5}),
        ("timestamp", {"created_at": 1777860669, "ts": 1777860669.5, "expiresAt": 1777860669000}),
    ],
)
def test_numbers_are_masked_by_their_key(kind, state):
    """A measured time, and a moment."""
    assert Masks().mask(state) == dict.fromkeys(state, f"<{kind}>")


@pytest.mark.parametrize(
    "state",
    [
        {"duration": 30, "ms": 3, "elapsed_rows": 3, "took": "long", "elapsed": True},
        {"created_at": 7, "at": -1777860669, "time": 1777860669, "look_at": None},
    ],
)
def test_numbers_that_only_look_like_it_stay(state):
    """A booked half hour, a flag, a count."""
    assert Masks().mask(state) == state


def test_an_id_keeps_its_number_all_over_a_state():
    """What is the same id stays told from what is another one; keys count too."""
    state = {"a": [FIRST, SECOND, FIRST], "b": {SECOND: 1, FIRST: 2}, "c": f"{SECOND} after {FIRST}"}

    assert Masks().mask(state) == {
        "a": ["<uuid:1>", "<uuid:2>", "<uuid:1>"],
        "b": {"<uuid:1>": 2, "<uuid:2>": 1},
        "c": "<uuid:2> after <uuid:1>",
    }


def test_keys_that_are_masked_alike_are_told_apart():
    """No entry gets lost."""
    assert Masks().mask({"2026-05-04 10:00": 1, "2026-05-04 11:00": 2}) == {"<timestamp>": 1, "<timestamp> (2)": 2}


@given(PLAIN, st.randoms(use_true_random=False))
def test_a_masked_state_depends_on_no_order_and_no_id(state, dice):
    """Another order of keys and other ids give the same snapshot, once keys have one order."""
    renamed = {FIRST: str(uuid.UUID(int=dice.getrandbits(128), version=4)), SECOND: str(uuid.UUID(int=1, version=4))}

    assert list(_flat(Masks().mask(_again(state, dice, renamed)))) == list(_flat(Masks().mask(state)))


@given(PLAIN)
def test_masking_twice_changes_nothing(state):
    """What stands for a value is no volatile value."""
    once = Masks().mask(state)

    assert Masks().mask(once) == once


def _again(value, dice: random.Random, renamed):
    if isinstance(value, dict):
        keys = list(value)
        dice.shuffle(keys)
        return {key: _again(value[key], dice, renamed) for key in keys}
    return [_again(item, dice, renamed) for item in value] if isinstance(value, list) else renamed.get(value, value)


def _flat(value):
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _flat(item)
    elif isinstance(value, list):
        yield "list"
        for item in value:
            yield from _flat(item)
    else:
        yield repr(value)


def test_paths_are_masked_and_the_state_stays_as_it_was():
    """The whole value goes; a path into text takes the text; one that leads nowhere says nothing."""
    state = {"docs": [{"id": 1, "raw": '{"id": 7}'}, {"id": 2}], "at": Opaque("shop.Cart")}
    masked = Masks(["docs[*].id", "**.nothing"]).mask(state, ["docs[0].raw.id", "at"])

    assert masked == {"at": "<masked>", "docs": [{"id": "<masked>", "raw": "<masked>"}, {"id": "<masked>"}]}
    assert state["docs"][0] == {"id": 1, "raw": '{"id": 7}'}


def test_a_path_inside_of_a_masked_value_is_fine():
    """The order of paths means nothing."""
    state = {"a": {"b": {"c": 1}}}

    assert Masks().mask(state, ["a.b", "**.c"]) == Masks().mask(state, ["**.c", "a.b"]) == {"a": {"b": "<masked>"}}


def test_kinds_are_left_and_added():
    """A line takes a built-in kind out or brings one in; the project's own come first."""
    masks = Masks(["-uuid", "order = ORD-([0-9]+)", "moment = 2026-[0-9-]+T[0-9:]+Z"])

    assert masks.mask([FIRST, "ORD-7", "ORD-8 or ORD-7", "2026-05-04T02:11:09Z"]) == [
        FIRST,
        "ORD-<order:1>",
        "ORD-<order:2> or ORD-<order:1>",
        "<moment:1>",
    ]


@pytest.mark.parametrize("line", ["-uid", "a..b", "[", "order = ("])
def test_a_line_that_is_none_is_refused(line):
    """Nothing is passed over."""
    with pytest.raises(SettingsError):
        Masks([line])


def test_a_path_that_is_none_is_refused():
    """A test's own masks too."""
    with pytest.raises(SettingsError, match="mask= is no path"):
        Masks().mask({}, ["a..b"])
