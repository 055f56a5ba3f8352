"""Which calls form a group: those that overlap, and those that a framework makes side by side."""

from __future__ import annotations

import pytest

from pytest_agentreplay.runtime.observed_calls import ObservedCall, ParallelGroups
from pytest_agentreplay.tools.framework_calls import FrameworkCall, FrameworkTool

TOOL = FrameworkTool("look", source="test")


class _Call(FrameworkCall):
    def proceed(self):
        raise AssertionError("nobody asked")


def call(index, batch=None):
    framework = _Call({}, batch=batch)
    return ObservedCall(index, TOOL, {}, "{}", "read", "test", framework=framework)


def one_by_one(calls):
    groups = ParallelGroups()
    for made in calls:
        groups.begin(made)
        groups.end(made)
    return [(made.group, made.finished) for made in calls]


@pytest.mark.parametrize(
    ("batches", "expected"),
    [
        ([None, None], [(None, None), (None, None)]),
        (["a"], [(None, None)]),
        (["a", "a", "a"], [(1, 1), (1, 2), (1, 3)]),
        (["a", "b"], [(None, None), (None, None)]),
        (["a", "b", "b", "a"], [(2, 1), (1, 1), (1, 2), (2, 2)]),
    ],
)
def test_a_batch_is_a_group_whether_or_not_it_overlaps(batches, expected):
    """Calls of one batch are numbered in the order in which they came back, alone in its batch is alone."""
    assert one_by_one([call(index, batch) for index, batch in enumerate(batches)]) == expected


def test_calls_that_overlap_are_a_group_without_a_batch():
    """Time alone makes a group too, and a call of the batch that comes later joins it."""
    first, second, third = call(0, "a"), call(1), call(2, "a")
    groups = ParallelGroups()
    groups.begin(first)
    groups.begin(second)
    groups.end(second)
    groups.end(first)
    groups.begin(third)
    groups.end(third)

    assert [(made.group, made.finished) for made in (first, second, third)] == [(1, 2), (1, 1), (1, 3)]
