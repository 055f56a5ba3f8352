"""LiteLLM's calls are recorded once each, whatever library carries them, and replay offline."""

from __future__ import annotations

from pathlib import Path

from tests.providers.imitation import ImitationProvider, calls, says

ROOT = Path(__file__).parents[3]

AGENT = """
import json, os
import litellm
from pytest_agentreplay import tool

litellm.suppress_debug_info = True
litellm.telemetry = False
TOOLS = [{"type": "function", "function": {"name": "get_capital", "parameters": {"type": "object", "properties": {}}}}]
CHOSEN = {
    "openai": {"model": "openai/gpt-4o", "path": "/v1"},
    "anthropic": {"model": "anthropic/claude-sonnet-4-5", "path": ""},
}

@tool(effect="read")
def get_capital(country):
    return "Paris"

def asked(provider, messages, **more):
    base = os.environ["PROVIDER"] + CHOSEN[provider]["path"]
    given = {"model": CHOSEN[provider]["model"], "messages": messages, "tools": TOOLS}
    return {**given, "api_base": base, "api_key": "sk-test", **more}

def first():
    return [{"role": "user", "content": "capital of France?"}]

def answer_tools(messages, said):
    messages.append(said.model_dump(include={"role", "content", "tool_calls"}))
    for call in said.tool_calls:
        result = get_capital(**json.loads(call.function.arguments))
        messages.append({"role": "tool", "tool_call_id": call.id, "content": result})

def sync(provider):
    messages = first()
    while True:
        said = litellm.completion(**asked(provider, messages)).choices[0].message
        if not said.tool_calls:
            return said.content
        answer_tools(messages, said)

async def asynchronous(provider):
    messages = first()
    while True:
        said = (await litellm.acompletion(**asked(provider, messages))).choices[0].message
        if not said.tool_calls:
            return said.content
        answer_tools(messages, said)

def streamed(provider):
    messages = first()
    while True:
        chunks = list(litellm.completion(**asked(provider, messages, stream=True)))
        said = litellm.stream_chunk_builder(chunks).choices[0].message
        if not said.tool_calls:
            return said.content
        answer_tools(messages, said)

async def astreamed(provider):
    messages = first()
    while True:
        chunks = [chunk async for chunk in await litellm.acompletion(**asked(provider, messages, stream=True))]
        said = litellm.stream_chunk_builder(chunks).choices[0].message
        if not said.tool_calls:
            return said.content
        answer_tools(messages, said)
"""

TEST = """
import pytest, agent

@pytest.mark.parametrize("provider", ["openai", "anthropic"])
@pytest.mark.parametrize("name", ["sync", "asynchronous", "streamed", "astreamed"])
def test_litellm(agent_replay, name, provider):
    run = agent_replay(f"{provider}-{name}", getattr(agent, name), input=provider)
    assert run.tools == ["get_capital"]
    assert len(run.model_calls) == 2
"""


def test_each_way_of_calling_is_recorded_once_and_replayed(pytester, monkeypatch):
    """Sync and async, whole and streamed, with two providers: over httpx and aiohttp."""
    pytester.makeini(f"[pytest]\npythonpath = . {ROOT}\n")
    pytester.makepyfile(agent=AGENT, test_calls=TEST)
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    flags = ("-p", "no:cacheprovider", "-W", "ignore")

    def script(request):
        told = any(message.tool_outputs for message in request.messages)
        return says("Paris") if told else calls("get_capital", country="France")

    with ImitationProvider(script) as provider:
        monkeypatch.setenv("PROVIDER", provider.url)
        recorded = pytester.runpytest_subprocess("--agent-record=once", *flags)
        asked = len(provider.requests)
    monkeypatch.setenv("PROVIDER", "http://127.0.0.1:9")
    replayed = pytester.runpytest_subprocess(*flags)

    recorded.assert_outcomes(passed=8)
    assert asked == 16
    replayed.assert_outcomes(passed=8)
