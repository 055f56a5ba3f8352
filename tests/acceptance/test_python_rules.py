"""Rules in Python: `@rule` on a function, used by a guard, by a policy, and through a plugin's hooks."""

from __future__ import annotations

import asyncio
import os
import pickle
import subprocess
import sys
from typing import ClassVar

import pytest

from pytest_agentreplay import (
    AgentReplayError,
    Finding,
    GuardBlocked,
    PolicyFormatError,
    guard,
    load_policy,
    rule,
    tool,
)
from pytest_agentreplay.api import hooks


@tool(effect="write")
def refund(cents):
    return f"refunded {cents}"


@tool(effect="write", name="stripe.charge")
def charge(cents):
    return f"charged {cents}"


@rule(id="small-refunds", tools=["refund"], severity="critical", version=3)
def small_refunds(context):
    """More than 100 EUR needs a person."""
    if context.args["cents"] > 10000:
        return "more than 100 EUR needs a person"
    return None


@rule
def bare(context):
    if context.args["cents"] == 13:
        return Finding(rule="ignored", reason="unlucky", confidence=0.5, severity="medium")
    return None


def _policy(path, text):
    path.write_text(f"format: agentreplay.policy/1\n{text}")
    return path


# -- by itself, and in a guard ---------------------------------------------------------------------


def test_a_rule_is_given_to_a_guard():
    """Alone, in a list, and beside policy files; it blocks before the tool runs."""
    for given in (small_refunds, [small_refunds], [bare, small_refunds]):
        with guard(given):
            assert refund(10000) == "refunded 10000"
            assert charge(20000) == "charged 20000"  # it is about refunds alone
            with pytest.raises(GuardBlocked, match="more than 100 EUR needs a person") as caught:
                refund(10001)
        (finding,) = caught.value.verdict.findings
        assert (finding.rule, finding.version, finding.severity) == ("small-refunds", 3, "critical")


def test_a_rule_beside_a_policy_file(tmp_path):
    """Each of them objects for itself."""
    path = _policy(tmp_path / "p.yaml", "name: p\nrules: [{id: no-charges, tools: [stripe.charge]}]\n")

    with guard([path, small_refunds]):
        for attempt in (lambda: charge(1), lambda: refund(10001)):
            with pytest.raises(GuardBlocked):
                attempt()
        assert refund(1) == "refunded 1"


def test_a_function_that_is_a_rule_is_still_the_function():
    """It can be called and pickled, and keeps its name and its text."""

    class Context:
        args: ClassVar = {"cents": 10001}

    assert small_refunds(Context()) == "more than 100 EUR needs a person"
    assert small_refunds.__name__ == "small_refunds" and small_refunds.__doc__.startswith("More than")
    assert pickle.loads(pickle.dumps(small_refunds)) is small_refunds


def test_a_finding_says_more_than_a_reason():
    """Its severity is the objection's; a bare rule is called as its function is."""
    with guard(bare, mode="audit"):
        assert refund(13) == "refunded 13"
    verdict = _judge(bare, 13)

    assert (verdict.would, verdict.findings[0].rule, verdict.findings[0].confidence) == ("warn", "bare", 0.5)


def _judge(made, cents):
    from pytest_agentreplay.api.policies import policy_of

    return policy_of([made]).judge("refund", {"cents": cents})


@pytest.mark.parametrize(
    "said", [True, False, 0, "", "  ", [], {}, 3.5, object()], ids=lambda said: type(said).__name__ + repr(said)[:4]
)
def test_what_is_neither_a_reason_nor_a_finding_blocks(said):
    """A rule that says something else than it may can't have said yes."""
    verdict = _judge(rule(id="odd")(lambda context: said), 1)

    assert (verdict.decision, verdict.unavailable) == ("block", True)


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(0), SystemExit("bye"), RecursionError()], ids=repr)
def test_a_rule_that_fails_blocks(error):
    """Also where its code would end the process."""

    @rule
    def failing(context):
        raise error

    with guard(failing), pytest.raises(GuardBlocked) as caught:
        refund(1)

    assert caught.value.verdict.unavailable


def test_what_the_user_interrupts_stops():
    """Ctrl-C is no verdict: it passes through, and the tool doesn't run."""

    @rule
    def interrupted(context):
        raise KeyboardInterrupt

    with guard(interrupted), pytest.raises(KeyboardInterrupt):
        refund(1)


@pytest.mark.parametrize(
    "make",
    [
        lambda: rule(id="")(print),
        lambda: rule(severity="grave")(lambda context: None),
        lambda: rule(decision="deny")(lambda context: None),
        lambda: rule(dict),
        lambda: rule("name"),
        lambda: guard([small_refunds, small_refunds]),
        lambda: guard([small_refunds, 7]),
        lambda: rule(asyncio.sleep),
    ],
)
def test_what_is_no_rule_is_refused_where_it_is_made(make):
    """Not at the first call that would have needed it."""
    with pytest.raises(AgentReplayError):
        make()


# -- from a policy ---------------------------------------------------------------------------------


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module of rules; gives its name."""
    monkeypatch.syspath_prepend(tmp_path)
    count = iter(range(100))

    def write(text):
        name = f"rules_of_{os.path.basename(tmp_path).replace('-', '_')}_{next(count)}"
        (tmp_path / f"{name}.py").write_text(text)
        return name

    return write


def test_a_policy_refers_to_a_rule(module, tmp_path):
    """Its tools and its severity count beside what the policy says."""
    name = module(
        "from pytest_agentreplay import rule\n"
        "@rule(tools=['refund'], severity='medium')\n"
        "def limit(context):\n"
        "    return 'too much' if context.args['cents'] > 100 else None\n"
    )
    policy = load_policy(_policy(tmp_path / "p.yaml", f"rules: [{{id: mine, python: '{name}:limit'}}]\n"))

    assert policy.judge("refund", {"cents": 101}).decision == "warn"
    assert policy.judge("refund", {"cents": 101}).findings[0].reason == "too much"
    assert policy.judge("refund", {"cents": 100}).findings == ()
    assert policy.judge("other", {"cents": 101}).findings == ()


def test_a_module_that_ends_the_process_blocks(module, tmp_path):
    """Importing it is the rule's failure, and not the program's end."""
    name = module("raise SystemExit(0)\n")
    policy = load_policy(_policy(tmp_path / "p.yaml", f"rules: [{{id: mine, python: '{name}:limit'}}]\n"))

    with guard(policy), pytest.raises(GuardBlocked, match="ends the process"):
        refund(1)


# -- the digest ------------------------------------------------------------------------------------


BODY = """\
import os
{before}LIMIT = {limit}
OTHER = 1

def helper(value):
    return value > LIMIT{comment}

def limit(context):
    return None if not helper(context.args['cents']) else 1 / 0
"""


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({}, False),
        ({"before": "UNRELATED = 7\n"}, False),
        ({"limit": 101}, True),
        ({"comment": " + 1"}, True),
    ],
)
def test_the_digest_changes_with_the_code(module, tmp_path, change, differs):
    """With the function, and with what it refers to in its module; not with the rest of it."""
    told = {"before": "", "limit": 100, "comment": ""}
    name = module("")
    file = tmp_path / f"{name}.py"
    path = _policy(tmp_path / "p.yaml", f"rules: [{{id: mine, python: '{name}:limit'}}]\n")
    digests = []
    for text in (told, {**told, **change}):
        file.write_text(BODY.format(**text))
        digests.append(load_policy(path).digest)

    assert (digests[0] != digests[1]) is differs
    assert name not in sys.modules  # reading a policy runs nobody's code


def test_the_digest_of_a_rule_in_a_guard_changes_with_the_code():
    """Also of one that was made in a function, by what it was made with."""

    def made(limit, grows):
        if grows:
            return rule(id="made")(lambda context: "more" if context.args["cents"] > limit else None)
        return rule(id="made")(lambda context: "less" if context.args["cents"] < limit else None)

    from pytest_agentreplay.api.policies import policy_of

    digests = [policy_of([made(*how)]).digest for how in ((1, True), (1, True), (2, True), (1, False))]

    assert digests[0] == digests[1]
    assert len({*digests}) == 3


def test_the_digest_follows_a_name_that_is_handed_on(tmp_path, monkeypatch):
    """Through the modules of a package, without importing any of them."""
    monkeypatch.syspath_prepend(tmp_path)
    package = tmp_path / f"shop_{os.path.basename(tmp_path).replace('-', '_')}"
    package.mkdir()
    (package / "__init__.py").write_text("from .limits import limit\nraise SystemExit('imported')\n")
    path = _policy(tmp_path / "p.yaml", f"rules: [{{id: mine, python: '{package.name}:limit'}}]\n")
    digests = []
    for most in (1, 1, 2):
        (package / "limits.py").write_text(f"def limit(context):\n    return context.args['cents'] > {most}\n")
        digests.append(load_policy(path).digest)

    assert digests[0] == digests[1] != digests[2]


def test_code_without_a_source_has_a_digest_too():
    """By its byte code: what was typed into a console, or made by `exec`."""
    from pytest_agentreplay.guards.code import function_code

    digests = []
    for limit in (1, 1, 2):
        space = {"__name__": "nowhere_at_all"}
        exec(f"def f(context): return context.args['cents'] > {limit}", space)
        digests.append(function_code(space["f"]))

    assert digests[0] == digests[1] != digests[2]


# -- through hooks ---------------------------------------------------------------------------------


class Plugin:
    """A third party's plugin."""

    @hooks.hookimpl
    def agent_replay_rules(self):
        return [small_refunds]

    @hooks.hookimpl
    def agent_replay_packs(self):
        return {"shop": shop_pack, "broken": broken_pack}


def shop_pack(options):
    limit = options.get("limit", 100)
    if not isinstance(limit, int):
        raise ValueError("packs.shop.limit is a whole number")

    @rule(severity="high")
    def charges(context):
        return "too much" if context.tool == "stripe.charge" and context.args["cents"] > limit else None

    return [charges]


def broken_pack(options):
    raise KeyError("nothing here works")


@pytest.fixture
def plugin():
    manager = hooks.plugin_manager()
    plugin = Plugin()
    manager.register(plugin)
    yield
    manager.unregister(plugin)


def test_a_policy_uses_packs_and_rules_of_a_plugin(plugin, tmp_path):
    """By their names, with options, beside the built-in ones; a pack's rules are called by it."""
    text = "use: [loops, shop, small-refunds]\npacks: {shop: {limit: 50}}\n"
    policy = load_policy(_policy(tmp_path / "p.yaml", text))

    assert policy.judge("stripe.charge", {"cents": 51}).findings[0].rule == "shop/charges"
    assert policy.judge("stripe.charge", {"cents": 50}).decision == "allow"
    assert policy.judge("refund", {"cents": 10001}).findings[0].rule == "small-refunds"


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("use: [shopp]\n", "there is no pack 'shopp'"),
        ("use: [shop]\npacks: {shop: {limit: much}}\n", "whole number"),
        ("use: [small-refunds]\npacks: {small-refunds: {limit: 1}}\n", "takes no options"),
        ("use: [broken]\n", "nothing here works"),
    ],
)
def test_what_a_plugin_does_not_offer_is_told(plugin, tmp_path, text, fact):
    """At the reading, with the file."""
    with pytest.raises(PolicyFormatError, match=fact):
        load_policy(_policy(tmp_path / "p.yaml", text))


def test_a_pack_is_not_there_without_its_plugin(tmp_path):
    """A policy that uses what isn't installed is refused, never weaker."""
    with pytest.raises(PolicyFormatError, match="there is no pack 'shop'"):
        load_policy(_policy(tmp_path / "p.yaml", "use: [shop]\n"))


def test_a_plugin_takes_no_name_of_the_built_in_packs(tmp_path):
    """A pack called `shell` would look like ours and be none."""

    class Taking:
        @hooks.hookimpl
        def agent_replay_packs(self):
            return {"shell": lambda options: []}

    manager, taking = hooks.plugin_manager(), Taking()
    manager.register(taking)
    try:
        with pytest.raises(AgentReplayError, match="is there already"):
            load_policy(_policy(tmp_path / "p.yaml", "use: [shop]\n"))
    finally:
        manager.unregister(taking)


def test_rules_cost_nothing_until_they_are_asked_for():
    """The package's import loads none of it."""
    code = "import sys, pytest_agentreplay; print([n for n in sys.modules if 'guards' in n or n == 'pluggy'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
