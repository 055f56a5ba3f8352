"""Projects to measure: an agent with real tools, its golden traces, and as many empty tests.

A call has about 1 KB of result. Nothing here knows how anything is measured.
"""

from __future__ import annotations

import random
from pathlib import Path

SHOP = """\
from pytest_agentreplay import tool

@tool(effect="read")
def lookup(order, page): raise AssertionError("a real read")

@tool(effect="read")
def search(query, limit=10): raise AssertionError("a real read")

@tool(effect="write")
def refund(order, amount): raise AssertionError("a real write")

def agent(case, calls):
    for number in range(calls):
        if number % 3 == 0:
            lookup(order=f"o-{case}-{number}", page=number)
        elif number % 3 == 1:
            search(f"query {case} {number}", limit=5)
        else:
            refund(f"o-{case}-{number}", amount=number * 100 + 0.5)
    return f"done {case}"
"""
WORDS = ("order", "refund", "paid", "status", "customer", "invoice", "shipped", "pending", "address", "total", "price")


def make(root: Path, traces: int, calls: int = 10) -> Path:
    """Write a project with golden traces of `calls` calls each, and as many empty tests."""
    folder = root / "golden_traces"
    folder.mkdir(parents=True)
    (root / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    (root / "shop.py").write_text(SHOP)
    (root / "test_empty.py").write_text(
        f"import pytest\n@pytest.mark.parametrize('number', range({traces}))\ndef test_nothing(number): pass\n"
    )
    for case in range(traces):
        (folder / f"case{case:05}.yaml").write_text(trace_text(case, calls))
    return root


def trace_text(case: int, calls: int) -> str:
    """Write one golden trace that expects all that is recorded."""
    chance = random.Random(case)
    lines = ["format: agentreplay.trace/1", "agent: shop:agent", f"input: {{case: {case}, calls: {calls}}}", "steps:"]
    for number in range(calls):
        lines += _step(case, number, chance)
    return "\n".join([*lines, f"output: done {case}", ""])


def _step(case: int, number: int, chance: random.Random) -> list[str]:
    if number % 3 == 0:
        return [f"- tool: lookup\n  args: {{order: o-{case}-{number}, page: {number}}}", *_documents(chance)]
    if number % 3 == 1:
        return [f"- tool: search\n  args: {{query: query {case} {number}, limit: 5}}", *_documents(chance)]
    head = f"- tool: refund\n  args:\n    order: o-{case}-{number}\n    amount: {number * 100 + 0.5}"
    return [head, f"  result: {_text(chance, 1000)}"]


def _documents(chance: random.Random) -> list[str]:
    lines = ["  result:", "    count: 5", "    docs:"]
    for number in range(5):
        lines += [f"    - id: {number}", f"      title: {_text(chance, 40)}", f"      body: {_text(chance, 120)}"]
    return lines


def _text(chance: random.Random, length: int) -> str:
    words: list[str] = []
    while sum(map(len, words)) + len(words) < length:
        words.append(f"{chance.choice(WORDS)}{chance.randrange(1000)}")
    return " ".join(words)
