"""Calls that are made at the same moment are judged with each other: what has begun counts."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from pytest_agentreplay import GuardBlocked, guard, tool

RULES = {
    "repeat": "rules: [{id: r, tools: [pay], repeat: {max: 1}}]",
    "repeat by tool": "rules: [{id: r, tools: [pay], repeat: {same: [tool], max: 1}}]",
    "called": "rules: [{id: r, tools: [pay], called: {tool: pay, args: {amount: $args.amount}}}]",
    "same": "use: [loops]\npacks: {loops: {max: 1}}",
    "budget": "use: [loops]\npacks: {loops: {max: 99, budget: {pay: 1}}}",
    "budget of all": "use: [loops]\npacks: {loops: {max: 99, budget: 1}}",
}


@pytest.fixture
def write(tmp_path):
    def write(rules):
        path = tmp_path / "p.yaml"
        path.write_text(f"format: agentreplay.policy/1\n{rules}\n")
        return path

    return write


@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
def test_threads_that_call_at_once_are_counted_together(rules, write):
    """One call goes through, whichever came first, while all of them are at work."""
    inside = threading.Event()
    waiting = threading.Event()

    @tool(effect="write", name="pay")
    def pay(amount):
        inside.set()
        waiting.wait(10)
        return amount

    def attempt():
        try:
            return pay(5)
        except GuardBlocked:
            return "blocked"

    with guard(write(rules)), ThreadPoolExecutor(8) as pool:
        first = pool.submit(attempt)
        assert inside.wait(10)
        others = [pool.submit(attempt) for _ in range(7)]
        outcomes = Counter(other.result(10) for other in others)
        waiting.set()

    assert (first.result(), outcomes) == (5, {"blocked": 7})


@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
def test_tasks_that_call_at_once_are_counted_together(rules, write):
    """As threads are."""

    @tool(effect="write", name="pay")
    async def pay(amount):
        await asyncio.sleep(0.01)
        return amount

    async def agent():
        with guard(write(rules)):
            return await asyncio.gather(*(pay(5) for _ in range(5)), return_exceptions=True)

    assert Counter(type(outcome).__name__ for outcome in asyncio.run(agent())) == {"int": 1, "GuardBlocked": 4}


def test_what_is_at_work_has_not_come_back(write):
    """A lookup that has no result yet vouches for nothing: `unless_called` and `grounded` want what came back."""
    inside = threading.Event()
    waiting = threading.Event()

    @tool(effect="read", name="look")
    def look():
        inside.set()
        waiting.wait(10)
        return {"amount": 5}

    @tool(effect="write", name="pay")
    def pay(amount):
        return amount

    rules = (
        "rules: [{id: seen, tools: [pay], unless_called: {tool: look}},"
        " {id: as-seen, tools: [pay], grounded: {args.amount: [results.look.amount]}}]"
    )
    with guard(write(rules)), ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look)
        assert inside.wait(10)
        with pytest.raises(GuardBlocked) as caught:
            pay(5)
        waiting.set()
        looking.result(10)
        assert pay(5) == 5

    assert [finding.rule for finding in caught.value.verdict.findings] == ["seen", "as-seen"]


def test_a_stream_counts_from_its_first_item(write):
    """Two streams that are read in turns are two calls."""

    @tool(effect="write", name="pay")
    def pay(amount):
        yield amount
        yield amount

    with guard(write(RULES["repeat"])):
        first, second = pay(5), pay(5)
        assert next(first) == 5
        with pytest.raises(GuardBlocked):
            next(second)
        assert list(first) == [5]


def test_calls_in_a_row_are_those_that_began_in_a_row(write):
    """Another call that began in between ends the row, whenever it comes back."""
    order = []

    @tool(effect="write", name="pay")
    def pay(amount):
        order.append(amount)

    @tool(effect="read", name="look")
    def look():
        yield 1
        yield 2

    with guard(write(RULES["repeat"])):
        pay(5)
        looking = look()
        next(looking)
        pay(5)
        list(looking)  # it comes back only now, and began before the second payment
        with pytest.raises(GuardBlocked):
            pay(5)

    assert order == [5, 5]


def test_calls_whose_arguments_do_not_fit_repeat_themselves_too(write):
    """They are recorded as text, and judged by it."""

    @tool(effect="write", name="pay")
    def pay(amount):
        return amount

    for rules in (RULES["repeat"], RULES["same"]):
        with guard(write(rules)):
            with pytest.raises(TypeError):
                pay(1, 2)
            with pytest.raises(GuardBlocked):
                pay(1, 2)


def test_recording_counts_what_has_begun(write, pytester):
    """A live recording asks the same guard."""
    path = write(RULES["repeat"])
    pytester.makepyfile(
        """
        import asyncio
        from pytest_agentreplay import GuardBlocked, tool

        @tool(effect="write", name="pay")
        async def pay(amount):
            await asyncio.sleep(0.01)
            return amount

        async def agent(amount):
            outcomes = await asyncio.gather(pay(amount), pay(amount), return_exceptions=True)
            return [type(outcome).__name__ for outcome in outcomes]

        def test_it(agent_replay):
            run = agent_replay("pays", agent, input=5, expect={"verdicts": {"pay#2": "block"}})
            assert run.output == ["int", "GuardBlocked"]
        """
    )
    result = pytester.runpytest_subprocess("--agent-record=once", f"--agent-policy={path}")

    result.assert_outcomes(passed=1)
