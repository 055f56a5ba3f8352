"""Policies judge the calls of a replay: blocks reach the agent, verdicts are held to the recorded ones."""

from __future__ import annotations

import pytest

from pytest_agentreplay import load_trace

POLICY = """\
format: agentreplay.policy/1
name: shop
version: 3
environments: {dev: log, staging: warn, production: block}
rules:
  - id: large-refund
    version: 1
    severity: critical
    tools: [refund]
    match: {args.amount: {gt: 100}}
    reason: more than 100
    confidence: 0.9
    tests:
      block: [{args: {order: o-1, amount: 101}}]
      allow: [{args: {order: o-1, amount: 100}}]
"""

# Swallows the refusal, as frameworks do, and says what it got.
GREEDY = """
from pytest_agentreplay import GuardBlocked

def agent(order):
    lookup(order)
    try:
        refund(order, 5000)
    except GuardBlocked as error:
        notify(error.tool + ": " + error.reason)
        return error.verdict.decision
    return "done"
"""

GREEDY_TRACE = """\
format: agentreplay.trace/1
agent: shop:agent
input: {order: o-1}
steps:
  - tool: lookup
    args: {order: o-1}
    result: {amount: 39}
    verdict: allow
  - tool: refund
    args: {order: o-1, amount: 5000}
    verdict:
      decision: block
      environment: production
      policy: shop@3
      findings: [{rule: large-refund, version: 1, severity: critical, reason: more than 100}]
  - tool: notify
    args: {text: "refund: more than 100"}
    result: null
    verdict: allow
output: block
"""


def write(shop, name, text):
    path = shop.path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def guarded(shop):
    """The shop under its policy, with an agent that asks for too much, and the trace of that."""
    shop.agent(GREEDY)
    shop.trace("refund", GREEDY_TRACE)
    write(shop, "policies/shop.yaml", POLICY)
    shop.ini("agent_replay_policies = policies/shop.yaml")
    return shop


def test_a_block_reaches_the_agent(guarded):
    """The agent gets `GuardBlocked` with tool, verdict and reason; the run shows every verdict, and the call counts."""
    guarded.test(
        """
        import shop

        def test_it(agent_replay):
            run = agent_replay("refund", shop.agent)
            blocked = run.verdict("refund#1")
            finding = blocked.findings[0]

            assert run.output == "block"
            assert run.tools == ["lookup", "refund", "notify"]
            assert run.calls("refund")[0].verdict.decision == "block"
            assert {name: verdict.decision for name, verdict in run.verdicts.items()} == {
                "lookup#1": "allow", "refund#1": "block", "notify#1": "allow"
            }
            assert (blocked.policy, blocked.environment, blocked.unavailable) == ("shop@3", "production", False)
            assert blocked.policy_digest.startswith("sha256:")
            assert (finding.rule, finding.version, finding.severity, finding.confidence) == (
                "large-refund", 1, "critical", 0.9
            )
            assert blocked.reason == "more than 100"
            assert blocked.duration_us > 0
        """
    )

    guarded.run().assert_outcomes(passed=1)
    guarded.replay("golden_traces").assert_outcomes(passed=1)


def test_a_block_reaches_an_async_agent(guarded):
    """Coroutines and async generators are refused as plain functions are, inside a loop and outside."""
    guarded.module(
        """
        from pytest_agentreplay import GuardBlocked, tool

        @tool(effect="read")
        async def lookup(order): raise AssertionError("real")

        @tool(effect="write")
        async def refund(order, amount):
            raise AssertionError("real")
            yield

        @tool
        async def notify(text): raise AssertionError("real")

        async def agent(order):
            await lookup(order)
            try:
                async for part in refund(order, 5000):
                    raise AssertionError("streamed " + part)
            except GuardBlocked as error:
                await notify(error.tool + ": " + error.reason)
                return error.verdict.decision
        """
    )
    guarded.test(
        """
        import pytest
        import shop

        def test_outside(agent_replay):
            assert agent_replay("refund", shop.agent).verdict("refund#1").decision == "block"

        @pytest.mark.asyncio
        async def test_inside(agent_replay):
            run = await agent_replay.arun("refund", shop.agent)
            assert run.verdict("refund#1").decision == "block"
        """
    )

    guarded.run().assert_outcomes(passed=2)


def test_a_block_that_leaves_the_agent_is_the_headline(guarded):
    """An agent that lets `GuardBlocked` through ends there; the failure tells of the block and not of its echo."""
    guarded.agent(
        """
        def agent(order):
            refund(order, lookup(order)["amount"] * 100)
        """
    )
    guarded.trace("refund", GREEDY_TRACE.partition("  - tool: refund")[0] + "output: done\n")

    found = guarded.outcomes("--agent-replay", "golden_traces")["refund"]

    assert found.outcome == "failed"
    assert "another verdict on refund#1: refund#1 was blocked by large-refund" in found.shown
    assert "more than 100" in found.shown and "another ending" not in found.shown


def test_an_unexpected_block_fails_though_the_agent_swallows_it(guarded):
    """Nothing in the trace wants the block, so the test fails, naming rule and policy."""
    guarded.trace(
        "refund",
        "format: agentreplay.trace/1\nagent: shop:agent\ninput: {order: o-1}\n"
        "steps:\n  - {tool: lookup, args: {order: o-1}, result: {amount: 39}}\n"
        "expect: {output: block}\nreplay: {answers: [{tool: notify, result: null}]}\n",
    )

    found = guarded.outcomes("--agent-replay", "golden_traces")["refund"]

    assert found.outcome == "failed"
    assert found.kinds == ["verdict"]
    assert "large-refund version 1 of shop@3" in found.shown


def test_an_expected_block_passes(guarded):
    """`expect.verdicts` names the block by address, or by tool."""
    for name, key in (("address", "refund#1"), ("tool", "refund")):
        guarded.trace(
            name,
            "format: agentreplay.trace/1\nagent: shop:agent\ninput: {order: o-1}\n"
            "steps:\n  - {tool: lookup, args: {order: o-1}, result: {amount: 39}}\n"
            f"expect: {{verdicts: {{{key}: block, lookup: allow}}}}\n"
            "replay: {answers: [{tool: notify, result: null}]}\n",
        )

    guarded.replay("golden_traces").assert_outcomes(passed=3)


def test_a_verdict_of_expect_that_flips_fails(guarded):
    """What `expect.verdicts` wants blocked and today's policy lets through is told with both decisions."""
    write(guarded, "policies/shop.yaml", POLICY.replace("gt: 100}", "gt: 9000}"))
    guarded.trace(
        "refund",
        "format: agentreplay.trace/1\nagent: shop:agent\ninput: {order: o-1}\n"
        "steps:\n  - {tool: lookup, args: {order: o-1}, result: {amount: 39}}\n"
        "expect: {verdicts: {refund: block}}\n"
        "replay: {answers: [{tool: refund, result: ok}]}\n",
    )

    found = guarded.outcomes("--agent-replay", "golden_traces")["refund"]

    assert found.kinds == ["verdict"]
    assert "refund#1 is judged allow; block was expected" in found.shown


def test_a_recorded_verdict_that_flips_names_rule_and_versions(guarded):
    """The rule was changed: the failure says from which version to which, and what each decided."""
    changed = POLICY.replace("version: 3", "version: 4").replace("    version: 1", "    version: 2")
    write(guarded, "policies/shop.yaml", changed.replace("severity: critical", "severity: medium"))
    guarded.agent(GREEDY.replace("    except", "        notify('paid')\n    except"))
    guarded.trace("refund", GREEDY_TRACE)

    found = guarded.outcomes("--agent-replay", "golden_traces")["refund"]

    assert found.outcome == "failed"
    assert "refund#1 is judged warn by large-refund version 2 of shop@4" in found.shown
    assert "where block by large-refund version 1 of shop@3 was recorded" in found.shown
    assert "large-refund went from version 1 to 2" in found.shown


def test_a_recorded_allow_that_is_blocked_today_fails(guarded):
    """A stricter policy shows in every trace that it would have stopped."""
    guarded.agent("def agent(order):\n    refund(order, 5000)\n    return 'done'\n")
    guarded.trace(
        "refund",
        "format: agentreplay.trace/1\nagent: shop:agent\ninput: {order: o-1}\n"
        "steps:\n  - {tool: refund, args: {order: o-1, amount: 5000}, result: ok, verdict: allow}\n"
        "output: done\n",
    )

    found = guarded.outcomes("--agent-replay", "golden_traces")["refund"]

    assert "refund#1 is judged block by large-refund version 1 of shop@3 where allow was recorded" in found.shown


def test_a_recorded_block_is_raised_again_where_todays_policy_allows(guarded):
    """The agent meets the world of the recording; that the policy went soft is the failure."""
    write(guarded, "policies/shop.yaml", POLICY.replace("gt: 100}", "gt: 9000}"))

    found = guarded.outcomes("--agent-replay", "golden_traces")["refund"]

    assert found.facts[0]["failure"].startswith(
        "another verdict on refund#1: refund#1 is judged allow where block by large-refund version 1 of shop@3"
    )
    assert found.kinds == ["verdict"]  # the agent went the recorded way: no other call, no other output


def test_a_policy_that_nobody_names_any_more_is_missed(guarded):
    """Without any policy a recorded block is raised all the same, and that nothing judges it today is the failure."""
    guarded.ini("")

    found = guarded.outcomes("--agent-replay", "golden_traces")["refund"]

    assert found.kinds == ["verdict"]
    assert "refund#1 is judged allow where block by large-refund version 1 of shop@3" in found.shown


@pytest.mark.parametrize(
    ("flags", "marker", "decision", "output"),
    [
        ([], "", "block", "block"),
        (["--agent-env=production"], "", "block", "block"),
        (["--agent-env=staging"], "", "warn", "done"),
        (["--agent-env=dev"], "", "log", "done"),
        (["--agent-env=elsewhere"], "", "block", "block"),
        ([], "@pytest.mark.agent_replay(env='dev')", "log", "done"),
        (["--agent-env=production"], "@pytest.mark.agent_replay(env='staging')", "warn", "done"),
        (["--agent-guard=audit"], "", "warn", "done"),
        (["--agent-guard=audit", "--agent-env=dev"], "", "log", "done"),
        (["--agent-guard=enforce"], "", "block", "block"),
        (["-oagent_replay_env=staging"], "", "warn", "done"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value[-16:],
)
def test_environment_and_mode_cap_what_is_applied(guarded, flags, marker, decision, output):
    """`decision` is what was applied, `would` is not capped, and `expect.verdicts` holds in all of them."""
    guarded.trace(
        "refund",
        "format: agentreplay.trace/1\ninput: {order: o-1}\n"
        "steps:\n  - {tool: lookup, args: {order: o-1}, result: {amount: 39}}\n"
        "expect: {verdicts: {refund: block}}\n"
        "replay: {answers: [{tool: notify, result: null}, {tool: refund, result: ok}]}\n",
    )
    guarded.test(
        f"""
        import pytest
        import shop

        {marker}
        def test_it(agent_replay):
            run = agent_replay("refund", shop.agent)
            assert (run.verdict("refund#1").decision, run.verdict("refund#1").would) == ({decision!r}, "block")
            assert run.output == {output!r}
        """
    )

    guarded.run(*flags).assert_outcomes(passed=1)


def test_off_evaluates_nothing(guarded):
    """No rule is asked, nothing is blocked, and verdicts are not checked; the summary says so."""
    guarded.agent(GREEDY.replace("    except", "        notify('paid')\n    except"))
    guarded.trace(
        "refund",
        "format: agentreplay.trace/1\nagent: shop:agent\ninput: {order: o-1}\n"
        "steps:\n  - {tool: lookup, args: {order: o-1}, result: {amount: 39}}\n"
        "expect: {verdicts: {refund: block}, output: done}\n"
        "replay: {answers: [{tool: notify, result: null}, {tool: refund, result: ok}]}\n",
    )

    result = guarded.replay("--agent-guard=off", "golden_traces")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["verdicts *not checked*"])


def test_the_flag_the_ini_and_the_trace_name_policies(shop):
    """All of them judge, the strictest wins; a flag is relative to where pytest was called, a trace to its file."""
    shop.agent("def agent(order):\n    try: refund(order, 39)\n    except Exception: pass\n")
    for name, severity in (("flag", "low"), ("ini", "medium"), ("trace", "high")):
        rule = f"{{id: by-{name}, severity: {severity}, tools: [refund]}}"
        write(shop, f"policies/{name}.yaml", f"format: agentreplay.policy/1\nname: {name}\nrules: [{rule}]\n")
    shop.trace(
        "deep/down/refund",
        "format: agentreplay.trace/1\npolicies: [../../../policies/trace.yaml]\n"
        "steps: []\nexpect: {verdicts: {refund: block}}\n",
    )
    shop.ini("agent_replay_policies =\n    policies/ini.yaml\n")
    shop.test(
        """
        import shop

        def test_it(agent_replay):
            run = agent_replay("deep/down/refund", lambda: shop.agent("o-1"))
            verdict = run.verdict("refund#1")
            assert [finding.rule for finding in verdict.findings] == ["by-ini", "by-flag", "by-trace"]
            assert [finding.decision for finding in verdict.findings] == ["warn", "log", "block"]
            assert verdict.policy == "ini, flag, trace"
        """
    )

    shop.run("--agent-policy=policies/flag.yaml").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "there is no such policy"),
        ("format: agentreplay.policy/1\nrules: [{id: a, tool: [refund]}]\n", "did you mean `tools`?"),
        ("format: agentreplay.policy/1\nuse: [shel]\n", "did you mean shell?"),
        ("format: agentreplay.policy/1\nrules: [\n", "policies/broken.yaml:"),
        ("format: agentreplay.trace/1\nsteps: []\n", "this is a trace, not a policy"),
    ],
    ids=["missing", "typo", "unknown pack", "no yaml", "a trace"],
)
def test_a_policy_that_cannot_be_read_is_an_error(guarded, text, says):
    """Named by the session it is wrong usage; named by a trace that trace fails. Never is anything let through."""
    if text is not None:
        write(guarded, "policies/broken.yaml", text)
    guarded.trace("named", GREEDY_TRACE.replace("steps:", "policies: [../policies/broken.yaml]\nsteps:", 1))

    by_trace = guarded.outcomes("--agent-replay", "golden_traces")
    by_flag = guarded.run("--agent-replay", "--agent-policy=policies/broken.yaml")
    guarded.ini("agent_replay_policies = policies/broken.yaml")
    by_ini = guarded.run("--agent-replay")

    assert by_trace["refund"].outcome == "passed"
    assert by_trace["named"].outcome == "failed"
    assert says in by_trace["named"].shown and "policies/broken.yaml" in by_trace["named"].shown
    for result in (by_flag, by_ini):
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert says in result.stderr.str()


def test_a_policy_that_cannot_be_read_fails_python_tests(guarded):
    """A session without our flags says so where the fixture is first asked for."""
    guarded.ini("agent_replay_policies = policies/gone.yaml")
    guarded.test("import shop\n\ndef test_it(agent_replay): agent_replay('refund', shop.agent)\n")

    result = guarded.run()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*there is no such policy*"])


@pytest.mark.parametrize(
    "rule",
    [
        "{id: broken, tools: [refund], python: 'rules:fails'}",
        "{id: broken, tools: [refund], python: 'no_such_module:fails'}",
        "{id: broken, tools: [refund], python: 'rules:answers_nonsense'}",
        "{id: broken, tools: [refund], match: {args.amount: {gt: $plan.limit}}}",
    ],
)
def test_a_rule_that_fails_blocks(guarded, rule):
    """An exception, a missing function, a wrong answer, a missing `$path`: unavailable, and refused."""
    write(
        guarded,
        "rules.py",
        "def fails(context):\n    raise RuntimeError('on fire')\n\n\ndef answers_nonsense(context):\n    return True\n",
    )
    write(guarded, "policies/shop.yaml", f"format: agentreplay.policy/1\nrules:\n  - {rule}\n")
    guarded.agent(
        GREEDY.replace("notify(error.tool + ': ' + error.reason)", "pass").replace(
            "        notify(error", "        str(error"
        )
    )
    guarded.trace("refund", GREEDY_TRACE.partition("  - tool: notify")[0] + "output: block\n")
    guarded.test(
        """
        import shop

        def test_it(agent_replay):
            run = agent_replay("refund", shop.agent)
            verdict = run.verdict("refund#1")
            assert (verdict.decision, verdict.unavailable) == ("block", True)
            assert verdict.findings[0].rule == "broken"
            assert verdict.reason.startswith("unavailable: ")
        """
    )

    guarded.run().assert_outcomes(passed=1)


def test_a_slow_rule_only_warns_in_a_replay(guarded):
    """A deadline is about production: an overrun forces nothing here, and the reader is told."""
    write(guarded, "rules.py", "import time\n\n\ndef slow(context):\n    time.sleep(0.05)\n")
    write(
        guarded,
        "policies/shop.yaml",
        "format: agentreplay.policy/1\ndeadline_ms: 1\nrules: [{id: slow, tools: [refund], python: 'rules:slow'}]\n",
    )
    guarded.agent("def agent(order):\n    return refund(order, 39)\n")
    guarded.trace(
        "refund",
        "format: agentreplay.trace/1\nagent: shop:agent\ninput: {order: o-1}\n"
        "steps: [{tool: refund, args: {order: o-1, amount: 39}, result: ok}]\noutput: ok\n",
    )

    result = guarded.replay("golden_traces")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["over deadline   refund: the rules of shop took more than 1 ms, slow among them"])


# -- recording and updating ------------------------------------------------------------------------

BANK = """
from pytest_agentreplay import GuardBlocked, checkpoint, tool

@tool(effect="read")
def lookup(order):
    return {"amount": 39}

@tool(effect="write")
def refund(order, amount):
    return "paid"

@tool(effect="write")
def mail(to):
    return "sent"

def agent(order):
    checkpoint(plan={"mail": "ann@example.com"})
    lookup(order)
    mail("ann@example.com")
    try:
        refund(order, 5000)
    except GuardBlocked:
        pass
    return "done"
"""

BANK_POLICY = (
    POLICY
    + """\
  - id: mail-is-watched
    version: 7
    severity: medium
    tools: [mail]
"""
)


@pytest.fixture
def bank(shop):
    """A project whose tools work, under a policy with a warning and a block; nothing is recorded yet."""
    shop.module(BANK, "bank")
    (shop.path / "golden_traces" / "refund.yaml").unlink()
    write(shop, "policies/shop.yaml", BANK_POLICY)
    shop.ini("agent_replay_policies = policies/shop.yaml")
    shop.test("import bank\n\ndef test_it(agent_replay): agent_replay('new', lambda: bank.agent('o-1'))\n")
    return shop


def test_verdicts_are_recorded(bank):
    """An allow in one word, all else at length: rule, version, policy, digest, environment, redacted context."""
    bank.run("--agent-record=once").assert_outcomes(passed=1)
    path = bank.path / "golden_traces" / "new.yaml"
    text, trace = path.read_text(), load_trace(path)
    lookup, mail, refund = trace.tool_steps

    assert "verdict: allow\n" in text
    assert lookup.verdict.decision == "allow" and lookup.verdict.policy is None
    assert (mail.verdict.decision, mail.result) == ("warn", "sent")
    assert [(one.rule, one.version) for one in mail.verdict.findings] == [("mail-is-watched", 7)]
    assert (refund.verdict.decision, refund.verdict.policy, refund.verdict.environment) == (
        "block",
        "shop@3",
        "production",
    )
    assert refund.verdict.policy_digest.startswith("sha256:")
    assert refund.verdict.findings[0].reason == "more than 100"
    assert set(refund.model_fields_set) & {"result", "error"} == set()
    assert "ann@example.com" not in text
    assert refund.verdict.context["plan"]["mail"].startswith("[redacted:email:")
    assert "duration_us" not in text


def test_what_was_recorded_replays(bank):
    """The recorded verdicts are today's as long as the policy is, also where a placeholder stands in the recording."""
    bank.run("--agent-record=once").assert_outcomes(passed=1)

    bank.run().assert_outcomes(passed=1)
    bank.run("--agent-env=dev").assert_outcomes(passed=1)  # where today's cap would let it through
    bank.replay("golden_traces").assert_outcomes(passed=1)  # it names no agent, so it is judged as a policy test


def test_a_blocked_tool_does_not_run_while_recording(bank):
    """The guard comes before the tool, in a recording too."""
    bank.module(BANK.replace('return "paid"', 'raise SystemError("money left")'), "bank")

    bank.run("--agent-record=once").assert_outcomes(passed=1)


def test_an_update_takes_todays_verdicts(bank):
    """A warning where an allow was recorded is accepted by `--agent-update`; a block that nothing wants is not."""
    bank.run("--agent-record=once").assert_outcomes(passed=1)
    path = bank.path / "golden_traces" / "new.yaml"
    watched = "  - {id: reads-are-watched, version: 1, severity: %s, tools: [lookup]}\n"

    write(bank, "policies/shop.yaml", BANK_POLICY + watched % "low")
    bank.run().assert_outcomes(failed=1)
    bank.run("--agent-update").assert_outcomes(passed=1)
    bank.run().assert_outcomes(passed=1)
    updated = path.read_text()
    write(bank, "policies/shop.yaml", BANK_POLICY + watched % "high")
    refused = bank.run("--agent-update")

    assert load_trace(path).tool_steps[0].verdict.decision == "log"
    refused.assert_outcomes(failed=1)
    assert path.read_text() == updated


# -- traces without an agent, and the tests of rules -----------------------------------------------

NO_AGENT = GREEDY_TRACE.replace("agent: shop:agent\n", "")


def test_a_trace_without_an_agent_is_judged_as_a_policy_test(guarded):
    """Its calls go through today's policies, in their order, and its verdicts are what it checks."""
    guarded.trace("refund", NO_AGENT)
    guarded.trace(
        "expected",
        "format: agentreplay.trace/1\nsteps:\n"
        "  - {tool: refund, args: {order: o-1, amount: 99}, result: ok}\n"
        "  - {tool: refund, args: {order: o-1, amount: 101}, result: ok}\n"
        "expect: {verdicts: {refund#1: allow, refund#2: block}}\n",
    )

    guarded.replay("golden_traces").assert_outcomes(passed=2)

    write(guarded, "policies/shop.yaml", POLICY.replace("gt: 100}", "gt: 9000}"))
    found = guarded.outcomes("--agent-replay", "golden_traces")

    assert found["refund"].outcome == found["expected"].outcome == "failed"
    assert "refund#1 is judged allow where block by large-refund version 1 of shop@3" in found["refund"].shown
    assert "mend the policy" in found["refund"].shown
    assert "refund#2 is judged allow; block was expected" in found["expected"].shown


@pytest.mark.parametrize(
    ("trace", "flags"),
    [
        (NO_AGENT, ["--agent-guard=off"]),
        (NO_AGENT, ["-oagent_replay_policies="]),
        (NO_AGENT.replace("    verdict: allow\n", "").partition("  - tool: refund")[0], []),
    ],
    ids=["the guard is off", "no policy", "no verdict"],
)
def test_a_trace_without_an_agent_that_checks_nothing_is_skipped(guarded, trace, flags):
    """Green is only what was checked."""
    guarded.trace("refund", trace)

    guarded.replay("golden_traces", *flags).assert_outcomes(skipped=1)


def test_rules_are_tested_by_their_own_cases(guarded):
    """Under the trace directories each case of each rule is a test; one that fails says where and why."""
    write(guarded, "golden_traces/policies/shop.yaml", POLICY)
    write(guarded, "golden_traces/policies/wrong.yaml", POLICY.replace("amount: 101", "amount: 10"))

    found = guarded.outcomes("--agent-replay", "golden_traces")
    guarded.run("golden_traces/policies/shop.yaml").assert_outcomes(passed=2)

    assert found["large-refund[allow-1]"].outcome == "passed"
    assert found["large-refund[block-1]"].outcome == "failed"
    assert "large-refund decides allow where its test says block" in found["large-refund[block-1]"].shown
    assert f"wrong.yaml:{POLICY.splitlines().index('      block: [{args: {order: o-1, amount: 101}}]') + 1}:" in (
        found["large-refund[block-1]"].shown
    )
    assert "1 failed, 4 passed" in found.stdout


def test_a_broken_policy_is_one_failing_test(guarded):
    """The other tests run."""
    write(guarded, "golden_traces/policies/broken.yaml", POLICY.replace("tools:", "toolz:"))

    result = guarded.replay("golden_traces")

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*did you mean `tools`?*"])


def test_policies_are_no_golden_traces(guarded):
    """A policy under the trace directories judges nothing by itself, and `golden_trace` leaves it out."""
    guarded.ini("")
    write(guarded, "golden_traces/policies/shop.yaml", POLICY)
    guarded.agent("def agent(order):\n    return refund(order, 5000)\n")
    guarded.trace(
        "refund",
        "format: agentreplay.trace/1\nagent: shop:agent\ninput: {order: o-1}\n"
        "steps: [{tool: refund, args: {order: o-1, amount: 5000}, result: ok}]\noutput: ok\n",
    )
    guarded.test("import shop\n\ndef test_all(golden_trace, agent_replay): agent_replay(golden_trace, shop.agent)\n")

    guarded.run().assert_outcomes(passed=1)


def test_under_workers(guarded):
    """`-n 2` judges alike, and the summary counts the verdicts of all workers."""
    guarded.trace("again", GREEDY_TRACE)
    guarded.trace("stream", NO_AGENT)
    write(guarded, "golden_traces/policies/shop.yaml", POLICY)

    result = guarded.replay("-n", "2", "golden_traces")

    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(
        ["golden traces   3 run*", "verdicts        6 allow, 3 block", "rules           3 large-refund"]
    )


def test_the_guard_costs_nothing_where_no_policy_is_named(shop):
    """Without a policy none of the guard is imported."""
    shop.test(
        """
        import sys
        import shop

        def test_it(agent_replay):
            agent_replay("refund", shop.agent)
            assert [name for name in sys.modules if name.startswith("pytest_agentreplay.guards")] == []
        """
    )

    shop.run().assert_outcomes(passed=1)
