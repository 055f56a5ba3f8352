"""Whatever HTTP library carries a request to a model, it is recorded, and answered without a connection."""

from __future__ import annotations

import re

import pytest

from pytest_agentreplay import load_trace
from tests.frameworks.sdk.test_recorded_clients import ROOT
from tests.providers.imitation import ImitationProvider, says

AGENT = """
import asyncio, json, os
from concurrent.futures import ThreadPoolExecutor

PATH = "/v1/chat/completions"
HEADERS = {"authorization": "Bearer sk-abcdefghijklmnop1234567890"}

def body(text="hi", stream=False):
    return {"model": "m-1", "messages": [{"role": "user", "content": text}], "stream": stream}

def said(document):
    return document["choices"][0]["message"]["content"]

def streamed(lines):
    texts = [line if isinstance(line, str) else line.decode() for line in lines]
    events = [json.loads(text[6:]) for text in texts if text.startswith("data: {")]
    deltas = [event["choices"][0]["delta"] for event in events if event["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)

def url():
    return os.environ["PROVIDER"] + PATH

def httpx_sync():
    import httpx
    return said(httpx.post(url(), json=body(), headers=HEADERS).json())

def httpx_stream():
    import httpx
    with httpx.Client() as client, client.stream("POST", url(), json=body(stream=True)) as answer:
        return streamed(answer.iter_lines())

async def httpx_async():
    import httpx
    async with httpx.AsyncClient() as client:
        return said((await client.post(url(), json=body())).json())

async def httpx_gathered():
    import httpx
    async with httpx.AsyncClient() as client:
        answers = await asyncio.gather(*(client.post(url(), json=body(text)) for text in "aab"))
        return sorted(said(one.json()) for one in answers)

def httpx2_sync():
    import httpx2
    return said(httpx2.post(url(), json=body()).json())

async def httpx2_stream():
    import httpx2
    async with httpx2.AsyncClient() as client, client.stream("POST", url(), json=body(stream=True)) as answer:
        return streamed([line async for line in answer.aiter_lines()])

async def aiohttp_json():
    import aiohttp
    async with aiohttp.ClientSession() as session, session.post(url(), json=body()) as answer:
        return said(await answer.json())

async def aiohttp_stream():
    import aiohttp
    data = json.dumps(body(stream=True)).encode()
    async with aiohttp.ClientSession() as session, session.post(url(), data=data) as answer:
        return streamed([line async for line in answer.content])

def requests_json():
    import requests
    return said(requests.post(url(), json=body()).json())

def requests_stream():
    import requests
    return streamed(requests.post(url(), json=body(stream=True), stream=True).iter_lines())

def requests_session():
    import requests
    with requests.Session() as session:
        return [said(session.post(url(), json=body(text)).json()) for text in "ab"]

def urllib3_pool():
    import urllib3
    answer = urllib3.PoolManager().request("POST", url(), json=body())
    return said(answer.json())

def http_client():
    import http.client
    connection = http.client.HTTPConnection(os.environ["PROVIDER"].removeprefix("http://"))
    connection.request("POST", PATH, json.dumps(body()))
    text = said(json.load(connection.getresponse()))
    connection.close()
    return text

def requests_threads():
    import requests
    with ThreadPoolExecutor(8) as pool:
        return sorted(pool.map(lambda n: said(requests.post(url(), json=body(str(n % 4))).json()), range(32)))

def threads():
    import httpx
    with ThreadPoolExecutor(4) as pool:
        return sorted(pool.map(lambda n: said(httpx.post(url(), json=body(str(n % 2))).json()), range(8)))
"""

NAMES = re.findall(r"def (\w+_\w+|threads)\(\):", AGENT)

TEST = """
import pytest, agent

@pytest.mark.parametrize("name", {names})
def test_library(agent_replay, name):
    run = agent_replay(name, getattr(agent, name))
    assert run.model_calls and "hello" in str(run.output)
"""


def test_every_http_library_is_recorded_and_replayed(pytester, monkeypatch):
    """Sync, async, streaming, threads, several at once."""
    pytester.makeini(f"[pytest]\npythonpath = . {ROOT}\n")
    pytester.makepyfile(agent=AGENT, test_libraries=TEST.format(names=NAMES))
    flags = ("-p", "no:cacheprovider", "-W", "ignore")
    with ImitationProvider(lambda request: says("hello " + request.messages[-1].content)) as provider:
        monkeypatch.setenv("PROVIDER", provider.url)
        recorded = pytester.runpytest_subprocess("--agent-record=once", *flags)
        asked = len(provider.requests)

    monkeypatch.setenv("PROVIDER", "http://127.0.0.1:9")
    replayed = pytester.runpytest_subprocess(*flags)
    traces = [load_trace(pytester.path / "golden_traces" / f"{name}.yaml") for name in NAMES]

    recorded.assert_outcomes(passed=len(NAMES))
    replayed.assert_outcomes(passed=len(NAMES))
    assert sum(step.kind == "model" for trace in traces for step in trace.steps) == asked > len(NAMES)


@pytest.mark.parametrize(
    "name", ["httpx_sync", "httpx_async", "httpx2_sync", "aiohttp_json", "requests_json", "urllib3_pool"]
)
def test_a_missing_answer_ends_the_run_in_every_library(name, pytester, monkeypatch):
    """None of them wraps it, or tries again."""
    monkeypatch.setenv("PROVIDER", "http://127.0.0.1:9")
    is_async = f"async def {name}" in AGENT
    once = f"await {name}_once()" if is_async else f"{name}_once()"
    twice = f"{'async ' * is_async}def {name}():\n    return [{once}, {once}]\n"
    agent = AGENT.replace(f"def {name}():", f"def {name}_once():") + twice
    pytester.makeini(f"[pytest]\npythonpath = . {ROOT}\n")
    pytester.makepyfile(agent=agent, test_libraries=TEST.format(names=[name]))
    (pytester.path / "golden_traces").mkdir()
    trace = "format: agentreplay.trace/1\nsteps: [{model: m-1, content: hello}]\n"
    (pytester.path / "golden_traces" / f"{name}.yaml").write_text(trace)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-W", "ignore")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*model#2 has no answer: the trace has 1 model step, and no cassette"])
    assert result.duration < 30
