"""`agent-replay check`: one verdict for each call, and never an allow by mistake."""

from __future__ import annotations

import io
import json
import sys
from types import SimpleNamespace

import pytest

from pytest_agentreplay.cli import main
from pytest_agentreplay.cli.calls import CallJudge, parse_call
from pytest_agentreplay.cli.json_objects import LARGEST, read_object
from pytest_agentreplay.errors import SettingsError

POLICY = """format: agentreplay.policy/1
name: payments
version: 3
environments: {dev: log, staging: warn}
rules:
  - id: refund-intent
    version: 2
    severity: critical
    tools: [refund]
    match: {args.is_refund: {not: $plan.is_refund}}
    reason: the call refunds, the plan did not
    confidence: 0.97
  - id: after-lookup
    tools: [refund]
    unless_called: {tool: lookup}
  - {id: big, severity: medium, match: {args.eur: {gt: 100}}}
"""
KEYS = {
    "decision",
    "would",
    "environment",
    "policy",
    "policy_digest",
    "findings",
    "context",
    "unavailable",
    "duration_us",
}
FINDING_KEYS = {"rule", "version", "severity", "decision", "confidence", "reason"}
LOOKUP = {"tool": "lookup", "args": {}, "result": {"found": 1}}
REFUND = {"tool": "refund", "args": {"is_refund": True}, "plan": {"is_refund": True}, "steps": [LOOKUP]}


@pytest.fixture
def ask(tmp_path, monkeypatch, capsys):
    tmp_path.joinpath("p.yaml").write_text(POLICY)
    monkeypatch.chdir(tmp_path)

    def ask(given, *argv):
        data = given if isinstance(given, bytes) else json.dumps(given).encode()
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
        code = main(["check", "--policy", "p.yaml", *argv])
        captured = capsys.readouterr()
        return SimpleNamespace(code=code, out=captured.out, err=captured.err)

    return ask


def test_a_call_that_no_rule_objects_to_is_allowed(ask):
    """Exit code 0, and a verdict that names what judged it."""
    done = ask(REFUND)
    verdict = json.loads(done.out)

    assert (done.code, done.err) == (0, "")
    assert verdict["decision"] == verdict["would"] == "allow"
    assert (verdict["policy"], verdict["environment"]) == ("payments@3", "production")
    assert verdict["policy_digest"].startswith("sha256:") and verdict["duration_us"] > 0
    assert verdict["context"] == {"plan": {"is_refund": True}}


def test_a_blocked_call_exits_with_1_and_lists_every_finding(ask):
    """All rules that object are told, with the reason of each."""
    done = ask({**REFUND, "plan": {"is_refund": False}, "steps": []})
    verdict = json.loads(done.out)

    assert done.code == 1
    assert [finding["rule"] for finding in verdict["findings"]] == ["refund-intent", "after-lookup"]
    assert verdict["findings"][0] == {
        "rule": "refund-intent",
        "version": 2,
        "severity": "critical",
        "decision": "block",
        "confidence": 0.97,
        "reason": "the call refunds, the plan did not",
    }


@pytest.mark.parametrize("call", [REFUND, {"tool": "refund", "args": {}}, {"tool": "t", "args": {"eur": 500}}, {}])
def test_keys_of_a_verdict_are_always_the_same(call, ask):
    """Also of the verdict about a call that could not be judged."""
    verdict = json.loads(ask(call).out)

    assert set(verdict) == KEYS
    assert all(set(finding) == FINDING_KEYS for finding in verdict["findings"])


@pytest.mark.parametrize(
    ("argv", "decision", "code"),
    [
        ([], "block", 1),
        (["--env", "production"], "block", 1),
        (["--env", "unnamed"], "block", 1),
        (["--env", "staging"], "warn", 0),
        (["--env", "dev"], "log", 0),
        (["--mode", "audit"], "warn", 0),
    ],
)
def test_environment_and_mode_cap_the_decision(argv, decision, code, ask):
    """What would have been decided stays visible."""
    done = ask({**REFUND, "steps": []}, *argv)
    verdict = json.loads(done.out)

    assert (done.code, verdict["decision"], verdict["would"]) == (code, decision, "block")


def test_several_policies_judge_together(ask, tmp_path):
    """The strictest wins, and both are named."""
    tmp_path.joinpath("q.yaml").write_text(
        "format: agentreplay.policy/1\nname: q\nrules: [{id: never, tools: [refund]}]\n"
    )

    verdict = json.loads(ask(REFUND, "--policy", "q.yaml").out)

    assert verdict["decision"] == "block" and verdict["policy"] == "payments@3, q"
    assert [finding["rule"] for finding in verdict["findings"]] == ["never"]


def test_a_path_that_is_not_known_is_never_an_allow(ask):
    """A rule that needs the plan can't say without one."""
    verdict = json.loads(ask({"tool": "refund", "args": {"is_refund": True}, "steps": [LOOKUP]}).out)

    assert verdict["decision"] == "block" and verdict["unavailable"] is True


WRONG = [
    b"",
    b"   ",
    b"null",
    b"[]",
    b'"text"',
    b"{",
    b"{} {}",
    b"\xff\xfe",
    b'{"tool": "t"}',
    b'{"args": {}}',
    b'{"tool": "", "args": {}}',
    b'{"tool": null, "args": {}}',
    b'{"tool": 7, "args": {}}',
    b'{"tool": "t", "args": []}',
    b'{"tool": "t", "args": "{}"}',
    b'{"tool": "t", "args": null}',
    b'{"tool": "t", "args": {}, "effect": "egress"}',
    b'{"tool": "t", "args": {}, "effect": true}',
    b'{"tool": "t", "args": {}, "steps": {}}',
    b'{"tool": "t", "args": {}, "steps": [7]}',
    b'{"tool": "t", "args": {}, "steps": [{"tol": "x"}]}',
    b'{"tool": "t", "args": {}, "external": []}',
    b'{"tool": "t", "args": {}, "arg": {}}',
    b'{"tool": "t", "tool": "u", "args": {}}',
    b'{"tool": "t", "args": {"a": 1, "a": 2}}',
    b'{"tool": "t", "args": {"a": [{"b": 1, "b": 1}]}}',
    b'{"tool": "t", "args": {"a": NaN}}',
    b'{"tool": "t", "args": {"a": -Infinity}}',
    b'{"tool": "t", "args": {"a": 1e999}}',
    b'{"tool": "t", "args": {"a": ' + b"9" * 5000 + b"}}",
    b'{"tool": "t", "args": ' + b'{"a":' * 200_000 + b"1" + b"}" * 200_000 + b"}",
]


@pytest.mark.parametrize("data", WRONG, ids=lambda data: data[:50].decode("latin-1"))
def test_input_that_is_wrong_never_looks_like_an_allow(data, ask):
    """Exit code 2, the fault on standard error, and a block on standard output."""
    done = ask(data)
    verdict = json.loads(done.out)

    assert done.code == 2
    assert done.err.startswith("agent-replay: ") and "Traceback" not in done.err
    assert verdict["decision"] == verdict["would"] == "block" and verdict["unavailable"] is True
    assert verdict["findings"][0]["reason"].startswith("unavailable: ")


@pytest.mark.parametrize("argv", [["--env", "dev"], ["--mode", "audit"]])
def test_nothing_softens_a_call_that_could_not_be_judged(argv, ask):
    """Not even an environment that only logs."""
    assert json.loads(ask(b"{", *argv).out)["decision"] == "block"


@pytest.mark.parametrize("text", [None, "format: agentreplay.policy/1\nnmae: x\n", "a: ["])
def test_a_policy_that_can_not_be_used_blocks(text, ask, tmp_path):
    """Missing, misspelt or no YAML: exit code 2, and a block all the same."""
    if text is not None:
        tmp_path.joinpath("other.yaml").write_text(text)

    done = ask(REFUND, "--policy", "other.yaml")

    assert done.code == 2 and "other.yaml" in done.err
    assert json.loads(done.out)["decision"] == "block"


@pytest.mark.parametrize("body", ["raise SystemExit(0)", "import sys; sys.exit()", "raise MemoryError", "1 / 0"])
def test_a_rule_that_ends_the_process_does_not_end_it_well(body, ask, tmp_path, monkeypatch):
    """A rule in Python can't turn itself into an allow."""
    tmp_path.joinpath("ending_rules.py").write_text(f"def rule(context):\n    {body}\n")
    tmp_path.joinpath("q.yaml").write_text(
        "format: agentreplay.policy/1\nrules: [{id: a, python: 'ending_rules:rule'}]\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "ending_rules", raising=False)

    done = ask({"tool": "t", "args": {}}, "--policy", "q.yaml")

    assert done.code in (1, 2)
    assert json.loads(done.out)["decision"] == "block"


def test_what_rules_print_is_no_verdict(ask, tmp_path, monkeypatch):
    """Neither at import nor when they are asked."""
    tmp_path.joinpath("loud_rules.py").write_text(
        "print('imported')\ndef rule(context):\n    print('{\"decision\": \"allow\"}')\n"
    )
    tmp_path.joinpath("q.yaml").write_text(
        "format: agentreplay.policy/1\nrules: [{id: a, python: 'loud_rules:rule'}]\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))

    done = ask({"tool": "t", "args": {}}, "--policy", "q.yaml")

    assert json.loads(done.out)["decision"] == "allow"
    assert "imported" in done.err and '{"decision"' in done.err


def test_one_call_a_line_gets_one_verdict_a_line(ask):
    """A line that is wrong is a block, and the next ones are judged."""
    lines = [
        json.dumps(REFUND),
        "nonsense",
        "",
        '{"tool": "t", "args": {}, "args": {}}',
        json.dumps({**REFUND, "steps": []}),
        json.dumps({"tool": "t", "args": {"eur": 500}}),
    ]

    done = ask("\n".join(lines).encode(), "--jsonl")

    verdicts = [json.loads(line) for line in done.out.splitlines()]
    assert [verdict["decision"] for verdict in verdicts] == ["allow", "block", "block", "block", "warn"]
    assert [verdict["unavailable"] for verdict in verdicts] == [False, True, True, False, False]
    assert all(set(verdict) == KEYS for verdict in verdicts)
    assert done.code == 1
    assert "line 2: " in done.err and "line 4: the call can't be read: the key 'args' is there twice" in done.err


def test_lines_that_are_all_allowed_exit_with_0(ask):
    """The exit code is the worst of them."""
    assert ask(f"{json.dumps(REFUND)}\n{json.dumps(REFUND)}\n".encode(), "--jsonl").code == 0


def test_lines_know_nothing_of_each_other(ask):
    """What one line called is no history of the next."""
    lookup = {"tool": "lookup", "args": {}}
    done = ask(f"{json.dumps(lookup)}\n{json.dumps({**REFUND, 'steps': []})}".encode(), "--jsonl")

    assert [json.loads(line)["decision"] for line in done.out.splitlines()] == ["allow", "block"]


def test_no_line_at_all_is_wrong_usage(ask):
    """A check that checks nothing is not green."""
    assert ask(b"\n\n", "--jsonl").code == 2


def test_an_endless_line_is_one_block(ask):
    """It is passed over whole, and the next line is judged."""
    huge = b'{"tool": "t", "args": {"a": "' + b"x" * (LARGEST * 2 + 5) + b'"}}\n'

    done = ask(huge + json.dumps(REFUND).encode() + b"\n", "--jsonl")

    assert [json.loads(line)["decision"] for line in done.out.splitlines()] == ["block", "allow"]
    assert "line 1: the call is larger than 32 MiB" in done.err


def test_a_call_that_is_too_large_is_refused():
    """Before anything is parsed."""
    with pytest.raises(SettingsError, match="larger than 32 MiB"):
        read_object(b" " * (LARGEST + 1), "the call")


def test_arguments_are_judged_as_the_tool_gets_them(tmp_path):
    """A mapping that looks like a trace's mark is a mapping: nobody will decode it for the tool."""
    policy = tmp_path / "p.yaml"
    policy.write_text(
        "format: agentreplay.policy/1\nrules: [{id: a, match: {'args.x[\"$base64\"]': {exists: true}}}]\n"
    )

    call = parse_call({"tool": "t", "args": {"x": {"$base64": "aGk="}}})

    assert CallJudge([str(policy)], "production", "enforce").judge(call).decision == "block"


def test_null_is_as_good_as_left_out():
    """Callers that write every key are understood."""
    call = parse_call({"tool": "t", "args": {"a": None}, "effect": None, "plan": None, "steps": None, "external": None})

    assert call == parse_call({"tool": "t", "args": {"a": None}})


@pytest.mark.parametrize("argv", [[], ["--policy"], ["--policy", "p.yaml", "--mode", "off"]])
def test_a_check_without_a_policy_is_wrong_usage(argv, capsys):
    """There is no way to ask for an allow."""
    assert main(["check", *argv]) == 2
    assert capsys.readouterr().out == ""
