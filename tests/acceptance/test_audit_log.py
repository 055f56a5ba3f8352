"""The audit log under stress: what can't be written, who else writes, who is killed, and what is never in it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import warnings

import pytest

from pytest_agentreplay import AgentReplayError, GuardBlocked, Trace, checkpoint, guard, rule, tool
from pytest_agentreplay.api import audit_log

POLICY = """\
format: agentreplay.policy/1
name: bank
version: 2
rules:
  - {id: large, tools: [pay], match: {args.amount: {gt: 100}}, reason: more than 100}
"""
ran = []


@tool(effect="write", name="pay")
def pay(amount, note=None):
    ran.append(amount)
    return {"paid": amount, "note": note}


@pytest.fixture(autouse=True)
def _fresh():
    ran.clear()


@pytest.fixture
def policy(tmp_path):
    path = tmp_path / "bank.yaml"
    path.write_text(POLICY)
    return path


@pytest.fixture
def log(tmp_path):
    return tmp_path / "audit.jsonl"


def read(log):
    return [json.loads(line) for line in log.read_text().splitlines() if line]


def _unwritable(log):
    log.unlink()
    log.mkdir()


# -- what can't be written -------------------------------------------------------------------------


def test_an_outcome_that_cannot_be_written_loses_nothing(policy, log):
    """The tool has run: its result reaches the agent, and the gap is warned of and kept."""

    @tool(effect="write", name="break_log")
    def break_log():
        _unwritable(log)
        return "done"

    by = guard(policy, audit_log=log)
    with by, pytest.warns(RuntimeWarning, match="the outcome of break_log is missing from the audit log"):
        assert break_log() == "done"

    assert len(by.problems) == 1 and "break_log" in by.problems[0]


def test_an_error_of_the_tool_stays_the_tools(policy, log):
    """Not that of the log."""

    @tool(effect="write", name="fail")
    def fail():
        _unwritable(log)
        raise LookupError("the tool's own")

    with guard(policy, audit_log=log), pytest.warns(RuntimeWarning), pytest.raises(LookupError, match="tool's own"):
        fail()


def test_a_warning_that_is_an_error_does_not_reach_the_agent(policy, log):
    """Under `-W error` the result is still the result."""

    @tool(effect="write", name="break_log")
    def break_log():
        _unwritable(log)
        return "done"

    by = guard(policy, audit_log=log)
    with by, warnings.catch_warnings():
        warnings.simplefilter("error")
        assert break_log() == "done"

    assert by.problems


def test_the_log_itself_tells_of_what_it_is_missing(policy, log):
    """As soon as it can be written again."""

    @tool(effect="write", name="move_log")
    def move_log():
        log.rename(log.with_suffix(".old"))
        log.mkdir()

    with guard(policy, audit_log=log):
        with pytest.warns(RuntimeWarning):
            move_log()
        log.rmdir()
        pay(1)
    decision = read(log.with_suffix(".old"))[-1]
    gap, *rest = read(log)

    assert (gap["kind"], gap["count"], gap["ids"]) == ("lost", 1, [decision["id"]])
    assert [entry["kind"] for entry in rest] == ["decision", "outcome"]


def test_what_cannot_be_logged_is_not_done(policy, log):
    """A decision that can't be written refuses the call, and goes on refusing."""
    by = guard(policy, audit_log=log)
    _unwritable(log)

    with by:
        for _ in range(2):
            with pytest.raises(AgentReplayError, match="the audit log can't be written"):
                pay(1)
    assert ran == []


def test_a_decision_that_has_no_text_is_not_made(policy, log, monkeypatch):
    """Whatever goes wrong on the way to the file."""
    with guard(policy, audit_log=log):
        monkeypatch.setattr(audit_log, "_clean", lambda *_: 1 / 0)
        with pytest.raises(AgentReplayError, match="the decision can't be written"):
            pay(1)

    assert ran == []


def test_a_disk_that_is_full_refuses_and_leaves_whole_lines(policy, log, tmp_path):
    """Half a line that was written is ended by whoever writes next."""
    program = f"""
import resource, signal, sys
sys.path[:0] = {sys.path!r}
from pytest_agentreplay import AgentReplayError, guard, tool

@tool(effect="write", name="pay")
def pay(amount, note=None):
    print("ran", flush=True)

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with guard({str(policy)!r}, audit_log={str(log)!r}):
    pay(1)
    import os
    size = os.path.getsize({str(log)!r})
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50, resource.RLIM_INFINITY))
    try:
        pay(2)
    except AgentReplayError as error:
        print("refused", flush=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    pay(3)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    lines = [line for line in log.read_text().splitlines() if line]

    assert done.stdout.split() == ["ran", "refused", "ran"], done.stderr
    assert [_kind(line) for line in lines] == ["opened", "decision", "outcome", "torn", "decision", "outcome"]


def _kind(line):
    try:
        return json.loads(line)["kind"]
    except ValueError:
        return "torn"


# -- who else writes -------------------------------------------------------------------------------


def test_a_writer_that_was_killed_half_way_spoils_one_line(policy, log):
    """Its own: what comes after it starts anew."""
    with guard(policy, audit_log=log):
        pay(1)
    with log.open("a") as file:
        file.write('{"kind": "decision", "id": "half')
    with guard(policy, audit_log=log):
        pay(2)
        with log.open("a") as file:
            file.write('{"kind": "outc')
        pay(3)

    kinds = [_kind(line) for line in log.read_text().splitlines()]
    assert kinds == [
        *("opened", "decision", "outcome", "torn"),
        *("opened", "decision", "outcome", "torn", "decision", "outcome"),
    ]


def test_processes_share_a_log(policy, log):
    """Long lines of many writers don't mix, also where some of them are killed."""
    program = f"""
import sys
sys.path[:0] = {sys.path!r}
from pytest_agentreplay import guard, tool

@tool(effect="write", name="pay")
def pay(amount, note=None):
    return note

with guard({str(policy)!r}, audit_log={str(log)!r}):
    for number in range(10 ** 9 if sys.argv[1] == "endless" else 40):
        pay(number % 100, "x" * 5000)
        if not number:
            print("going", flush=True)
"""
    command = [sys.executable, "-c", program]
    writers = [
        subprocess.Popen([*command, kind], stdout=subprocess.PIPE) for kind in ("endless", "endless", "short", "short")
    ]
    for writer in writers:
        assert writer.stdout.readline() == b"going\n"
    for writer in writers[2:]:
        assert writer.wait(60) == 0
    for writer in writers[:2]:
        writer.send_signal(signal.SIGKILL)
        writer.wait(60)
    for writer in writers:
        writer.stdout.close()
    by_pid = [entry["kind"] for entry in read(log)]

    assert by_pid.count("opened") == 4
    assert by_pid.count("decision") >= 82


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_log_may_be_for_writing_alone(policy, log):
    """Whoever decides needn't be able to read what was decided."""
    log.touch(mode=0o200)
    log.chmod(0o200)

    with guard(policy, audit_log=log):
        pay(1)
    log.chmod(0o600)

    assert len(read(log)) == 3


# -- what is in it ---------------------------------------------------------------------------------


def test_a_decision_tells_all_that_it_was_made_on(policy, log):
    """What the agent was asked, planned and knew; which policy said what, where, and how long it took."""
    with guard(policy, audit_log=log, input={"request": "pay 5"}):
        checkpoint({"step": 3}, plan={"pays": 5}, retrieved=["a"], external={"balance": 9})
        pay(5)
    decision = read(log)[1]

    assert decision["input"] == {"request": "pay 5"}
    assert decision["effect"] == "write"
    assert decision["verdict"]["context"] == {
        "plan": {"pays": 5},
        "retrieved": ["a"],
        "state": {"step": 3},
        "external": {"balance": 9},
    }
    assert decision["verdict"]["policy_digest"].startswith("sha256:")
    assert decision["verdict"]["environment"] == "production"
    assert decision["duration_us"] > 0


def test_what_rules_quote_is_redacted_too(log):
    """A secret that its key gives away in one place of a call is one in the reasons and in the result as well."""

    @rule
    def quoting(context):
        return f"this is no password: {context.args['password']}"

    @tool(effect="write", name="login")
    def login(password):
        return f"logged in by {password}"

    with guard(quoting, audit_log=log, mode="audit", input="use correct-horse-battery"):
        login(password="correct-horse-battery")
    with guard(quoting, audit_log=log), pytest.raises(GuardBlocked):
        login(password="correct-horse-battery")

    assert "correct-horse" not in log.read_text()
    assert "this is no password: [redacted:password:1]" in log.read_text()


def test_nothing_of_a_call_is_kept_when_it_is_over(policy, log):
    """A guard that runs for months doesn't collect the secrets that it keeps out of its log."""
    by = guard(policy, audit_log=log)
    with by:
        for number in range(50):
            pay(1, f"user{number}@example.com")

    assert not by._log._in_flight


def test_a_replay_logs_nothing(policy, log, agent_replay):
    """No tool runs in a replay, so there is nothing to account for: the verdicts are the run's."""
    trace = Trace.model_validate({"steps": [{"tool": "pay", "args": {"amount": 1}, "result": "recorded"}]})

    with guard(policy, audit_log=log), agent_replay(trace, expect={"verdicts": {"pay#2": "block"}}) as run:
        pay(1)
        with pytest.raises(GuardBlocked):
            pay(101)

    assert [verdict.decision for verdict in run.verdicts.values()] == ["allow", "block"]
    assert [entry["kind"] for entry in read(log)] == ["opened"]
