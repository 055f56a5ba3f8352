"""Alignment: where two trajectories part, and what kind of parting it is."""

from __future__ import annotations

import json
import pickle
import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_agentreplay.compare import align, calls_of
from pytest_agentreplay.trace import ToolStep, assign_addresses

LETTERS = st.lists(st.sampled_from("abcde"), min_size=1, max_size=8)


def steps_of(text, effects=None):
    """`a(1) [b c]`: tools with one argument, brackets round a parallel group."""
    steps, group, count = [], None, 0
    for word in text.replace("[", " [ ").replace("]", " ] ").split():
        if word == "[":
            count += 1
            group = count
        elif word == "]":
            group = None
        else:
            tool, _, inside = word.rstrip(")").partition("(")
            args = dict(part.split(":") if ":" in part else ("x", part) for part in inside.split(",") if part)
            steps.append(ToolStep(tool=tool, args=args, group=group))
    assign_addresses(steps, effects or {})
    return steps


def calls(text, effects=None):
    """Return the calls of a trajectory in short form."""
    return calls_of(steps_of(text, effects))


def parted(golden, run, trajectory="strict", args="equal", effects=None):
    """Return kind and indices of the first divergence."""
    found = align(calls(golden, effects), calls(run, effects), trajectory=trajectory, args=args).divergence
    return None if found is None else (found.kind, found.golden_index, found.run_index)


def shape(golden, run, trajectory, args="equal"):
    """Return the kind of the first divergence."""
    found = parted(golden, run, trajectory, args)
    return found and found[0]


@pytest.mark.parametrize(
    ("golden", "run", "expected"),
    [
        ("", "", None),
        ("a b c", "a b c", None),
        ("a b c", "a b", ("missing", 2, 2)),
        ("a b", "", ("missing", 0, 0)),
        ("a b", "a b c", ("extra", 2, 2)),
        ("", "a", ("extra", 0, 0)),
        ("a b c", "a c", ("missing", 1, 1)),
        ("a b c", "a x b c", ("extra", 1, 1)),
        ("a b c", "a x c", ("extra", 1, 1)),
        ("a b(1) c", "a b(2) c", ("arguments", 1, 1)),
        ("a b c", "b a c", ("order", 0, 0)),
        ("a b c", "b c a", ("order", 0, 0)),
        ("a a b", "a b", ("missing", 1, 1)),
        ("a b", "a a b", ("extra", 1, 1)),
        ("a b", "b a b", ("extra", 0, 0)),
        ("a b c c", "a c c", ("missing", 1, 1)),
        ("s(1) s(2) t", "s(2) t", ("missing", 0, 0)),
        ("s(1) s(2) t", "s(2) s(2) t", ("arguments", 0, 0)),
        ("s(1) s(2)", "s(2) s(1)", ("order", 0, 0)),
        ("a(1) b c", "c c c", ("missing", 0, 0)),
    ],
)
def test_strict_finds_the_first_mismatch_and_names_it(golden, run, expected):
    """One call inserted, left out, changed or moved is called that, repeated calls counted."""
    assert parted(golden, run) == expected


@pytest.mark.parametrize(
    ("golden", "run", "expected"),
    [
        ("a [b c] d", "a c b d", None),
        ("a [b c] d", "a [c b] d", None),
        ("[b b c]", "b c b", None),
        ("a [b c] d", "a c d b", ("order", 1, 2)),
        ("a [b c] d", "a c d", ("missing", 1, 2)),
        ("a [b(1) c]", "a c b(2)", ("arguments", 1, 2)),
        ("[b c]", "c x b", ("extra", 0, 1)),
        ("[b c] [d e]", "c b e d", None),
        ("[b c] [d e]", "b d c e", ("order", 1, 1)),
        ("[b b]", "b b b", ("extra", 2, 2)),
    ],
)
def test_a_parallel_group_comes_in_any_order(golden, run, expected):
    """A golden group is one multiset; how the run grouped its calls is free."""
    assert parted(golden, run) == expected


@pytest.mark.parametrize(
    ("trajectory", "golden", "run", "expected"),
    [
        ("in_order", "a b", "x a y b z", None),
        ("in_order", "a b", "b a", "order"),
        ("in_order", "a b", "a c", "missing"),
        ("in_order", "a b(1)", "a b(2)", "arguments"),
        ("in_order", "a a", "a x", "missing"),
        ("in_order", "s(1) s(2)", "s(2)", "missing"),
        ("in_order", "[a b] c", "b x a c", None),
        ("in_order", "[a b] c", "b c", "missing"),
        ("unordered", "a b b", "b a b", None),
        ("unordered", "a b b", "a b", "missing"),
        ("unordered", "a b", "b a b", "extra"),
        ("unordered", "a(1) b", "b a(2)", "arguments"),
        ("subset", "a b", "b", None),
        ("subset", "a b", "", None),
        ("subset", "a b", "a a", "extra"),
        ("subset", "a(1)", "a(2)", "arguments"),
        ("superset", "a b", "x b a a", None),
        ("superset", "a a", "a x", "missing"),
        ("superset", "a(1)", "a(2)", "arguments"),
    ],
)
def test_every_trajectory_holds_over_multisets(trajectory, golden, run, expected):
    """The six ways of comparing agree with their definitions."""
    assert shape(golden, run, trajectory) == expected


@pytest.mark.parametrize(
    ("golden", "run", "expected"),
    [
        ("r w(1) r w(2)", "w(1) r r r w(2)", None),
        ("r w(1) w(2)", "w(2) r w(1)", ("order", 1, 0)),
        ("w(1)", "r w(1) r w(1)", ("extra", 1, 3)),
        ("r w(1) r", "r", ("missing", 1, 0)),
    ],
)
def test_writes_pins_writes_and_frees_reads(golden, run, expected):
    """Reads may come and go; indices still count all calls."""
    assert parted(golden, run, "writes", effects={"r": "read", "w": "write"}) == expected


@pytest.mark.parametrize(
    ("golden", "run", "args", "expected"),
    [
        ("a(1) b", "a(2) b", "ignore", None),
        ("a(1) b", "b a(1)", "ignore", ("order", 0, 0)),
        ("a(k:1)", "a(k:1,l:2)", "subset", None),
        ("a(k:1,l:2)", "a(k:1)", "subset", ("arguments", 0, 0)),
        ("a(k:1) a(k:1)", "a(k:1,l:2)", "subset", ("missing", 1, 1)),
        ("[a(k:1) a(k:1,l:2)]", "a(k:1,l:2,m:3) a(k:1,n:4)", "subset", None),
    ],
)
def test_arguments_compare_as_asked(golden, run, args, expected):
    """`subset` wants the golden arguments among the run's, and arranges pairs so that all calls find theirs."""
    assert parted(golden, run, args=args) == expected


def join(letters):
    """Write letters as tools without arguments."""
    return " ".join(letters)


@given(LETTERS)
def test_a_trajectory_never_parts_from_itself(letters):
    """Identity holds in every way of comparing."""
    for trajectory in ("strict", "in_order", "unordered", "subset", "superset", "writes"):
        for args in ("equal", "subset", "ignore"):
            assert parted(join(letters), join(letters), trajectory, args) is None


@given(LETTERS, st.data())
def test_one_edit_is_called_what_it_is(letters, data):
    """Dropping a call is missing, adding one is extra, changing arguments is arguments."""
    at = data.draw(st.integers(0, len(letters) - 1))
    added = data.draw(st.sampled_from("abcdef"))

    assert shape(join(letters), join([*letters[:at], *letters[at + 1 :]]), "strict") == "missing"
    assert shape(join(letters), join([*letters[:at], added, *letters[at:]]), "strict") == "extra"
    changed = join([*letters[:at], f"{letters[at]}(9)", *letters[at + 1 :]])
    assert parted(join(letters), changed) == ("arguments", at, at)


@given(LETTERS, LETTERS)
def test_the_ways_of_comparing_agree_with_their_definitions(golden, run):
    """Each is None exactly when sequences or multisets relate as its name says."""
    left, right = Counter(golden), Counter(run)
    rest = iter(run)
    texts = join(golden), join(run)

    assert (parted(*texts) is None) == (golden == run)
    assert (parted(*texts, "unordered") is None) == (left == right)
    assert (parted(*texts, "subset") is None) == (right <= left)
    assert (parted(*texts, "superset") is None) == (left <= right)
    assert (parted(*texts, "in_order") is None) == all(letter in rest for letter in golden)
    for trajectory in ("unordered", "subset", "superset"):
        assert (parted(*texts, trajectory, "subset") is None) == (parted(*texts, trajectory) is None)


@given(st.permutations("abcdef"), st.permutations("abcdef"))
def test_the_same_calls_in_another_order_are_out_of_order(golden, run):
    """Swapped and moved calls are neither missing nor extra."""
    assert shape(join(golden), join(run), "strict") == (None if golden == run else "order")


def test_a_divergence_is_data():
    """It pickles, turns to JSON, and says in a sentence what happened."""
    found = align(calls("refund(amount:39)"), calls("refund(amount:5000)")).divergence
    again = align(calls("a(1) b"), calls("a(1) a(1) b")).divergence

    assert found.cause == "refund was called with amount '5000' where '39' was recorded"
    assert found.address == "refund#1"
    assert [one.path for one in found.differences] == ["args.amount"]
    assert pickle.loads(pickle.dumps(found)) == found
    assert json.loads(json.dumps(found.to_dict()))["actual"] == {"tool": "refund", "args": {"amount": "5000"}}
    assert again.cause == "a(x='1') was already made once: the recording has 1 such call, this is the 2nd"
    assert again.address == "a#2"


def test_calls_leave_out_what_is_not_the_agents_and_what_is_ignored():
    """Other actors, provider-side calls and ignored paths don't count; defaults are filled in; raw text stays apart."""
    steps = [
        ToolStep(tool="a", args={"x": 1, "id": 7}),
        ToolStep(tool="a", args={"x": 1}, actor="researcher"),
        ToolStep(tool="a", args={"x": 1}, executed_by="provider"),
        ToolStep(tool="a", args={"x": 1, "id": 8, "n": 5}),
        ToolStep(tool="a", raw_args="{x"),
        ToolStep(tool="a"),
    ]
    found = calls_of(steps, ignore_args=["id"], with_defaults=lambda tool, args: {"n": 5, **args})

    assert [call.position for call in found] == [0, 3, 4, 5]
    assert found[0].key == found[1].key == '{"n":5,"x":1}'
    assert len({call.key for call in found}) == 3


@pytest.mark.parametrize("trajectory", ["strict", "in_order", "unordered", "superset", "writes"])
def test_ten_thousand_calls_take_no_time(trajectory):
    """Long trajectories are compared in about linear time, whatever their arguments."""
    golden = calls_of([ToolStep(tool="t", args={"n": index % 7}) for index in range(10_000)])
    run = [*golden[:-2], golden[-1]]
    started = time.perf_counter()

    for args in ("equal", "ignore", "subset"):
        assert align(golden, run, trajectory=trajectory, args=args).divergence is not None
    assert time.perf_counter() - started < 5
