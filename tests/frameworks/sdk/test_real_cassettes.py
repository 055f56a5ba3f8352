"""Cassettes that others recorded drive the providers' own clients, offline."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from pytest_agentreplay import Trace, save_trace
from pytest_agentreplay.cassettes import load_cassette
from pytest_agentreplay.trace import ErrorInfo, ModelStep, RunInfo, ToolStep

ROOT = Path(__file__).parents[3]
CASSETTES = ROOT.parent / "shared" / "traces" / "vcr"

pytestmark = pytest.mark.skipif(not CASSETTES.is_dir(), reason="the recorded cassettes are not beside the checkout")

LOOPS = [
    ("openai_chat", "pydantic-ai/test_temporal__test_temporal_agent_with_model_retry.yaml"),
    ("openai_chat_async", "pydantic-ai/test_temporal__test_temporal_agent_with_model_retry.yaml"),
    ("openai_chat_stream", "pydantic-ai/test_temporal__test_complex_agent_run.yaml"),
    ("openai_responses", "pydantic-ai/test_openai_responses__test_openai_responses_model_retry.yaml"),
    ("anthropic_messages", "pydantic-ai/test_anthropic__test_multiple_parallel_tool_calls.yaml"),
    ("gemini", "pydantic-ai/test_google__test_google_model_retry.yaml"),
    ("bedrock", "pydantic-ai/test_bedrock__test_bedrock_model_retry.yaml"),
]


def golden_of(path: Path, loop: str, cassette: str | None) -> Trace:
    """Make the golden trace of an agent whose exchanges a cassette holds."""
    model_calls = [one for one in load_cassette(path).interactions if one.request.asked is not None]
    told = [output for message in model_calls[-1].request.asked.messages for output in message.tool_outputs]
    outputs = iter(told)
    steps: list[Any] = []
    for one in model_calls:
        reply = one.reply()
        steps.append(ModelStep(model=reply.model or "m", content=reply.content))
        steps += [_tool_step(use, next(outputs)) for use in reply.tool_uses if use.name != "final_result"]
    last = model_calls[-1].reply()
    final = [use for use in last.tool_uses if use.name == "final_result"]
    return Trace(
        agent=f"tests.frameworks.sdk.loops:{loop}",
        input={"request": model_calls[0].request.value},
        run=RunInfo(cassette=cassette) if cassette else RunInfo(source="test"),
        steps=steps,
        output=json.dumps(final[0].args, separators=(",", ":")) if final else last.content,
    )


def _tool_step(use: Any, output: Any) -> ToolStep:
    text = output.content
    if isinstance(text, dict):
        text = text.get("error", text.get("return_value"))
    if isinstance(text, list):
        text = text[0]["text"]
    if output.is_error or "Fix the errors" in text:
        return ToolStep(tool=use.name, id=use.id, args=use.args, error=ErrorInfo(type="ValueError", message=text))
    return ToolStep(tool=use.name, id=use.id, args=use.args, result=text)


@pytest.fixture
def project(pytester: pytest.Pytester) -> Path:
    """A project that can import the loops."""
    pytester.makefile(".ini", pytest=f"[pytest]\npythonpath = {ROOT}\n")
    (pytester.path / "golden_traces").mkdir()
    return pytester.path


def replayed(pytester: pytest.Pytester) -> pytest.RunResult:
    return pytester.runpytest_subprocess("--agent-replay", "-p", "no:cacheprovider", "-W", "ignore::DeprecationWarning")


@pytest.mark.parametrize(("loop", "cassette"), LOOPS, ids=[loop for loop, _ in LOOPS])
def test_a_foreign_cassette_drives_the_provider_s_own_client(loop, cassette, project, pytester):
    """Each loop runs to its end with every answer from the file, and with no socket opened."""
    shutil.copy(CASSETTES / cassette, project / "golden_traces" / "loop.http.yaml")
    save_trace(golden_of(CASSETTES / cassette, loop, "loop.http.yaml"), project / "golden_traces" / "loop.yaml")

    result = replayed(pytester)

    result.assert_outcomes(passed=1)


# The streamed run ends in a tool of its framework's, which no trace holds.
@pytest.mark.parametrize(("loop", "cassette"), [one for one in LOOPS if one[0] != "openai_chat_stream"])
def test_the_trace_s_own_steps_drive_the_provider_s_own_client(loop, cassette, project, pytester):
    """Without a cassette the model's recorded steps are its answers, in the provider's own format."""
    save_trace(golden_of(CASSETTES / cassette, loop, None), project / "golden_traces" / "loop.yaml")

    result = replayed(pytester)

    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(("loop", "cassette"), LOOPS, ids=[loop for loop, _ in LOOPS])
def test_a_changed_prompt_fails_at_once_and_says_what_changed(loop, cassette, project, pytester):
    """No client tries a request without an answer again, or turns it into an error of its own."""
    shutil.copy(CASSETTES / cassette, project / "golden_traces" / "loop.http.yaml")
    trace = golden_of(CASSETTES / cassette, loop, "loop.http.yaml")
    request = json.loads(json.dumps(trace.input["request"]).replace("What is", "What was").replace("Tell", "Say"))
    request = json.loads(json.dumps(request).replace("Who is", "Who was"))
    save_trace(trace.model_copy(update={"input": {"request": request}}), project / "golden_traces" / "loop.yaml")

    result = replayed(pytester)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*model#1 was asked what its cassette has no answer to", "*changed  message * (user)*"]
    )
    assert result.duration < 30
