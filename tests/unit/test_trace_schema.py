"""The JSON Schema of the trace format: committed, portable, and of one mind with the loader."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from pytest_agentreplay import yaml_codec
from pytest_agentreplay.errors import TraceFormatError
from pytest_agentreplay.trace import Trace
from pytest_agentreplay.trace.document import parse_trace, trace_schema

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ROOT / "docs" / "reference" / "trace.schema.json"
EXAMPLE = yaml_codec.parse("""\
format: agentreplay.trace/1
kind: incident
input: [1, 2]
tools: {search_docs: read}
replay: {answers: [{tool: notify, error: {type: TimeoutError}}]}
run: {model: {temperature: 0.7}, usage: {input_tokens: 5210}, labels: {reward: 0.0}}
steps:
  - {message: user, content: [{type: text}]}
  - {model: gpt-4o, plan: {is_refund: false}, usage: {input_tokens: 400}}
  - {tool: search_docs, args: {query: x}, result: null, state: {n: 0}, verdict: allow}
  - tool: issue_refund
    verdict: {decision: block, findings: [{rule: r, version: 2, confidence: 0.97, severity: critical}]}
  - {state: {answer_length: 120}, at: respond}
output: null
expect:
  calls: {search_docs: {max: 3}, issue_refund: never}
  state: [{after: end, path: answer_length, gt: 100, lt: 200}]
  verdicts: {issue_refund#1: block}
  output: {contains: "don't have"}
""")


def changed(path, value):
    """Copy the example with one place set."""
    document = deepcopy(EXAMPLE)
    place = document
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return document


@pytest.fixture(scope="module")
def validator():
    """Make a validator of the schema, itself valid."""
    Draft202012Validator.check_schema(trace_schema())
    return Draft202012Validator(trace_schema())


def test_the_committed_schema_is_the_one_the_models_make():
    """`agent-replay schema trace` and docs/reference say the same."""
    assert json.loads(COMMITTED.read_text(encoding="utf-8")) == trace_schema(), (
        "write it anew with: agent-replay schema trace > docs/reference/trace.schema.json"
    )


def test_the_schema_is_portable_and_described():
    """No id that an editor would fetch, the dialect named, words for what is typed."""
    schema = trace_schema()

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "$id" not in schema
    assert list(schema["properties"]) == list(Trace.model_fields)
    assert schema["properties"]["input"]["description"].startswith("a mapping is keyword arguments")
    assert schema["properties"]["input"]["description"].endswith("takes none.")
    assert "Attributes" not in json.dumps(schema)


def test_it_accepts_what_the_format_allows(validator):
    """A document with every short form is valid for the schema and for the loader."""
    assert [error.message for error in validator.iter_errors(EXAMPLE)] == []
    assert parse_trace(json.dumps(EXAMPLE)).kind == "incident"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("stesp",), []),
        (("format",), "agentreplay.trace/2"),
        (("kind",), "incidnet"),
        (("expect",), "all"),
        (("tags",), "loop"),
        (("tools", "search_docs"), "raed"),
        (("run", "commit"), 1234567),
        (("run", "model", "temprature"), 1),
        (("replay", "answers", 0, "reslt"), 1),
        (("steps", 2, "reslt"), 1),
        (("steps", 2, "verdict"), "alow"),
        (("steps", 2, "model"), "gpt"),
        (("steps", 2), {"tol": "x"}),
        (("steps", 2), 3),
        (("steps", 3, "verdict", "findings", 0, "confidence"), 2),
        (("expect", "calls", "issue_refund"), "neve"),
        (("expect", "calls", "search_docs", "max"), -1),
        (("expect", "state", 0), {"after": "end"}),
        (("expect", "state", 0, "equls"), 3),
        (("expect", "verdicts", "issue_refund#1"), "deny"),
    ],
)
def test_it_refuses_what_the_loader_refuses(validator, path, value):
    """A typo that the loader refuses is red in the editor already."""
    document = changed(path, value)

    assert not validator.is_valid(document)
    with pytest.raises(TraceFormatError):
        parse_trace(json.dumps(document))


def test_an_incident_without_expectations_is_refused(validator):
    """What the bad run did is not what is expected."""
    document = {key: item for key, item in EXAMPLE.items() if key != "expect"}

    assert not validator.is_valid(document)
    with pytest.raises(TraceFormatError, match="incident"):
        parse_trace(json.dumps(document))
