"""Which recorded outcome answers which call."""

from __future__ import annotations

import threading

import pytest
from answering import many, other, read, replay, step, write

from pytest_agentreplay import DivergenceError, UnrecordedCallError

__all__ = ["replay"]
ANY = {"trajectory": "superset"}


def test_the_nth_identical_call_gets_the_nth_answer(replay):
    """Identical: the same tool and equal arguments, wherever the calls stand."""
    got = []
    steps = [step("read", f"key: {key}", f"result: {n}") for n, key in enumerate("aba", 1)]
    replay(steps, lambda: got.extend([read("a"), read("a"), read("b")]), expect={"trajectory": "unordered"})

    assert got == [1, 3, 2]


def test_one_more_read_repeats_the_last_answer(replay):
    """A read that is made more often than recorded changes nothing in the world."""
    got = []
    steps = [step("read", "key: a", "result: 1"), step("read", "key: a", "result: 2")]
    replay(steps, lambda: got.extend(read("a") for _ in range(4)), expect=ANY)

    assert got == [1, 2, 2, 2]


def test_one_more_write_is_unmatched(replay):
    """A second write is another write."""
    got = []

    def agent():
        got.append(write("a"))
        with pytest.raises(UnrecordedCallError):
            write("a")

    with pytest.raises((DivergenceError, UnrecordedCallError), match="write"):
        replay([step("write", "key: a")], agent, expect=ANY)
    assert got == [1]


def test_match_order_answers_by_position(replay):
    """The n-th call gets the n-th answer if the tool agrees, whatever its arguments."""
    got = []

    def agent():
        got.extend([read("x"), other("y")])
        with pytest.raises(UnrecordedCallError):
            read("z")  # the third recorded call is another tool's
        got.append(read("w"))

    tools = ["read", "other", "other", "read"]
    steps = [step(name, f"key: {n}", f"result: {n}") for n, name in enumerate(tools, 1)]
    with pytest.raises(UnrecordedCallError):
        replay(steps, agent, head="replay: {match: order}\n", check=False)
    assert got == [1, 2, 4]


def test_match_name_answers_by_position_among_the_tools_calls(replay):
    """The n-th call of a tool gets the n-th answer of that tool."""
    got = []
    tools = ["read", "other", "read"]
    steps = [step(name, f"key: {n}", f"result: {n}") for n, name in enumerate(tools, 1)]
    agent = lambda: got.extend([other("q"), read("x"), read("y"), read("z")])  # noqa: E731
    replay(steps, agent, head="replay: {match: name}\n", check=False)

    assert got == [2, 1, 3, 3]


def test_unmatched_error_leaves_judgement_to_expect(replay):
    """The agent gets the error; the run goes on and is judged by what is expected."""
    caught = []

    def agent():
        try:
            write("b")
        except UnrecordedCallError as error:
            caught.append(error)
        read("a")

    head = "replay: {unmatched: error}\nexpect: {trajectory: superset}\n"
    run = replay([step("read", "key: a")], agent, head=head)

    assert run.tools == ["write", "read"]
    assert (caught[0].tool, caught[0].tool_args) == ("write", {"key": "b"})


def test_answers_serve_calls_that_the_recording_lacks(replay):
    """An entry serves any number of calls; its `args` are checks, none means any; the first that fits wins."""
    got = []

    def agent():
        got.extend([other("o-1"), other("o-1"), read("k")])
        with pytest.raises(TimeoutError, match="no answer"):
            write("anything", 5)
        with pytest.raises(UnrecordedCallError):
            other("p-1")

    head = """\
replay:
  unmatched: error
  answers:
    - {tool: other, args: {key: {starts_with: o-}}, result: {status: paid}}
    - {tool: write, error: {type: TimeoutError, message: no answer}}
    - {tool: read, result: first}
    - {tool: read, result: second}
expect: {calls: {other: {max: 3}}}
"""
    replay([], agent, head=head)

    assert got == [{"status": "paid"}, {"status": "paid"}, "first"]


def test_the_recording_comes_before_answers(replay):
    """`answers` fill gaps only."""
    got = []
    head = "replay: {answers: [{tool: read, result: extra}]}\nexpect: {trajectory: superset}\n"
    replay([step("read", "key: a", "result: recorded")], lambda: got.extend([read("a"), read("b")]), head=head)

    assert got == ["recorded", "extra"]


def test_ignored_arguments_count_neither_in_answering_nor_in_comparing(replay):
    """Down to one field of an argument; its neighbours count."""
    got = []
    steps, head = [step("read", "key: a, meta: {sent: 1, id: x}")], "replay: {ignore_args: [meta.sent]}\n"
    replay(steps, lambda: got.append(read("a", meta={"sent": 2, "id": "x"})), head=head)

    assert got == [1]
    with pytest.raises(DivergenceError, match="meta"):
        replay(steps, lambda: read("a", meta={"sent": 2, "id": "y"}), head=head)


@pytest.mark.parametrize(
    ("recorded", "args"),
    [("key: a", ["a", 10]), ("key: a, limit: 10", ["a"]), ("key: a, limit: 10.0, meta: null", ["a"])],
)
def test_an_argument_left_out_equals_its_default(replay, recorded, args):
    """On either side."""
    run = replay([step("read", recorded)], lambda: read(*args))

    assert run.calls()[0].result == 1


def test_another_value_than_the_default_is_another_call(replay):
    """Left out is not: anything."""
    with pytest.raises(DivergenceError, match="limit"):
        replay([step("read", "key: a")], lambda: read("a", 11))


def test_an_opaque_argument_equals_any_of_its_type(replay):
    """A lock is recorded by its type; no other object stands for it."""
    steps = [step("read", "key: {$type: _thread.lock}")]
    run = replay(steps, lambda: read(threading.Lock()))

    assert run.calls()[0].result == 1
    with pytest.raises(DivergenceError):
        replay(steps, lambda: read(object()))


def test_variadic_arguments_go_by_their_parameters(replay):
    """Positional ones as a list under its name, keywords beside the others, empty ones left out."""
    steps = [step("many", "keys: [a, b], deep: 1", "result: 1"), step("many", "", "result: 2")]
    run = replay(steps, lambda: (many("a", "b", deep=1), many()))

    assert [call.result for call in run.calls()] == [1, 2]


def test_arguments_that_do_not_fit_are_a_call_all_the_same(replay):
    """The agent gets the TypeError; the call counts, and fails the run where nothing allows it."""

    def agent():
        with pytest.raises(TypeError):
            read("a", wrong=1)

    with pytest.raises(DivergenceError):
        replay([], agent)
    head = "replay: {unmatched: error}\nexpect: {calls: {read: {exactly: 1}}}\n"
    assert replay([], agent, head=head).tools == ["read"]


def test_values_of_other_types_are_other_calls(replay):
    """`true`, `1` and `'1'` are three keys; `1` and `1.0` are one."""
    got = []
    steps = [step("read", f"key: {key}", f"result: {n}") for n, key in enumerate(["1", "true", "'1'"])]
    replay(steps, lambda: got.extend([read("1"), read(True), read(1.0)]), expect={"trajectory": "unordered"})

    assert got == [2, 1, 0]


def test_other_actors_steps_are_not_expected_of_the_agent(replay):
    """Neither are the provider's own; and they answer none of its calls."""
    by_others = [
        step("read", "key: a", more=", actor: researcher"),
        step("web_search", "", more=", executed_by: provider"),
    ]
    run = replay([*by_others, step("other", "key: a")], lambda: other("a"))

    assert run.tools == ["other"]
    with pytest.raises(DivergenceError):
        replay(by_others, lambda: read("a"))


def test_a_call_is_compared_as_it_was_made(replay):
    """Arguments that the agent changes afterwards are recorded as they were."""

    def agent():
        keys = ["a"]
        read(keys)
        keys.append("b")
        read(keys)

    run = replay([step("read", "key: [a]"), step("read", "key: [a, b]")], agent)

    assert [call.args for call in run.calls()] == [{"key": ["a"]}, {"key": ["a", "b"]}]
