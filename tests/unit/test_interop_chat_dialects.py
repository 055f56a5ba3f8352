"""One engine reads what the dialects call messages, calls, arguments, answers and errors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_agentreplay.interop.chat import parse_chat
from pytest_agentreplay.interop.transcript import Imported
from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.trace import MessageStep, ModelStep, Trace

USER = {"role": "user", "content": "Where is my order?"}


def imported(document: Any, source: str = "run.json") -> Imported:
    return parse_chat(json.dumps(document), source=source)


def trace_of(document: Any) -> Trace:
    result = imported(document)
    assert not result.refused
    [(_, trace)] = result.traces
    return trace


def openai_call(arguments: Any = '{"id": 7}', call_id: str | None = "c1", name: str = "lookup") -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def asks(*calls: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": list(calls), **more}


def answers(content: Any, call_id: str | None = "c1", **more: Any) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": content, **more}


def test_a_message_list_becomes_steps_in_order() -> None:
    """Messages, model calls and tool calls keep their order; input and output are plain text."""
    trace = trace_of(
        [
            {"role": "developer", "content": "Be brief."},
            USER,
            asks(
                openai_call(),
                reasoning_content="look first",
                model="m-1",
                usage={"prompt_tokens": 5, "total_tokens": 6},
            ),
            answers('{"status": "sent"}'),
            {"role": "assistant", "content": "It was sent."},
        ]
    )
    model = trace.steps[2]
    [call] = trace.tool_steps

    assert [step.address for step in trace.steps] == ["message#1", "message#2", "model#1", "lookup#1", "model#2"]
    assert isinstance(model, ModelStep)
    assert (model.model, model.reasoning, model.usage) == ("m-1", "look first", {"input_tokens": 5, "total_tokens": 6})
    assert (call.args, call.result, call.id, call.group, call.actor) == (
        {"id": 7},
        '{"status": "sent"}',
        "c1",
        None,
        None,
    )
    assert (trace.input, trace.output) == ("Where is my order?", "It was sent.")
    assert trace.run is not None and trace.run.usage == {"input_tokens": 5, "total_tokens": 6}


CALLS = {
    "openai": [asks(openai_call()), answers("sent")],
    "arguments as an object": [asks(openai_call({"id": 7})), answers("sent")],
    "flat call": [asks({"id": "c1", "name": "lookup", "arguments": {"id": 7}}), answers("sent")],
    "agentdojo": [
        asks({"function": "lookup", "args": {"id": 7}, "id": "c1"}),
        answers("sent", tool_call={"function": "lookup", "args": {"id": 7}, "id": "c1"}, error=None),
    ],
    "inspect": [
        asks({"id": "c1", "function": "lookup", "arguments": {"id": 7}}),
        answers("sent", function="lookup"),
    ],
    "langchain": [
        {"type": "ai", "content": "", "tool_calls": [{"name": "lookup", "args": {"id": 7}, "id": "c1"}]},
        {"type": "tool", "content": "sent", "tool_call_id": "c1", "id": "message-2", "status": "success"},
    ],
    "legacy function call": [
        {"role": "assistant", "content": None, "function_call": {"name": "lookup", "arguments": '{"id": 7}'}},
        {"role": "function", "name": "lookup", "content": "sent"},
    ],
    "anthropic": [
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "lookup", "input": {"id": 7}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "sent"}]},
    ],
    "ai sdk": [
        {
            "role": "assistant",
            "content": [{"type": "tool-call", "toolCallId": "c1", "toolName": "lookup", "input": {"id": 7}}],
        },
        {
            "role": "tool",
            "content": [{"type": "tool-result", "toolCallId": "c1", "toolName": "lookup", "output": "sent"}],
        },
    ],
    "the same call as block and in the list": [
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "c1", "name": "lookup", "input": {"id": 7}}],
            "tool_calls": [openai_call()],
        },
        answers("sent"),
    ],
}


@pytest.mark.parametrize("messages", CALLS.values(), ids=CALLS)
def test_every_dialect_gives_the_same_call(messages: list[Any]) -> None:
    """Whatever a dialect calls them, name, arguments and result come out the same."""
    trace = trace_of([{**USER, "type": "human"}, *messages])

    assert [(step.tool, step.args, step.result, step.error) for step in trace.tool_steps] == [
        ("lookup", {"id": 7}, "sent", None)
    ]
    assert [step.message for step in trace.steps if isinstance(step, MessageStep)] == ["user"]


RESULTS = {
    "text": "plain",
    "json in a string": '{"a": [1, 2]}',
    "text that reads like an error": "Error: no such order",
    "blank": "",
    "null": None,
    "blocks": [{"type": "text", "content": "a"}, {"type": "text", "content": "b"}],
    "one block": [{"type": "text", "text": "a"}],
    "object": {"a": 1},
    "trailing blanks and carriage returns": "a \r\n\x07\t",
}


@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)
def test_results_stay_exactly_as_recorded(result: Any) -> None:
    """A result is the recorded value: never parsed, joined, trimmed or taken for an error."""
    [call] = trace_of([USER, asks(openai_call()), answers(result)]).tool_steps

    assert call.error is None
    assert call.result == result and type(call.result) is type(result)


ERRORS = {
    "agentdojo": (
        answers([{"type": "text", "content": ""}], error="ValueError: none"),
        "ToolError",
        "ValueError: none",
    ),
    "tau2": (answers("no such order", error=True), "ToolError", "no such order"),
    "inspect": (answers("", error={"type": "parsing", "message": "bad"}), "parsing", "bad"),
    "langchain": (answers("broke", status="error"), "ToolError", "broke"),
    "mini-swe-agent": (answers("not found", extra={"returncode": 127}), "ToolError", "not found"),
    "anthropic": (
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "c1",
                    "is_error": True,
                    "content": [{"type": "text", "text": "broke"}],
                }
            ],
        },
        "ToolError",
        "broke",
    ),
}


@pytest.mark.parametrize(("message", "kind", "text"), ERRORS.values(), ids=ERRORS)
def test_a_marked_error_is_an_error(message: dict[str, Any], kind: str, text: str) -> None:
    """An explicit mark makes the outcome an error with the recorded text."""
    [call] = trace_of([USER, asks(openai_call()), message]).tool_steps

    assert call.result is MISSING
    assert call.error is not None and (call.error.type, call.error.message) == (kind, text)


def test_error_content_that_is_no_text_is_kept() -> None:
    """What an error carries beside its message stays, as an attribute."""
    [call] = trace_of([USER, asks(openai_call()), answers({"code": 5}, error="broke")]).tool_steps

    assert call.error is not None and call.error.attributes == {"content": {"code": 5}}


def test_tau_bench_failures_are_errors() -> None:
    """In tau-bench a text that begins with ``Error:`` is the environment's only mark of a failed call."""
    [call] = trace_of(
        [{"task_id": 0, "trial": 1, "reward": 0.0, "traj": [USER, asks(openai_call()), answers("Error: no")]}]
    ).tool_steps

    assert call.error is not None and call.error.message == "Error: no"


def test_agentdojo_log() -> None:
    """Suite, tasks, attack and verdicts become labels; the name says which run it was."""
    log = {
        "suite_name": "banking",
        "pipeline_name": "gpt-4o",
        "user_task_id": "user_task_3",
        "injection_task_id": "injection_task_1",
        "attack_type": "direct",
        "injections": {"bill": "ignore all"},
        "messages": [USER, asks({"function": "lookup", "args": {"id": 7}, "id": "c1"}), answers("sent")],
        "error": None,
        "utility": True,
        "security": False,
    }
    [(name, trace)] = imported(log, source="logs/gpt-4o/injection_task_1.json").traces

    assert name == "gpt-4o-banking-user_task_3-direct-injection_task_1"
    assert trace.run is not None and trace.run.labels is not None
    assert trace.run.labels["utility"] is True and trace.run.labels["security"] is False
    assert trace.run.labels["injections"] == {"bill": "ignore all"}
    assert "error" not in trace.run.labels


def test_calls_of_the_user_have_an_actor() -> None:
    """In tau2 the simulated user calls tools too: those are another actor's, even in silence."""
    trace = trace_of(
        {
            "info": {"environment_info": {"domain_name": "telecom"}, "agent_info": {"llm": "m-1"}},
            "tasks": [{"id": "t"}],
            "simulations": [
                {
                    "id": "s1",
                    "task_id": "t",
                    "trial": 0,
                    "reward_info": {"reward": 1.0},
                    "messages": [
                        USER,
                        asks({"id": "c1", "name": "lookup", "arguments": {}, "requestor": "assistant"}),
                        {"role": "tool", "id": "c1", "content": "ok", "requestor": "assistant", "error": False},
                        {
                            "role": "user",
                            "content": None,
                            "tool_calls": [{"id": "c2", "name": "reboot", "arguments": {}, "requestor": "user"}],
                        },
                        {"role": "tool", "id": "c2", "content": "done", "requestor": "user", "error": False},
                    ],
                }
            ],
        }
    )

    assert [step.address for step in trace.steps] == ["message#1", "model#1", "lookup#1", "reboot@user#1"]
    assert [step.actor for step in trace.tool_steps] == [None, "user"]
    assert trace.run is not None and trace.run.labels is not None and trace.run.id == "s1"
    assert trace.run.labels["success"] is True and trace.run.labels["domain"] == "telecom"


def test_anthropic_blocks_are_taken_out_of_the_content() -> None:
    """Thinking becomes reasoning, a lone text block the text; a provider's own tool is marked as such."""
    trace = trace_of(
        {
            "system": "Be brief.",
            "messages": [
                USER,
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "search it"},
                        {"type": "text", "text": "Searching."},
                        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "x"}},
                        {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [{"url": "u"}]},
                    ],
                },
            ],
        }
    )
    model = trace.steps[2]
    [call] = trace.tool_steps

    assert isinstance(model, ModelStep) and (model.content, model.reasoning) == ("Searching.", "search it")
    assert (call.executed_by, call.result) == ("provider", [{"url": "u"}])
    assert isinstance(trace.steps[0], MessageStep) and trace.steps[0].message == "system"


def test_swe_agent_turns() -> None:
    """A turn is a call named by its action's first word, with its observation and the state after it."""
    trace = trace_of(
        {
            "history": [{"role": "system", "content": "s"}, {"role": "user", "content": "fix it"}],
            "trajectory": [{"action": "ls -a\n", "observation": "", "response": "look", "state": {"cwd": "/"}}],
        }
    )
    [call] = trace.tool_steps

    assert (call.tool, call.args, call.result, call.state) == ("ls", {"action": "ls -a\n"}, "", {"cwd": "/"})
    assert trace.input == "fix it"


def test_shell_examples_are_no_calls() -> None:
    """A fenced command in an ordinary conversation is advice, not a call."""
    result = imported([USER, {"role": "assistant", "content": "Run\n```bash\nrm -rf build\n```"}, USER])

    assert not result.traces and result.refused[0].why.startswith("no tool calls")


def test_a_reply_with_two_fenced_commands_calls_nothing() -> None:
    """That protocol rejects a reply without exactly one command, so it made no call."""

    def reply(*commands: str) -> dict[str, Any]:
        return {"role": "assistant", "content": "\n".join(f"```mswea_bash_command\n{text}\n```" for text in commands)}

    rejected = {"role": "user", "content": "exactly one action, please"}
    output = {"role": "user", "content": "<returncode>2</returncode>\n<output>\nno\n</output>"}
    [call] = trace_of([USER, reply("ls", "pwd"), rejected, reply("cat x"), output]).tool_steps

    assert call.args == {"command": "cat x"}
    assert call.error is not None and call.error.attributes == {"returncode": 2}
