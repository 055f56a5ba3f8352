"""A small shop with its agent and its golden trace, for tests of the plugin."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

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


OUTCOME_LOG = """
import json

OUTCOMES = {}

def pytest_runtest_logreport(report):
    if report.when != "call" and report.outcome == "passed":
        return
    OUTCOMES[report.nodeid] = {
        "outcome": "error" if report.failed and report.when != "call" else report.outcome,
        "text": report.longreprtext,
        "sections": report.sections,
        "properties": report.user_properties,
        "facts": getattr(report, "agent_replay", []),
    }

def pytest_sessionfinish(session):
    if not hasattr(session.config, "workerinput"):
        (session.config.rootpath / "outcomes.json").write_text(json.dumps(OUTCOMES))
"""


@dataclass(frozen=True)
class Outcome:
    """How one test of a project ended.

    Attributes:
        facts: what the plugin told of each replay in it.
    """

    outcome: str
    text: str
    sections: list[list[str]]
    properties: list[list[str]]
    facts: list[dict[str, Any]]

    @property
    def kinds(self) -> list[str]:
        """The kinds of the divergences, the first first."""
        return [divergence["kind"] for fact in self.facts for divergence in fact["divergences"]]

    @property
    def shown(self) -> str:
        """All that the test's failure shows."""
        return "\n".join([self.text, *(content for _, content in self.sections)])


class Outcomes(dict[str, Outcome]):
    """The outcomes of a project's tests, by the last part of their ids; `stdout` and `ret` of the run."""

    stdout = ""
    ret = 0


class Shop:
    """Writes the project's files and runs pytest in it."""

    def __init__(self, path: Path, pytester: pytest.Pytester | None = None) -> None:
        self.pytester = pytester
        self.path = path
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
        assert self.pytester is not None
        return self.pytester.runpytest_subprocess("-p", "no:cacheprovider", *args)

    def outcomes(self, *args: str, timeout: float = 120) -> Outcomes:
        """Run many tests in one session and tell how each ended; no real write may ever have run."""
        self.module(OUTCOME_LOG, "outcome_log")
        (self.path / "outcomes.json").unlink(missing_ok=True)
        command = [sys.executable, "-m", "pytest", "-p", "outcome_log", "-p", "no:cacheprovider", *args]
        own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        done = subprocess.run(command, cwd=self.path, env=own, capture_output=True, text=True, timeout=timeout)
        assert not (self.path / "real_writes.txt").exists(), f"a real write ran\n{done.stdout}"
        found = json.loads((self.path / "outcomes.json").read_text(encoding="utf-8"))
        outcomes = Outcomes({nodeid.rpartition("::")[2]: Outcome(**fields) for nodeid, fields in found.items()})
        outcomes.stdout, outcomes.ret = done.stdout + done.stderr, done.returncode
        return outcomes

    def replay(self, *args: str) -> pytest.RunResult:
        """Run the golden traces; no real write may ever have run."""
        result = self.run("--agent-replay", *args)
        assert not (self.path / "real_writes.txt").exists(), "a real write ran"
        return result


@pytest.fixture
def shop(pytester: pytest.Pytester) -> Shop:
    """A project with one tool-calling agent and one golden trace."""
    return Shop(pytester.path, pytester)


@pytest.fixture(scope="module")
def make_shop(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Shop]:
    """Make shops for one run of many tests, whose outcomes a file's own tests then look at."""
    return lambda name: Shop(tmp_path_factory.mktemp(name))


Fixture = Callable[[], Shop]
