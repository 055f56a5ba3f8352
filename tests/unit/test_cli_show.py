"""`agent-replay show`: a trace frame by frame, or one step in full."""

from __future__ import annotations

import json

import pytest

from pytest_agentreplay.cli import main

TRACE = """format: agentreplay.trace/1
title: Refund loop
kind: incident
agent: bot:run
tags: [loop, support]
input: {query: refund policy}
tools: {search: read}
run: {id: run_1, commit: 8c1f2ab, model: {provider: openai, name: gpt-4o}}
steps:
  - message: user
    content: What is the refund policy?
  - model: gpt-4o
    content: Let me look that up.
    reasoning: It asks about refunds.
    plan: {is_refund: false}
  - tool: search
    args: {query: refund}
    result: {docs: [], count: 0}
    state: {count: 0}
    verdict: allow
    duration_ms: 12.5
    group: 1
    finished: 2
  - tool: read_log
    args: {}
    result: "LONG"
    group: 1
  - tool: pay
    raw_args: '{"eur": '
    error: {type: TimeoutError, message: no answer}
    actor: customer
  - tool: pay
    args: {eur: 45}
    verdict: {decision: block, policy: payments@3, findings: [{rule: refund-intent, reason: the plan said no}]}
  - tool: wait
    args: {}
  - state: {count: 1}
    at: respond
output: sorry
expect: {calls: {pay: never}}
"""


@pytest.fixture
def trace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    long = r"\n".join(f"line {number} " + "x" * 100 for number in range(40))
    folder = tmp_path / "golden_traces"
    folder.mkdir()
    folder.joinpath("loop.yaml").write_text(TRACE.replace("LONG", long), encoding="utf-8")
    return "loop"


def _shown(capsys, *argv):
    assert main(["show", *argv]) == 0
    return capsys.readouterr().out


def test_header_says_what_the_trace_is(trace, capsys):
    """Title, kind, agent, where it came from, input."""
    header = _shown(capsys, trace).split("\n\n")[0]

    assert header.splitlines() == [
        "Refund loop",
        "      trace     golden_traces/loop.yaml",
        "      kind      incident",
        "      agent     bot:run",
        "      tags      loop, support",
        "      run       run_1, commit 8c1f2ab",
        "      model     provider openai, name gpt-4o",
        "      effects   declared: search read",
        "                not declared, so write: pay, read_log, wait",
        '      input     {"query": "refund policy"}',
    ]


def test_steps_are_shown_in_order_by_address(trace, capsys):
    """Each frame starts with its number, its address and what it is."""
    frames = [frame.splitlines()[0] for frame in _shown(capsys, trace).split("\n\n")[1:]]

    assert frames == [
        "   1  message#1  user",
        "   2  model#1  gpt-4o",
        "   3  search#1  read  parallel group 1, came back as number 2",
        "   4  read_log#1  write (not declared)  parallel group 1",
        "   5  pay@customer#1  write (not declared)  by customer",
        "   6  pay#1  write (not declared)",
        "   7  wait#1  write (not declared)",
        "   8  state#1  respond",
        "      end",
        "      expected",
    ]


def test_frames_say_what_happened(trace, capsys):
    """Arguments, outcome, verdict, state and time; the three kinds of no result are told apart."""
    out = _shown(capsys, trace)

    assert '      args      {"query": "refund"}\n      result    {"docs": [], "count": 0}\n' in out
    assert '      verdict   allow\n      state     {"count": 0}\n      time      took 12.5 ms\n' in out
    assert '      raw args  {"eur": \n      error     TimeoutError: no answer\n'.replace(": \n", ":\n") in out
    assert "      result    none: the guard blocked it\n      verdict   block by payments@3\n" in out
    assert "                refund-intent: the plan said no\n" in out
    assert "      args      {}\n      result    none: the run stopped here\n" in out
    assert '      plan      {"is_refund": false}\n' in out


@pytest.mark.parametrize("columns", [80, 120])
def test_long_values_are_cut_to_the_terminal(columns, trace, monkeypatch, capsys):
    """No line is wider than the terminal, and what was left out is said."""
    monkeypatch.setenv("COLUMNS", str(columns))

    out = _shown(capsys, trace)

    assert max(map(len, out.splitlines())) <= columns
    assert "line 2 xxx" in out and "line 3 xxx" not in out
    assert "... 37 more lines" in out


def test_one_step_is_shown_in_full(trace, capsys):
    """Nothing is cut, nothing else is shown."""
    out = _shown(capsys, trace, "--step", "read_log#1")

    assert out.startswith("read_log#1  write (not declared)")
    assert out.count("x" * 100) == 40
    assert "search" not in out


def test_the_end_is_a_step_too(trace, capsys):
    """`end` is the address of what the run came to."""
    assert _shown(capsys, trace, "--step", "end") == 'end\n      output    "sorry"\n'


def test_unknown_address_suggests_the_nearest(trace, capsys):
    """A slip is told with what was likely meant."""
    assert main(["show", trace, "--step", "serach#1"]) == 2
    err = capsys.readouterr().err
    assert "the trace has no step serach#1" in err
    assert "closest  search#1" in err


def test_json_is_the_document_with_addresses_and_effects(trace, capsys):
    """What a program wants to know of a step beyond the file comes along."""
    shown = json.loads(_shown(capsys, trace, "--json"))

    assert shown["title"] == "Refund loop"
    assert shown["steps"][2] | {"state": None} == {
        "address": "search#1",
        "tool": "search",
        "args": {"query": "refund"},
        "result": {"docs": [], "count": 0},
        "state": None,
        "verdict": "allow",
        "duration_ms": 12.5,
        "group": 1,
        "finished": 2,
        "effect": "read",
        "effect_from": "tools",
    }
    assert shown["steps"][3]["effect_from"] == "undeclared"
    assert json.loads(_shown(capsys, trace, "--json", "--step", "end")) == {"address": "end", "output": "sorry"}


def test_a_recorded_verdict_is_shown_in_full(tmp_path, capsys):
    """What was decided and would have been, where, by which policy, and every rule with its reason."""
    path = tmp_path / "a.yaml"
    path.write_text(
        "format: agentreplay.trace/1\nsteps:\n  - tool: pay\n    verdict:\n"
        "      decision: warn\n      would: block\n      environment: staging\n      policy: payments@3\n"
        "      unavailable: true\n      findings:\n"
        "        - {rule: intent, version: 2, severity: critical, confidence: 0.97, reason: the plan said no}\n"
        "        - {rule: odd}\n"
    )

    out = _shown(capsys, str(path))

    assert (
        "      verdict   warn (would block) by payments@3 in staging, unavailable\n"
        "                intent@2 (critical, confidence 0.97): the plan said no\n"
        "                odd\n"
    ) in out


def test_hostile_results_do_not_reach_the_terminal(tmp_path, capsys):
    """An escape sequence in a tool's result is shown, not sent."""
    path = tmp_path / "a.yaml"
    path.write_text(
        'format: agentreplay.trace/1\nsteps:\n  - {tool: t, args: {}, result: "\\e]0;owned\\a\\nand\\e[2J"}\n', "utf-8"
    )

    out = _shown(capsys, str(path))

    assert "\x1b" not in out and "\x07" not in out
    assert "\\x1b]0;owned\\x07" in out


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("lop", "no golden trace is called lop"),
        ("golden_traces", "is a directory"),
        ("golden_traces/lop.yaml", "no such trace file"),
        ("nowhere/x.yaml", "there is no directory nowhere"),
    ],
)
def test_a_trace_that_is_not_there_is_wrong_usage(name, told, trace, capsys):
    """The nearest is named where there is one."""
    assert main(["show", name]) == 2
    assert told in capsys.readouterr().err


def test_a_broken_trace_is_invalid(trace, tmp_path, capsys):
    """What is there but can't be read is no usage error."""
    tmp_path.joinpath("b.yaml").write_text("format: agentreplay.trace/1\nknd: 1\n", "utf-8")

    assert main(["show", "b.yaml"]) == 1
    assert "b.yaml:2:1" in capsys.readouterr().err


def test_values_that_json_lacks_are_shown(tmp_path, capsys):
    """Bytes, infinities and blobs have a form in the terminal too."""
    path = tmp_path / "a.yaml"
    path.write_text(
        "format: agentreplay.trace/1\nsteps:\n"
        "  - {tool: t, args: {data: {$base64: aGk=}, at: {$type: m.Context}}, result: {$float: inf}}\n"
        "  - {tool: t, args: {}, result: null}\n  - {tool: t, args: {}, result: ''}\n",
        "utf-8",
    )

    out = _shown(capsys, str(path))

    assert '{"data": {"$base64": "aGk="}, "at": {"$type": "m.Context"}}' in out
    assert '      result    {"$float": "inf"}\n' in out
    assert "      result    null\n" in out and '      result    ""\n' in out
