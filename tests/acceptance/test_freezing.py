"""What an agent puts into its calls from the clock, from chance and from generated ids comes back in a replay."""

from __future__ import annotations

import re

import pytest

from tests.providers.imitation import ImitationProvider, calls, says

pytest.importorskip("time_machine")  # the extra `freeze`

AGENT = """
import asyncio, random, threading, time, uuid
from datetime import datetime
from uuid import uuid4
from pytest_agentreplay import tool

@tool(effect="write")
def put(**told):
    random.seed()
    time.sleep(0.005)
    return str(uuid4())

@tool(effect="write")
async def aput(**told):
    await asyncio.sleep(0.005)
    return str(uuid4())

def told():
    return {"now": datetime.now().isoformat(), "seconds": time.time(), "number": random.random(), "id": str(uuid4())}

def agent():
    for _ in range(3):
        put(**told())
    put(old_id=uuid.uuid1().hex, picked=random.sample(range(100), 5), local=time.strftime("%H:%M"))
    return told()

async def parallel():
    async def branch(name):
        await aput(name=name, now=datetime.now().isoformat())
    await asyncio.gather(*(branch(name) for name in "abc"))
    await aput(**told())
    return told()

async def gathered():
    async def branch(name, wait):
        await asyncio.sleep(wait)
        await aput(name=name, now=datetime.now().isoformat())
    await asyncio.gather(branch("a", 0), branch("b", 0.001), branch("c", 0.002))
    return told()

def threaded():
    def body():
        put(**told())
    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    return told()

def failing():
    put(**told())
    raise ValueError(f"{uuid4()} at {datetime.now()}")
"""
ARGUMENTS = {"time": "now", "random": "number", "ids": "id"}
TEST = """
import pytest, agents

@pytest.mark.parametrize("name", ["agent", "parallel", "gathered", "threaded"])
def test_run(agent_replay, name):
    agent_replay(name, getattr(agents, name))
"""


@pytest.fixture
def project(shop):
    """Agents that depend on the time, on chance and on ids."""
    shop.module(AGENT, "agents")
    shop.test(TEST)
    return shop


def _recorded(project, name="agent"):
    return (project.path / "golden_traces" / f"{name}.yaml").read_text(encoding="utf-8")


def test_a_recording_replays_when_all_is_frozen(project):
    """Recorded and replayed under the option, the agents do the same, on their own and in workers."""
    project.ini("agent_replay_freeze = all\n")
    project.run("--agent-record=once", "test_it.py").assert_outcomes(passed=4)
    again = project.run("test_it.py")
    in_workers = project.run("-n", "2", "test_it.py")

    again.assert_outcomes(passed=4)
    in_workers.assert_outcomes(passed=4)


def test_a_recording_replays_in_another_time_zone(project, monkeypatch):
    """Local time is that of the recording, whatever the machine's is."""
    project.ini("agent_replay_freeze = all\n")
    monkeypatch.setenv("TZ", "America/St_Johns")
    project.run("--agent-record=once", "test_it.py").assert_outcomes(passed=4)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    elsewhere = project.run("test_it.py")

    elsewhere.assert_outcomes(passed=4)
    recorded = _recorded(project)
    began = re.search(r"recorded_at: \"?\S+T(..):.*-0[23]:30", recorded)
    assert began is not None
    assert re.search(rf'local: "?{began[1]}:', recorded)


def test_nothing_is_frozen_unasked(project):
    """Without the option the same agents part from their recording."""
    project.run("--agent-record=once", "-o", "agent_replay_freeze=all", "test_it.py").assert_outcomes(passed=4)
    result = project.run("test_it.py")

    result.assert_outcomes(failed=4)


@pytest.mark.parametrize("subjects", ["time random", "time ids", "random ids"])
def test_each_subject_is_frozen_by_itself(project, subjects):
    """What isn't named isn't frozen."""
    project.ini(f"agent_replay_freeze = {subjects}\n")
    project.run("--agent-record=once", "test_it.py").assert_outcomes(passed=4)
    result = project.run("test_it.py", "-k", "threaded")
    argument = next(argument for subject, argument in ARGUMENTS.items() if subject not in subjects)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*put was called with {argument} *"])


def test_the_marker_says_it_for_one_test(shop):
    """`freeze=` on the marker stands in the place of the ini key."""
    shop.module(AGENT, "agents")
    shop.ini("agent_replay_freeze = all\n")
    shop.test(
        """
        import pytest, agents

        @pytest.mark.agent_replay(freeze=["time", "random", "ids"])
        def test_named(agent_replay):
            agent_replay("named", agents.agent)

        @pytest.mark.agent_replay(freeze=True)
        def test_all(agent_replay):
            agent_replay("all", agents.agent)

        @pytest.mark.agent_replay(freeze=False)
        def test_none(agent_replay):
            agent_replay("none", agents.agent)
        """
    )
    shop.run("--agent-record=once", "test_it.py").assert_outcomes(passed=3)
    outcomes = shop.outcomes("test_it.py")

    assert {name: outcome.outcome for name, outcome in outcomes.items()} == {
        "test_named": "passed",
        "test_all": "passed",
        "test_none": "failed",
    }


def test_every_form_of_a_run_is_frozen(shop):
    """As a context manager, and inside a running event loop."""
    shop.module(AGENT, "agents")
    shop.ini("agent_replay_freeze = all\n")
    shop.test(
        """
        import pytest, agents

        def test_block(agent_replay):
            with agent_replay("block") as run:
                agents.put(**agents.told())
                run.output = agents.told()

        @pytest.mark.asyncio
        async def test_async_block(agent_replay):
            async with agent_replay("async-block") as run:
                await agents.aput(**agents.told())
                run.output = agents.told()

        @pytest.mark.asyncio
        async def test_awaited(agent_replay):
            await agent_replay.arun("awaited", agents.gathered)
        """
    )
    shop.run("--agent-record=once", "test_it.py").assert_outcomes(passed=3)

    shop.run("test_it.py").assert_outcomes(passed=3)


def test_the_world_is_as_it_was_after_the_run(shop):
    """Clock, chance, ids and time zone are put back exactly, also after an agent that raises."""
    shop.module(AGENT, "agents")
    shop.ini("agent_replay_freeze = all\n")
    shop.test(
        """
        import os, random, time, uuid, pytest, agents

        @pytest.mark.parametrize("name", ["agent", "failing"])
        def test_after(agent_replay, name):
            random.seed(7)
            before = random.getstate(), os.environ.get("TZ"), time.tzname, dict(vars(uuid)), time.time
            with pytest.raises(ValueError) if name == "failing" else agent_replay.outside_runs():
                agent_replay(name, getattr(agents, name), check=False)
            assert (random.getstate(), os.environ.get("TZ"), time.tzname) == before[:3]
            assert {key: value for key, value in vars(uuid).items() if key != "_last_timestamp"} == {
                key: value for key, value in before[3].items() if key != "_last_timestamp"}
            assert uuid.uuid4() != uuid.uuid4()
            start = time.time()
            time.sleep(0.01)
            assert 0.005 < time.time() - start < 5
            assert abs(time.time() - os.stat(__file__).st_atime) < 3600
        """
    )
    shop.trace(
        "agent",
        "format: agentreplay.trace/1\nrun: {recorded_at: 2020-02-02T02:02:02Z}\nsteps: []\n"
        "replay: {answers: [{tool: put, result: done}]}\nexpect: {no_repeats: 5}\n",
    )
    shop.trace("failing", (shop.path / "golden_traces/agent.yaml").read_text())

    shop.run("test_it.py").assert_outcomes(passed=2)


def test_the_clock_moves_as_it_was_recorded(shop):
    """An imported trace gives the time of each call."""
    shop.ini("agent_replay_freeze = time\n")
    shop.agent(
        """
        from datetime import UTC, datetime

        def agent():
            first = datetime.now(UTC).isoformat()
            search("a")
            second = datetime.now(UTC).isoformat()
            search("b")
            return [first, second, datetime.now(UTC).isoformat()]
        """
    )
    shop.trace(
        "refund",
        """\
format: agentreplay.trace/1
agent: shop:agent
run: {recorded_at: 2026-05-04T02:11:09Z}
steps:
  - {tool: search, args: {query: a}, result: 1, started_at: 2026-05-04T02:11:10.120Z}
  - {tool: search, args: {query: b}, result: 2, started_at: 2026-05-04T02:11:12Z, duration_ms: 1500}
output: ["2026-05-04T02:11:09+00:00", "2026-05-04T02:11:12+00:00", "2026-05-04T02:11:13.500000+00:00"]
""",
    )

    shop.replay().assert_outcomes(passed=1)


def test_real_tools_and_other_threads_have_the_real_time(shop):
    """While a recording is made, only the agent finds the clock standing still."""
    shop.ini("agent_replay_freeze = all\n")
    shop.module(
        """
        import threading, time
        from pytest_agentreplay import tool

        @tool(effect="write")
        def wait(until=0.02):
            start = time.time()
            while time.time() - start < until:
                time.sleep(0.001)
            return "waited"

        def agent():
            start = time.time()
            time.sleep(0.01)
            assert time.time() == start
            wait()
            assert time.time() >= start + 0.02
        """,
        "agents",
    )
    shop.test(
        """
        import threading, time, agents

        def test_run(agent_replay):
            asked, answered, seen = threading.Event(), threading.Event(), []

            def watch():
                asked.wait()
                start = time.time()
                time.sleep(0.01)
                seen.append(time.time() - start)
                answered.set()

            def agent():
                asked.set()
                answered.wait()
                agents.agent()

            thread = threading.Thread(target=watch)
            thread.start()
            agent_replay("waiting", agent)
            assert seen[0] > 0.005
        """
    )

    shop.run("--agent-record=once").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("run", "lines"),
    [
        ("{}", ["*the trace doesn't say when it was recorded*", "*trace*refund.yaml*", "*next*run.recorded_at*"]),
        ("{recorded_at: last week}", ["*run.recorded_at has the time 'last week', which is none*"]),
    ],
)
def test_a_trace_without_a_time_is_refused(shop, run, lines):
    """Time can't be frozen to a recording that doesn't say when it was made."""
    text = (shop.path / "golden_traces/refund.yaml").read_text().replace("steps:", f"run: {run}\nsteps:", 1)
    shop.trace("refund", text)
    result = shop.replay("-o", "agent_replay_freeze=time")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(lines)


def test_random_and_ids_need_no_time(shop):
    """Numbers and ids of a trace without a time follow from its name."""
    shop.module(AGENT, "agents")
    shop.trace("agent", "format: agentreplay.trace/1\nreplay: {answers: [{tool: put, result: done}]}\n")
    shop.test(
        """
        import agents, pytest, random, uuid

        @pytest.mark.agent_replay(freeze=["random", "ids"])
        def test_twice(agent_replay):
            told = []
            for _ in range(2):
                agent_replay("agent", lambda: told.append((random.random(), str(uuid.uuid4()))), check=False)
            assert told[0] == told[1]
        """
    )

    shop.run("test_it.py").assert_outcomes(passed=1)


def test_every_recording_has_ids_of_its_own(project):
    """An id of a recording is no id of the next: real services take them for the same request."""
    project.ini("agent_replay_freeze = all\n")
    project.run("--agent-record=once", "test_it.py").assert_outcomes(passed=4)
    first = set(re.findall(r"\bid: (\S+)", _recorded(project)))
    project.run("--agent-record=rewrite", "test_it.py").assert_outcomes(passed=4)
    second = set(re.findall(r"\bid: (\S+)", _recorded(project)))

    assert len(first) == len(second) == 4
    assert not first & second
    project.run("test_it.py").assert_outcomes(passed=4)


@pytest.mark.parametrize(
    ("where", "lines"),
    [
        ("ini", ["*agent_replay_freeze can't freeze 'tiem'*", "*closest*time*"]),
        ("marker", ["*the marker agent_replay can't freeze 'tiem'*", "*closest*time*"]),
    ],
)
def test_a_subject_that_is_none_is_refused(shop, where, lines):
    """A typo is told where it is read."""
    marker = "@pytest.mark.agent_replay(freeze=['tiem'])" if where == "marker" else ""
    shop.ini("agent_replay_freeze = tiem\n" if where == "ini" else "")
    shop.test(
        f"""
        import pytest, shop
        {marker}
        def test_it(agent_replay):
            agent_replay("refund", shop.agent)
        """
    )

    shop.run("test_it.py").stdout.fnmatch_lines(lines)


def test_time_machine_that_is_not_there_is_named(shop):
    """Whoever lacks the extra is told what to install."""
    shop.module("import sys\nsys.modules['time_machine'] = None\n", "conftest")
    text = (shop.path / "golden_traces/refund.yaml").read_text()
    shop.trace("refund", text.replace("steps:", "run: {recorded_at: 2026-05-04T02:11:09Z}\nsteps:", 1))
    shop.ini("agent_replay_freeze = time\n")
    result = shop.replay("-p", "no:time_machine")

    result.stdout.fnmatch_lines(["*freezing time needs time-machine*", "*next*pip install 'time-machine>=3'*"])


def test_numpy_draws_the_same_numbers(shop):
    """Its global generator is seeded too, where it is imported."""
    pytest.importorskip("numpy")
    shop.module(
        """
        import numpy
        from pytest_agentreplay import tool

        @tool(effect="write")
        def put(number):
            numpy.random.seed()
            numpy.random.random()

        def agent():
            put(float(numpy.random.random()))
            put(float(numpy.random.random()))
        """,
        "agents",
    )
    shop.test("import agents\n\ndef test_run(agent_replay):\n    agent_replay('numbers', agents.agent)\n")
    shop.ini("agent_replay_freeze = random\n")
    shop.run("--agent-record=once", "test_it.py").assert_outcomes(passed=1)

    shop.run("test_it.py").assert_outcomes(passed=1)


MODEL_AGENT = """
import json, os, random, urllib.request, uuid
from datetime import datetime
from pytest_agentreplay import tool

@tool(effect="write")
def note(text):
    return "noted"

def ask(messages):
    body = json.dumps({"model": "m-1", "messages": messages, "user": str(uuid.uuid4())}).encode()
    url = os.environ.get("PROVIDER", "http://127.0.0.1:9") + "/v1/chat/completions"
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["choices"][0]["message"]

def agent():
    messages = [{"role": "system", "content": f"It is {datetime.now().isoformat()}. Dice: {random.random()}"}]
    said = ask(messages)
    result = note(**json.loads(said["tool_calls"][0]["function"]["arguments"]))
    told = {"role": "tool", "tool_call_id": said["tool_calls"][0]["id"], "content": f"{result} at {datetime.now()}"}
    return ask([*messages, said, told])["content"]
"""


def test_what_the_model_is_told_is_frozen_too(shop, monkeypatch):
    """A prompt with the time in it is answered from its cassette, offline; without the option it isn't."""
    shop.module(MODEL_AGENT, "agents")
    shop.test("import agents\n\ndef test_run(agent_replay):\n    agent_replay('talk', agents.agent)\n")
    with ImitationProvider([calls("note", text="hello"), says("done")]) as provider:
        monkeypatch.setenv("PROVIDER", provider.url)
        recorded = shop.run("--agent-record=once", "-o", "agent_replay_freeze=all", "test_it.py")
        monkeypatch.delenv("PROVIDER")
    frozen = shop.run("-o", "agent_replay_freeze=all", "test_it.py")
    moving = shop.run("test_it.py")

    recorded.assert_outcomes(passed=1)
    frozen.assert_outcomes(passed=1)
    moving.assert_outcomes(failed=1)
