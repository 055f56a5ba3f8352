"""The guard as a command and as a coding agent's hook: real processes, real streams, real exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

POLICY = """format: agentreplay.policy/1
name: coding
version: 1
environments: {dev: warn, audit: log}
rules:
  - {id: no-wipe, tools: [Bash], match: {args.command: {contains: rm -rf}}, reason: it deletes}
"""
LOOKS_BACK = POLICY + "  - {id: twice, repeat: {max: 1}}\n"
PYTHON = "format: agentreplay.policy/1\nrules: [{id: mine, python: 'hook_rules:rule'}]\n"
LONGEST = 60


def _environment():
    keep = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "HOME") if name in os.environ}
    return {**keep, "PYTHONPATH": os.pathsep.join(filter(None, [*sys.path, "."]))}


def _event(command="ls", **change):
    event = {
        "session_id": "s",
        "transcript_path": "session.jsonl",
        "cwd": "/project",
        "permission_mode": "default",
        "hook_event_name": "PreToolUse",
        "tool_name": "Bash",
        "tool_input": {"command": command},
        "tool_use_id": "toolu_9",
    }
    return json.dumps({**event, **change}).encode()


@pytest.fixture
def folder(tmp_path):
    tmp_path.joinpath("p.yaml").write_text(POLICY)
    tmp_path.joinpath("session.jsonl").touch()
    return tmp_path


@pytest.fixture
def run(folder):
    def run(data, *argv, **streams):
        command = [sys.executable, "-m", "pytest_agentreplay", "check", *argv]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
        return subprocess.run(
            command, cwd=folder, input=data, env=_environment(), check=False, timeout=LONGEST, **pipes
        )

    return run


@pytest.fixture
def hook(run):
    return lambda data, *argv, **streams: run(
        data, "--hook", "claude-code", *(argv or ("--policy", "p.yaml")), **streams
    )


def _blocked(done, reason=""):
    """Tell that a hook's call is stopped: exit code 2, a reason for the model, and nothing beside it."""
    assert done.returncode == 2, (done.returncode, done.stderr)
    assert done.stdout in (b"", None)
    assert b"agent-replay: the call is blocked: " in done.stderr and b"Traceback" not in done.stderr
    assert reason.encode() in done.stderr
    return True


# The command


def test_a_verdict_for_a_call(run):
    """JSON in, JSON out, and the exit code says whether it was blocked."""
    allowed = run(b'{"tool": "Bash", "args": {"command": "ls"}}', "--policy", "p.yaml")
    blocked = run(b'{"tool": "Bash", "args": {"command": "rm -rf /"}}', "--policy", "p.yaml")

    assert (allowed.returncode, json.loads(allowed.stdout)["decision"]) == (0, "allow")
    assert (blocked.returncode, json.loads(blocked.stdout)["decision"]) == (1, "block")
    assert allowed.stderr == blocked.stderr == b""


def test_a_verdict_comes_as_soon_as_its_line_is_there(folder):
    """A program may ask call by call, for as long as it runs."""
    command = [sys.executable, "-m", "pytest_agentreplay", "check", "--jsonl", "--policy", "p.yaml"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=folder, env=_environment(), **pipes) as process:
        decisions = []
        for line in (b'{"tool": "a", "args": {}}\n', b"nonsense\n", b'{"tool": "b", "args": {}}\n'):
            process.stdin.write(line)
            process.stdin.flush()
            decisions.append(json.loads(process.stdout.readline())["decision"])
        process.stdin.close()
        code = process.wait(timeout=LONGEST)

    assert decisions == ["allow", "block", "allow"]
    assert code == 1


@pytest.mark.skipif(os.name != "posix", reason="a shell")
@pytest.mark.parametrize("script", ["< /dev/null", "<&-", "2>&- < /dev/null", "--policy nosuch.yaml < call.json"])
def test_a_check_without_a_verdict_exits_with_2_and_prints_a_block(script, folder):
    """Whatever is missing: the call, the stream, the policy."""
    folder.joinpath("call.json").write_text('{"tool": "a", "args": {}}')
    line = f"'{sys.executable}' -m pytest_agentreplay check --policy p.yaml {script}"

    done = subprocess.run(
        ["sh", "-c", line], cwd=folder, env=_environment(), capture_output=True, check=False, timeout=LONGEST
    )

    assert done.returncode == 2
    assert json.loads(done.stdout)["decision"] == "block"


# The hook


def test_a_call_that_is_allowed_is_left_to_the_users_permissions(hook):
    """No decision is said, so that the guard never grants what the user would be asked about."""
    done = hook(_event("ls"))

    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout) == {}


def test_a_call_that_is_blocked_is_denied_with_the_reason(hook):
    """In the words of the protocol."""
    done = hook(_event("rm -rf /"))

    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout) == {
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": "deny",
            "permissionDecisionReason": "blocked by the policy coding@1\nno-wipe: it deletes",
        }
    }


@pytest.mark.parametrize(
    ("argv", "keys"),
    [(["--env", "dev"], {"systemMessage"}), (["--env", "audit"], set()), (["--mode", "audit"], {"systemMessage"})],
)
def test_what_is_not_enforced_decides_nothing(argv, keys, hook):
    """A warning is told to the user, and the call goes its usual way."""
    done = hook(_event("rm -rf /"), "--policy", "p.yaml", *argv)

    assert done.returncode == 0
    assert set(json.loads(done.stdout)) == keys


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"nonsense",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe\x00",
        _event()[:-1],
        _event() + _event(),
        _event()[:-1] + b', "tool_name": "Read"}',
        _event().replace(b'"ls"', b'"ls", "command": "rm -rf /"'),
        _event(hook_event_name="PostToolUse"),
        _event(hook_event_name="Stop"),
        _event(tool_name=None),
        _event(tool_input=None),
        _event(tool_input="ls"),
        b"{}",
        b'{"hook_event_name": "PreToolUse"}',
        _event(tool_input={"command": "x" * (33 << 20)}),
        b"[" * 1_000_000,
    ],
    ids=lambda data: data[:40].decode("latin-1") + f" {len(data)}",
)
def test_input_that_is_not_understood_is_blocked(data, hook):
    """Malformed, empty, ambiguous, enormous, another event, a field that is missing."""
    assert _blocked(hook(data))


@pytest.mark.parametrize("text", [None, "", "nonsense: [", "format: agentreplay.policy/1\nnmae: x\n", "\0"])
def test_a_policy_that_can_not_be_used_blocks_every_call(text, hook, folder):
    """Missing, broken, or gone since the last call."""
    if text is None:
        folder.joinpath("p.yaml").unlink()
    else:
        folder.joinpath("p.yaml").write_text(text)

    assert _blocked(hook(_event()), "p.yaml")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions that hold")
def test_a_policy_that_can_not_be_read_blocks_every_call(hook, folder):
    """Likewise."""
    folder.joinpath("p.yaml").chmod(0)

    assert _blocked(hook(_event()), "can't be read")


@pytest.mark.parametrize("argv", [["--hook", "claude-code"], ["--hook", "claude-code", "--policy"], ["--hook", "x"]])
def test_wrong_usage_blocks(argv, run):
    """A slip in the settings is seen at the first call."""
    assert run(_event(), *argv).returncode == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no os.fork")
@pytest.mark.parametrize(
    "body",
    [
        "raise KeyboardInterrupt",
        "import os; os._exit(0)",
        "import os; os.abort()",
        "import os; os.kill(os.getpid(), 9)",
        "import os; os.write(1, b'{}'); os._exit(0)",
        "import ctypes; ctypes.string_at(0)",
    ],
)
def test_a_rule_that_ends_the_process_blocks(body, hook, folder):
    """An internal crash, of whatever kind, is no way through."""
    folder.joinpath("hook_rules.py").write_text(f"def rule(context):\n    {body}\n")
    folder.joinpath("p.yaml").write_text(PYTHON)

    assert _blocked(hook(_event()))


@pytest.mark.parametrize(
    "text",
    [
        "def rule(context):\n    1 / 0\n",
        "def rule(context):\n    raise SystemExit(0)\n",
        "raise SystemExit(0)\n",
        "1 / 0\n",
        "",
    ],
)
def test_a_rule_that_fails_denies(text, hook, folder):
    """As the policy's `on_error` has it."""
    folder.joinpath("hook_rules.py").write_text(text)
    folder.joinpath("p.yaml").write_text(PYTHON)

    done = hook(_event())

    assert done.returncode == 0
    assert json.loads(done.stdout)["hookSpecificOutput"]["permissionDecision"] == "deny"


def test_what_a_rule_prints_is_no_answer(hook, folder):
    """Not even where it looks like one."""
    folder.joinpath("hook_rules.py").write_text("print('{}')\ndef rule(context):\n    print('{}')\n")
    folder.joinpath("p.yaml").write_text(PYTHON)

    assert hook(_event()).stdout == b"{}\n"


@pytest.mark.skipif(os.name != "posix", reason="a shell")
@pytest.mark.parametrize("streams", ["<&-", ">&-", "<&- >&-", ">&- 2>&-", "<&- 2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_blocks(streams, folder):
    """What can't be read was not judged, and what can't be written was not said."""
    folder.joinpath("event.json").write_bytes(_event())
    line = f"'{sys.executable}' -m pytest_agentreplay check --hook claude-code --policy p.yaml < event.json {streams}"

    done = subprocess.run(["sh", "-c", line], cwd=folder, env=_environment(), check=False, timeout=LONGEST)

    assert done.returncode == 2


@pytest.mark.skipif(os.name != "posix", reason="a shell")
def test_standard_error_that_is_closed_changes_nothing(folder):
    """A denial is said on standard output."""
    folder.joinpath("event.json").write_bytes(_event("rm -rf /"))
    line = f"'{sys.executable}' -m pytest_agentreplay check --hook claude-code --policy p.yaml < event.json 2>&-"

    done = subprocess.run(
        ["sh", "-c", line], cwd=folder, env=_environment(), stdout=subprocess.PIPE, check=False, timeout=LONGEST
    )

    assert done.returncode == 0 and b'"deny"' in done.stdout


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_an_answer_that_can_not_be_written_blocks(hook):
    """A denial that nobody hears is none."""
    with open("/dev/full", "wb") as full:
        assert _blocked(hook(_event("rm -rf /"), stdout=full))


@pytest.mark.skipif(os.name != "posix", reason="pipes without a reader")
def test_an_answer_that_nobody_reads_blocks(hook):
    """Likewise."""
    reading, writing = os.pipe()
    os.close(reading)

    done = hook(_event("rm -rf /"), stdout=writing)

    os.close(writing)
    assert _blocked(done)


# What came before


def _session(folder, *commands):
    lines = []
    for number, command in enumerate(commands):
        use = {"type": "tool_use", "id": f"toolu_{number}", "name": "Bash", "input": {"command": command}}
        answer = {"type": "tool_result", "tool_use_id": f"toolu_{number}", "content": "done"}
        lines += [{"type": "assistant", "message": {"role": "assistant", "content": [use]}}]
        lines += [{"type": "user", "message": {"role": "user", "content": [answer]}}]
    path = folder / "session.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


def test_rules_that_look_back_see_the_session(hook, folder):
    """The second identical call in a row is one too many."""
    folder.joinpath("p.yaml").write_text(LOOKS_BACK)
    path = _session(folder, "pwd", "ls")

    again = hook(_event("ls", transcript_path=path))
    other = hook(_event("pwd", transcript_path=path))

    assert json.loads(again.stdout)["hookSpecificOutput"]["permissionDecision"] == "deny"
    assert json.loads(other.stdout) == {}


def test_a_session_that_can_not_be_read_blocks_where_a_rule_looks_back(hook, folder):
    """And is nobody's business where none does."""
    gone = _event(transcript_path=str(folder / "gone.jsonl"))
    unwanted = hook(gone)
    folder.joinpath("p.yaml").write_text(LOOKS_BACK)

    assert json.loads(unwanted.stdout) == {}
    assert _blocked(hook(gone), "a rule looks back")
    assert _blocked(hook(_event(transcript_path=None)), "a rule looks back")


def test_an_answer_comes_soon(hook):
    """A process for every call: most of it is the interpreter's start and imports."""
    took = []
    for _ in range(5):
        start = time.perf_counter()
        hook(_event())
        took.append(time.perf_counter() - start)

    assert min(took) < 2  # seconds; about 0.2 on an idle machine
