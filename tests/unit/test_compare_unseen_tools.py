"""A tool whose output the model was told, and that no call at the boundary produced, ran around it."""

from __future__ import annotations

import pytest

from pytest_agentreplay.compare.unseen_tools import UnseenTool, unseen_tools
from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.wire import Message, ModelReply, ModelRequest, ToolOutput, ToolUse


def asked(*outputs: ToolOutput, tools: tuple[str, ...] = ()) -> ModelRequest:
    said = Message("user", "hi")
    told = tuple(Message("tool", tool_outputs=(output,)) for output in outputs)
    return ModelRequest("openai-chat", "m", (said, *told), tools)


def decided(*uses: ToolUse) -> ModelReply:
    return ModelReply(tool_uses=uses)


def use(name: str, id: str | None = "c1", **more) -> ToolUse:
    return ToolUse(name, more.pop("args", {}), id, **more)


def output(id: str | None = "c1", content="42", **more) -> ToolOutput:
    return ToolOutput(content, id, **more)


def after(*pairs: tuple[ToolUse, ToolOutput], tools: tuple[str, ...] = ()):
    """Two exchanges: the model decides on calls, and is told their outputs."""
    uses, outputs = zip(*pairs, strict=True)
    return [(asked(tools=tools), decided(*uses)), (asked(*outputs, tools=tools), ModelReply(content="done"))]


def test_a_tool_around_the_boundary_is_named():
    """The model was told its output and no call was seen."""
    exchanges = after((use("get_invoice"), output()), (use("lookup", "c2"), output("c2")))

    assert unseen_tools(exchanges, ["lookup"]) == [UnseenTool("get_invoice", 1, 0)]


def test_calls_are_counted():
    """One of two calls that went around is found."""
    exchanges = after((use("lookup"), output()), (use("lookup", "c2"), output("c2")))

    assert unseen_tools(exchanges, ["lookup"]) == [UnseenTool("lookup", 2, 1)]
    assert unseen_tools(exchanges, ["lookup", "lookup"]) == []


def test_an_output_told_again_and_again_is_one():
    """Every request repeats the whole conversation."""
    exchanges = after((use("lookup"), output()))
    exchanges += [exchanges[-1]] * 3

    assert unseen_tools(exchanges, ["lookup"]) == []


def test_a_history_that_the_agent_was_given_does_not_count():
    """What was called before the run is no call of the run."""
    history = [(asked(output("old")), ModelReply(content="done"))]

    assert unseen_tools(history, []) == []


def test_ids_that_are_used_again_and_missing_ids_are_counted():
    """Some agents call every call the same, and some formats have no ids."""
    reused = [
        (asked(), decided(use("a"))),
        (asked(output()), decided(use("a"))),
        (asked(output(), output()), ModelReply()),
    ]
    nameless = after((use("a", None), output(None, name="a")))

    assert unseen_tools(reused, ["a"]) == [UnseenTool("a", 2, 1)]
    assert unseen_tools(reused, ["a", "a"]) == []
    assert unseen_tools(nameless, []) == [UnseenTool("a", 1, 0)]
    assert unseen_tools(nameless, ["a"]) == []


@pytest.mark.parametrize(
    "pair",
    [
        (use("transfer_to_billing"), output()),
        (use("final_result"), output()),
        (use("a", by_provider=True), output()),
        (use("a", args=MISSING, raw_args="{"), output()),
        (use("a"), output(is_error=True)),
        (use("a"), output(content="1 validation error for a\nFix the errors and try again.")),
        (use("a"), output(content="Error: a is not a valid tool, try one of [b].")),
        (use("a"), output(content={"error": "Unknown tool name: 'a'"})),
        (use("a"), output(content='{"error":[{"type":"missing","loc":["x"],"msg":"Field required","input":{}}]}')),
    ],
    ids=[
        "handoff",
        "final output",
        "provider",
        "no arguments",
        "error",
        "validation",
        "unknown",
        "unknown, as JSON",
        "pydantic",
    ],
)
def test_what_a_framework_answers_itself_is_no_tool(pair):
    """Handing over, final outputs, and refusals that are told in a tool's place."""
    assert unseen_tools(after(pair), []) == []


def test_a_tool_that_was_not_offered_is_none():
    """A model that makes up a tool is told so by the framework, in words of its own."""
    assert unseen_tools(after((use("made_up"), output()), tools=("a",)), []) == []
    assert unseen_tools(after((use("a"), output()), tools=("a",)), []) == [UnseenTool("a", 1, 0)]


def test_a_sub_agent_s_answer_is_no_tool():
    """An agent that is called as a tool answers with what its model said; its own tools are counted by themselves."""
    exchanges = [
        (asked(), decided(use("ask_helper"))),
        (asked(), decided(use("lookup"))),
        (asked(output(name="lookup")), ModelReply(content="all is well")),
        (asked(output("c1", "all is well", name="ask_helper")), ModelReply(content="done")),
    ]

    assert unseen_tools(exchanges, ["lookup"]) == []
    assert unseen_tools(exchanges, []) == [UnseenTool("lookup", 1, 0)]


def test_a_call_under_another_name_stands_for_one():
    """The model knows the tool by another name, or calls it through one."""
    exchanges = after((use("mcp__calc__add"), output()), (use("send"), output()))

    assert unseen_tools(after((use("mcp__calc__add"), output())), ["add"]) == []
    assert unseen_tools(after((use("email_send"), output())), ["email.send"]) == []
    assert len(unseen_tools(exchanges, [])) > 0


def test_ignored_tools_are_never_missed():
    """A project names what need not pass the boundary."""
    assert unseen_tools(after((use("ui_confirm"), output())), [], ["ui_*"]) == []
