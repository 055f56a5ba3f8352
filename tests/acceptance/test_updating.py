"""`--agent-update` accepts what a run did otherwise, where the recording answered it; and nothing else."""

from __future__ import annotations

import difflib

import pytest


def changed_lines(before, after):
    return [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[0] in "+-"]


def text_of(shop):
    return (shop.path / "golden_traces" / "refund.yaml").read_text(encoding="utf-8")


BASELINE = """\
# A baseline with comments.
format: agentreplay.trace/1
title: Refund          # shown
agent: shop:agent
input: {order: o-1}
steps:
  # first the order
  - tool: lookup
    args: {order: o-1}
    result: {amount: 39}
  - model: gpt-4o
    content: Refund it.
  - tool: refund       # the write
    args: {order: o-1, amount: 39}
    result: ok
    state: {refunded: 39}
  - tool: notify
    args: {text: refunded 39}
    result: null
output: done
"""

AGENT = """
def agent(order):
    found = lookup(order)
    refund(order, found["amount"])
    checkpoint({"refunded": 39})
    notify("refunded 39")
    return "done"
"""

ACCEPTED = {
    "output": AGENT.replace('"done"', '"finished"'),
    "state": AGENT.replace('{"refunded": 39}', '{"refunded": 40}'),
    "skipped": AGENT.replace('    notify("refunded 39")\n', ""),
    "order": AGENT.replace(
        '    refund(order, found["amount"])\n    checkpoint({"refunded": 39})\n    notify("refunded 39")',
        '    notify("refunded 39")\n    refund(order, found["amount"])\n    checkpoint({"refunded": 39})',
    ),
    "read_again": AGENT.replace("    refund(", "    lookup(order)\n    refund("),
}
REFUSED = {
    "unmatched": AGENT.replace('found["amount"]', "40"),
    "unmatched_swallowed": AGENT
    + """
inner = agent
def agent(order):
    try:
        search('x')
    except Exception:
        pass
    return inner(order)
""",
    "duplicate_write": AGENT.replace("    checkpoint", "    refund(order, 39)\n    checkpoint"),
    "escape": AGENT.replace('"done"', 'Path("escaped.txt").write_text("x")'),
    "exception": AGENT.replace('return "done"', "raise ValueError('broken')"),
    "survivor": AGENT.replace(
        'return "done"',
        "import threading, time\n"
        "    threading.Thread(target=time.sleep, args=(3,), daemon=True).start()\n"
        "    return 'finished'",
    ),
}


@pytest.fixture(scope="module")
def updated(make_shop):
    """One session with `--agent-update` over agents that changed in every way."""
    shop = make_shop("updated")
    (shop.path / "golden_traces" / "refund.yaml").unlink()
    tools = (shop.path / "shop.py").read_text().partition("def agent")[0]
    for name, body in {"same": AGENT, **ACCEPTED, **REFUSED}.items():
        shop.module(tools + body, f"agent_{name}")
        shop.trace(name, BASELINE.replace("shop:agent", f"agent_{name}:agent"))
        incident = "kind: incident\nexpect: {trajectory: strict, output: {equals: done}, no_repeats: 1}\n"
        shop.trace(f"incident_{name}", BASELINE.replace("shop:agent", f"agent_{name}:agent\n{incident}"[:-1]))
    shop.before = {path.stem: path.read_text() for path in shop.path.glob("golden_traces/*.yaml")}
    shop.during = shop.outcomes("--agent-replay", "--agent-update")
    shop.after = {path.stem: path.read_text() for path in shop.path.glob("golden_traces/*.yaml")}
    shop.then = shop.outcomes("--agent-replay", "-k", "not survivor")
    return shop


@pytest.mark.parametrize("name", ACCEPTED)
def test_an_update_accepts_what_the_recording_answers(updated, name):
    """The baseline becomes what the run did; it passes from then on, and what people wrote stays."""
    changes = changed_lines(updated.before[name], updated.after[name])

    assert updated.during[name].outcome == "passed", updated.during[name].shown
    assert changes and updated.then[name].outcome == "passed", updated.then[name].shown
    assert "# A baseline with comments.\n" in updated.after[name] and "# shown" in updated.after[name]
    assert "content: Refund it." in updated.after[name]
    assert len(changes) <= 10, changes
    assert "updated" in updated.during.stdout


@pytest.mark.parametrize("name", REFUSED)
def test_an_update_refuses_what_no_recording_answers(updated, name):
    """Unmatched calls, escapes, exceptions and survivors are mended in the agent; the file stays, and says why."""
    assert updated.during[name].outcome == "failed"
    assert "refused" in updated.during[name].shown, updated.during[name].shown
    assert updated.after[name] == updated.before[name]


@pytest.mark.parametrize("name", [name for name in ACCEPTED | REFUSED if name not in ("skipped", "state")])
def test_an_update_never_touches_an_incident(updated, name):
    """An incident pins what must not come back."""
    assert updated.after[f"incident_{name}"] == updated.before[f"incident_{name}"]
    assert updated.during[f"incident_{name}"].outcome == ("failed" if name != "state" else "passed")


def test_an_update_leaves_alone_what_did_not_diverge(updated):
    """Not a byte changes."""
    assert updated.after["same"] == updated.before["same"]
    assert updated.during["same"].outcome == "passed"


def test_an_update_accepts_no_failed_expectation_of_the_test(shop):
    """What a test expects is in the test; no change of the trace can meet it."""
    before = text_of(shop)
    shop.test(
        """
        import shop
        def test_it(agent_replay): agent_replay("refund", shop.agent, expect={"output": "something else"})
        """
    )
    found = shop.outcomes("--agent-update", "test_it.py")

    assert found["test_it"].outcome == "failed"
    assert text_of(shop) == before


def test_nothing_is_updated_for_a_test_that_fails(shop):
    """The divergence would be accepted; the test's own assertion fails, so nothing is."""
    before = text_of(shop)
    shop.test(
        """
        import shop
        def test_it(agent_replay):
            agent_replay("refund", lambda order: shop.agent(order) and "other")
            assert False
        """
    )
    found = shop.outcomes("--agent-update", "test_it.py")

    assert found["test_it"].outcome == "failed"
    assert text_of(shop) == before
