"""`pytest --agent-replay`: golden traces are collected, replayed and judged."""

from __future__ import annotations

import pytest


def test_a_good_agent_passes(shop):
    """The trace passes, its tools answer from the recording, and the summary says so."""
    result = shop.replay()

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["*golden traces   1 run, 0 diverged, 0 not checked*", "*3 answered, 2 writes withheld*"]
    )


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (
            """
            def agent(order):
                found = lookup(order)
                refund(order, 5000)
                notify("refunded 39")
                return "done"
            """,
            "*refund*5000*39*",
        ),
        (
            """
            def agent(order):
                found = lookup(order)
                refund(order, 39)
                refund(order, 39)
                notify("refunded 39")
                return "done"
            """,
            "*refund*",
        ),
        (
            """
            def agent(order):
                found = lookup(order)
                notify("refunded 39")
                return "done"
            """,
            "*refund#1*",
        ),
        (
            """
            def agent(order):
                found = lookup(order)
                notify("refunded 39")
                refund(order, 39)
                return "done"
            """,
            "*order*",
        ),
        (
            """
            def agent(order):
                found = lookup(order)
                refund(order, 39)
                notify("refunded 39")
                return "finished"
            """,
            "*output*",
        ),
        (
            """
            def agent(order):
                search("x")
                found = lookup(order)
                refund(order, 39)
                notify("refunded 39")
                return "done"
            """,
            "*search*",
        ),
        (
            """
            def agent(order):
                try:
                    lookup(order)
                    refund(order, 1)
                except Exception:
                    pass
                try:
                    refund(order, 39)
                    notify("refunded 39")
                except Exception:
                    pass
                return "done"
            """,
            "*refund*",
        ),
    ],
    ids=["argument", "duplicate write", "skipped", "reordered", "output", "extra read", "swallowed"],
)
def test_a_changed_agent_fails(shop, body, says):
    """Whatever the agent does otherwise fails the trace, and the text names it."""
    shop.agent(body)

    result = shop.replay()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([says])
    result.stdout.fnmatch_lines(["*golden_traces/refund.yaml:*"])


def test_an_agent_that_is_not_importable_says_so(shop):
    """The error suggests pythonpath."""
    shop.trace("refund", "format: agentreplay.trace/1\nagent: nowhere:agent\nsteps: []\n")

    result = shop.replay()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*nowhere:agent*can't be imported*", "*pythonpath*"])


def test_no_golden_trace_is_a_usage_error(shop):
    """A gate that checks nothing is not green."""
    (shop.path / "golden_traces" / "refund.yaml").unlink()

    result = shop.replay()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*found no golden trace*"])


def test_a_trace_without_an_agent_is_skipped_with_the_reason(shop):
    """What can't be checked is never green in silence."""
    shop.trace("refund", "format: agentreplay.trace/1\nsteps: []\n")

    result = shop.replay("-rs")

    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*names no agent*"])


def test_a_named_trace_runs_without_the_flag(shop):
    """`pytest golden_traces/refund.yaml` replays it."""
    result = shop.run("golden_traces/refund.yaml")

    result.assert_outcomes(passed=1)


def test_without_the_flag_no_trace_is_collected(shop):
    """The plugin leaves a session alone that doesn't ask for it."""
    shop.test("def test_one(): pass")

    result = shop.run()

    result.assert_outcomes(passed=1)


def test_under_workers(shop):
    """`-n 2` gives the same result."""
    shop.trace("refund-again", (shop.path / "golden_traces" / "refund.yaml").read_text())

    result = shop.replay("-n", "2")

    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*golden traces   2 run, 0 diverged*"])
