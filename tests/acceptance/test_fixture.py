"""The `agent_replay` fixture in Python tests: call form, context manager, async form, parametrization."""

from __future__ import annotations


def test_the_call_form_gives_the_run(shop):
    """`run.tools`, `run.calls`, `run.output`, `run.verdict` show what the agent did."""
    shop.test(
        """
        import pytest
        import shop

        def test_run(agent_replay):
            run = agent_replay("refund", shop.agent)
            assert run.tools == ["lookup", "refund", "notify"]
            assert run.calls("refund")[0].args == {"order": "o-1", "amount": 39}
            assert [call.address for call in run.calls()] == ["lookup#1", "refund#1", "notify#1"]
            assert [call.effect for call in run.calls()] == ["read", "write", "write"]
            assert run.output == "done"
            assert run.verdict("refund#1").decision == "allow"
        """
    )

    shop.run().assert_outcomes(passed=1)


def test_a_divergence_is_the_tests_to_catch(shop):
    """What was raised to the test may be caught; it is a DivergenceError and an AssertionError."""
    shop.test(
        """
        import pytest
        import shop
        from pytest_agentreplay import DivergenceError

        def test_it(agent_replay):
            with pytest.raises(DivergenceError) as caught:
                agent_replay("refund", lambda order: "done")
            assert isinstance(caught.value, AssertionError)
            assert caught.value.divergence.kind == "missing"
        """
    )

    shop.run().assert_outcomes(passed=1)


def test_what_the_agent_swallows_fails_the_test(shop):
    """With check=False and every exception swallowed, an unmatched call still fails the call phase."""
    shop.test(
        """
        import shop

        def test_it(agent_replay):
            with agent_replay("refund", check=False) as run:
                try:
                    shop.refund("o-1", 5000)
                except Exception:
                    pass
        """
    )

    result = shop.run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*no recorded result answers refund*"])


def test_the_context_manager_runs_nothing_itself(shop):
    """Any code inside is the agent; expectations can be given to `run.check`."""
    shop.test(
        """
        import pytest
        import shop

        def test_it(agent_replay):
            with agent_replay("refund", check=False) as run:
                shop.lookup("o-1")
            run.check(trajectory="subset")
            with pytest.raises(AssertionError):
                run.check(trajectory="superset")
        """
    )

    shop.run().assert_outcomes(passed=1)


def test_a_scope_that_is_never_entered_fails(shop):
    """A replay that ran nothing is no green test."""
    shop.test("def test_it(agent_replay): agent_replay('refund')")

    result = shop.run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*ran nothing*"])


def test_leaving_the_scope_masks_no_exception(shop):
    """The test's own exception comes out, with a note of the divergence."""
    shop.test(
        """
        import shop

        def test_it(agent_replay):
            with agent_replay("refund"):
                raise KeyError("mine")
        """
    )

    result = shop.run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*KeyError: 'mine'*", "*lookup#1*"])


def test_async_agents(shop):
    """The call form runs an async agent; inside a loop it says to use `arun`, which works there."""
    shop.module(
        """
        from pytest_agentreplay import tool

        @tool(effect="read")
        async def lookup(order): raise AssertionError("real")

        @tool(effect="write")
        async def refund(order, amount): raise AssertionError("real")

        @tool
        async def notify(text): raise AssertionError("real")

        async def agent(order):
            found = await lookup(order)
            await refund(order, found["amount"])
            await notify("refunded 39")
            return "done"
        """
    )
    shop.test(
        """
        import pytest
        import shop

        def test_sync(agent_replay):
            assert agent_replay("refund", shop.agent).output == "done"

        @pytest.mark.asyncio
        async def test_arun(agent_replay):
            run = await agent_replay.arun("refund", shop.agent)
            assert run.output == "done"

        @pytest.mark.asyncio
        async def test_with(agent_replay):
            with agent_replay("refund") as run:
                run.output = await shop.agent(order="o-1")

        @pytest.mark.asyncio
        async def test_async_with(agent_replay):
            async with agent_replay("refund") as run:
                run.output = await shop.agent(order="o-1")

        @pytest.mark.asyncio
        async def test_call_form_in_a_loop(agent_replay):
            with pytest.raises(Exception, match="arun"):
                agent_replay("refund", shop.agent)
        """
    )

    shop.run("-W", "error").assert_outcomes(passed=5)


def test_anyio(shop):
    """The async form works under anyio's plugin."""
    shop.module(
        """
        from pytest_agentreplay import tool

        @tool(effect="read")
        async def lookup(order): raise AssertionError("real")

        async def agent(order):
            found = await lookup(order)
            return "done"
        """
    )
    shop.test(
        """
        import pytest
        import shop

        @pytest.fixture
        def anyio_backend(): return "asyncio"

        @pytest.mark.anyio
        async def test_arun(agent_replay):
            run = await agent_replay.arun("refund", shop.agent, expect={"calls": {"lookup": {"exactly": 1}}})
            assert run.output == "done"
        """
    )

    shop.run("-W", "error").assert_outcomes(passed=1)


def test_parametrized_over_all_traces(shop):
    """`golden_trace` stands for every golden trace; the marker narrows it."""
    shop.trace("more/again", (shop.path / "golden_traces" / "refund.yaml").read_text())
    shop.test(
        """
        import pytest
        import shop

        def test_all(golden_trace, agent_replay):
            agent_replay(golden_trace, shop.agent)

        @pytest.mark.agent_replay(traces="more/*")
        def test_some(golden_trace, agent_replay):
            agent_replay(golden_trace, shop.agent)
        """
    )

    result = shop.run("-v")

    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["*test_all?refund?*", "*test_some?more/again?*"])


def test_a_missing_trace_names_the_nearest(shop):
    """A missing file is an error: never a skip, never a recording."""
    shop.test(
        """
        import shop

        def test_it(agent_replay):
            agent_replay("refnd", shop.agent)
        """
    )

    result = shop.run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*refund*"])


def test_state_is_sampled_for_agents_without_checkpoints(shop):
    """`state=` is the agent's state once it went on after each call."""
    shop.test(
        """
        import shop

        class Agent:
            def __init__(self):
                self.seen = []

            def __call__(self, order):
                self.seen.append(shop.lookup(order)["amount"])
                shop.refund(order, self.seen[0])
                self.seen.append("refunded")
                shop.notify("refunded 39")
                return "done"

        def test_it(agent_replay):
            agent = Agent()
            run = agent_replay("refund", agent, state=lambda: vars(agent))
            assert run.state_after("lookup#1") == {"seen": [39]}
            assert run.state_after("refund#1") == {"seen": [39, "refunded"]}
            assert run.state_after("end") == {"seen": [39, "refunded"]}
        """
    )

    shop.run().assert_outcomes(passed=1)


def test_an_unknown_marker_option_is_refused(shop):
    """A typo in the marker opens nothing in silence."""
    shop.test(
        """
        import pytest
        import shop

        @pytest.mark.agent_replay(allow_host=["localhost"])
        def test_it(agent_replay):
            agent_replay("refund", shop.agent)
        """
    )

    result = shop.run()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*did you mean allow_hosts*"])
