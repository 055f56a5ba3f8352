"""Under `--agent-replay-live-reads` reads run for real and drift is told; a write never runs, with no option."""

from __future__ import annotations

import pytest

LIVE = """
import asyncio
import threading
from pathlib import Path
from pytest_agentreplay import tool

HERE = Path(__file__).parent
WRITES = HERE / "real_writes.txt"

@tool(effect="read")
def lookup(order):
    (HERE / "real_reads.txt").open("a").write(order + " ")   # a real tool may reach for the world
    return {"amount": 39}

@tool(effect="read")
def drifting(order): return {"amount": 40}

@tool(effect="read")
def failing(order): raise LookupError("gone")

@tool(effect="read")
def recovered(order): return 1

@tool(effect="read")
def stream(count):
    yield from range(count)

@tool(effect="read")
async def alookup(order):
    await asyncio.sleep(0)
    return {"amount": 39}

@tool(effect="write")
def refund(order, amount): WRITES.write_text("refund")

@tool
def notify(text): WRITES.write_text("notify")

@tool(effect="read")
def two_faced(order):
    try:
        refund(order, 1)
    except Exception:
        pass
    return 1

@tool(effect="read")
def two_faced_in_thread(order):
    def body():
        try:
            notify(order)
        except Exception:
            pass
    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    return 1

@tool(effect="read")
def outer(order): return lookup(order)["amount"]

def agent(order):
    found = lookup(order)
    refund(order, found["amount"])
    notify("refunded " + str(found["amount"]))
    return "done"

def drifts(order): return drifting(order)["amount"]

def fails(order):
    try:
        return failing(order)
    except LookupError:
        return "failed"

def recovers(order):
    try:
        return recovered(order)
    except LookupError:
        return "failed"

def streams(order): return list(stream(3))

async def awaits(order): return await alookup(order)

def nests(order): return outer(order)

def writes_inside(order): return two_faced(order)

def writes_inside_a_thread(order): return two_faced_in_thread(order)

def writes_more(order):
    agent(order)
    try:
        refund(order, 5000)
    except Exception:
        pass
    return "done"

def reads_more(order):
    lookup("o-2")
    return agent(order)

def escapes(order):
    (HERE / "escaped.txt").write_text("x")
    return agent(order)
"""


def trace(agent, steps, output, more=""):
    head = f"format: agentreplay.trace/1\nagent: shop:{agent}\ninput: {{order: o-1}}\n"
    return f"{head}{more}steps:\n{steps}output: {output}\n"


GOOD = """\
  - {tool: lookup, args: {order: o-1}, result: {amount: 39}}
  - {tool: refund, args: {order: o-1, amount: 39}, result: ok}
  - {tool: notify, args: {text: refunded 39}, result: null}
"""
LIVE_UNMATCHED = "replay: {unmatched: live}\nexpect: {trajectory: superset, output: done}\n"
ONE = "  - {{tool: {}, args: {{order: o-1}}, {}}}\n"
TRACES = {
    "agent": trace("agent", GOOD, "done"),
    "drifts": trace("drifts", ONE.format("drifting", "result: {amount: 39}"), 40),
    "fails": trace("fails", ONE.format("failing", "result: 1"), "failed"),
    "recovers": trace("recovers", ONE.format("recovered", "error: {type: LookupError, message: gone}"), 1),
    "streams": trace("streams", "  - {tool: stream, args: {count: 3}, result: [0, 1, 2]}\n", "[0, 1, 2]"),
    "awaits": trace("awaits", ONE.format("alookup", "result: {amount: 39}"), "{amount: 39}"),
    "nests": trace("nests", ONE.format("outer", "result: 39"), 39),
    "writes_inside": trace("writes_inside", ONE.format("two_faced", "result: 1"), 1),
    "writes_inside_a_thread": trace("writes_inside_a_thread", ONE.format("two_faced_in_thread", "result: 1"), 1),
    "writes_more": trace("writes_more", GOOD, "done"),
    "writes_more_live": trace("writes_more", GOOD, "done", LIVE_UNMATCHED),
    "reads_more": trace("reads_more", GOOD, "done"),
    "reads_more_live": trace("reads_more", GOOD, "done", LIVE_UNMATCHED),
    "escapes": trace("escapes", GOOD, "done"),
}


def project(make_shop, name, *flags):
    shop = make_shop(name)
    (shop.path / "golden_traces" / "refund.yaml").unlink()
    shop.module(LIVE)
    for stem, text in TRACES.items():
        shop.trace(stem, text)
    outcomes = shop.outcomes("--agent-replay", *flags)
    outcomes.reads = (shop.path / "real_reads.txt").read_text() if (shop.path / "real_reads.txt").exists() else ""
    outcomes.escaped = (shop.path / "escaped.txt").exists()
    return outcomes


@pytest.fixture(scope="module")
def live(make_shop):
    return project(make_shop, "live", "--agent-replay-live-reads")


@pytest.fixture(scope="module")
def replayed(make_shop):
    return project(make_shop, "replayed")


def test_reads_run_for_real_and_writes_are_answered(live):
    """The read reaches the world; the writes of the same run get their recorded answers."""
    assert live["agent"].outcome == "passed", live["agent"].shown
    assert "o-1" in live.reads
    assert (live["agent"].facts[0]["live"], live["agent"].facts[0]["withheld"]) == (1, 2)
    assert live["agent"].facts[0]["drift"] == []


@pytest.mark.parametrize("name", ["streams", "awaits", "nests"])
def test_reads_of_every_kind_run(live, name):
    """Generators, coroutines and reads that call reads."""
    assert live[name].outcome == "passed", live[name].shown
    assert live[name].facts[0]["live"] == 1 and live[name].facts[0]["drift"] == []


@pytest.mark.parametrize(
    ("name", "address"), [("drifts", "drifting#1"), ("fails", "failing#1"), ("recovers", "recovered#1")]
)
def test_drift_is_reported(live, name, address):
    """Another answer, a new error and an error that went away are told, with both answers."""
    found = live[name]

    assert found.facts[0]["drift"] == [address]
    assert any(title == f"tool drift: {address}" for title, _ in found.sections)
    assert f"{name} {address}" in live.stdout


@pytest.mark.parametrize("name", ["writes_inside", "writes_inside_a_thread"])
def test_a_write_inside_a_live_read_is_withheld(live, name):
    """It fails the test even where the read swallows the refusal."""
    assert live[name].outcome == "failed", live[name].shown
    assert "inside a live read" in live[name].shown


@pytest.mark.parametrize("name", ["writes_more", "writes_more_live"])
def test_an_unmatched_write_never_runs(live, replayed, name):
    """Neither with live reads nor with `unmatched: live`."""
    assert live[name].outcome == replayed[name].outcome == "failed"
    assert "refund" in live[name].shown and "5000" in live[name].shown


def test_an_unmatched_read_runs_only_where_trace_and_flag_say_so(live, replayed):
    """`unmatched: live` with the flag; else it is a failure."""
    assert live["reads_more_live"].outcome == "passed", live["reads_more_live"].shown
    assert "o-2" in live.reads
    assert (
        live["reads_more"].outcome == replayed["reads_more"].outcome == replayed["reads_more_live"].outcome == "failed"
    )


def test_without_the_flag_no_read_runs(replayed):
    """A read is a stub like any other."""
    assert replayed.reads == ""
    assert all(found.facts[0]["live"] == 0 for found in replayed.values())
    assert replayed["agent"].outcome == "passed"


def test_the_agent_itself_stays_sealed(live, replayed):
    """What a live read does is no escape; what the agent does is."""
    assert live["escapes"].outcome == replayed["escapes"].outcome == "failed"
    assert not live.escaped and not replayed.escaped


@pytest.mark.parametrize(
    "flags",
    [
        ["--agent-replay-live-reads", "--agent-update"],
        ["--agent-replay-live-reads", "--agent-record=once"],
        ["--agent-update", "-p", "no:randomly"],
    ],
)
def test_no_mixture_of_flags_writes(make_shop, flags):
    """Every trace has a recording, so no write runs; the fixture checks that none did."""
    found = project(make_shop, "flags", *flags)

    assert found["writes_more"].outcome == "failed" and found["agent"].outcome == "passed"
