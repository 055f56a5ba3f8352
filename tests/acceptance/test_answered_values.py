"""What the agent sees of a recorded outcome, and what of its ending the test sees."""

from __future__ import annotations

import asyncio
import json
from datetime import date, datetime

import pytest
from answering import (
    Client,
    Color,
    Item,
    Order,
    RefusedError,
    aread,
    astream,
    color,
    day,
    item,
    maybe,
    model_tool,
    order,
    orders,
    read,
    replay,
    step,
    stream,
    write,
)

from pytest_agentreplay import DivergenceError, GuardBlocked

__all__ = ["replay"]
ANY = {"trajectory": "superset"}


@pytest.mark.parametrize(
    ("recorded", "kind", "text"),
    [
        ("{type: TimeoutError, message: late}", TimeoutError, "late"),
        ("{type: KeyError, message: \"'k'\"}", KeyError, "'k'"),
        ("{type: OSError, message: '[Errno 5] none', attributes: {args: [5, none]}}", OSError, "[Errno 5] none"),
        ("{type: json.decoder.JSONDecodeError, message: bad}", json.JSONDecodeError, "bad"),
        ("{type: answering.RefusedError, message: no, attributes: {code: 7}}", RefusedError, "no"),
    ],
)
def test_recorded_errors_are_raised_again(replay, recorded, kind, text):
    """Builtins and what is imported, made without their `__init__`, with text and attributes as recorded."""
    caught = []

    def agent():
        with pytest.raises(kind) as raised:
            read("a")
        caught.append(raised.value)

    replay([step("read", "key: a", f"error: {recorded}")], agent)

    assert type(caught[0]) is kind and str(caught[0]) == text
    assert kind is not RefusedError or caught[0].code == 7


@pytest.mark.parametrize("name", ["stripe.CardError", "never.imported.Thing", "Unknown", "SystemExit", "os.system"])
def test_a_stand_in_says_what_it_stands_for(replay, name):
    """What is not imported is not imported for this, and what is no Exception is not raised."""
    caught = []

    def agent():
        with pytest.raises(Exception, match="declined") as raised:
            read("a")
        caught.append(raised.value)

    replay([step("read", "key: a", f"error: {{type: {name}, message: declined}}")], agent)

    assert type(caught[0]).__name__ == name.rpartition(".")[2]
    assert any(name in note for note in caught[0].__notes__)


def test_blocked_calls_are_blocked_again(replay):
    """Raised as in production, and counted among the run's calls."""
    caught = []

    def agent():
        try:
            write("a")
        except GuardBlocked as error:
            caught.append(error)
        read("a")

    verdict = "verdict: {decision: block, findings: [{rule: r, reason: too much}]}"
    run = replay([step("write", "key: a", verdict), step("read", "key: a")], agent, expect={"trajectory": "strict"})

    assert run.tools == ["write", "read"]
    assert caught[0].tool == "write" and "too much" in str(caught[0])


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        ("null", None),
        ("''", ""),
        ("'null'", "null"),
        ("'{\"a\": 1}'", '{"a": 1}'),
        ("[]", []),
        ("{$base64: YQ==}", b"a"),
        ("{$float: inf}", float("inf")),
        ("{$utf16: 'd800'}", "\ud800"),
        ("{$literal: {$float: x}}", {"$float": "x"}),
        ("'2026-01-02'", "2026-01-02"),
        ("no", "no"),
        ("010", "010"),
    ],
)
def test_results_are_exactly_what_was_recorded(replay, recorded, expected):
    """No result, null and the empty text are three things; JSON in a text stays a text; marks are undone."""
    got = []
    replay([step("read", "key: a", f"result: {recorded}")], lambda: got.append(read("a")))

    assert got == [expected] and type(got[0]) is type(expected)


TYPED = [
    (item, "{sku: a, tags: [x]}", Item("a", ["x"])),
    (maybe, "null", None),
    (maybe, "{sku: b, tags: []}", Item("b", [])),
    (
        order,
        "{id: o, at: '2026-01-02T03:04:05', items: [{sku: i, tags: []}]}",
        Order(id="o", at=datetime(2026, 1, 2, 3, 4, 5), items=[Item("i", [])]),
    ),
    (
        orders,
        "[{id: o, at: '2026-01-02T03:04:05', items: []}]",
        [Order(id="o", at=datetime(2026, 1, 2, 3, 4, 5), items=[])],
    ),
    (color, "red", Color.RED),
    (day, "'2026-01-02'", date(2026, 1, 2)),
]


@pytest.mark.parametrize(("tool", "recorded", "expected"), TYPED)
def test_results_are_rebuilt_from_the_return_annotation(replay, tool, recorded, expected):
    """Dataclasses, pydantic models, enums, dates, and lists and options of them."""
    got = []
    replay([step(tool.__name__, "key: a", f"result: {recorded}")], lambda: got.append(tool("a")))

    assert got == [expected] and type(got[0]) is type(expected)


def test_each_call_gets_a_fresh_copy(replay):
    """What the agent does to an answer shows in no other answer, and not in the run."""
    seen = []

    def agent():
        for _ in range(3):
            plain, typed = read("a"), item("a")
            seen.append((list(plain["list"]), list(typed.tags)))
            plain["list"].append(2)
            typed.tags.append("mine")

    steps = [step("read", "key: a", "result: {list: [1]}"), step("item", "key: a", "result: {sku: a, tags: []}")]
    run = replay(steps, agent, expect=ANY)

    assert seen == [([1], [])] * 3
    assert run.calls("read")[0].result == {"list": [1]}


def test_streams_yield_what_was_recorded(replay):
    """Generators and async generators, and the error that ended one."""
    got = []

    async def read_all():
        got.extend([part async for part in astream("a")])

    def agent():
        got.extend(stream("a"))
        asyncio.run(read_all())
        with pytest.raises(ValueError, match="broke"):
            list(stream("b"))

    steps = [
        step("stream", "key: a", "result: [1, 2]"),
        step("astream", "key: a", "result: [x]"),
        step("stream", "key: b", "error: {type: ValueError, message: broke}"),
    ]
    run = replay(steps, agent)

    assert got == [1, 2, "x"]
    assert run.tools == ["stream", "astream", "stream"]


def test_methods_are_tools_without_self(replay):
    """Instance, class and static methods, on the instance and on the class."""
    got = []
    steps = [step(name, f"key: {key}", f"result: {key}") for name, key in [("get", "a"), ("of", "b"), ("by", "c")]]
    agent = lambda: got.extend([Client().get("a"), Client.of("b"), Client.by("c"), Client().of(key="b")])  # noqa: E731
    replay(steps, agent, expect=ANY)

    assert got == ["a", "b", "c", "b"]


def test_parallel_calls_come_back_in_the_recorded_order(replay):
    """By `finished`, not in the order of their start."""
    came = []

    async def one(key):
        came.append(await aread(key))

    async def agent():
        await asyncio.gather(*(one(key) for key in "abc"))

    finished = {"a": 3, "b": 1, "c": 2}
    steps = [
        step("aread", f"key: {key}", f"result: {key}", f", group: 1, finished: {n}") for key, n in finished.items()
    ]
    replay(steps, lambda: asyncio.run(agent()))

    assert came == ["b", "c", "a"]


def test_a_tool_called_model_is_addressed_apart(replay):
    """`model#1` is the model's first call."""
    run = replay([step("model", "key: a")], lambda: model_tool("a"))

    assert [call.address for call in run.calls()] == ["tool:model#1"]


def broken():
    raise ZeroDivisionError("the agent's own")


def test_an_exception_of_the_agent_comes_out_unchecked(replay):
    """`check=False` drops what is expected, not what happened."""
    with pytest.raises(ZeroDivisionError):
        replay([], broken, check=False)


def test_an_exception_fails_the_run_whatever_is_expected(replay):
    """Unless the trace records that very error."""
    with pytest.raises(DivergenceError, match="the agent's own"):
        replay([], broken, expect={"calls": {"read": "never"}})
    with pytest.raises(DivergenceError):
        replay([], broken, head="error: {type: ValueError, message: the agent's own}\n")
    run = replay([], broken, head="error: {type: ZeroDivisionError, message: the agent's own}\n")

    assert run.error.type == "ZeroDivisionError"


@pytest.mark.parametrize(
    "expect",
    [
        {"state": [{"after": "end", "path": "a", "equals": 1}]},
        {"state": [{"after": "read#1", "equals": 1}]},
        {"messages": {"none": [{"contains": "x"}]}},
        {"budget": {"input_tokens": 5}},
        {"budget": {"model_calls": 1}},
    ],
)
def test_what_the_run_could_not_observe_fails_as_that(replay, expect):
    """An expectation that nothing can meet is no pass."""
    with pytest.raises(DivergenceError) as caught:
        replay([], lambda: None, expect=expect)

    assert caught.value.divergence.kind == "not_observed"
