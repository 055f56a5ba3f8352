"""The model is recorded beside the trace and replayed from it, offline; what differs fails and says what."""

from __future__ import annotations

import shutil

import pytest

from pytest_agentreplay import load_trace
from tests.providers.imitation import ImitationProvider, calls, says

AGENT = """
import asyncio
import contextlib
import json
import os
import threading
import urllib.request
from pathlib import Path

from pytest_agentreplay import tool

URL = os.environ.get("PROVIDER", "http://127.0.0.1:9")


@tool(effect="read")
def lookup(order):
    with contextlib.suppress(OSError):  # the provider imitates no shop
        order == "o-web" and urllib.request.urlopen(urllib.request.Request(URL + "/shop", b"{}"))
    return {"amount": 39, "mail": "ann@example.com"}


@tool(effect="write")
def refund(order, amount):
    with Path(__file__).with_name("refunds.txt").open("a") as file:
        file.write(order)
    return "ok"


def search(query):
    return "found"


TOOLS = {"lookup": lookup, "refund": refund, "search": search}


def ask(messages, **more):
    tools = [{"type": "function", "function": {"name": name}} for name in TOOLS]
    body = json.dumps({"model": "m-1", "messages": messages, "tools": tools, **more}).encode()
    headers = {"content-type": "application/json", "authorization": "Bearer sk-abcdefghijklmnop1234567890"}
    with urllib.request.urlopen(urllib.request.Request(URL + "/v1/chat/completions", body, headers)) as answer:
        return json.load(answer)["choices"][0]["message"]


def agent(question, system="You refund. Ask bob@example.com.", turns=9, **more):
    messages = [{"role": "system", "content": system}, {"role": "user", "content": question}]
    for _ in range(turns):
        said = ask(messages, **more)
        messages.append(said)
        if not said.get("tool_calls"):
            return said["content"]
        for call in said["tool_calls"]:
            result = TOOLS[call["function"]["name"]](**json.loads(call["function"]["arguments"]))
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": json.dumps(result)})
    return "gave up"


def swallowing(question, **more):
    try:
        return agent(question, **more)
    except Exception:
        return "sorry"


async def in_tasks(question, **more):
    async with asyncio.TaskGroup() as group:
        task = group.create_task(asyncio.to_thread(agent, question, **more))
    return task.result()


def in_thread(question):
    found = []
    thread = threading.Thread(target=lambda: found.append(agent(question)))
    thread.start()
    thread.join()
    return found[0]
"""

RECORDING = """
import shop, urllib.request

def test_refund(agent_replay):
    agent_replay("refund", shop.agent, input={"question": "refund o-1"})

def test_other(agent_replay):
    agent_replay("other", shop.agent, input={"question": "who are you?"})

def test_web(agent_replay):
    agent_replay("web", shop.agent, input={"question": "refund o-web"})

def test_fails(agent_replay):
    agent_replay("fails", shop.agent, input={"question": "who are you?"})
    assert False

def test_bypassed(agent_replay):
    agent_replay("bypassed", shop.agent, input={"question": "search"})

def test_no_model(agent_replay):
    agent_replay("no-model", lambda: shop.lookup("o-1")["amount"])
"""


def script(request):
    """Refund what is asked to be refunded, and otherwise answer."""
    question, told = request.messages[1].content, [one for one in request.messages if one.tool_outputs]
    if question == "search":
        return says("found it") if told else calls("search", query="x")
    if not question.startswith("refund"):
        return says("A bot. Mail ann@example.com.")
    order = question.split()[1]
    if not told:
        return calls("lookup", order=order)
    return says("refunded") if len(told) == 2 else calls("refund", order=order, amount=39)


def provided(shop, *flags, monkeypatch):
    """Run the project's tests beside a provider."""
    with ImitationProvider(script, headers={"set-cookie": "session=s3cr3t"}) as provider:
        monkeypatch.setenv("PROVIDER", provider.url)
        outcomes = shop.outcomes(*flags)
        monkeypatch.setenv("PROVIDER", "http://127.0.0.1:9")
    return outcomes, provider


@pytest.fixture(scope="module")
def recorded(make_shop):
    """A project whose agent was recorded once against its provider."""
    shop = make_shop("cassettes")
    shutil.rmtree(shop.path / "golden_traces")
    shop.module(AGENT)
    shop.test(RECORDING)
    with pytest.MonkeyPatch.context() as monkeypatch:
        shop.recording, shop.provider = provided(shop, "--agent-record=once", monkeypatch=monkeypatch)
    shop.refunds = (shop.path / "refunds.txt").read_text()
    (shop.path / "refunds.txt").unlink()
    shop.files = {path.name: path.read_text() for path in (shop.path / "golden_traces").iterdir()}
    return shop


@pytest.fixture
def project(recorded, tmp_path, make_shop):
    """A copy of the recorded project, for a test that changes its files."""
    shop = make_shop("copy")
    shutil.rmtree(shop.path)
    shutil.copytree(recorded.path, shop.path)
    (shop.path / "test_it.py").unlink()
    return shop


def test_a_recording_writes_the_cassette_beside_its_trace(recorded):
    """Each names the other; a test that failed wrote neither; where no model was asked there is no cassette."""
    names = {
        "refund.yaml",
        "refund.http.yaml",
        "other.yaml",
        "other.http.yaml",
        "web.yaml",
        "web.http.yaml",
        "no-model.yaml",
    }
    trace = load_trace(recorded.path / "golden_traces" / "refund.yaml")

    assert set(recorded.files) == names
    assert trace.run.cassette == "refund.http.yaml"
    assert "trace: refund.yaml, interactions: 3" in recorded.files["refund.http.yaml"]
    assert "cassette" not in recorded.files["no-model.yaml"]
    assert recorded.refunds == "o-1o-web"


def test_both_files_are_redacted_alike(recorded):
    """One address has one placeholder in trace and cassette, and no secret is in either."""
    everything = "".join(recorded.files.values())

    for secret in ("example.com", "sk-abc", "s3cr3t", "set-cookie", "authorization"):
        assert secret not in everything
    assert "Mail [redacted:email:" in recorded.files["other.yaml"]
    address = recorded.files["other.yaml"].partition("Mail ")[2].partition("]")[0]
    assert address in recorded.files["other.http.yaml"]


def test_what_a_real_tool_sends_is_not_recorded(recorded):
    """A cassette holds the agent's traffic with its model; a tool's own is the tool's."""
    assert ("POST", "/shop") in [(method, path) for method, path, _ in recorded.provider.seen]
    assert "/shop" not in recorded.files["web.http.yaml"]


def test_a_tool_around_the_boundary_fails_the_recording(recorded):
    """Nothing is recorded of a run whose tools weren't all seen; the failure names the tool."""
    failure = recorded.recording["test_bypassed"]

    assert failure.outcome == "failed"
    assert "search ran without passing the boundary" in failure.text
    assert "decorate it with @tool" in failure.text


REPLAYING = """
import pytest, shop
from pytest_agentreplay import load_trace, RunStopped

Q = {"question": "refund o-1"}

def test_same(agent_replay):
    run = agent_replay("refund", shop.agent, input=Q)
    assert run.tools == ["lookup", "refund"]
    assert len(run.model_calls) == 3

def test_thread(agent_replay):
    agent_replay("refund", shop.in_thread, input=Q)

@pytest.mark.asyncio
async def test_async(agent_replay):
    await agent_replay.arun("refund", shop.in_tasks, input=Q)

def test_by_hand(agent_replay):
    with agent_replay("refund") as run:
        run.output = shop.agent(**Q)

def test_two_traces(agent_replay):
    agent_replay("refund", shop.agent, input=Q)
    agent_replay("other", shop.agent, input={"question": "who are you?"})

def test_real_address(agent_replay):
    agent_replay("refund", shop.agent, input={**Q, "system": "You refund. Ask eve@example.org."})

def test_changed(agent_replay):
    agent_replay("refund", shop.agent, input={**Q, "system": "You refund, kindly. Ask bob@example.com."})

def test_swallowed(agent_replay):
    agent_replay("refund", shop.swallowing, input={"question": "refund o-2"})

@pytest.mark.asyncio
async def test_changed_in_tasks(agent_replay):
    await agent_replay.arun("refund", shop.in_tasks, input={"question": "refund o-2"})

def test_changed_caught(agent_replay):
    with agent_replay("refund", check=False) as run:
        try:
            shop.agent("refund o-2")
        except BaseException as error:
            assert isinstance(error, RunStopped)

def test_extra_setting(agent_replay):
    agent_replay("refund", shop.agent, input={**Q, "temperature": 0.5})

def test_left_out(agent_replay):
    def agent(**given):
        shop.agent(turns=2, **given)
        return "refunded"
    agent_replay("refund", agent, input=Q)

def test_left_out_unchecked(agent_replay):
    def agent(**given):
        shop.agent(turns=2, **given)
    agent_replay("refund", agent, input=Q, expect={"calls": {"refund": {"exactly": 1}}})

def test_once_more(agent_replay):
    def agent(**given):
        shop.agent(**given)
        return shop.agent(**given)
    agent_replay("refund", agent, input=Q)

def test_bypassed(agent_replay, monkeypatch):
    monkeypatch.setitem(shop.TOOLS, "lookup", lambda order: {"amount": 39, "mail": "[redacted:email:1]"})
    agent_replay("refund", shop.agent, input=Q, expect={"calls": {"refund": {"exactly": 1}}})

def test_another_divergence_comes_first(agent_replay, monkeypatch):
    monkeypatch.setitem(shop.TOOLS, "lookup", lambda order: shop.lookup(order + "-x"))
    agent_replay("refund", shop.agent, input=Q)

def test_no_model(agent_replay):
    agent_replay("no-model", lambda: shop.ask([{"role": "user", "content": "hi"}]))

def test_own_cassette(agent_replay, tmp_path):
    import vcr
    with vcr.use_cassette(str(tmp_path / "theirs.yaml"), record_mode="none"), pytest.raises(Exception) as caught:
        agent_replay("no-model", lambda: shop.ask([{"role": "user", "content": "hi"}]))
    assert "CannotOverwrite" in str(caught.value) + repr(caught.value)
"""


@pytest.fixture(scope="module")
def replayed(recorded):
    """The outcomes of many replays, with the provider gone."""
    recorded.test(REPLAYING)
    outcomes = recorded.outcomes()
    recorded.test(RECORDING)
    assert not (recorded.path / "refunds.txt").exists()
    return outcomes


@pytest.mark.parametrize(
    "name",
    ["test_same", "test_thread", "test_async", "test_by_hand", "test_two_traces", "test_real_address"],
)
def test_a_recorded_model_answers_offline(replayed, name):
    """From any thread or task, for the call form and by hand, each trace from its own cassette."""
    assert replayed[name].outcome == "passed", replayed[name].text


def test_a_left_out_model_call_is_none_of_what_a_test_expects(replayed):
    """Expectations of its own say all that a run is held to."""
    assert replayed["test_left_out_unchecked"].outcome == "passed", replayed["test_left_out_unchecked"].text


FAILURES = {
    "test_changed": ["model#1 was asked what its cassette has no answer to", "message 1 (system): ", "kindly"],
    "test_swallowed": ["model#1 was asked", "message 2 (user): 'refund o-1' -> 'refund o-2'", "refund.http.yaml"],
    "test_changed_in_tasks": ["model#1 was asked", "message 2 (user): 'refund o-1' -> 'refund o-2'"],
    "test_changed_caught": ["model#1 was asked", "message 2 (user): 'refund o-1' -> 'refund o-2'"],
    "test_extra_setting": ["model#1 was asked", "temperature"],
    "test_left_out": ["the agent made 2 of 3 recorded model calls", "after the result of refund"],
    "test_once_more": ["model#4 was asked", "none: all recorded answers were given already"],
    "test_bypassed": ["lookup ran without passing the boundary", "decorate it with @tool"],
    "test_another_divergence_comes_first": ["other arguments at lookup#1"],
    "test_no_model": ["the agent left its sealed run: connect to 127.0.0.1:9"],
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_says_what_is_different(replayed, name):
    """The headline is the cause, whatever the agent did with the exception that it was given."""
    failure = replayed[name]
    headline, *others = FAILURES[name]

    assert failure.outcome == "failed"
    assert headline in failure.text
    for other in others:
        assert other in failure.text
    assert "RunStopped" not in failure.text


def test_a_cassette_of_the_test_s_own_keeps_precedence(replayed):
    """Who uses pytest-recording or vcrpy in a test goes on using it there: the miss is told by theirs."""
    assert replayed["test_own_cassette"].outcome == "passed", replayed["test_own_cassette"].text


def test_a_rewrite_records_trace_and_cassette_again(project, monkeypatch):
    """Under the names they have; what a person wrote in the trace stays."""
    folder = project.path / "golden_traces"
    (folder / "refund.http.yaml").rename(folder / "mine.http.yaml")
    text = (folder / "refund.yaml").read_text().replace("refund.http.yaml", "mine.http.yaml")
    (folder / "refund.yaml").write_text("# reviewed by ann\n" + text)
    project.test(
        "import shop\ndef test_it(agent_replay):\n"
        "    agent_replay('refund', shop.agent, input={'question': 'refund o-7'})\n"
    )
    outcomes, _ = provided(project, "--agent-record=rewrite", monkeypatch=monkeypatch)
    again = project.outcomes()

    assert (outcomes["test_it"].outcome, again["test_it"].outcome) == ("passed", "passed"), outcomes["test_it"].text
    assert (folder / "refund.yaml").read_text().startswith("# reviewed by ann\n")
    assert "o-7" in (folder / "mine.http.yaml").read_text()
    assert not (folder / "refund.http.yaml").exists()


@pytest.mark.parametrize("own", [True, False], ids=["own", "someone-else-s"])
def test_a_rewrite_without_a_model_removes_the_cassette(project, own):
    """Nothing would use it any more; one that wasn't recorded with this trace stays."""
    folder = project.path / "golden_traces"
    if not own:
        text = (folder / "refund.http.yaml").read_text()
        (folder / "refund.http.yaml").write_text(text.replace("trace: refund.yaml", "trace: other.yaml"))
    project.test(
        "import shop\ndef test_it(agent_replay):\n"
        "    agent_replay('refund', lambda question: shop.lookup('o-1')['amount'])\n"
    )
    outcomes = project.outcomes("--agent-record=rewrite")

    assert outcomes["test_it"].outcome == "passed", outcomes["test_it"].text
    assert "cassette" not in (folder / "refund.yaml").read_text()
    assert (folder / "refund.http.yaml").exists() is not own


def test_a_failed_rewrite_leaves_both_files(project, monkeypatch):
    """A recording is kept when its test passed."""
    folder = project.path / "golden_traces"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    project.test(
        "import shop\ndef test_it(agent_replay):\n"
        "    agent_replay('refund', shop.agent, input={'question': 'refund o-7'})\n    assert False\n"
    )
    provided(project, "--agent-record=rewrite", monkeypatch=monkeypatch)

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("flag", [True, False], ids=["flag", "marker"])
def test_a_live_model_is_asked_with_every_tool_stubbed(project, monkeypatch, flag):
    """Its provider is the one host that the run may reach."""
    marker = "" if flag else "@pytest.mark.agent_replay(model='live')\n"
    project.test(
        f"import pytest, shop\n{marker}def test_it(agent_replay):\n"
        "    run = agent_replay('refund', shop.agent, input={'question': 'refund o-1', 'temperature': 1})\n"
        "    assert len(run.model_calls) == 3\n"
    )
    outcomes, provider = provided(project, *(["--agent-model=live"] if flag else []), monkeypatch=monkeypatch)

    assert outcomes["test_it"].outcome == "passed", outcomes["test_it"].text
    assert len(provider.requests) == 3
    assert not (project.path / "refunds.txt").exists()


def test_the_trace_s_own_model_steps_answer_without_a_cassette(project):
    """What the model said and decided is in the trace."""
    path = project.path / "golden_traces" / "refund.yaml"
    path.write_text(path.read_text().replace(", cassette: refund.http.yaml", ""))
    project.test(
        "import shop\ndef test_it(agent_replay):\n"
        "    run = agent_replay('refund', shop.agent, input={'question': 'refund o-1'})\n"
        "    assert len(run.model_calls) == 3\n"
    )
    outcomes = project.outcomes()

    assert outcomes["test_it"].outcome == "passed", outcomes["test_it"].text


@pytest.mark.parametrize("damage", ["missing", "empty", "cut off", "another trace's"])
def test_a_cassette_that_cannot_be_trusted_fails_the_test(project, damage):
    """The agent doesn't run."""
    path = project.path / "golden_traces" / "refund.http.yaml"
    text = path.read_text()
    damaged = {
        "empty": "",
        "cut off": text[: len(text) // 2],
        "another trace's": text.replace("refund.yaml", "x.yaml", 1),
    }
    path.unlink()
    if damage in damaged:
        path.write_text(damaged[damage])
    project.test(
        "import shop\ndef test_it(agent_replay):\n    agent_replay('refund', shop.agent, input={'question': 'x'})\n"
    )
    failure = project.outcomes()["test_it"]

    assert failure.outcome == "failed"
    assert "CassetteError" in failure.text
    assert "--agent-record=rewrite" in failure.text


def test_ini_keys_name_what_does_not_count(project):
    """Fields of the body that change every time, and tools that need not pass the boundary."""
    project.ini("agent_replay_ignore_body = build_number\nagent_replay_ignore_tools = look*\n")
    project.test(
        "import shop\ndef test_it(agent_replay, monkeypatch):\n"
        "    monkeypatch.setitem(shop.TOOLS, 'lookup', lambda order: {'amount': 39, 'mail': '[redacted:email:1]'})\n"
        "    agent_replay('refund', shop.agent, input={'question': 'refund o-1', 'build_number': 'a'},\n"
        "                 expect={'calls': {'refund': {'exactly': 1}}})\n"
    )
    outcomes = project.outcomes()

    assert outcomes["test_it"].outcome == "passed", outcomes["test_it"].text
