"""Differences: the places where two values differ."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_agentreplay.compare import differences
from pytest_agentreplay.jsonable import MISSING, Opaque, equal

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats(width=16) | st.text(max_size=3) | st.binary(max_size=2),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=10,
)


def shapes(expected, actual, **options):
    """Return path and kind of each difference."""
    return [(one.path, one.kind) for one in differences(expected, actual, **options)]


@pytest.mark.parametrize(
    ("expected", "actual", "found"),
    [
        ({"a": 1}, {"a": 2}, [("args.a", "changed")]),
        ({"a": 1}, {"a": True}, [("args.a", "type")]),
        ({"a": [1, 0]}, {"a": [True, False]}, [("args.a[0]", "type"), ("args.a[1]", "type")]),
        ({"a": 2}, {"a": 2.5}, [("args.a", "changed")]),
        ({"a": [{"b": 1}, {"b": 2}]}, {"a": [{"b": 1}, {"b": 3}]}, [("args.a[1].b", "changed")]),
        ({"a": ["x", "y", "z"]}, {"a": ["x", "z"]}, [("args.a[1]", "removed")]),
        ({"a": ["x", "z"]}, {"a": ["x", "y", "z"]}, [("args.a[1]", "added")]),
        ({"a": 1}, {"b": 1}, [("args.a", "removed"), ("args.b", "added")]),
        ({"a.b": {"__x": 1}}, {"a.b": {"__x": 2}}, [('args["a.b"].__x', "changed")]),
        ({"a": {}}, {"a": []}, [("args.a", "type")]),
        ([], {}, [("args", "type")]),
        ({"a": b"1"}, {"a": b"2"}, [("args.a", "changed")]),
        ({"a": Opaque("m.T")}, {"a": Opaque("m.T"), "n": None}, [("args.n", "added")]),
        (MISSING, None, [("args", "added")]),
        ({"a": [2.0, float("nan")]}, {"a": [2, float("nan")]}, []),
    ],
)  # fmt: skip
def test_every_place_is_named_with_its_kind(expected, actual, found):
    """Paths lead to what differs; booleans are no numbers; equal values have none."""
    assert shapes(expected, actual, at="args") == found


@given(VALUES, VALUES)
@settings(deadline=None)
def test_there_are_differences_exactly_where_values_are_unequal(left, right):
    """Nothing unequal goes unseen and nothing equal is called different."""
    found = differences(left, right)

    assert bool(found) == (not equal(left, right))
    assert not [one for one in found if equal(one.expected, one.actual)]


def test_huge_and_deep_values_end_in_time_with_few_differences():
    """What DeepDiff can't do is compared place by place, and the list is bounded."""
    big = [{"n": index, "t": "x" * 100} for index in range(20_000)]
    deep: object = 1
    for _ in range(400):
        deep = [deep]
    started = time.perf_counter()

    assert len(differences(big, [{**item, "n": -1} for item in big], limit=20)) == 20
    assert shapes(deep, [deep]) != []
    assert time.perf_counter() - started < 5


def test_deepdiff_is_loaded_by_the_first_difference_only():
    """Importing the comparison costs no DeepDiff."""
    code = (
        "import sys; from pytest_agentreplay.compare import differences; differences(1, 2);"
        "assert 'deepdiff' not in sys.modules; differences([1], [2]); assert 'deepdiff' in sys.modules"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
