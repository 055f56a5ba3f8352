"""The coding agent's hook under anything: 0 with JSON, or 2; and never leave to go on because something failed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_agentreplay.cli import hook, main

POLICY = """format: agentreplay.policy/1
name: coding
rules:
  - {id: no-wipe, match: {args.command: {contains: rm -rf}}, reason: it deletes}
  - {id: twice, repeat: {max: 1}}
"""
EVENT = {
    "session_id": "s",
    "transcript_path": "session.jsonl",
    "cwd": "/project",
    "permission_mode": "default",
    "hook_event_name": "PreToolUse",
    "tool_name": "Bash",
    "tool_input": {"command": "ls"},
    "tool_use_id": "toolu_9",
}
HOSTILE = json.dumps({**EVENT, "tool_input": {"command": "rm -rf /"}}).encode()

quick = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["PreToolUse", "Bash"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Ask the hook in this process; gives its exit code and what it wrote."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.yaml").write_text(POLICY)
    (tmp_path / "session.jsonl").touch()
    monkeypatch.setattr(hook, "isolated", lambda work, seconds: work())

    def ask(data, *argv):
        written = tmp_path / "written"
        with written.open("wb") as file:
            stream = SimpleNamespace(buffer=SimpleNamespace(read=lambda size: data[:size]))
            with monkeypatch.context() as patch:
                patch.setattr(sys, "stdin", stream)
                patch.setattr(sys, "stdout", SimpleNamespace(fileno=file.fileno, flush=file.flush))
                code = main(["check", "--hook", "claude-code", *(argv or ("--policy", "p.yaml"))])
        return code, written.read_bytes()

    return ask


def allowed(answer):
    """Tell whether the call goes on, and that the answer is one of the protocol's two."""
    code, written = answer
    assert code in (0, 2), answer
    if code == 2:
        assert written == b""
        return False
    said = json.loads(written)
    assert isinstance(said, dict) and {*said} <= {"hookSpecificOutput", "systemMessage"}
    decided = said.get("hookSpecificOutput", {})
    assert decided.get("permissionDecision", "deny") == "deny"
    return not decided


def command_of(data):
    """Read an event as a strict reader does: its command; None for what is no event of a call."""

    def once(pairs):
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    try:
        event = json.loads(data.decode("utf-8-sig"), object_pairs_hook=once)
        args = event["tool_input"]
        assert event["hook_event_name"] == "PreToolUse" and event["tool_name"] and type(event["tool_name"]) is str
        assert type(args) is dict
    except (ValueError, TypeError, KeyError, AssertionError, RecursionError):
        return None
    return args.get("command", "")


@quick
@given(
    data=st.binary(max_size=60) | st.text(max_size=40).map(str.encode) | anything.map(lambda v: json.dumps(v).encode())
)
def test_noise_is_blocked(ask, data):
    """Bytes, texts, and JSON that is no event."""
    if command_of(data) is None:
        assert not allowed(ask(data))


@quick
@given(changes=st.dictionaries(st.sampled_from([*EVENT, "new_key"]), anything, min_size=1, max_size=3))
def test_an_event_with_other_values_is_understood_or_blocked(ask, changes):
    """Wrong types, missing keys, other names."""
    data = json.dumps({**json.loads(HOSTILE), **changes}).encode()
    goes_on = allowed(ask(data))

    assert not goes_on or (command_of(data) is not None and "rm -rf" not in str(command_of(data)))


@quick
@given(
    at=st.integers(0, len(HOSTILE)),
    length=st.integers(0, 12),
    put=st.binary(max_size=6)
    | st.sampled_from([b'"', b"\\", b"{", b"}", b",", b"\x00", b"NaN", b"\xef\xbb\xbf", b"\xff"]),
)
def test_a_damaged_event_is_understood_or_blocked(ask, at, length, put):
    """Cut, filled in, garbled: what still reads as a hostile call is denied."""
    data = HOSTILE[:at] + put + HOSTILE[at + length :]
    goes_on = allowed(ask(data))

    assert not goes_on or (command_of(data) is not None and "rm -rf" not in str(command_of(data)))


@quick
@given(session=st.lists(anything.map(json.dumps) | st.text(max_size=20), max_size=5).map("\n".join))
def test_a_garbled_session_lets_nothing_hostile_go_on(ask, tmp_path, session):
    """Whatever stands where the steps before should be."""
    (tmp_path / "session.jsonl").write_text(session, encoding="utf-8", errors="surrogatepass")

    assert not allowed(ask(HOSTILE))
    allowed(ask(json.dumps(EVENT).encode()))


@quick
@given(policy=st.binary(max_size=50) | st.integers(0, len(POLICY)).map(lambda end: POLICY[:end].encode()))
def test_a_garbled_policy_blocks(ask, tmp_path, policy):
    """One that was written half way, too, unless what is there is a policy by itself."""
    (tmp_path / "p.yaml").write_bytes(policy)
    goes_on = allowed(ask(HOSTILE))

    assert not goes_on or b"rm -rf" not in policy


def test_any_code_but_0_and_2_would_let_the_call_through(ask, monkeypatch):
    """So a mistake anywhere in the command ends with 2, where a hook is asked."""
    for error in (RuntimeError("x"), KeyboardInterrupt(), SystemExit(1), SystemExit("x"), MemoryError(), OSError("x")):

        def fail(*args, error=error):
            raise error

        with monkeypatch.context() as patch:
            patch.setattr("pytest_agentreplay.cli.check.run", fail)
            assert ask(HOSTILE)[0] == 2


@pytest.mark.parametrize(
    "error", ["KeyError('x')", "SystemExit(0)", "KeyboardInterrupt()", "MemoryError()", "RecursionError()"]
)
@pytest.mark.parametrize(
    "place", ["cli.claude_code.parse_event", "cli.calls.CallJudge.judge", "cli.claude_code.answer"]
)
def test_a_crash_inside_blocks(ask, monkeypatch, error, place):
    """Wherever it happens."""

    def fail(*args):
        raise eval(error)

    monkeypatch.setattr(f"pytest_agentreplay.{place}", fail)
    assert not allowed(ask(HOSTILE))
    assert not allowed(ask(json.dumps(EVENT).encode()))


def test_a_policy_that_vanishes_half_way_blocks(ask, tmp_path, monkeypatch):
    """Between the look at it and the reading."""
    from pathlib import Path

    real = Path.open

    def vanishing(path, *args, **kwargs):
        if path.name == "p.yaml":
            path.unlink(missing_ok=True)
        return real(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", vanishing)
    assert ask(json.dumps(EVENT).encode()) == (2, b"")


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_hook_that_is_ended_blocks(tmp_path, number):
    """A process that a signal ends has no exit code that blocks, so it answers first."""
    (tmp_path / "slow.py").write_text(
        "import time\ndef rule(context):\n    open('going', 'w').close()\n    time.sleep(60)\n"
    )
    (tmp_path / "p.yaml").write_text("format: agentreplay.policy/1\nrules: [{id: slow, python: 'slow:rule'}]\n")
    (tmp_path / "session.jsonl").touch()
    command = [sys.executable, "-m", "pytest_agentreplay", "check", "--hook", "claude-code", "--policy", "p.yaml"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*filter(None, sys.path), "."])}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, **pipes) as process:
        process.stdin.write(json.dumps(EVENT).encode())
        process.stdin.close()
        deadline = time.monotonic() + 30
        while not (tmp_path / "going").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(number)
        code = process.wait(30)
        written = process.stdout.read()

    assert (code, written) == (2, b"")


def test_calls_that_are_at_work_count(ask, tmp_path):
    """A session's parallel calls: the second of two equal ones is one too many before the first has come back."""
    use = {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"command": "ls"}}
    again = {**use, "id": "toolu_9"}
    entry = {"type": "assistant", "message": {"role": "assistant", "content": [use, again]}}
    (tmp_path / "session.jsonl").write_text(json.dumps(entry) + "\n")

    assert not allowed(ask(json.dumps(EVENT).encode()))
    (tmp_path / "p.yaml").write_text(
        "format: agentreplay.policy/1\nrules: [{id: first, tools: [Bash], unless_called: {tool: Bash}}]\n"
    )
    assert not allowed(ask(json.dumps(EVENT).encode()))
