"""The guard under anything: equal however the steps come, closed whatever goes wrong, errors of one kind."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_agentreplay.checks import compile_check
from pytest_agentreplay.errors import PolicyFormatError
from pytest_agentreplay.guards.conditions.match import compile_match
from pytest_agentreplay.guards.conditions.words import occurs
from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.guards.document import parse_policy
from pytest_agentreplay.guards.history import History
from pytest_agentreplay.guards.policy import Policy
from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.trace import ToolStep

RULES = """\
format: agentreplay.policy/1
rules:
  - {id: called, called: {tool: b, args: {x: $args.x}}}
  - {id: recent, called: {tool: b, args: {x: {ge: $args.x}}, max_steps_ago: 2}}
  - {id: unless, unless_called: {tool: 'b*', args: {x: {not: 3}}}}
  - {id: repeat, repeat: {max: 2}}
  - {id: repeat-tool, repeat: {same: [tool], max: 2}}
  - {id: grounded, grounded: {args.x: ['results.b.v', input]}}
  - {id: grounded-any, grounded: {args.x: ['results.*']}}
  - {id: flow, flow: {from: {tool: c}, to: {tool: a}}}
  - {id: ever, match: {'trace[*].args.x': 2}}
  - {id: last, match: {'trace[-1].tool': b}}
  - {id: plan, match: {plan: {exists: true}, args.x: $plan}}
"""

scalars = st.none() | st.booleans() | st.integers(-3, 5) | st.sampled_from(["a", "heron-42", "blue heron 42 x", "1"])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("vxy"), inner, max_size=2),
    max_leaves=4,
)
arguments = st.fixed_dictionaries({}, optional={"x": values, "y": scalars})
tool_steps = st.fixed_dictionaries(
    {"tool": st.sampled_from("abc"), "args": arguments}, optional={"result": values, "state": scalars}
)
steps = st.lists(tool_steps | st.fixed_dictionaries({"model": st.just("m")}, optional={"plan": values}), max_size=8)


def parsed(text):
    """Parse a text; None for one that was refused with a remedy."""
    try:
        return parse_policy(text)
    except PolicyFormatError as error:
        return None if error.details["next"] else error


def seen(verdict):
    return verdict.decision, verdict.unavailable, verdict.findings


@settings(max_examples=200, deadline=None)
@given(steps, arguments)
def test_steps_one_by_one_are_steps_at_once(trace, args):
    """A history that was judged along the way says the same as one that is read at the end."""
    policy = parse_policy(RULES)
    growing = History()
    for step in trace:
        policy.judge("a", args, steps=growing, input="a 1")
        growing.add(step)

    assert seen(policy.judge("a", args, steps=growing, input="a 1")) == seen(
        policy.judge("a", args, steps=trace, input="a 1")
    )


QUICK = st.one_of(
    st.builds(
        lambda name, limit: {name: limit}, st.sampled_from(["gt", "ge", "lt", "le"]), st.integers(-3, 5) | st.floats()
    ),
    st.text(max_size=3),
    st.sampled_from(["$$a", "$$", "$", "a"]),
    scalars,
    st.builds(lambda spec: {"not": spec}, scalars),
    st.just({"exists": False}),
)


@settings(max_examples=500, deadline=None)
@given(QUICK, st.just(MISSING) | values | st.floats() | st.sampled_from(["$a", "$", "$$a", "$$"]))
def test_a_quick_check_is_the_check(spec, value):
    """The short ways that common checks take end where the long one does."""
    args = {} if value is MISSING else {"x": value}
    context = DecisionContext("t", args, effect="write", history=History())

    hit = compile_match({"args.x": spec})(context) is not None
    assert hit == compile_check(spec, resolve=lambda path: None).holds(value)


anything = st.recursive(
    scalars | st.floats() | st.text(max_size=5) | st.sampled_from(["$plan", "$args.x", "args.x", "[redacted:token:1]"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = [
    "id",
    "tools",
    "match",
    "called",
    "unless_called",
    "repeat",
    "grounded",
    "flow",
    "python",
    "all",
    "any",
    "not",
    "except",
    "tests",
    "severity",
    "decision",
    "tool",
    "args",
    "max",
    "same",
    "from",
    "to",
    "effect",
    "secrets",
    "args.x",
    "urls.host",
    "input",
    "results.b",
    "owner",
    "until",
    "block",
    "allow",
    "max_steps_ago",
    "equals",
    "in",
    "matches",
]
rule_like = st.recursive(
    anything,
    lambda inner: st.dictionaries(st.sampled_from(KEYS), inner, max_size=4) | st.lists(inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["use", "packs", "environments", "on_error", "deadline_ms", "rules", "name"]), rule_like
    )
)
def test_a_document_is_a_policy_or_a_policy_error(document):
    """Whatever is written there."""
    text = json.dumps({"format": "agentreplay.policy/1", **document})
    assert parsed(text) is None or isinstance(parsed(text), Policy)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80) | st.binary(max_size=80))
def test_a_text_is_a_policy_or_a_policy_error(text):
    """Bytes that are no text included."""
    assert parsed(text) is None


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(st.text(max_size=3) | st.just("x"), anything | st.binary(max_size=3), max_size=4),
    anything,
    anything,
)
def test_a_call_never_raises_and_an_error_never_allows(args, given_input, plan):
    """In production, by a policy that fails closed."""
    verdict = parse_policy(RULES).judge(
        "a", args, input=given_input, plan=plan, steps=[ToolStep(tool="b", args=args, result=args)]
    )

    assert verdict.decision == "block" or not verdict.unavailable


@given(st.text(alphabet="ab.-@ /_é1", min_size=1, max_size=6), st.text(alphabet="ab.-@ /_é1", max_size=12))
def test_what_occurs_is_there_and_stands_alone(part, text):
    """Nothing is found that isn't there; what stands between blanks is."""
    folded = " ".join(part.split()).casefold()

    if occurs(folded, text):
        assert folded in " ".join(text.split()).casefold()
    if folded:
        assert occurs(folded, f"x {part} y")
    assert not occurs("", text)
