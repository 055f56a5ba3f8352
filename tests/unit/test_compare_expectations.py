"""Expectations: what fails a run, and in which order it is told."""

from __future__ import annotations

import pytest

from pytest_agentreplay.compare import Observed, judge
from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.trace import ErrorInfo, Expect, Finding, Trace, Verdict


def trace(*steps, **rest):
    """Make a trace of steps in its written form."""
    return Trace.model_validate({"steps": list(steps), **rest})


def call(tool, args=None, **rest):
    """Write a tool step."""
    return {"tool": tool, "args": args or {}, **rest}


def run_of(*steps, **rest):
    """Make a run that did these steps."""
    observed = {
        name: rest.pop(name) for name in ("verdicts", "messages", "model_calls", "input_tokens") if name in rest
    }
    recorded = trace(*steps, **rest)
    return Observed(steps=recorded.steps, output=recorded.output, error=recorded.error, **observed)


def judged(golden, run, **expect):
    """Judge by an expectation, or by everything recorded."""
    return judge(Expect.model_validate(expect) if expect else None, golden, run)


def kinds(golden, run, **expect):
    """Return kind and address of each divergence."""
    return [(one.kind, one.address) for one in judged(golden, run, **expect)]


ALLOW, BLOCK = Verdict(decision="allow"), Verdict(decision="block", findings=[Finding(rule="no-refund", version=2)])


def test_without_expect_everything_recorded_is_expected():
    """Calls, states, verdicts, output and a recorded error are held against the run; the rest is free."""
    golden = trace(
        {"message": "user", "content": "hi"},
        {"model": "m", "content": "thinking"},
        call("a", {"x": 1}, result=1, state={"n": 1}, verdict="allow"),
        {"state": {"done": True}, "at": "end"},
        output="fine",
    )
    steps = [call("a", {"x": 1.0}, result=2, state={"n": 1}), {"state": {"done": True}, "at": "end"}]
    other = [call("a", {"x": 1}, state={"n": True}), {"state": {"done": False}, "at": "end"}]

    assert kinds(golden, run_of(*steps, output="fine", verdicts={"a#1": ALLOW})) == []
    assert kinds(golden, run_of(*other, output="bad", verdicts={"a#1": BLOCK})) == [
        ("verdict", "a#1"),
        ("state", "a#1"),
        ("state", "state#1"),
        ("output", "end"),
    ]


def test_what_happened_first_is_told_first():
    """A state that was wrong early comes before a call that came late."""
    golden = trace(call("a", state={"n": 1}), call("b"), output=1)
    run = run_of(call("a", state={"n": 2}), call("c"), output=2)

    assert kinds(golden, run) == [("state", "a#1"), ("extra", "c#1"), ("output", "end")]


def test_an_exception_that_leaves_the_agent_fails_the_run():
    """Unless the trace records it, with type and message; it comes before the calls it kept from being made."""
    boom = {"type": "ValueError", "message": "boom"}
    golden = trace(call("a"), call("b"))
    ends_so = trace(call("a"), error=boom)

    assert kinds(golden, run_of(call("a"), error=boom)) == [("error", "end"), ("missing", "b#1")]
    assert kinds(golden, run_of(call("a"), error=boom), calls={"b": "never"}) == [("error", "end")]
    assert kinds(ends_so, run_of(call("a"), error=boom)) == []
    assert kinds(ends_so, run_of(call("a"), error=boom), calls={"b": "never"}) == []
    assert kinds(ends_so, run_of(call("a"), error={**boom, "message": "other"})) == [("error", "end")]
    assert kinds(ends_so, run_of(call("a"), error={**boom, "type": "KeyError"})) == [("error", "end")]
    assert kinds(ends_so, run_of(call("a"))) == [("error", "end")]
    assert kinds(ends_so, run_of(call("a")), calls={"b": "never"}) == []


def test_a_type_without_its_module_is_any_of_that_name():
    """A hand-written error names the class; a dotted one is exact; no message is any message."""
    run = Observed(steps=[], error=ErrorInfo(type="shop.Declined", message="no"))

    assert kinds(Trace(error=ErrorInfo(type="Declined")), run) == []
    assert kinds(Trace(error=ErrorInfo(type="shop.Declined")), run) == []
    assert kinds(Trace(error=ErrorInfo(type="bank.Declined")), run) == [("error", "end")]


def test_checkpoints_are_matched_by_place_and_occurrence():
    """The second state at a node is held against the second one there; what the trace doesn't mention is free."""
    golden = trace({"state": 1, "at": "plan"}, {"state": 2, "at": "plan"}, {"state": 3, "at": "act"})
    moved = [{"state": 3, "at": "act"}, {"state": 1, "at": "plan"}, {"state": 9}, {"state": 2, "at": "plan"}]

    assert kinds(golden, run_of(*moved)) == []
    assert kinds(golden, run_of(*moved[:3])) == [("not_observed", "state#2")]
    assert kinds(golden, run_of(*moved[1:], {"state": 4, "at": "act"})) == [("state", "state#3")]


def test_states_and_verdicts_of_a_parallel_group_follow_their_calls():
    """A group that came in another order is compared call by call, not by address."""
    golden = trace(
        call("s", {"q": 1}, group=1, state=1, verdict="allow"), call("s", {"q": 2}, group=1, state=2, verdict="block")
    )
    run = run_of(call("s", {"q": 2}, state=2), call("s", {"q": 1}, state=1), verdicts={"s#1": BLOCK, "s#2": ALLOW})

    assert kinds(golden, run) == []


def test_what_the_run_could_not_observe_fails():
    """A state, a verdict, an output, messages and counts that nothing saw are not observed, never passed."""
    golden = trace(call("a", state=1, verdict="allow"), output=1)
    run = run_of(call("a"), verdicts={})

    assert kinds(golden, run) == [("not_observed", "a#1"), ("not_observed", "a#1"), ("not_observed", "end")]
    found = kinds(
        golden,
        run,
        state=[{"after": "a#1", "equals": 1}, {"after": "b#1", "equals": 1}, {"after": "end", "equals": 1}],
        verdicts={"a": "allow", "b#1": "block"},
        output=1,
        messages={"none": ["x"]},
        budget={"model_calls": 1, "input_tokens": 1, "output_tokens": 1},
    )
    assert [kind for kind, _ in found] == ["not_observed"] * 10


def test_verdicts_are_not_judged_where_the_guard_was_off():
    """Without verdicts the rest is judged."""
    assert kinds(trace(call("a", verdict="block")), run_of(call("a"))) == []
    assert kinds(trace(call("a")), run_of(call("a")), verdicts={"a": "block"}) == []


def test_verdicts_compare_what_would_be_decided_anywhere():
    """The cap of an environment is no divergence; a rule that changed is named."""
    today = Verdict(decision="log", would="block", findings=[Finding(rule="no-refund", version=3)])
    golden = trace(call("a", verdict={"decision": "block", "findings": [{"rule": "no-refund", "version": 2}]}))
    allowed = judged(golden, run_of(call("a"), verdicts={"a#1": ALLOW}))
    changed = {"decision": "warn", "findings": [{"rule": "no-refund", "version": 2}]}
    told = judged(trace(call("a", verdict=changed)), run_of(call("a"), verdicts={"a#1": today}))

    assert kinds(golden, run_of(call("a"), verdicts={"a#1": today})) == []
    assert allowed[0].cause == "a#1 is judged allow where block by no-refund version 2 was recorded"
    assert told[0].cause.endswith("no-refund went from version 2 to 3")


def test_a_block_that_nothing_expects_fails():
    """Neither the trace nor `expect.verdicts` wants it, so it is a divergence, once."""
    golden = trace(call("a"))
    run = run_of(call("a"), verdicts={"a#1": BLOCK})

    assert kinds(golden, run) == [("verdict", "a#1")]
    assert kinds(golden, run, calls={"b": "never"}) == [("verdict", "a#1")]
    assert kinds(golden, run, verdicts={"a": "block"}) == []
    assert kinds(golden, run, verdicts={"a": "allow"}) == [("verdict", "a#1")]
    assert kinds(trace(call("a", verdict="block")), run, calls={"b": "never"}) == []
    assert kinds(trace(call("a", {"x": 1}, verdict="block")), run, calls={"b": "never"}) == []
    assert kinds(trace(call("b", verdict="block")), run, calls={"b": "never"}) == [("verdict", "a#1")]


@pytest.mark.parametrize(
    ("limits", "found"),
    [
        ({"a": {"max": 2}}, [("extra", "a#3")]),
        ({"a": {"max": 3}}, []),
        ({"a": {"min": 4}}, [("missing", "a")]),
        ({"a": {"exactly": 3}}, []),
        ({"a": {"exactly": 2}}, [("extra", "a#3")]),
        ({"a": {"exactly": 4}}, [("missing", "a")]),
        ({"a": "never"}, [("extra", "a#1")]),
        ({"b": "never"}, []),
        ({"a": {"exactly": 2, "args": {"to": {"matches": "@x$"}}}}, []),
        ({"a": {"max": 1, "args": {"to": {"matches": "@x$"}}}}, [("extra", "a#3")]),
        ({"a": {"exactly": 3, "args": {"cc": {"exists": False}}}}, []),
    ],
)
def test_calls_are_counted_and_narrowed_by_their_arguments(limits, found):
    """`min`, `max`, `exactly` and `never` say at which call they break."""
    run = run_of(call("a", {"to": "1@x"}), call("a", {"to": "2@y"}), call("a", {"to": "3@x"}))

    assert kinds(trace(), run, calls=limits) == found


def test_order_looks_at_first_calls():
    """The first of each comes before the first of the next; a tool that never comes is missing."""
    run = run_of(call("b"), call("a"), call("b"), call("c"))

    assert kinds(trace(), run, order=[["a", "c"], ["b", "a", "c"]]) == []
    assert kinds(trace(), run, order=[["a", "b"]]) == [("order", "b#1")]
    assert kinds(trace(), run, order=[["a", "x"]]) == [("missing", "x")]


def test_repeats_and_budgets_break_at_the_call_that_is_too_many():
    """Only identical calls in a row repeat; a budget names the first call beyond it."""
    run = run_of(call("a"), call("a"), call("b"), call("a"), call("a"), call("a"), model_calls=3, input_tokens=7)

    assert kinds(trace(), run, no_repeats=3) == []
    assert kinds(trace(), run, no_repeats=2) == [("extra", "a#5")]
    assert kinds(trace(), run, budget={"tool_calls": 2, "model_calls": 3}) == [("budget", "b#1")]
    assert kinds(trace(), run, budget={"tool_calls": 6, "model_calls": 2, "input_tokens": 6}) == [("budget", "end")] * 2


def test_states_are_checked_by_path():
    """A check on a state is at a path, or on the whole."""
    run = run_of(call("a", state={"docs": [1, 2]}), call("b", state={"docs": []}))

    assert kinds(trace(), run, state=[{"after": "a#1", "path": "docs[*]", "equals": 2}]) == []
    assert kinds(trace(), run, state=[{"after": "end", "path": "docs", "length": 0}]) == []
    assert judged(trace(), run, state=[{"after": "a#1", "path": "docs", "length": 0}])[0].cause == (
        "docs: expected a length of 0, got [1, 2]"
    )


@pytest.mark.parametrize(
    ("spec", "passes"),
    [
        ({"none": [{"contains": "card number"}]}, False),
        ({"none": [{"contains": "password"}]}, True),
        ({"any": [{"starts_with": "Done"}]}, True),
        ({"all": [{"not_contains": "card number"}]}, False),
        ({"not_contains": "card number"}, False),
        ({"contains": "Done"}, True),
        ({"not": {"contains": "card number"}}, False),
        ({"not": {"any": [{"matches": "pass+word"}]}}, True),
        ({"length": 2}, True),
        ({"length": 3, "contains": "Done"}, False),
    ],
)
def test_messages_are_what_the_agent_said(spec, passes):
    """Checks on text see all that was said; any, all and none ask each message."""
    run = run_of(messages=["your card number is 1", [{"type": "text", "text": "Done."}]])

    assert (kinds(trace(), run, messages=spec) == []) is passes


def test_other_actors_are_never_expected_of_the_agent():
    """Their calls, states and verdicts are not compared."""
    golden = trace(call("a", actor="sub", state=1, verdict="block"), call("s", executed_by="provider"), call("b"))

    assert kinds(golden, run_of(call("b"), verdicts={})) == []


def test_an_expectation_is_all_that_is_checked():
    """With `expect`, states, verdicts, output and calls that it doesn't list are free; null is a value to expect."""
    golden = trace(call("a", state=1, verdict="allow"), output=1)

    assert kinds(golden, run_of(call("z"), output=2), calls={"a": "never"}) == []
    assert kinds(golden, run_of(output=None), output=None) == []
    assert kinds(golden, run_of(output=2), output=None) == [("output", "end")]
    assert kinds(golden, run_of(call("a")), trajectory="superset") == []
    assert kinds(golden, run_of(call("a", {"x": 1})), trajectory="strict", args="ignore") == []


def test_effects_come_from_the_trace_then_from_the_run():
    """A read that only the session knows as one is free under `writes`, also where the run no longer makes it."""
    golden = trace(call("look"), call("pay"))
    run = run_of(call("pay"))
    knowing = Observed(steps=run.steps, effects={"look": "read"})

    assert kinds(golden, run, trajectory="writes") == [("missing", "look#1")]
    assert kinds(golden, knowing, trajectory="writes") == []


def test_a_recorded_trace_can_stand_in_for_the_run():
    """Two traces are compared as a run is with its golden trace."""
    golden = trace(call("a", state=1, verdict="allow"), output={"n": [1]})
    other = trace(call("a", state=1, verdict="allow"), output={"n": [2]})

    assert judge(None, golden, Observed.from_trace(golden)) == []
    assert [str(one.differences[0]) for one in judge(None, golden, Observed.from_trace(other))] == [
        "output.n[0] is 2, expected 1"
    ]
    assert Observed.from_trace(golden).find_state("nowhere") is MISSING
