"""Golden traces are recorded once, and recorded again; never by accident."""

from __future__ import annotations

import difflib

import pytest

from pytest_agentreplay import load_trace

STORE = """
import enum
import os
import threading
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from pydantic import BaseModel
from pytest_agentreplay import checkpoint, tool

CALLS = Path(__file__).with_name("real_calls.txt")
VERSION = Path(__file__).with_name("version.txt")
ALL_MAILING = threading.Barrier(3)


def really(name):
    with CALLS.open("a") as file:
        file.write(name + "\\n")
    return VERSION.read_text() if VERSION.exists() else "1"


@dataclass
class Item:
    sku: str
    price: float


class Receipt(BaseModel):
    id: str
    at: datetime


class Status(enum.Enum):
    PAID = "paid"


@tool(effect="read")
def find(sku: str, limit: int = 10) -> Item:
    really("find")
    return Item(sku, 9.5)


@tool(effect="read")
def status(order) -> Status:
    really("status")
    return Status.PAID


@tool(effect="write")
def pay(item_sku, card, note=None) -> Receipt:
    really("pay")
    return Receipt(id="r-1", at=datetime(2026, 1, 2, tzinfo=timezone.utc))


@tool
def mail(text):
    return {"sent": text, "version": really("mail")}


@tool
def broadcast(text):
    ALL_MAILING.wait(timeout=30)
    return {"sent": text, "version": really("broadcast")}


@tool(effect="read")
def broken(order):
    really("broken")
    raise LookupError("no order " + order)


@tool(effect="read")
def odd(order):
    really("odd")
    return object()


def agent(sku, card="4111 1111 1111 1111"):
    item = find(sku)
    assert isinstance(item, Item)
    checkpoint({"price": item.price}, at="found")
    assert status("o-1") is Status.PAID
    receipt = pay(item.sku, card, note="mail ann@example.com")
    assert receipt.at.year == 2026
    try:
        broken("o-2")
    except LookupError as error:
        text = str(error)
    sent = mail(text)
    return {"receipt": receipt.id, "sent": sent["version"]}
"""

TESTS = """
import pytest
import store
from pytest_agentreplay import tool

def test_agent(agent_replay):
    run = agent_replay("shop/pay", store.agent, input={"sku": "a-1"})
    assert run.output["receipt"] == "r-1"

def test_fails(agent_replay):
    agent_replay("fails", store.agent, input={"sku": "a-1"})
    assert False

def test_agent_raises(agent_replay):
    def agent():
        store.find("a-1")
        raise RuntimeError("the agent broke")
    agent_replay("raises", agent)

def test_odd(agent_replay):
    agent_replay("odd", lambda: store.odd("o-1") and None)

def test_with(agent_replay):
    with agent_replay("by-hand") as run:
        run.output = store.agent("a-1")

@pytest.mark.asyncio
async def test_parallel(agent_replay):
    import asyncio

    async def agent():
        return await asyncio.gather(*(asyncio.to_thread(store.broadcast, text) for text in "abc"))
    await agent_replay.arun("parallel", agent)
"""


@pytest.fixture
def store(shop):
    """A project whose tools are real, and no golden trace yet."""
    shop.module(STORE, "store")
    shop.test(TESTS)
    (shop.path / "golden_traces" / "refund.yaml").unlink()
    (shop.path / "golden_traces").rmdir()
    shop.real_calls = lambda: (
        (shop.path / "real_calls.txt").read_text().split() if (shop.path / "real_calls.txt").exists() else []
    )
    return shop


def text_of(shop, name="shop/pay"):
    return (shop.path / "golden_traces" / f"{name}.yaml").read_text(encoding="utf-8")


def replace(shop, old, new, name="shop/pay"):
    text = text_of(shop, name)
    assert old in text
    (shop.path / "golden_traces" / f"{name}.yaml").write_text(text.replace(old, new), encoding="utf-8")


def changed_lines(before, after):
    return [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[0] in "+-"]


def test_once_writes_what_passed_and_only_that(store):
    """A trace without a file is recorded with real tools, in folders that it makes; not where the test failed."""
    found = store.outcomes("--agent-record=once", "test_it.py")
    files = sorted(path.name for path in (store.path / "golden_traces").rglob("*.yaml"))

    assert {name for name, test in found.items() if test.outcome == "passed"} == {
        "test_agent",
        "test_with",
        "test_parallel",
    }
    assert files == ["by-hand.yaml", "parallel.yaml", "pay.yaml"]
    assert "the agent broke" in found["test_agent_raises"].shown
    assert "odd" in found["test_odd"].shown and "annotat" in found["test_odd"].shown

    calls = len(store.real_calls())
    again = store.outcomes("test_it.py", "-k", "agent and not raises or with or parallel")

    assert all(test.outcome == "passed" for test in again.values()), [test.shown for test in again.values()]
    assert len(store.real_calls()) == calls


def test_what_is_recorded(store):
    """Calls by parameter name, results as JSON, errors, states, groups, effects, input and output; redacted."""
    store.outcomes("--agent-record=once", "test_it.py")
    trace = load_trace(store.path / "golden_traces" / "shop" / "pay.yaml")
    steps = {step.address: step for step in trace.steps}
    parallel = load_trace(store.path / "golden_traces" / "parallel.yaml")

    assert list(steps) == ["find#1", "state#1", "status#1", "pay#1", "broken#1", "mail#1"]
    assert steps["find#1"].args == {"sku": "a-1"}
    assert steps["find#1"].result == {"sku": "a-1", "price": 9.5}
    assert steps["pay#1"].result["id"] == "r-1"
    assert steps["broken#1"].error.type == "LookupError" and steps["broken#1"].error.message == "no order o-2"
    assert (trace.input, trace.output) == ({"sku": "a-1"}, {"receipt": "r-1", "sent": "1"})
    assert (trace.tools["find"], trace.tools["pay"]) == ("read", "write")
    assert "4111" not in text_of(store) and "ann@example.com" not in text_of(store)
    assert len({step.group for step in parallel.tool_steps}) == 1 and len(parallel.tool_steps) == 3


def test_once_replays_what_has_a_file(store):
    """With a file there is nothing to record: no real tool runs."""
    store.outcomes("--agent-record=once", "test_it.py::test_agent")
    calls, text = store.real_calls(), text_of(store)
    found = store.outcomes("--agent-record=once", "test_it.py::test_agent")

    assert found["test_agent"].outcome == "passed"
    assert (store.real_calls(), text_of(store)) == (calls, text)


def test_an_ambiguous_name_records_nothing(store):
    """Two traces of one name are an error; not a missing trace whose tools may run."""
    store.outcomes("--agent-record=once", "test_it.py::test_agent")
    store.trace("other/pay", text_of(store))
    calls = store.real_calls()
    store.test("import store\ndef test_pay(agent_replay): agent_replay('pay', store.agent)")
    found = store.outcomes("--agent-record=once", "test_it.py")

    assert found["test_pay"].outcome == "failed" and "2 golden traces are called pay" in found["test_pay"].shown
    assert store.real_calls() == calls


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside", ""])
def test_a_name_that_leaves_the_folder_records_nothing(store, name):
    """A name is a path below the trace directory."""
    store.test(f"import store\ndef test_it(agent_replay): agent_replay({name!r}, store.agent, input='a')")
    found = store.outcomes("--agent-record=once", "test_it.py")

    assert found["test_it"].outcome == "failed"
    assert store.real_calls() == []


def test_rewrite_keeps_what_people_wrote(store):
    """Title, expectations, options and comments stay; nothing at all changes where behaviour didn't."""
    store.outcomes("--agent-record=once", "test_it.py::test_agent")
    head = "format: agentreplay.trace/1\n"
    kept = "# why this trace is here\ntitle: Pay   # shown\ntags: [money]\nreplay: {ignore_args: [note]}\n"
    replace(store, head, head + kept)
    text = text_of(store)
    assert store.outcomes("--agent-record=rewrite", "test_it.py::test_agent")["test_agent"].outcome == "passed"

    assert text_of(store) == text

    (store.path / "version.txt").write_text("2")
    assert store.outcomes("--agent-record=rewrite", "test_it.py::test_agent")["test_agent"].outcome == "passed"
    changes = changed_lines(text, text_of(store))

    assert kept in text_of(store)
    assert all("version" in line or "sent" in line or "recorded_at" in line for line in changes), changes
    assert 2 <= len(changes) <= 6
    assert store.outcomes("test_it.py::test_agent")["test_agent"].outcome == "passed"


def test_rewrite_writes_nothing_for_a_failed_test(store):
    """Real tools ran, and the old recording stays."""
    store.outcomes("--agent-record=once", "test_it.py::test_agent")
    text = text_of(store)
    (store.path / "version.txt").write_text("2")
    store.test("import store\ndef test_it(agent_replay):\n    agent_replay('pay', store.agent)\n    assert False")
    found = store.outcomes("--agent-record=rewrite", "test_it.py")

    assert found["test_it"].outcome == "failed"
    assert text_of(store) == text
