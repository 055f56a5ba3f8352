"""A small shop with its agent and its golden trace, for tests of the plugin."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

SHOP = """
from pathlib import Path
from pytest_agentreplay import checkpoint, tool

WRITES = Path(__file__).with_name("real_writes.txt")

@tool(effect="read")
def lookup(order):
    raise AssertionError("a real read in replay")

@tool(effect="read")
def search(query, limit=10):
    raise AssertionError("a real read in replay")

@tool(effect="write")
def refund(order, amount):
    WRITES.open("a").write("refund")
    raise AssertionError("a real write in replay")

@tool
def notify(text):
    WRITES.open("a").write("notify")
    raise AssertionError("a real write in replay")

def agent(order):
    found = lookup(order)
    refund(order, found["amount"])
    notify("refunded " + str(found["amount"]))
    return "done"
"""

TRACE = """\
format: agentreplay.trace/1
agent: shop:agent
input: {order: o-1}
steps:
  - tool: lookup
    args: {order: o-1}
    result: {amount: 39}
  - tool: refund
    args: {order: o-1, amount: 39}
    result: ok
  - tool: notify
    args: {text: refunded 39}
    result: null
output: done
"""


class Shop:
    """Writes the project's files and runs pytest in it."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.path = pytester.path
        self.module(SHOP)
        self.trace("refund", TRACE)
        self.ini("")

    def module(self, text: str, name: str = "shop") -> None:
        (self.path / f"{name}.py").write_text(dedent(text), encoding="utf-8")

    def agent(self, body: str) -> None:
        """Replace the shop's agent."""
        self.module(SHOP.partition("def agent")[0] + dedent(body))

    def trace(self, name: str, text: str) -> None:
        path = self.path / "golden_traces" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def ini(self, lines: str) -> None:
        text = (
            "[pytest]\npythonpath = .\naddopts = -p no:randomly\nasyncio_default_fixture_loop_scope = function\n"
            + dedent(lines)
        )
        (self.path / "pytest.ini").write_text(text, encoding="utf-8")

    def test(self, text: str, name: str = "test_it") -> None:
        (self.path / f"{name}.py").write_text(dedent(text), encoding="utf-8")

    def run(self, *args: str) -> pytest.RunResult:
        return self.pytester.runpytest_subprocess("-p", "no:cacheprovider", *args)

    def replay(self, *args: str) -> pytest.RunResult:
        """Run the golden traces; no real write may ever have run."""
        result = self.run("--agent-replay", *args)
        assert not (self.path / "real_writes.txt").exists(), "a real write ran"
        return result


@pytest.fixture
def shop(pytester: pytest.Pytester) -> Shop:
    """A project with one tool-calling agent and one golden trace."""
    return Shop(pytester)


Fixture = Callable[[], Shop]
