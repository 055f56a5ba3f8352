"""Transcripts are found wherever documents hold them, and whatever can't be read is refused by its place."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_agentreplay.interop.chat import parse_chat
from pytest_agentreplay.interop.transcript import Imported
from pytest_agentreplay.trace.document import parse_trace, render_trace

RUN = [
    {"role": "user", "content": "hi"},
    {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "function": {"name": "a", "arguments": "{}"}}]},
    {"role": "tool", "tool_call_id": "1", "content": "A"},
]
SAID = {"role": "assistant", "content": "done"}


def imported(document: Any, source: str = "run.json") -> Imported:
    return parse_chat(document if isinstance(document, str | bytes) else json.dumps(document), source=source)


SHAPES: dict[str, tuple[Any, int]] = {
    "a message list": (RUN, 1),
    "an object": ({"messages": RUN}, 1),
    "a list of message lists": ([RUN, RUN], 2),
    "a list of objects": ([{"messages": RUN}, {"traj": RUN}], 2),
    "a container": ({"tasks": [{"id": 1}], "simulations": [{"messages": RUN}, {"messages": RUN}]}, 2),
    "json lines": ("\n".join(json.dumps({"messages": RUN, "tools": []}) for _ in range(3)) + "\n", 3),
    "one message a line": ("\n".join(map(json.dumps, RUN)), 1),
    "with a byte order mark": (b"\xef\xbb\xbf" + json.dumps(RUN).encode(), 1),
    "utf-16": (json.dumps(RUN).encode("utf-16"), 1),
    "request and response": (
        {"request": {"model": "m", "messages": RUN}, "response": {"choices": [{"message": SAID}]}},
        1,
    ),
    "batch request and response": (
        {"request": {"body": {"messages": RUN}}, "response": {"body": {"choices": [{"message": SAID}]}}},
        1,
    ),
    "messages beside choices": ({"messages": RUN, "choices": [{"message": SAID}]}, 1),
    "request and anthropic response": ({"request": {"messages": RUN}, "response": SAID}, 1),
}


@pytest.mark.parametrize(("document", "count"), SHAPES.values(), ids=SHAPES)
def test_shapes(document: Any, count: int) -> None:
    """Every shape gives its transcripts, each with its one call."""
    result = imported(document)

    assert result.refused == []
    assert [[step.tool for step in trace.tool_steps] for _, trace in result.traces] == [["a"]] * count
    assert len({name for name, _ in result.traces}) == count


def pair(messages: list[Any], reply: dict[str, Any], tokens: int) -> dict[str, Any]:
    response = {"choices": [{"message": reply}], "model": "m-1", "usage": {"prompt_tokens": tokens}}
    return {"request": {"messages": messages}, "response": response}


def test_requests_that_grow_are_one_run() -> None:
    """Successive requests of one conversation become one trace, each reply with its own usage."""
    pairs = [pair(RUN[:1], RUN[1], 10), pair(RUN, SAID, 20)]
    [(_, trace)] = imported("\n".join(map(json.dumps, pairs)), "calls.jsonl").traces

    assert [step.address for step in trace.steps] == ["message#1", "model#1", "a#1", "model#2"]
    assert trace.run is not None and trace.run.usage == {"input_tokens": 30}
    assert trace.output == "done"


def test_requests_that_only_start_alike_are_several_runs() -> None:
    """The same question asked again, with another reply, is another run."""
    other = {**RUN[1], "content": "let me see"}
    result = imported([pair(RUN[:1], other, 1), pair(RUN, SAID, 1)])

    assert len(result.traces) == 2


REFUSED: dict[str, tuple[Any, str]] = {
    "empty": (b"", "the file is empty"),
    "blank": (" \n", "the file is empty"),
    "binary": (b"\x00\xff\xfe\x01", "not text: byte 1 is not utf-8"),
    "zip": (b"PK\x03\x04rest", "the file is a zip archive"),
    "text": ("hello", "not JSON: Expecting value at line 1, column 1"),
    "cut off": (json.dumps(RUN)[:-5], "not JSON: Expecting value at line 1, column 201"),
    "cut off, over several lines": (json.dumps({"messages": RUN}, indent=1)[:-9], "not JSON"),
    "too deep": ("[" * 500 + "]" * 500, "nested deeper than 100 levels"),
    "far too deep": ("[" * 200_000, "nested deeper than 100 levels"),
    "too many digits": ("[" + "9" * 5000 + "]", "not JSON: a number with too many digits"),
    "a number": ("5", "no messages here"),
    "null": ("null", "no messages here"),
    "no messages": ({"resourceSpans": []}, "no messages here, only resourceSpans"),
    "an empty list": ([], "no messages here"),
    "empty messages": ({"messages": []}, "no tool calls: nothing to replay"),
    "no calls": ([RUN[0], SAID], "no tool calls: nothing to replay"),
    "a call without a name": ([RUN[0], {**SAID, "tool_calls": [{"id": "1"}]}], "a tool call has no name"),
    "calls that are no list": ([RUN[0], {**SAID, "tool_calls": {"a": 1}}], "tool calls are a list, not dict"),
    "a name that is no text": ('[{"role": "assistant", "tool_calls": [{"name": "\\ud800"}]}]', "a trace can't hold"),
}


@pytest.mark.parametrize(("document", "why"), REFUSED.values(), ids=REFUSED)
def test_refusals_name_place_fact_and_remedy(document: Any, why: str) -> None:
    """What becomes no trace is refused once, by place, fact and remedy."""
    result = imported(document)

    assert result.traces == []
    assert len(result.refused) == 1
    assert result.refused[0].place.startswith("run.json") and result.refused[0].remedy
    assert result.refused[0].why.startswith(why)


def test_the_deepest_record_that_is_read_can_be_written() -> None:
    """The limit on nesting is one that a golden file can hold."""
    arguments: Any = 0
    for _ in range(95):
        arguments = [arguments]
    call = {"name": "a", "arguments": {"deep": arguments}}
    [(_, trace)] = imported([RUN[0], {**SAID, "tool_calls": [call]}]).traces

    assert parse_trace(render_trace(trace)) == trace


def test_a_bad_line_is_refused_by_its_number() -> None:
    """A line that can't be read takes no other line with it."""
    line = json.dumps({"messages": RUN})
    result = imported("\n".join([line, line[:40], "", line, '{"other": 1}']), "train.jsonl")

    assert [(refusal.place, refusal.why.partition(":")[0]) for refusal in result.refused] == [
        ("train.jsonl:2", "not JSON"),
        ("train.jsonl:5", "no messages here, only other"),
    ]
    assert [name for name, _ in result.traces] == ["train-1", "train-2"]


def test_a_lost_message_is_noted() -> None:
    """In a file of one message a line, a line that can't be read is refused and its gap noted."""
    result = imported("\n".join([*map(json.dumps, RUN), '{"role": "assi']), "run.jsonl")

    assert [refusal.place for refusal in result.refused] == ["run.jsonl:4"]
    assert [(note.place, note.fact) for note in result.notes] == [("run.jsonl:4", "a message is missing here")]
    assert len(result.traces) == 1


def test_a_file_of_another_kind_is_refused_once() -> None:
    """Hundreds of records without messages are one refusal, which shows the first."""
    result = imported("\n".join('{"event": 1}' for _ in range(300)), "events.jsonl")

    assert [refusal.why for refusal in result.refused] == [
        "no messages in any of its 300 records; events.jsonl:1: no messages here, only event"
    ]


def test_further_choices_are_noted() -> None:
    """Only one reply can be the run's; that there were more is told."""
    result = imported({"messages": RUN, "choices": [{"message": SAID}, {"message": SAID}]})

    assert "only the first of 2 choices was imported" in [note.fact for note in result.notes]


def test_the_title_never_quotes_the_conversation() -> None:
    """Titles come from the source and the task, since what was said may have to be redacted."""
    [(_, trace)] = imported({"task_id": 3, "trial": 1, "messages": RUN}, "runs/airline.json").traces

    assert trace.title == "airline, task3, trial1"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "role",
                        "type",
                        "content",
                        "messages",
                        "traj",
                        "trajectory",
                        "history",
                        "simulations",
                        "tool_calls",
                    ),
                    *("function", "function_call", "name", "arguments", "args", "id", "tool_call_id", "tool_call_ids"),
                    *("error", "result", "extra", "returncode", "request", "response", "body", "choices", "message"),
                    *(
                        "usage",
                        "model",
                        "action",
                        "observation",
                        "state",
                        "system",
                        "task_id",
                        "reward",
                        "info",
                        "labels",
                    ),
                ]
            ),
            inner | st.sampled_from(["assistant", "user", "tool", "tool_use", "tool_result", "text", "a", '{"a": 1}']),
            max_size=6,
        )
    ),
    max_leaves=40,
)
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "tool", "function", "system", "odd"])},
    optional={
        "content": JSON,
        "tool_calls": st.lists(
            st.fixed_dictionaries(
                {"name": st.text(max_size=3)}, optional={"arguments": JSON, "id": JSON, "result": JSON}
            ),
            max_size=3,
        )
        | JSON,
        "tool_call_id": JSON,
        "error": JSON,
        "usage": JSON,
        "name": JSON,
        "state": JSON,
    },
)


@settings(max_examples=300, deadline=None)
@given(
    JSON
    | st.lists(MESSAGE, max_size=6)
    | st.fixed_dictionaries(
        {"messages": st.lists(MESSAGE, max_size=6)},
        optional={
            "task_id": JSON,
            "trial": JSON,
            "reward": JSON,
            "suite_name": JSON,
            "info": JSON,
            "id": JSON,
            "model": JSON,
            "usage": JSON,
        },
    )
)
def test_any_json_is_imported_or_refused(document: Any) -> None:
    """No JSON value raises, and each ends as a trace or as a refusal."""
    result = imported(document)

    assert result.traces or result.refused
    assert all(refusal.why and refusal.remedy for refusal in result.refused)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60))
def test_any_bytes_are_imported_or_refused(data: bytes | str) -> None:
    """No bytes and no text raise."""
    result = parse_chat(data, source="run.json")

    assert result.traces or result.refused


@settings(max_examples=60, deadline=None)
@given(st.integers(min_value=0, max_value=400), st.sampled_from([b"", b"\x00", b"}", b"\xff", b'"']))
def test_a_corrupted_file_is_imported_or_refused(position: int, patch: bytes) -> None:
    """A file that was damaged anywhere never raises."""
    data = "\n".join(json.dumps({"messages": RUN}) for _ in range(2)).encode()
    result = parse_chat(data[:position] + patch + data[position + 1 :], source="run.jsonl")

    assert result.traces or result.refused


def test_cost_is_linear() -> None:
    """Four times the messages, ids reused and answers missing, take four times the steps of work, counted."""

    def work(calls: int) -> int:
        document = json.dumps([RUN[0], *(RUN[1] for _ in range(calls)), *(RUN[2] for _ in range(calls // 2))])
        steps = 0

        def count(*_: object) -> None:
            nonlocal steps
            steps += 1

        sys.setprofile(count)
        try:
            imported(document)
        finally:
            sys.setprofile(None)
        return steps

    assert work(2000) < 5 * work(500)
