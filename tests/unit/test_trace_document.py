"""Trace documents: text to trace and back, exactly."""

from __future__ import annotations

import json
import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_agentreplay import yaml_codec
from pytest_agentreplay.errors import TraceFormatError
from pytest_agentreplay.jsonable import MISSING, BlobRef, Opaque
from pytest_agentreplay.trace import CallLimit, Expect, StateCheck, ToolStep, Trace, Verdict
from pytest_agentreplay.trace.document import document_order, parse_trace, render_trace, to_document

HEAD = "format: agentreplay.trace/1\n"
CONTRACT = """\
format: agentreplay.trace/1
title: Refund loop
kind: incident
description: Searched the same docs for ever when none matched.
tags: [loop, support]
agent: support_bot.agent:run
input: {query: refund policy}
tools: {search_docs: read, send_email: write}
policies: [../policies/support.yaml]
replay:
  match: args
  ignore_args: [request_id, meta.sent_at]
  unmatched: fail
  answers:
    - {tool: lookup_order, args: {order_id: o-1}, result: {status: paid}}
    - {tool: notify, error: {type: TimeoutError, message: no answer}}
run:
  id: run_xyz789
  recorded_at: 2026-05-04T02:11:09Z
  source: claude-code
  environment: production
  agent_version: 1.4.0
  commit: 8c1f2ab
  model: {provider: openai, name: gpt-4o, temperature: 0.7, seed: 42, max_tokens: 1000, prompt_version: p7}
  usage: {input_tokens: 5210, output_tokens: 480}
  labels: {reward: 0.0, reported_by: support}
  cassette: refund-loop.http.yaml
steps:
  - {message: user, content: What is the refund policy?}
  - model: gpt-4o
    content: Let me look that up.
    reasoning: The user asks about refunds, so I search the docs.
    plan: {is_refund: false}
    usage: {input_tokens: 400, output_tokens: 21}
  - tool: search_docs
    id: call_1
    args: {query: refund policy}
    result: {docs: [], count: 0}
    state: {retrieved_docs_count: 0}
    verdict: allow
    started_at: 2026-05-04T02:11:10.120Z
    duration_ms: 12.5
  - tool: search_docs
    args: {query: refund policy}
    error: {type: TimeoutError, message: index did not answer}
    group: 1
    finished: 2
    actor: researcher
    executed_by: provider
  - tool: issue_refund
    args: {amount: 4500, customer: cus_9281}
    verdict:
      decision: block
      environment: production
      policy: payments@3
      policy_digest: sha256:9f2c...
      findings:
        - {rule: refund-intent, version: 2, severity: critical, confidence: 0.97, reason: the plan said is_refund false}
      context: {plan: {is_refund: false}, retrieved: [], external: {}}
  - {state: {answer_length: 120}, at: respond}
output: I don't have any documents about the refund policy.
expect:
  trajectory: in_order
  args: subset
  calls:
    search_docs: {max: 3}
    issue_refund: never
    send_email: {exactly: 1, args: {to: {matches: '@example\\.com$'}}}
  order: [[lookup_order, issue_refund]]
  state:
    - {after: search_docs#1, path: retrieved_docs_count, equals: 0}
    - {after: end, path: answer_length, gt: 100, lt: 200}
  verdicts: {issue_refund#1: block, search_docs: allow}
  output: {contains: "don't have", not_contains: refund issued}
  messages: {none: [{contains: card number}]}
  budget: {tool_calls: 8, model_calls: 4, input_tokens: 6000, output_tokens: 800}
  no_repeats: 3
"""

TEXTS = st.text(max_size=6)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats().map(lambda number: math.nan if math.isnan(number) else number)
    | st.text(st.characters(exclude_categories=[]), max_size=6)
    | st.binary(max_size=4)
    | st.just(Opaque("a.B")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS | st.just("$blob"), inner, max_size=3),
    max_leaves=8,
)
ARGS = st.dictionaries(TEXTS, VALUES, max_size=3)


def types_of(value):
    """Show a value with its types, so that 1, 1.0 and true differ."""
    if isinstance(value, dict):
        return {key: types_of(item) for key, item in value.items()}
    if isinstance(value, list):
        return [types_of(item) for item in value]
    return type(value).__name__, repr(value)


def test_every_key_of_the_format_comes_back_as_it_was_written():
    """A document with every key the format has is parsed and written without a difference."""
    document = to_document(parse_trace(CONTRACT))

    assert document == yaml_codec.parse(CONTRACT)
    assert types_of(document) == types_of(yaml_codec.parse(CONTRACT))
    assert list(document) == [key for key in document_order() if key in document]


def test_rendering_a_parsed_trace_parses_to_the_same_trace():
    """The rendered text stands for the trace that it was made from."""
    trace = parse_trace(CONTRACT)

    assert parse_trace(render_trace(trace)) == trace


@given(args=ARGS, result=VALUES | st.just(MISSING), state=VALUES | st.just(MISSING), output=VALUES | st.just(MISSING))
def test_any_recorded_value_survives_rendering(args, result, state, output):
    """What a tool was given and gave back is kept exactly, types included."""
    trace = Trace(steps=[ToolStep(tool="t", args=args, result=result, state=state)], output=output)
    text = render_trace(trace)
    back = parse_trace(text)
    step = back.tool_steps[0]

    assert types_of([step.args, step.result, step.state, back.output]) == types_of([args, result, state, output])
    assert render_trace(back) == text


def test_nothing_null_and_empty_text_stay_three_things():
    """A call without a result, with null and with "" are told apart after a round trip."""
    steps = [ToolStep(tool="t"), ToolStep(tool="t", result=None), ToolStep(tool="t", result="")]
    trace = parse_trace(render_trace(Trace(steps=steps)))

    assert [step.result for step in trace.tool_steps] == [MISSING, None, ""]
    assert "output" not in to_document(trace)
    assert "output: null" in render_trace(Trace(output=None))


def test_an_integer_stays_an_integer_and_a_float_a_float():
    """No value is turned into another type because its field has one."""
    text = HEAD + "run: {usage: {a: 1, b: 1.0}, model: {temperature: 1}}\nsteps: [{tool: t, duration_ms: 3}]\n"

    assert types_of(to_document(parse_trace(text))) == types_of(yaml_codec.parse(text))


def test_short_forms_are_written_where_they_say_all():
    """A verdict that is only a decision, a call that may never be made, a check beside `after`."""
    trace = Trace(
        steps=[ToolStep(tool="t", verdict=Verdict(decision="allow"))],
        expect=Expect(
            calls={"t": CallLimit(max=0), "u": CallLimit(max=0, args={})},
            state=[StateCheck(after="end", check={"gt": 1}), StateCheck(after="end", check=5)],
        ),
    )
    document = to_document(trace)

    assert document["steps"] == [{"tool": "t", "verdict": "allow"}]
    assert document["expect"] == {
        "calls": {"t": "never", "u": {"max": 0, "args": {}}},
        "state": [{"after": "end", "gt": 1}, {"after": "end", "equals": 5}],
    }
    assert to_document(parse_trace(render_trace(trace))) == document


def test_addresses_and_effects_are_no_part_of_a_traces_equality():
    """Two traces with the same content are equal, wherever they lie."""
    left, right = parse_trace(CONTRACT, "a.yaml"), parse_trace(CONTRACT, "b.yaml")

    assert left == right
    assert left.steps[2].address == "search_docs#1" and left.tool_steps[0].effect == "read"
    assert left.steps[3].address == "search_docs@researcher#1"
    assert left != parse_trace(CONTRACT.replace("count: 0", "count: 1"))


def test_a_payload_beside_the_file_is_handed_in_by_its_digest():
    """The text names a payload, the caller gives it; without a caller the reference stays."""
    text = HEAD + "steps: [{tool: t, result: {a: {$blob: 'sha256:1'}}}]\n"
    filled = parse_trace(text, read_blob=lambda digest: [digest])

    assert filled.tool_steps[0].result == {"a": ["sha256:1"]}
    assert parse_trace(text).tool_steps[0].result == {"a": BlobRef("sha256:1")}
    assert to_document(parse_trace(text)) == yaml_codec.parse(text)


@pytest.mark.parametrize("dollar", ["$", "\\x24", "\\u0024", "\\U00000024"])
def test_a_mark_is_read_however_its_dollar_is_written(dollar):
    """An escape in a YAML text means the character that it stands for."""
    trace = parse_trace(HEAD + f'output: {{"{dollar}base64": eA==}}\n')

    assert trace.output == b"x"
    assert parse_trace((HEAD + f'output: {{"{dollar}base64": eA==}}\n').encode()).output == b"x"


def test_what_a_file_cannot_hold_is_refused_with_its_path():
    """A date in a result is told by where it is, before anything is written."""
    with pytest.raises(TraceFormatError, match=r"datetime\.date") as caught:
        render_trace(Trace(steps=[ToolStep(tool="t", result={"at": [date(2026, 1, 1)]})]))

    assert caught.value.details["path"] == "steps[0].result.at[0]"


def test_a_value_nested_too_deep_is_refused():
    """No RecursionError reaches the user."""
    value: list = []
    for _ in range(5000):
        value = [value]

    with pytest.raises(TraceFormatError, match="deep"):
        render_trace(Trace(output=value))


def test_a_trace_is_also_read_from_json():
    """JSON is YAML: an importer may write it."""
    document = yaml_codec.parse(CONTRACT)

    assert parse_trace(json.dumps(document)) == parse_trace(CONTRACT)
