"""The providers' own clients are recorded against an imitation of their APIs, and replay without it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_agentreplay.cassettes import load_cassette
from tests.frameworks.sdk.loops import KEY
from tests.providers.imitation import ImitationProvider, calls, says

ROOT = Path(__file__).parents[3]
QUESTION = "Where is ann@example.com's home, France?"
CHAT = {
    "model": "m-1",
    "messages": [{"role": "user", "content": QUESTION}],
    "tools": [{"type": "function", "function": {"name": "get_capital", "parameters": {"type": "object"}}}],
}
MESSAGES = {
    "model": "m-1",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": QUESTION}],
    "tools": [{"name": "get_capital", "input_schema": {"type": "object"}}],
}
GEMINI = {
    "contents": [{"role": "user", "parts": [{"text": QUESTION}]}],
    "systemInstruction": {"parts": [{"text": "be brief"}]},
    "tools": [{"functionDeclarations": [{"name": "get_capital", "description": "d"}]}],
}
CONVERSE = {
    "messages": [{"role": "user", "content": [{"text": QUESTION}]}],
    "toolConfig": {"tools": [{"toolSpec": {"name": "get_capital", "inputSchema": {"json": {"type": "object"}}}}]},
}
RESPONSES = {
    "model": "m-1",
    "input": [{"role": "user", "content": QUESTION}],
    "tools": [{"type": "function", "name": "get_capital", "parameters": {"type": "object"}}],
}
LOOPS = {
    "openai_chat": (CHAT, "/v1"),
    "openai_chat_async": (CHAT, "/v1"),
    "openai_chat_stream": ({**CHAT, "stream": True}, "/v1"),
    "openai_responses": (RESPONSES, "/v1"),
    "anthropic_messages": (MESSAGES, ""),
    "anthropic_messages_stream": (MESSAGES, ""),
    "openai_responses_stream": (RESPONSES, "/v1"),
    "gemini": (GEMINI, ""),
    "gemini_stream": (GEMINI, ""),
    "bedrock": (CONVERSE, ""),
    "bedrock_stream": (CONVERSE, ""),
}
ANSWER = "It is Paris, ann@example.com."

TEST = """
import json, os, pytest
from pytest_agentreplay import tool
from tests.frameworks.sdk import loops

@tool(effect="read")
def get_capital(country):
    return "Paris"

loops.TOOLS["get_capital"] = get_capital

def test_loop(agent_replay):
    given = json.loads(os.environ["GIVEN"])
    agent_replay("loop", getattr(loops, os.environ["LOOP"]), input=given)
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> Path:
    """A project that can import the loops, and whose tools are real."""
    pytester.makefile(".ini", pytest=f"[pytest]\npythonpath = {ROOT}\n")
    pytester.makepyfile(TEST)
    return pytester.path


def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, loop: str, base_url: str, *flags: str):
    request, path = LOOPS[loop]
    monkeypatch.setenv("LOOP", loop)
    monkeypatch.setenv("GIVEN", json.dumps({"request": request, "base_url": base_url + path}))
    return pytester.runpytest_subprocess(*flags, "-p", "no:cacheprovider", "-W", "ignore::DeprecationWarning")


@pytest.mark.parametrize("loop", LOOPS)
def test_a_recorded_client_replays_without_its_provider(loop, project, pytester, monkeypatch):
    """What was recorded once is answered from the files: same calls, no connection, no secret kept."""
    headers = {"set-cookie": "session=s3cr3t", "x-request-id": "req-1"}
    script = [calls("get_capital", country="France"), says(ANSWER)]
    with ImitationProvider(script, headers=headers) as provider:
        recorded = run(pytester, monkeypatch, loop, provider.url, "--agent-record=once")
        recorded.assert_outcomes(passed=1)
        assert len(provider.requests) == 2

    replayed = run(pytester, monkeypatch, loop, "http://127.0.0.1:9")
    written = "".join(path.read_text(errors="replace") for path in sorted((project / "golden_traces").iterdir()))
    bodies = load_cassette(project / "golden_traces" / "loop.http.yaml").interactions
    written += "".join(one.response.body.decode(errors="replace") for one in bodies)  # binary ones too

    replayed.assert_outcomes(passed=1)
    assert "cassette: loop.http.yaml" in written
    for secret in ("ann@example.com", KEY, "s3cr3t", "req-1", "AKIA"):
        assert secret not in written


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_without_a_cassette_reaches_no_network(loop, project, pytester, monkeypatch):
    """A trace that holds no model is replayed sealed: the failure is the escape, and says what would answer."""
    (project / "golden_traces").mkdir()
    trace = "format: agentreplay.trace/1\nsteps: [{tool: get_capital, args: {country: France}, result: Paris}]\n"
    (project / "golden_traces" / "loop.yaml").write_text(trace)
    with ImitationProvider([says("hello")]) as provider:
        result = run(pytester, monkeypatch, loop, provider.url)

        result.assert_outcomes(failed=1)
        assert not provider.seen
        assert "the agent left its sealed run" in result.stdout.str()
