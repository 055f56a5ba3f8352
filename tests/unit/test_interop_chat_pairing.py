"""Answers find their calls, by id and by position, and what doesn't fit is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_agentreplay.interop.chat import parse_chat
from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.trace import MessageStep, Trace


def call(name: str, call_id: str | None, arguments: Any = "{}") -> dict[str, Any]:
    return {"id": call_id, "function": {"name": name, "arguments": arguments}}


def asks(*calls: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": list(calls)}


def answer(content: Any, call_id: str | None = None, **more: Any) -> dict[str, Any]:
    return {"role": "tool", "content": content, "tool_call_id": call_id, **more}


def parsed(*messages: dict[str, Any]) -> tuple[Trace, list[str]]:
    result = parse_chat(json.dumps(messages), source="run.json")
    assert not result.refused
    [(_, trace)] = result.traces
    return trace, [note.fact for note in result.notes]


def results(trace: Trace) -> list[Any]:
    return [step.result for step in trace.tool_steps]


def test_parallel_calls_share_a_group_in_call_order() -> None:
    """Calls of one message have one group and stay in call order, however their answers came back."""
    trace, notes = parsed(
        asks(call("a", "1"), call("b", "2")), answer("B", "2"), answer("A", "1"), asks(call("c", "3")), answer("C", "3")
    )

    assert results(trace) == ["A", "B", "C"]
    assert [step.group for step in trace.tool_steps] == [1, 1, None]
    assert notes == []


def test_reused_ids_are_told_apart_by_position() -> None:
    """The answer to a reused id belongs to the latest call of that id."""
    trace, notes = parsed(asks(call("a", "x")), answer("1", "x"), asks(call("a", "x")), answer("2", "x"))

    assert results(trace) == ["1", "2"]
    assert notes == ["call id 'x' was used before; its answers are told apart by position"]


def test_a_reused_id_skips_the_call_that_was_never_answered() -> None:
    """A call without an answer doesn't steal the answer of a later call with its id."""
    trace, notes = parsed(
        asks(call("a", "x")), {"role": "user", "content": "?"}, asks(call("a", "x")), answer("2", "x")
    )

    assert results(trace) == [MISSING, "2"]
    assert "a (x) has no result" in notes


def test_the_same_id_twice_in_one_message() -> None:
    """Equal ids in one message are answered in call order."""
    trace, _ = parsed(asks(call("a", "x"), call("a", "x")), answer("1", "x"), answer("2", "x"))

    assert results(trace) == ["1", "2"]


def test_answers_without_ids_go_by_name_then_by_order() -> None:
    """Without an id an answer goes to the first open call of its name, without a name to the first open call."""
    trace, notes = parsed(asks(call("a", None), call("b", None)), answer("B", name="b"), answer("A"))

    assert results(trace) == ["A", "B"]
    assert notes == []


def test_an_unknown_id_goes_by_position_and_is_noted() -> None:
    """An id that no call has is taken by position, never silently."""
    trace, notes = parsed(asks(call("a", "call_long")), answer("A", "call_lo"))

    assert results(trace) == ["A"]
    assert notes == [
        "a tool result for call id 'call_lo' names no known call; taken by position as the answer to a (call_long)"
    ]


def test_a_second_answer_stays_a_message() -> None:
    """A second result for an answered call never answers another one; it is kept and noted."""
    trace, notes = parsed(asks(call("a", "1"), call("b", "2")), answer("A", "1"), answer("again", "1"))

    assert results(trace) == ["A", MISSING]
    assert [step.content for step in trace.steps if isinstance(step, MessageStep)] == ["again"]
    assert notes == ["a tool result for call id '1' answers no open call; kept as a message", "b (2) has no result"]


@pytest.mark.parametrize("text", ['{"path": "a', "", "[1]", '"x"', "[" * 5000])
def test_arguments_that_are_no_object_are_kept_as_text(text: str) -> None:
    """Invalid arguments stay exactly as the model wrote them, and are noted."""
    trace, notes = parsed(asks(call("a", "1", text)), answer("A", "1"))
    [step] = trace.tool_steps

    assert (step.args, step.raw_args) == (None, text)
    assert len(notes) == 1 and "raw_args" in notes[0]


def test_absent_arguments_and_results_stay_absent() -> None:
    """No arguments and no result are neither empty nor null."""
    trace, notes = parsed(asks({"id": "1", "function": {"name": "a"}}), {"role": "tool", "tool_call_id": "1"})
    [step] = trace.tool_steps

    assert (step.args, step.raw_args, step.result) == (None, None, MISSING)
    assert notes == ["the result of a (1) is absent"]


def test_output_is_what_was_said_after_the_last_call() -> None:
    """What the agent said before its last call is no output."""
    early, _ = parsed({"role": "assistant", "content": "Hi"}, asks(call("a", "1")), answer("A", "1"))
    late, _ = parsed(
        asks(call("a", "1")), answer("A", "1"), {"role": "assistant", "content": [{"type": "text", "text": "Bye"}]}
    )

    assert early.output is MISSING
    assert late.output == "Bye"


def test_unknown_roles_keys_and_non_messages_are_noted() -> None:
    """What a trace has no place for is named once; an unknown role is kept."""
    document = [{"role": "critic", "content": "no", "mood": 1}, 5, asks(call("a", "1")), answer("A", "1")]
    result = parse_chat(json.dumps(document), source="run.json")
    [(_, trace)] = result.traces

    assert trace.steps[0].address == "message#1"
    assert [(note.place, note.fact) for note in result.notes] == [
        ("run.json[0]", "unknown role 'critic'; kept as a message"),
        ("run.json[1]", "not a message; left out"),
        ("run.json", "left out, a trace has no place for: mood"),
    ]
