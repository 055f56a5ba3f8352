"""The packs on what nobody would send: random values, deep nesting, a megabyte, long histories. No crash, no hang."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_agentreplay.guards.document import parse_policy

PACKS = ("secrets", "egress", "injection", "jailbreak", "loops")
POLICY = parse_policy(
    f"format: agentreplay.policy/1\nname: p\ndeadline_ms: 60000\nuse: [{', '.join(PACKS)}]\n"
)  # a deadline would hide what takes long
PATIENCE = 5.0  # seconds: an order of magnitude above what a linear pass takes on a slow machine

FRAGMENTS = re.findall(
    r"\S+",
    r"""http:// https:\\ @ %2e%2e / \ .. ~ $( ` ' " < > ![x]( <img ]( ? & = # ; : | ghp_ AKIA sk- eyJ -----BEGIN .env
    .ssh/id_rsa /etc/shadow 169.254.169.254 xn-- webhook.site ignore previous instructions system prompt assistant:
    <system> <|im_start|> you are DAN mode token= password: 4242 QUJD 4142 curl cat nc -d {a,b} * [ 1gn0r3 olvida""",
)
UNSEEN = ["\n", "\0", "\u200b", "\u202e", "\U000e0041", "\u0430", "\uff45", "\ud800", " "]
PIECES = st.sampled_from([*FRAGMENTS, *UNSEEN])
TEXTS = st.lists(PIECES | st.text(max_size=4), max_size=30).map("".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(["command", "url", "path", "to", "body", "prompt", "messages", "code", "query", "x"]) | TEXTS
TOOLS = st.sampled_from(["bash", "send_email", "fetch", "read_file", "Task", "execute_python", "write_file"])


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(TOOLS, st.dictionaries(KEYS, VALUES, max_size=4), VALUES, st.lists(VALUES, max_size=3))
def test_any_call_gets_a_verdict(tool, args, told, results):
    """Whatever the arguments, the input and the results hold: a decision, and none that an error forced."""
    steps = [{"tool": "read", "args": {"n": n}, "result": result} for n, result in enumerate(results)]

    verdict = POLICY.judge(tool, args, input=told, steps=steps)

    assert verdict.decision in ("allow", "log", "warn", "block")
    assert not verdict.unavailable


UNITS = {
    "letters": "a",
    "blanks": " ",
    "base64": "QUJD",
    "hexadecimal": "4142",
    "parents": "../",
    "addresses": "a@b.c:",
    "urls": "http://a.b/?c=",
    "links": "![a](http",
    "turns": "Human: a\nAssistant: sure\n",
    "orders": "ignore all previous ",
    "pieces of tokens": "ghp_a- ",
    "spaced": "a b ",
    "invisible": "a\u200b",
    "literals": '"a"+',
    "globs": "{a,*?",
}


@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS)
def test_a_megabyte_takes_linear_time(unit):
    """What repeats a million times is what backtracking would hang on."""
    text = unit * ((1 << 20) // len(unit))
    steps = [{"tool": "read", "args": {}, "result": text}]

    start = time.perf_counter()
    POLICY.judge("send_email", {"to": "a@b.example", "body": text}, input="x", steps=steps)
    POLICY.judge("Task", {"prompt": text}, input="x")

    assert time.perf_counter() - start < PATIENCE


def test_deep_nesting_is_walked():
    """Depth is the tool's, not ours."""
    value = "ghp_" + "a1B2" * 9
    for _ in range(20_000):
        value = [value]

    assert POLICY.judge("send_email", {"to": "a@b.example", "body": value}).decision == "block"


def test_a_long_history_costs_no_more_per_call():
    """Every step is read once: after ten thousand of them a call is judged as fast as after ten."""
    from pytest_agentreplay.guards.history import History

    history = History({"tool": "read", "args": {"n": n}, "result": f"row {n}: nothing new"} for n in range(10_000))
    POLICY.judge("read", {"n": -1}, steps=history)

    start = time.perf_counter()
    for number in range(100):
        POLICY.judge("read", {"n": -number}, steps=history)

    assert time.perf_counter() - start < PATIENCE / 5
