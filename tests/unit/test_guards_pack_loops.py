"""The pack `loops`: circles are stopped, progress is not."""

from __future__ import annotations

import time

import pytest

from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.guards.history import History
from pytest_agentreplay.guards.packs import PACKS


def call(tool, result="ok", **args):
    """Write a tool step."""
    return {"tool": tool, "args": args, "result": result}


def objecting(steps, tool, options=None, **args):
    """List the rules that object to a call after some steps."""
    context = DecisionContext(tool, args, effect="write", history=History(steps))
    return [rule.id for rule in PACKS["loops"](options or {}) if rule.judge(context)]


@pytest.mark.parametrize("most", [1, 2, 3, 7])
def test_the_same_call_is_stopped_after_so_many(most):
    """`max` calls in a row may be the same, the next one not."""
    steps = [call("search", q="x")] * most

    assert objecting(steps[1:], "search", {"max": most}, q="x") == []
    assert objecting(steps, "search", {"max": most}, q="x") == ["loops/same"]


def test_other_arguments_or_another_tool_between_are_no_row():
    """Only the same call in a row counts."""
    steps = [call("search", q="x"), call("search", q="x"), call("read", p="a"), call("search", q="x")]

    assert objecting(steps, "search", q="x") == []
    assert objecting([call("search", q="x")] * 3, "search", q="y") == []
    assert objecting([call("search", q=f"page {page}") for page in range(9)], "search", q="page 9") == []


@pytest.mark.parametrize("length", range(2, 9))
def test_a_round_of_calls_is_stopped_after_so_many_rounds(length):
    """Cycles of two to eight calls."""
    one_round = [call(f"tool_{place}", n=place) for place in range(length)]

    assert objecting(one_round * 2, "tool_0", n=0) == []
    assert objecting(one_round * 3, "tool_0", n=0) == ["loops/cycle"]
    assert objecting(one_round * 3, "tool_0", n=1) == []
    assert objecting(one_round * 3, "something_else", n=0) == []


def test_editing_and_testing_is_no_circle():
    """The edits differ, so the tests are run on something new."""
    steps = [step for round in range(12) for step in (call("edit", text=f"try {round}"), call("run_tests"))]

    assert objecting(steps, "edit", text="try 12") == []
    assert objecting([*steps, call("edit", text="try 12")], "run_tests") == []


@pytest.mark.parametrize(
    "empty", [[], {}, "", None, {"docs": [], "count": 0}, {"results": []}, {"total": 0, "items": []}, "[]"]
)
def test_asking_again_for_nothing_is_told(empty):
    """Two empty answers are enough, whatever was asked between them."""
    between = {"tool": "think", "args": {}, "result": "hm"}
    steps = [call("search", empty, q="x"), call("search", empty, q="x")]
    history = History([*steps])
    context = DecisionContext("search", {"q": "x"}, effect="read", history=history)

    assert [rule.id for rule in PACKS["loops"]({}) if rule.judge(context)] == ["loops/empty"]
    assert objecting([*steps, between], "search", q="x") == []  # `think` is a write to all that is known


@pytest.mark.parametrize("full", [["a"], {"docs": ["a"], "count": 1}, "text", 0, False, {"count": 3}, {"ok": True}])
def test_answers_that_say_something_are_not_empty(full):
    """Zero and false are answers."""
    assert objecting([call("get", full, q="x")] * 2, "get", q="x") == []


def test_budgets_count_calls():
    """Of all tools, and of one."""
    steps = [call("a", n=1), call("b", n=2), call("a", n=3)]

    assert objecting(steps, "a", {"budget": 4}, n=4) == []
    assert objecting(steps, "a", {"budget": 3}, n=4) == ["loops/budget"]
    assert objecting(steps, "a", {"budget": {"a": 2}}, n=4) == ["loops/budget"]
    assert objecting(steps, "b", {"budget": {"a": 2}}, n=4) == []
    assert objecting([], "c", {"budget": {"c": 0}}) == ["loops/budget"]


def test_what_others_called_does_not_count():
    """Sub-agents and the user's side have loops of their own."""
    steps = [{**call("search", q="x"), "actor": "user"}] * 5

    assert objecting(steps, "search", q="x") == []


@pytest.mark.parametrize(
    ("options", "fact"),
    [
        ({"maximum": 3}, "the pack loops has no option 'maximum'; did you mean max"),
        ({"max": 0}, "loops.max is 0; it takes a whole number, 1 or more"),
        ({"max": True}, "loops.max is True"),
        ({"cycle": "3"}, "loops.cycle is '3'"),
        ({"budget": -1}, "loops.budget is -1"),
        ({"budget": {"total": 1.5}}, "loops.budget.total is 1.5"),
    ],
)
def test_wrong_options_are_refused(options, fact):
    """Named, with what they take."""
    with pytest.raises(ValueError, match=fact.replace(".", r"\.")):
        PACKS["loops"](options)


def test_long_traces_cost_no_more():
    """Ten thousand steps later a call is judged as fast."""
    rules = PACKS["loops"]({})
    history = History([call("search", [], q=f"{number}") for number in range(10_000)])
    context = DecisionContext("search", {"q": "new"}, effect="write", history=history)
    for rule in rules:
        rule.judge(context)
    started = time.perf_counter()
    for _ in range(1000):
        for rule in rules:
            rule.judge(context)

    assert (time.perf_counter() - started) / 1000 < 0.001
