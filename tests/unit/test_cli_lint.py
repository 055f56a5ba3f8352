"""`agent-replay lint`: every problem with its place, its path and its remedy."""

from __future__ import annotations

import io
import json
import sys
from types import SimpleNamespace

import pytest

from pytest_agentreplay.cli import main
from pytest_agentreplay.cli.findings import findings
from pytest_agentreplay.cli.lint import check
from pytest_agentreplay.trace.document import parse_trace

HEAD = "format: agentreplay.trace/1\n"
POLICY = "format: agentreplay.policy/1\n"
RULE = """rules:
  - id: small
    tools: [pay]
    match: {args.eur: {gt: 100}}
    reason: too much
    tests:
      block: [{args: {eur: 500}}]
      allow: [{args: {eur: 5}}]
"""
GOOD = f"""{HEAD}tools: {{search: read}}
steps:
  - tool: search
    args: {{q: a}}
    result: []
output: nothing
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _write(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return name


def _found(text):
    return [(one.severity, one.path, one.fact, one.remedy) for one in findings(parse_trace(HEAD + text))]


def test_default_is_the_golden_traces_of_the_working_directory(folder, capsys):
    """Without paths every trace below golden_traces is checked."""
    _write(folder, "golden_traces/a.yaml", GOOD)
    _write(folder, "golden_traces/deep/b.yaml", GOOD)

    assert main(["lint"]) == 0
    assert capsys.readouterr().out == "2 files checked: 0 errors, 0 warnings\n"


def test_every_problem_of_a_file_is_told_with_its_place(folder, capsys):
    """Not only the first one: file, line, column, path, remedy."""
    name = _write(
        folder, "a.yaml", f"{HEAD}knd: incident\nsteps:\n  - tool: search\n    reslt: 1\noutput: 3\ntitle: 4\n"
    )

    assert main(["lint", name]) == 1
    out = capsys.readouterr().out
    assert "a.yaml:2:1: error: unknown key `knd`\n  path     knd\n  next     did you mean `kind`?" in out
    assert "a.yaml:5:5: error: unknown key `reslt`\n  path     steps[0].reslt\n" in out
    assert "a.yaml:7:1: error: expected text" in out
    assert out.endswith("1 file checked: 3 errors, 0 warnings\n")


def test_json_has_the_same_as_data(folder, capsys):
    """A program gets numbers and fields instead of text."""
    name = _write(folder, "a.yaml", f"{HEAD}knd: incident\n")

    assert main(["lint", "--json", name]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "files": 1,
        "errors": 1,
        "warnings": 0,
        "problems": [
            {
                "file": "a.yaml",
                "line": 2,
                "column": 1,
                "severity": "error",
                "path": "knd",
                "fact": "unknown key `knd`",
                "remedy": "did you mean `kind`?",
            }
        ],
    }


def test_one_broken_file_does_not_hide_the_others(folder, capsys):
    """All files are checked, also after one that is no YAML at all."""
    _write(folder, "golden_traces/a.yaml", "a: [\n")
    _write(folder, "golden_traces/b.yaml", f"{HEAD}kind: incdent\n")
    folder.joinpath("golden_traces/c.yaml").write_bytes(b"\xff\xfe\x00")

    assert main(["lint"]) == 1
    out = capsys.readouterr().out
    assert all(f"golden_traces/{name}.yaml:" in out for name in "abc")


def test_a_file_named_twice_is_checked_once(folder, capsys):
    """Directories and files may overlap."""
    _write(folder, "golden_traces/a.yaml", GOOD)

    assert main(["lint", "golden_traces", "golden_traces/a.yaml", "./golden_traces/a.yaml"]) == 0
    assert capsys.readouterr().out.startswith("1 file checked")


def test_policies_are_checked_beside_traces(folder, capsys):
    """Every problem of a policy is told with its place, as of a trace."""
    _write(folder, "golden_traces/p.yaml", f"{POLICY}nmae: payments\nrules:\n  - {{id: a, matc: {{args.a: 1}}}}\n")
    _write(folder, "golden_traces/q.yaml", "format: agentreplay.policy/1\nrules: [\n")

    assert main(["lint"]) == 1
    out = capsys.readouterr().out
    assert (
        "golden_traces/p.yaml:2:1: error: unknown key `nmae`\n  path     nmae\n  next     did you mean `name`?" in out
    )
    assert "golden_traces/p.yaml:4:13: error: unknown key `matc`" in out
    assert "golden_traces/q.yaml:" in out
    assert out.endswith("2 files checked: 3 errors, 0 warnings\n")


def test_a_sound_policy_is_fine(folder, capsys):
    """Its rules pass their own tests, and nothing needs a look."""
    name = _write(folder, "p.yaml", POLICY + RULE)

    assert main(["lint", name]) == 0
    assert capsys.readouterr().out == "1 file checked: 0 errors, 0 warnings\n"


def test_a_rule_that_fails_its_own_test_is_an_error(folder):
    """The test's place is told, and what the rule said instead."""
    name = _write(folder, "p.yaml", POLICY + RULE.replace("block: [{args: {eur: 500}}]", "block: [{args: {eur: 5}}]"))

    [problem] = check(name)

    assert (problem.severity, problem.at) == ("error", "p.yaml:8:15")
    assert problem.path == "rules[0].tests.block[0]"
    assert problem.fact == "small decides allow where its test says block"


def test_what_rules_print_is_no_output_of_lint(folder, monkeypatch, capsys):
    """JSON stays JSON where a rule in Python is tried."""
    _write(folder, "chatty_rules.py", "def rule(context):\n    print('hello')\n")
    monkeypatch.syspath_prepend(str(folder))
    name = _write(
        folder, "p.yaml", f"{POLICY}rules:\n  - {{id: a, python: 'chatty_rules:rule', tests: {{allow: [{{}}]}}}}\n"
    )

    assert main(["lint", "--json", name]) == 0
    assert json.loads(capsys.readouterr().out)["errors"] == 0


@pytest.mark.parametrize(
    ("exception", "facts"),
    [
        ("args.eur: 7, owner: pay, until: 2001-01-01", ["this exception ended on 2001-01-01 and is ignored"]),
        ("args.eur: 7, until: 9999-01-01", ["nobody answers for this exception"]),
        ("args.eur: 7, owner: pay", ["this exception never ends"]),
    ],
)
def test_exceptions_that_want_a_look_are_warned_about(exception, facts, folder):
    """They are allowed, and easily forgotten."""
    name = _write(folder, "p.yaml", f"{POLICY}{RULE}    except: [{{{exception}}}]\n")

    found = check(name)

    assert [problem.fact for problem in found] == facts
    assert {problem.severity for problem in found} == {"warning"}


def test_a_policy_of_nothing_is_warned_about(folder):
    """A guard that objects to nothing is likely a slip."""
    [problem] = check(_write(folder, "p.yaml", POLICY))

    assert problem.severity == "warning" and "objects to nothing" in problem.fact


def test_a_rule_that_ends_the_process_is_an_error(folder, monkeypatch):
    """Lint itself goes on."""
    _write(folder, "ending_rules.py", "def rule(context):\n    raise SystemExit(0)\n")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "ending_rules", raising=False)
    rule = "rules:\n  - {id: a, python: 'ending_rules:rule', tests: {allow: [{}]}}\n"

    [problem] = check(_write(folder, "p.yaml", POLICY + rule))

    assert problem.severity == "error" and "ends the process" in problem.fact


def test_policies_that_a_trace_names_are_looked_for_beside_it(folder):
    """One that isn't there, or is none, would stop the replay: better told before."""
    _write(folder, "policies/good.yaml", POLICY + RULE)
    _write(folder, "policies/bad.yaml", f"{POLICY}nmae: x\n")
    named = "policies: [../policies/good.yaml, ../policies/gone.yaml, ../policies/bad.yaml]\n"
    name = _write(folder, "golden_traces/a.yaml", GOOD + named)

    gone, bad = check(name)

    assert (gone.severity, gone.path) == ("error", "policies[1]")
    assert gone.fact == "the policy ../policies/gone.yaml can't be used: there is no such policy"
    assert gone.remedy == "correct the path: it is relative to this file"
    assert bad.path == "policies[2]" and "unknown key `nmae`" in bad.fact


@pytest.mark.parametrize("paths", [[], ["nosuch"], ["."]])
def test_nothing_to_check_is_wrong_usage(paths, folder, capsys):
    """A check that checks nothing is not green."""
    assert main(["lint", *paths]) == 2
    assert capsys.readouterr().out == ""


def test_standard_input_can_be_checked(folder, monkeypatch, capsys):
    """`-` is what an editor or a pipe sends."""
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(f"{HEAD}knd: x\n".encode())))

    assert main(["lint", "-"]) == 1
    assert "<stdin>:2:1: error" in capsys.readouterr().out


def test_a_dangling_link_is_a_problem_of_that_file(folder):
    """What is there but can't be read is told as such."""
    folder.joinpath("a.yaml").symlink_to("nowhere.yaml")

    [problem] = check("a.yaml")

    assert problem.severity == "error" and "can't be read" in problem.fact


def test_warnings_leave_the_exit_code_alone(folder, capsys):
    """A tool that nobody classified is worth a word, no more."""
    name = _write(folder, "a.yaml", GOOD.replace("tools: {search: read}\n", ""))

    assert main(["lint", name]) == 0
    assert "a.yaml:1:1: warning: search: no effect declared here" in capsys.readouterr().out


def test_an_incident_that_its_own_recording_passes_is_an_error():
    """It pins nothing: the bad run itself would pass."""
    bad_run = "kind: incident\ntools: {pay: write}\nsteps:\n  - {tool: pay, args: {eur: 45}, result: ok}\n"

    assert _found(f"{bad_run}expect: {{calls: {{pay: never}}}}\n") == []
    [(severity, path, fact, _)] = _found(f"{bad_run}expect: {{calls: {{pay: {{max: 1}}}}}}\n")
    assert (severity, path) == ("error", ("expect",))
    assert "pins nothing" in fact


def test_an_incident_that_expects_a_block_pins_it():
    """A run that was recorded without a guard was blocked nowhere."""
    text = "kind: incident\ntools: {pay: write}\nsteps:\n  - {tool: pay, args: {}, result: ok}\n"

    assert _found(f"{text}expect: {{verdicts: {{pay#1: block}}}}\n") == []
    assert [fact for _, _, fact, _ in _found(f"{text}expect: {{verdicts: {{pay: allow}}}}\n")] != []


def test_a_baseline_that_fails_its_own_expectations_is_warned_about():
    """The good run should meet what is expected of it."""
    text = "tools: {pay: write}\nsteps:\n  - {tool: pay, args: {}, result: ok}\nexpect: {calls: {pay: never}}\n"

    [(severity, _, fact, _)] = _found(text)

    assert severity == "warning" and "does not meet it" in fact


def test_a_trace_of_nothing_is_warned_about():
    """Nothing recorded and nothing expected checks nothing."""
    [(severity, _, fact, _)] = _found("title: empty\n")

    assert severity == "warning" and "checks nothing" in fact


@pytest.mark.parametrize(
    ("expect", "remedy"),
    [
        ("calls: {serch: {max: 1}}", "did you mean `search`?"),
        ("calls: {serch: never}", "did you mean `search`?"),
        ("order: [[search, notfy]]", "did you mean `notify`?"),
        ("state: [{after: serch#1, equals: 1}]", "did you mean `search#1`?"),
        ("state: [{after: search, equals: 1}]", "did you mean `search#1`?"),
        ("verdicts: {serch#1: allow}", "did you mean `search#1`?"),
        ("calls: {delete_everything: {min: 1}}", "correct it, or declare it under `tools`; known: notify, search"),
    ],
)
def test_names_that_nobody_knows_are_likely_slips(expect, remedy):
    """An expectation on a tool that is in neither steps, answers nor tools can't mean what it says."""
    text = "tools: {search: read}\nreplay: {answers: [{tool: notify, result: 1}]}\n"
    text += f"steps:\n  - {{tool: search, args: {{}}, result: 1}}\nexpect:\n  {expect}\n"

    assert [found for *_, fact, found in _found(text) if "is in neither" in fact] == [remedy]


@pytest.mark.parametrize(
    "expect",
    [
        "calls: {delete_everything: never}",
        "state: [{after: end, exists: false}]",
        "state: [{after: search#7, exists: false}]",
        "verdicts: {search: allow}",
    ],
)
def test_names_that_make_sense_are_left_alone(expect):
    """Forbidding what was never there is sound, as is naming a call that a fixed agent may make."""
    text = f"tools: {{search: read}}\nsteps:\n  - {{tool: search, args: {{}}, result: 1}}\nexpect:\n  {expect}\n"

    assert not [fact for *_, fact, _ in _found(text) if "is in neither" in fact]


def test_what_can_not_be_replayed_is_an_error():
    """A malformed agent would stop the replay: better told before."""
    found = _found("agent: support_bot\noutput: x\n")

    assert [(severity, path) for severity, path, *_ in found] == [("error", ("agent",))]


@pytest.mark.parametrize(
    ("verdict", "warned"),
    [
        ("", False),
        ("verdict: block", False),
        ("verdict: allow", True),
        ("verdict: {decision: warn, would: block}", False),
    ],
)
def test_a_policy_test_without_an_agent_is_sound(verdict, warned):
    """Its calls go through today's policies: what nobody recorded can't be wrong, a recorded verdict can."""
    trace = parse_trace(
        f"format: agentreplay.trace/1\ntools: {{pay: write}}\npolicies: [p.yaml]\n"
        f"steps:\n  - tool: pay\n    args: {{a: 9}}\n{f'    {verdict}' if verdict else ''}\n"
        f"expect: {{verdicts: {{pay#1: block}}}}\n"
    )

    assert any("does not meet it" in one.fact for one in findings(trace)) is warned


CASSETTE = """interactions:
- request: {method: GET, uri: "http://example.com/", body: null, headers: {}}
  response: {status: {code: 200, message: OK}, headers: {}, body: {string: ok}}
version: 1
"""


@pytest.mark.parametrize(
    ("content", "fact"),
    [(None, "no such cassette"), ("interactions: []\n", "it holds no interactions"), (CASSETTE, "")],
    ids=["gone", "empty", "sound"],
)
def test_the_cassette_that_a_trace_names_is_looked_for_beside_it(folder, content, fact):
    """A replay would fail for it; lint says so before."""
    _write(folder, "golden_traces/a.yaml", f"{GOOD}run: {{cassette: a.http.yaml}}\n")
    if content is not None:
        _write(folder, "golden_traces/a.http.yaml", content)
    found = [(one.path, one.fact) for one in check("golden_traces/a.yaml")]

    assert found == ([("run.cassette", f"the cassette a.http.yaml can't be used: {fact}")] if fact else [])
