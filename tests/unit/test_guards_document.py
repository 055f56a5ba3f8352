"""Policy documents: an error names place, fact and fix; the digest follows the meaning; tests and notes are found."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from pytest_agentreplay import yaml_codec
from pytest_agentreplay.errors import PolicyFormatError
from pytest_agentreplay.guards.document import parse_policy
from pytest_agentreplay.guards.loading import load_policy
from pytest_agentreplay.guards.notes import policy_notes
from pytest_agentreplay.guards.schema import policy_schema
from pytest_agentreplay.guards.selftest import failures, run_cases
from pytest_agentreplay.trace import Finding

COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "reference" / "policy.schema.json"
HEAD = "format: agentreplay.policy/1\nname: p\nversion: 1\n"
FULL = (
    HEAD
    + """\
description: everything
environments: {dev: log, staging: warn, production: block}
on_error: block
deadline_ms: 50
rules:
  - id: refund-intent
    version: 2
    severity: critical
    tools: [issue_refund, 'stripe.*']
    match: {args.is_refund: {not: $plan.is_refund}}
    reason: the call refunds, the plan did not
    confidence: 0.97
    tests:
      block: [{args: {is_refund: true}, plan: {is_refund: false}}]
      allow: [{args: {is_refund: true}, plan: {is_refund: true}}]
  - id: refund-after-lookup
    tools: [issue_refund]
    unless_called: {tool: lookup_order, args: {order_id: $args.order_id}}
    tests:
      allow:
        - args: {order_id: o-1}
          steps: [{tool: lookup_order, args: {order_id: o-1}}]
  - id: only-known-recipients
    tools: [send_email]
    grounded: {args.to: [input, 'results.get_contacts[*].email', plan]}
  - id: no-secret-leaves
    flow: {from: {secrets: true}, to: {effect: egress}}
    except: [{args.url: {starts_with: "https://vault.internal/"}, owner: platform, until: 2027-01-01}]
  - id: twice-in-a-row
    repeat: {same: [tool, args], max: 2}
  - id: lookup-then-charge
    tools: [charge]
    called: {tool: lookup_order, args: {order_id: $args.order_id}, max_steps_ago: 10}
  - id: custom
    python: my_rules:refund_limit
  - id: combined
    any: [{match: {tool: a}}, {not: {all: [{match: {tool: b}}, {called: {tool: [c, d]}}]}}]
"""
)


def rule(text):
    return f"{HEAD}rules:\n  - {{id: a, {text}}}\n"


def refusal(text):
    with pytest.raises(PolicyFormatError) as caught:
        parse_policy(text, "p.yaml")
    return caught.value


@pytest.mark.parametrize(
    ("text", "path", "fact", "remedy"),
    [
        ("mtch: {args.x: 1}", "rules[0].mtch", "unknown key `mtch`", "did you mean `match`?"),
        ("match: {arg.x: 1}", 'rules[0].match["arg.x"]', "nothing that a rule sees", "did you mean args?"),
        (
            "match: {args.x: {eqals: 1}}",
            'rules[0].match["args.x"].eqals',
            '"eqals" is no check',
            "did you mean equals?",
        ),
        ("match: {args.x: {gt: $pln.x}}", 'rules[0].match["args.x"]', "nothing that a rule sees", "did you mean plan?"),
        ("match: {args.x: {matches: '(?=x)'}}", 'rules[0].match["args.x"].matches', "no regular expression", "RE2"),
        ("match: {urls.hots: x}", 'rules[0].match["urls.hots"]', "leads nowhere", "did you mean urls.host?"),
        ("match: {}", "rules[0].match", "nothing in it", "write one"),
        ("not: {mach: {args.x: 1}}", "rules[0].not.mach", "unknown key `mach`", "did you mean `match`?"),
        ("any: [{}]", "rules[0].any[0]", "no condition in it", "write one of match"),
        ("unless_called: {tool: x, arg: {}}", "rules[0].unless_called.arg", "unknown key", "did you mean `args`?"),
        ("repeat: {same: [plan.x], max: 2}", "rules[0].repeat.same", "can't be the same by plan.x", "args"),
        (
            "grounded: {args.to: [inptu]}",
            'rules[0].grounded["args.to"][0]',
            "nothing that a rule",
            "did you mean input?",
        ),
        ("grounded: {args.to: [args.cc]}", 'rules[0].grounded["args.to"][0]', "nothing that a rule", "begin it with"),
        ("grounded: {args.to: [results]}", 'rules[0].grounded["args.to"][0]', "names no tool", "results.TOOL"),
        ("flow: {from: {secret: true}, to: {tool: x}}", "rules[0].flow.from.secret", "unknown key", "`secrets`?"),
        ("flow: {from: {secrets: [tokn]}, to: {tool: x}}", "rules[0].flow.from.secrets", "no kind", "token"),
        ("flow: {from: {tool: x}, to: {}}", "rules[0].flow.to", "goes somewhere", "egress"),
        ("python: limit", "rules[0].python", "names no function", "module:function"),
        ("severity: low", "rules[0]", "doesn't say when it objects", "add one of match"),
        ("tools: x", "rules[0].tools", "expected a list", "write a list: [x]"),
        ("tools: [x], severity: hgh", "rules[0].severity", "expected one of", "did you mean high?"),
        ("tools: [x], confidence: 2", "rules[0].confidence", "at most 1", "at most 1"),
        ("tools: [x], except: [{owner: me}]", "rules[0].except[0]", "switch the rule off", "args.url"),
        ("tools: [x], except: [{args.x: 1, until: soon}]", "rules[0].except[0].until", "no day", "2027-01-31"),
        ("tools: [x], tests: {block: [{ags: {}}]}", "rules[0].tests.block[0].ags", "unknown key", "`args`?"),
        (
            "tools: [x], tests: {block: [{steps: [{tool: a, reslt: 1}]}]}",
            "rules[0].tests.block[0].steps[0].reslt",
            "unknown key",
            "`result`?",
        ),
    ],
)
def test_a_rule_that_says_nothing_is_told_where_and_what(text, path, fact, remedy):
    """File, line, column, the path inside, the fact, and what would be right."""
    error = refusal(rule(text))

    assert fact in error.fact
    assert error.details["path"] == path
    assert error.details["at"].startswith("p.yaml:5:")
    assert remedy in error.details["next"]


@pytest.mark.parametrize(
    ("text", "path", "remedy"),
    [
        ("", "the whole document", "start the file"),
        ("- a", "the whole document", "start the file"),
        ("name: p", "the whole document", "start the file"),
        ("formt: agentreplay.policy/1", "the whole document", "`formt`"),
        ("format: agentreplay.policy/2", "format", "upgrade"),
        ("format: agentreplay.trace/1", "format", "load_trace"),
        ("format: 1", "format", "agentreplay.policy/1"),
        ("format: agentreplay.policy/1\nformat: x", "format", "keep one"),
        (f"{HEAD}rules: [{{id: a, tools: [x]}}, {{id: a, tools: [y]}}]", "rules[1].id", "otherwise"),
        (f"{HEAD}use: [shel]", "use[0]", "did you mean shell?"),
        (f"{HEAD}use: [loops, loops]", "use[1]", "take one"),
        (f"{HEAD}packs: {{loops: {{max: 3}}}}", "packs.loops", "use: [loops]"),
        (f"{HEAD}use: [loops]\npacks: {{loops: {{mox: 3}}}}", "packs.loops", ""),
        (f"{HEAD}environments: {{dev: alow}}", "environments.dev", "did you mean allow?"),
        (f"{HEAD}deadline_ms: 0", "deadline_ms", "50"),
        (f"{HEAD}on_error: ignore", "on_error", "block, allow"),
    ],
)
def test_a_document_that_is_no_policy_is_refused(text, path, remedy):
    """What it is, and how to make it one."""
    error = refusal(text)

    assert error.details["path"] == path
    assert error.details["at"].startswith("p.yaml:")
    assert remedy in error.details["next"]


def test_what_is_accepted_has_a_name_in_verdicts(tmp_path):
    """The file's, where the policy has none."""
    (tmp_path / "support.yaml").write_text("format: agentreplay.policy/1\nrules: [{id: a, tools: [x]}]\n")
    loaded = load_policy(tmp_path / "support.yaml")

    assert (loaded.label, loaded.path) == ("support", tmp_path / "support.yaml")
    assert parse_policy(FULL).label == "p@1"


@pytest.mark.parametrize("name", ["gone.yaml", "", "\0"])
def test_a_file_that_cannot_be_read_is_a_policy_error(tmp_path, name):
    """Missing, a directory, no name at all."""
    with pytest.raises(PolicyFormatError) as caught:
        load_policy(str(tmp_path / name) if name != "\0" else name)

    assert caught.value.details["next"]


SAME = [
    lambda text: f"# a comment\n{text}",
    lambda text: text.replace("description: everything", "description: all"),
    lambda text: text.replace("name: p", "name: q").replace("version: 1\n", "version: 9\n"),
    lambda text: text.replace("reason: the call refunds, the plan did not", "reason: no"),
    lambda text: text.replace("owner: platform", "owner: me"),
    lambda text: text.replace("plan: {is_refund: true}}]", "plan: {is_refund: true}}, {args: {}}]"),
    lambda text: text.replace("[issue_refund, 'stripe.*']", "['stripe.*', issue_refund]"),
    lambda text: text.replace("production: block", "production: block, other: block"),
    lambda text: text.replace("tool: a}", "tool: {equals: a}}"),
    lambda text: text.replace("id: twice-in-a-row", "severity: high\n    id: twice-in-a-row"),
    lambda text: json.dumps(yaml_codec.parse(text)),
]
OTHER = [
    ("dev: log", "dev: warn"),
    ("on_error: block", "on_error: allow"),
    ("deadline_ms: 50", "deadline_ms: 51"),
    ("id: custom", "id: customs"),
    ("version: 2", "version: 3"),
    ("severity: critical", "severity: medium"),
    ("confidence: 0.97", "confidence: 0.5"),
    ("'stripe.*'", "'stripe.?'"),
    ("{not: $plan.is_refund}", "{not: $plan.is_charge}"),
    ("tool: lookup_order, args", "tool: lookup, args"),
    ("unless_called", "called"),
    (", plan]", "]"),
    ("secrets: true", "secrets: [card]"),
    ("effect: egress", "effect: write"),
    ("until: 2027-01-01", "until: 2028-01-01"),
    ("vault.internal", "vault.external"),
    ("max: 2", "max: 3"),
    ("max_steps_ago: 10", "max_steps_ago: 11"),
    ("my_rules:refund_limit", "my_rules:refund_limits"),
    ("{tool: [c, d]}", "{tool: [c]}"),
    ("any: [{match", "all: [{match"),
]


@pytest.mark.parametrize("change", SAME)
def test_the_digest_stays_where_the_meaning_does(change):
    """Layout, comments, names, reasons and tests decide nothing."""
    assert change(FULL) != FULL
    assert parse_policy(change(FULL)).digest == parse_policy(FULL).digest


@pytest.mark.parametrize(("old", "new"), OTHER)
def test_the_digest_changes_with_the_meaning(old, new):
    """Whatever changes a verdict."""
    assert FULL.count(old) >= 1
    assert parse_policy(FULL.replace(old, new, 1)).digest != parse_policy(FULL).digest


def test_the_digest_covers_packs_and_their_options():
    """A pack that is used otherwise decides otherwise."""
    texts = [HEAD, f"{HEAD}use: [loops]", f"{HEAD}use: [loops]\npacks: {{loops: {{max: 7}}}}"]

    assert len({parse_policy(text).digest for text in texts}) == len(texts)


def test_tests_are_judged_by_their_rule_alone():
    """Each case with its place; the tool is the first of the rule's."""
    runs = run_cases(parse_policy(FULL))

    assert [run.path for run in runs] == [
        ("rules", 0, "tests", "block", 0),
        ("rules", 0, "tests", "allow", 0),
        ("rules", 1, "tests", "allow", 0),
    ]
    assert all(run.passed for run in runs)


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("tools: [x], tests: {allow: [{}]}", "a decides block where its test says allow: x was called"),
        ("match: {args.x: 1}, tests: {block: [{}]}", "a decides allow where its test says block"),
        ("tools: [x], severity: low, tests: {block: [{}]}", "a decides log where its test says block: x was called"),
        ("tools: [x], tests: {block: [{tool: y}]}", "a decides allow where its test says block"),
        (
            "python: nowhere:f, tests: {block: [{}]}",
            "a can't say where its test says block: nowhere:f can't be imported",
        ),
    ],
)
def test_a_test_that_fails_says_what_was_decided(text, fact):
    """A rule that is broken passes no test, whatever it would force."""
    failure, *more = failures(parse_policy(rule(text)))

    assert not more
    assert failure.fact.startswith(fact)


@pytest.mark.parametrize(
    "text",
    [
        "tools: [x], severity: medium, tests: {warn: [{}]}",
        "tools: [x], severity: low, tests: {log: [{}]}",
        "match: {args.x: $plan.x}, tests: {block: [{args: {x: 1}}]}",
        "match: {input: a, state.n: 1, external.b: 2, effect: read}, tests: {block: [{input: a, state: {n: 1}, "
        "external: {b: 2}, effect: read}]}",
        "match: {plan.x: 1}, tests: {block: [{steps: [{model: m, plan: {x: 1}}]}]}",
        "match: {args.x: {exists: true}}, tests: {block: [{args: {x: {$base64: MQ==}}}]}",
    ],
)
def test_a_case_can_tell_everything_that_a_rule_sees(text):
    """A `$path` that is missing decides as it does in production."""
    assert failures(parse_policy(rule(text))) == []
    assert len(run_cases(parse_policy(rule(text)))) == 1


def test_exceptions_want_a_look():
    """Those that are over, those that nobody answers for, those that never end."""
    text = rule("tools: [x], except: [{args.a: 1, owner: me, until: 2026-01-01}, {args.b: 1}]")
    notes = policy_notes(parse_policy(text), date(2026, 1, 2))

    assert [(note.path, note.fact.split(" ended")[0]) for note in notes] == [
        (("rules", 0, "except", 0, "until"), "this exception"),
        (("rules", 0, "except", 1), "nobody answers for this exception"),
        (("rules", 0, "except", 1), "this exception never ends"),
    ]
    assert policy_notes(parse_policy(text), date(2026, 1, 1))[0].fact.startswith("nobody")


def test_the_committed_schema_is_the_one_the_models_make():
    """`agent-replay schema policy` and docs/reference say the same."""
    assert json.loads(COMMITTED.read_text(encoding="utf-8")) == policy_schema(), (
        "write it anew with: agent-replay schema policy > docs/reference/policy.schema.json"
    )


def test_the_schema_knows_the_shape():
    """What is a policy is valid; a typo is red in the editor already."""
    validator = Draft202012Validator(policy_schema())
    Draft202012Validator.check_schema(policy_schema())
    document = yaml_codec.parse(FULL)

    assert [error.message for error in validator.iter_errors(document)] == []
    for typo in ("tools: [x], severity: x", "mtch: {args.x: 1}", "tools: x", "called: {tol: x}", "any: [{mach: 1}]"):
        assert not validator.is_valid(yaml_codec.parse(rule(typo)))
    assert not validator.is_valid({**document, "on_errors": "block"})


def test_findings_are_the_traces_own():
    """A verdict of the guard can be recorded as it is."""
    assert isinstance(parse_policy(rule("tools: [x]")).judge("x", {}).findings[0], Finding)
