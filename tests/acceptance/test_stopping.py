"""A run that goes on too long is stopped at the call that breaks a limit, and no loop of calls hangs a session."""

from __future__ import annotations

import pytest

TESTS = '''
import asyncio
import pytest
import shop
from pytest_agentreplay import DivergenceError, RunStopped

CALLS = []


def call(tool, *args):
    CALLS.append(tool.__name__)
    return tool(*args)


def looping(tool, *args):
    def agent(order):
        CALLS.clear()
        while True:
            call(tool, *args)
    return agent


def stubborn(agent, times):
    """Swallow everything, RunStopped included, and go on that many times."""
    def stubborn_agent(order):
        for _ in range(times):
            try:
                agent(order)
            except BaseException as error:
                stubborn_agent.last = error
        return "done"
    return stubborn_agent


def stopped_after(agent_replay, agent, **expect):
    with pytest.raises(DivergenceError) as caught:
        agent_replay("refund", agent, expect=expect or None)
    return len(CALLS), caught.value.divergence


def test_calls_max(agent_replay):
    made, divergence = stopped_after(agent_replay, looping(shop.lookup, "o-1"), calls={"lookup": {"max": 3}})
    assert made == 4
    assert "lookup" in divergence.cause


def test_calls_never(agent_replay):
    made, _ = stopped_after(agent_replay, looping(shop.refund, "o-1", 39), calls={"refund": "never"})
    assert made == 1


def test_calls_exactly(agent_replay):
    made, _ = stopped_after(agent_replay, looping(shop.lookup, "o-1"), calls={"lookup": {"exactly": 2}})
    assert made == 3


def test_calls_max_of_some_arguments(agent_replay):
    def agent(order):
        CALLS.clear()
        for amount in (1, 1, 1, 39, 39):
            try:
                call(shop.refund, order, amount)
            except Exception:
                pass
    made, _ = stopped_after(agent_replay, agent, calls={"refund": {"max": 1, "args": {"amount": {"gt": 30}}}})
    assert made == 5


def test_no_repeats(agent_replay):
    made, _ = stopped_after(agent_replay, looping(shop.lookup, "o-1"), no_repeats=3)
    assert made == 4


def test_budget(agent_replay):
    made, _ = stopped_after(agent_replay, looping(shop.lookup, "o-1"), budget={"tool_calls": 8})
    assert made == 9


def test_by_itself(agent_replay):
    made, _ = stopped_after(agent_replay, looping(shop.lookup, "o-1"))
    assert made == 10 * 3 + 100 + 1


def test_by_itself_where_only_the_output_is_expected(agent_replay):
    agent_replay("refund", stubborn(looping(shop.lookup, "o-1"), 1), expect={"output": "done"})


def test_by_itself_unchecked(agent_replay):
    agent_replay("refund", looping(shop.lookup, "o-1"), check=False)


def test_by_itself_unchecked_and_swallowed(agent_replay):
    agent_replay("refund", stubborn(looping(shop.lookup, "o-1"), 1), check=False)


def test_unmatched_calls_count(agent_replay):
    def agent(order):
        CALLS.clear()
        while True:
            try:
                call(shop.refund, "o-2", 1)
            except Exception:
                pass
    made, _ = stopped_after(agent_replay, agent)
    assert made == 131


def test_every_later_call_is_stopped(agent_replay):
    agent = stubborn(lambda order: call(shop.lookup, "o-1"), 20)
    with pytest.raises(DivergenceError):
        agent_replay("refund", agent, expect={"budget": {"tool_calls": 2}})
    assert isinstance(agent.last, RunStopped)


def test_stubborn_below_a_thousand(agent_replay):
    agent = stubborn(lambda order: call(shop.lookup, "o-1"), 900)
    with pytest.raises(DivergenceError):
        agent_replay("refund", agent, expect={"calls": {"lookup": {"max": 3}}})


def test_a_limit_that_holds(agent_replay):
    expect = {"budget": {"tool_calls": 3}, "no_repeats": 1, "calls": {"refund": {"max": 1}}}
    agent_replay("refund", shop.agent, expect=expect)


def test_stopped_by_the_recording(agent_replay):
    run = agent_replay("unfinished", lambda order: shop.refund(order, shop.lookup(order)["amount"]))
    assert run.tools == ["lookup", "refund"]

'''

UNFINISHED = """\
format: agentreplay.trace/1
input: {order: o-1}
steps:
  - {tool: lookup, args: {order: o-1}, result: {amount: 39}}
  - {tool: refund, args: {order: o-1, amount: 39}}
"""

HANGS = """
import asyncio
import threading
import pytest
import shop

def test_before(): pass

{decorator}
{define} test_hangs(agent_replay):
    {define} agent(order):
        while True:
            try:
                {body}
            except BaseException:
                pass
    {call}
"""


@pytest.fixture(scope="module")
def found(make_shop):
    """One session of agents that call too much."""
    shop = make_shop("stopping")
    shop.trace("unfinished", UNFINISHED)
    shop.test(TESTS)
    return shop.outcomes("test_it.py")


@pytest.mark.parametrize(
    "limit",
    ["calls_max", "calls_never", "calls_exactly", "calls_max_of_some_arguments", "no_repeats", "budget", "by_itself"],
)
def test_the_run_stops_at_the_call_that_breaks_the_limit(found, limit):
    """Not one call later; and the divergence says which it was."""
    assert found[f"test_{limit}"].outcome == "passed", found[f"test_{limit}"].shown


@pytest.mark.parametrize("name", ["unmatched_calls_count", "every_later_call_is_stopped", "stubborn_below_a_thousand"])
def test_a_stopped_run_stays_stopped(found, name):
    """Every later call raises RunStopped, whatever was swallowed before."""
    assert found[f"test_{name}"].outcome == "passed", found[f"test_{name}"].shown


@pytest.mark.parametrize("name", ["where_only_the_output_is_expected", "unchecked", "unchecked_and_swallowed"])
def test_a_loop_fails_whatever_is_expected(found, name):
    """A loop without an end is never green: not when the agent swallows its stop, not unchecked."""
    loop = found[f"test_by_itself_{name}"]

    assert loop.outcome == "failed", loop.shown
    assert "a loop that does not end" in loop.shown


def test_a_limit_that_holds_stops_nothing(found):
    """As many calls as are allowed are fine."""
    assert found["test_a_limit_that_holds"].outcome == "passed", found["test_a_limit_that_holds"].shown


def test_an_unfinished_recording_ends_the_run_where_it_ended(found):
    """A call without an outcome stops the run, which is then as it was recorded."""
    assert found["test_stopped_by_the_recording"].outcome == "passed", found["test_stopped_by_the_recording"].shown


FORMS = {
    "sync": {"define": "def", "decorator": "", "body": 'shop.lookup("o-1")', "call": 'agent_replay("refund", agent)'},
    "async": {
        "define": "async def",
        "decorator": "@pytest.mark.asyncio",
        "body": 'await asyncio.to_thread(shop.lookup, "o-1")',
        "call": 'await agent_replay.arun("refund", agent)',
    },
    "with": {
        "define": "def",
        "decorator": "",
        "body": 'shop.notify("x")',
        "call": 'with agent_replay("refund", check=False): agent("o-1")',
    },
}


@pytest.mark.parametrize("form", FORMS)
def test_an_agent_that_swallows_its_stop_for_ever_is_ended(shop, form):
    """The failure is printed and the process exits, so that CI doesn't hang."""
    shop.test(HANGS.format(**FORMS[form]))

    result = shop.run()

    assert result.ret != 0
    shown = result.stdout.str() + result.stderr.str()
    assert "test_hangs" in shown and "a loop that does not end" in shown
    assert "RunStopped" in shown
