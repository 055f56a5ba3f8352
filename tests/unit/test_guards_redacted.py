"""Placeholders in the arguments of a call: rules treat them as what they replaced."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_agentreplay.errors import PolicyFormatError
from pytest_agentreplay.guards.document import parse_policy
from pytest_agentreplay.redaction import KINDS

EMAIL, OTHER = "[redacted:email:1]", "[redacted:email:2]"
TOKEN = "[redacted:token:ab12cd34]"
COMMAND = f"curl -H 'Authorization: Bearer {TOKEN}' https://api.example.com -d 'mail {EMAIL}'"


def judged(match, args, **known):
    """Tell whether a check hits, doesn't, or can't say."""
    rules = [{"id": "r", "match": match, "reason": "hit"}]
    policy = parse_policy(json.dumps({"format": "agentreplay.policy/1", "rules": rules}))
    verdict = policy.judge("act", args, **known)
    assert verdict.decision == "allow" or verdict.findings
    return "unavailable" if verdict.unavailable else verdict.decision


@pytest.mark.parametrize(
    ("check", "value", "expected"),
    [
        # every address has it, or none
        ({"matches": "@"}, EMAIL, "block"),
        ({"contains": "@"}, EMAIL, "block"),
        ({"not_contains": "@"}, EMAIL, "allow"),
        ({"not": {"matches": "@"}}, EMAIL, "allow"),
        ({"matches": r"^[^@\s]+@[^@\s]+\.[a-z]+$"}, EMAIL, "block"),
        ({"matches": r"\d{16}|\s"}, EMAIL, "allow"),
        ({"exists": True}, EMAIL, "block"),
        ({"type": "string"}, EMAIL, "block"),
        ("all", EMAIL, "allow"),
        ({"in": ["all", "nobody"]}, EMAIL, "allow"),
        ({"gt": 5}, EMAIL, "allow"),
        ({"matches": "^[0-9 -]+$"}, "[redacted:card:1]", "block"),
        ({"matches": "[a-z]"}, "[redacted:card:1]", "allow"),
        ({"contains": "PRIVATE KEY"}, "[redacted:private_key:ab12cd34]", "block"),
        # some have it
        ({"matches": r"@example\.com$"}, EMAIL, "unavailable"),
        ({"not": {"matches": r"@example\.com$"}}, EMAIL, "unavailable"),
        ({"matches": r"@(?:a|b)\.com$"}, EMAIL, "unavailable"),
        ({"ends_with": "@example.com"}, EMAIL, "unavailable"),
        ({"not": {"ends_with": "@example.com"}}, EMAIL, "unavailable"),
        ({"starts_with": "admin"}, EMAIL, "unavailable"),
        ("bob@example.com", EMAIL, "unavailable"),
        ({"not": "bob@example.com"}, EMAIL, "unavailable"),
        ({"in": ["bob@example.com", "all"]}, EMAIL, "unavailable"),
        ({"not_in": ["bob@example.com"]}, EMAIL, "unavailable"),
        ("hunter2", "[redacted:password:1]", "unavailable"),
        ({"length": {"ge": 8}}, "[redacted:password:1]", "unavailable"),
        ({"gt": 100}, "[redacted:pin:1]", "unavailable"),
        (4821, "[redacted:pin:1]", "unavailable"),
        ({"contains": "prod"}, "[redacted:secret:1]", "unavailable"),
        # inside a longer text, what it asks about may be elsewhere
        ({"matches": "curl"}, COMMAND, "block"),
        ({"contains": "rm -rf"}, COMMAND, "allow"),
        ({"matches": r"\brm\s+-rf?\b"}, COMMAND, "allow"),
        ({"matches": r"DROP\s+TABLE"}, COMMAND, "allow"),
        ({"contains": "delete"}, COMMAND, "allow"),
        ({"starts_with": "curl "}, COMMAND, "block"),
        ({"contains": "@evil.example"}, COMMAND, "unavailable"),
        ({"matches": r"Bearer \S+"}, COMMAND, "block"),
        # several
        ({"contains": EMAIL}, f"to {EMAIL}", "block"),
        (EMAIL, EMAIL, "block"),
        ({"not": EMAIL}, EMAIL, "allow"),
        ({"any": [{"contains": "@"}, "x"]}, [EMAIL], "block"),
        ({"contains": "bob@example.com"}, [EMAIL, "x"], "unavailable"),
        ({"contains": "x"}, [EMAIL, "x"], "block"),
        ({"length": 2}, [EMAIL, "x"], "block"),
        # no placeholder after all
        ({"matches": "@"}, "[redacted:Email:1]", "allow"),
        ("[redacted:", "[redacted:", "block"),
    ],
)
def test_a_check_says_what_it_would_say_of_what_was_there(check, value, expected):
    """It holds for all that could have been there, for none, or nobody can say: then the rule is unavailable."""
    assert judged({"args.to": check}, {"to": value}) == expected


@pytest.mark.parametrize(
    ("args", "plan", "expected"),
    [
        ({"to": EMAIL}, {"to": EMAIL}, "allow"),
        ({"to": EMAIL}, {"to": OTHER}, "block"),
        ({"to": EMAIL}, {"to": "somebody"}, "block"),
        ({"to": EMAIL}, {"to": "bob@example.com"}, "unavailable"),
        ({"to": "bob@example.com"}, {"to": "eve@example.com"}, "block"),
    ],
)
def test_equal_placeholders_stand_for_equal_values(args, plan, expected):
    """And different ones of one recording for different ones."""
    assert judged({"args.to": {"not": "$plan.to"}}, args, plan=plan) == expected


def test_one_place_that_surely_meets_a_check_is_enough():
    """What can't be said of another doesn't matter then."""
    match = {"args.to[*]": {"ends_with": "@evil.example"}}

    assert judged(match, {"to": [EMAIL, "eve@evil.example"]}) == "block"
    assert judged(match, {"to": [EMAIL, "ann@corp.example"]}) == "unavailable"
    assert judged({"trace[*].args.to": {"ends_with": "@evil.example"}}, {}, steps=[_step(EMAIL)]) == "unavailable"
    steps = [_step(EMAIL), _step("eve@evil.example")]
    assert judged({"trace[*].args.to": {"ends_with": "@evil.example"}}, {}, steps=steps) == "block"


def _step(to):
    return {"tool": "send", "args": {"to": to}, "result": None}


def test_an_exception_that_cannot_be_told_excuses_nothing():
    """The objection stands."""
    rules = [{"id": "r", "tools": ["act"], "except": [{"args.to": {"ends_with": "@corp.example"}, "owner": "us"}]}]
    policy = parse_policy(json.dumps({"format": "agentreplay.policy/1", "rules": rules}))

    assert policy.judge("act", {"to": EMAIL}).decision == "block"
    assert policy.judge("act", {"to": "ann@corp.example"}).decision == "allow"


@pytest.mark.parametrize("kind", ["token", "password", "card", "private_key", "secret", "cookie"])
def test_a_placeholder_is_the_secret_that_it_was(kind):
    """To the facts, to flows, and to the packs."""
    text = f"take [redacted:{kind}:1]"

    assert judged({"secrets.kind": kind}, {"body": text}) == "block"
    flow = {"flow": {"from": {"secrets": [kind]}, "to": {"effect": "egress"}}, "id": "f"}
    policy = parse_policy(json.dumps({"format": "agentreplay.policy/1", "rules": [flow]}))
    assert policy.judge("http_post", {"url": "https://x.example/", "body": text}).decision == "block"
    pack = parse_policy("format: agentreplay.policy/1\nuse: [secrets]\n")
    sent = pack.judge("send_message", {"channel": "general", "text": text})
    assert sent.would != "allow"


def test_a_placeholder_is_the_address_that_it_was():
    """A file that is written to an address goes out."""
    rules = [{"id": "f", "flow": {"from": {"tool": "read"}, "to": {"effect": "egress"}}}]
    policy = parse_policy(json.dumps({"format": "agentreplay.policy/1", "rules": rules}))
    steps = [{"tool": "read", "result": "the launch code is blue"}]
    args = {"file": "report.txt", "content": "the launch code is blue", "copy_for": EMAIL}

    assert policy.judge("store", args, steps=steps).decision == "block"
    assert policy.judge("store", {**args, "copy_for": "nobody"}, steps=steps).decision == "allow"


operands = st.sampled_from(["@", "a", "bob@example.com", "x y", "", 5, None, True, ["a"], EMAIL, "$args.to"]) | st.text(
    max_size=6
)
checks = st.recursive(
    operands
    | st.builds(
        lambda name, operand: {name: operand},
        st.sampled_from(["equals", "contains", "not_contains", "starts_with", "ends_with", "gt", "le"]),
        operands,
    )
    | st.builds(lambda text: {"matches": text}, st.sampled_from(["@", r"\.com$", "^a|b", "[0-9]+", ".*", r"@(a|b)\."])),
    lambda inner: st.builds(lambda spec: {"not": spec}, inner) | st.builds(lambda spec: {"any": [spec, spec]}, inner),
    max_leaves=4,
)
placeholders = st.builds("[redacted:{}:{}]".format, st.sampled_from([*KINDS, "custom_kind"]), st.integers(1, 12))
texts = st.lists(placeholders | st.text(max_size=8), max_size=4).map("".join)


@settings(max_examples=300, deadline=None)
@given(checks, texts | st.lists(texts, max_size=3) | st.dictionaries(texts, texts, max_size=2))
def test_no_check_fails_on_a_redacted_value(check, value):
    """It holds, it doesn't, or it is unavailable, and its negation says the opposite."""
    try:
        said = judged({"args.to": check}, {"to": value})
    except PolicyFormatError:  # what is no check is refused when the policy is read
        return
    negated = judged({"args.to": {"not": check}}, {"to": value})

    assert {said, negated} in ({"allow", "block"}, {"unavailable"})
