"""A trace's own model steps answer requests, in whatever format they come."""

from __future__ import annotations

import json

import pytest

from pytest_agentreplay.cassettes import HttpRequest, StepAnswers, UnrecordedModelCallError
from pytest_agentreplay.cassettes.steps import replies_of
from pytest_agentreplay.trace import ModelStep, ToolStep, Trace
from pytest_agentreplay.wire import ToolUse, read_reply

STEPS = [
    ModelStep(model="m-1", content="let me look", reasoning="hm", usage={"input_tokens": 3, "output_tokens": 4}),
    ToolStep(tool="search", id="call_a", args={"q": 1}, result="found"),
    ToolStep(tool="search", args={"q": 2}, result="found"),
    ToolStep(tool="ask_user", args={}, result="yes", actor="user"),
    ToolStep(tool="web_search", args={"q": 3}, result=["page"], executed_by="provider"),
    ModelStep(model="m-1", content=[{"type": "text", "text": "do"}, {"type": "text", "text": "ne"}]),
]
URLS = {
    "openai-chat": "https://api.openai.com/v1/chat/completions",
    "openai-responses": "https://api.openai.com/v1/responses",
    "anthropic": "https://api.anthropic.com/v1/messages",
    "gemini": "https://generativelanguage.googleapis.com/v1beta/models/m-1:generateContent",
    "bedrock": "https://bedrock-runtime.us-east-1.amazonaws.com/model/m-1/converse",
}


def asking(dialect: str, *, stream: bool = False) -> HttpRequest:
    said = {"role": "user", "content": "hi"}
    bodies = {
        "openai-responses": {"model": "m-1", "input": [said], "stream": stream},
        "gemini": {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
        "bedrock": {"messages": [{"role": "user", "content": [{"text": "hi"}]}]},
    }
    body = bodies.get(dialect, {"model": "m-1", "max_tokens": 9, "messages": [said], "stream": stream})
    return HttpRequest("POST", URLS[dialect], json.dumps(body).encode(), {"content-type": "application/json"})


def test_a_model_step_decides_the_calls_that_follow_it():
    """Up to the next model step; the user's own calls are none of the model's."""
    first, last = replies_of(STEPS)

    assert [use.name for use in first.tool_uses] == ["search", "search", "web_search"]
    assert first.tool_uses[0] == ToolUse("search", {"q": 1}, "call_a")
    assert first.tool_uses[1].id is not None
    assert first.tool_uses[2].by_provider
    assert (first.content, first.reasoning, first.usage["output_tokens"]) == ("let me look", "hm", 4)
    assert (last.content, last.tool_uses) == ("done", ())


@pytest.mark.parametrize("dialect", URLS)
def test_answers_come_in_the_format_of_the_request(dialect):
    """The same steps serve every provider's client."""
    steps = [step for step in STEPS if getattr(step, "executed_by", None) is None]
    answers = StepAnswers(Trace(steps=steps))
    request = asking(dialect)
    found = []
    for _ in range(2):
        response, _ = answers.answer(request)
        found.append(read_reply(dialect, response.status, response.headers, response.body))

    assert [(use.name, use.args) for use in found[0].tool_uses] == [("search", {"q": 1}), ("search", {"q": 2})]
    assert found[1].content == "done"


@pytest.mark.parametrize("dialect", ["openai-chat", "openai-responses", "anthropic"])
def test_a_stream_is_answered_by_a_stream(dialect):
    """A client that asked for events gets events."""
    response, _ = StepAnswers(Trace(steps=STEPS[:2])).answer(asking(dialect, stream=True))

    assert response.headers["content-type"][0].startswith("text/event-stream")
    assert b"call_a" in response.body


def test_a_request_beyond_the_last_model_step_has_no_answer():
    """An agent that asks once more than it did is told so."""
    answers = StepAnswers(Trace(steps=[ModelStep(model="m", content="x")]))
    answers.answer(asking("openai-chat"))

    with pytest.raises(UnrecordedModelCallError, match="model#2 has no answer: the trace has 1 model step, "):
        answers.answer(asking("openai-chat"))


def test_other_requests_pass():
    """What asks nothing of a model is not answered here."""
    assert StepAnswers(Trace(steps=STEPS)).answer(HttpRequest("GET", "https://api.openai.com/v1/models")) is None
