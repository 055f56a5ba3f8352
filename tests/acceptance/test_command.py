"""The command as a user runs it: a process with arguments, streams, an exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INCIDENT = str(ROOT / "golden_traces" / "incidents" / "search_loop.yaml")
OTHER = str(ROOT / "golden_traces" / "incidents" / "refund_instead_of_charge.yaml")
HEAVY = {"pydantic", "yaml", "deepdiff", "re2", "pluggy", "pytest"}


def _environment(**more):
    keep = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "HOME") if name in os.environ}
    return {**keep, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **more}


def _run(*argv, cwd=None, stdin=None, **environment):
    command = [sys.executable, "-m", "pytest_agentreplay", *argv]
    return subprocess.run(
        command, cwd=cwd, input=stdin, capture_output=True, check=False, env=_environment(**environment), timeout=60
    )


def _shell(script, **environment):
    script = script.replace("agent-replay", f"'{sys.executable}' -m pytest_agentreplay")
    return subprocess.run(
        ["bash", "-c", script], capture_output=True, check=False, env=_environment(**environment), timeout=60
    )


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (["lint"], 0),
        (["lint", "src"], 2),
        (["show", "search_loop"], 0),
        (["show", "incidents/search_loop", "--step", "search_docs#2"], 0),
        (["show", "nosuch"], 2),
        (["diff", INCIDENT, INCIDENT], 0),
        (["diff", INCIDENT, OTHER], 1),
        (["schema", "trace"], 0),
        (["schema", "policy"], 0),
        (["import", "nosuch", "x"], 2),
        (["export", "otlp", INCIDENT], 2),
    ],
)
def test_exit_codes(argv, code):
    """0 is fine, 1 differs or is invalid, 2 is wrong usage; that goes to standard error, without a traceback."""
    done = _run(*argv, cwd=ROOT)

    assert done.returncode == code, done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert bool(done.stderr) == (code == 2)


@pytest.mark.parametrize("columns", ["80", "120"])
@pytest.mark.parametrize("argv", [["--help"], ["import", "--help"], ["show", INCIDENT], ["diff", INCIDENT, OTHER]])
def test_output_fits_the_terminal(argv, columns):
    """Lines of known width stay inside the columns, and no colour is ever sent."""
    out = _run(*argv, COLUMNS=columns, NO_COLOR="1", FORCE_COLOR="1").stdout.decode()
    measured = [
        line for line in out.splitlines() if not line.startswith(("golden ", "run ", "  cause", "  why", "      trace"))
    ]

    assert measured and max(map(len, measured)) <= int(columns)
    assert "\x1b" not in out


@pytest.mark.parametrize("argv", [["lint"], ["show", INCIDENT], ["diff", INCIDENT, OTHER], ["schema", "trace"]])
def test_json_is_json_on_any_terminal(argv):
    """Also where the terminal knows ASCII alone."""
    done = _run(*argv, "--json", cwd=ROOT, LC_ALL="C", PYTHONUTF8="0", PYTHONIOENCODING="ascii")

    assert json.loads(done.stdout)
    assert done.stderr == b""


def test_a_terminal_without_utf_8_shows_what_it_can(tmp_path):
    """A character that it lacks is no reason to fail."""
    path = tmp_path / "a.yaml"
    path.write_text("format: agentreplay.trace/1\noutput: naïve 日本\n", "utf-8")

    done = _run("show", str(path), LC_ALL="C", PYTHONUTF8="0", PYTHONIOENCODING="ascii")

    assert done.returncode == 0
    assert rb'output    "na\xefve \u65e5\u672c"' in done.stdout


def test_traces_come_in_through_pipes():
    """`-` is standard input, in every verb that reads a trace."""
    data = Path(INCIDENT).read_bytes()

    assert b"search_docs#6" in _run("show", "-", stdin=data).stdout
    assert _run("diff", INCIDENT, "-", stdin=data).returncode == 0
    assert _run("lint", "-", stdin=data).returncode == 0


def test_transcripts_are_imported_from_a_shell(tmp_path):
    """From a chat in a pipe to a golden trace that lint accepts."""
    call = {"id": "c1", "type": "function", "function": {"name": "pay", "arguments": '{"eur": 45}'}}
    chat = [
        {"role": "user", "content": "pay"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "paid"},
    ]

    done = _run("import", "chat", "-", cwd=tmp_path, stdin=json.dumps(chat).encode())

    assert done.returncode == 0, done.stderr.decode()
    assert b"counted as writes, until `tools:` or --reads says otherwise: pay" in done.stdout
    assert _run("lint", cwd=tmp_path).returncode == 0
    assert b"1 call" in _run("import", "chat", "-", cwd=tmp_path, stdin=json.dumps(chat).encode()).stdout


@pytest.mark.skipif(os.name != "posix", reason="a shell with pipes")
@pytest.mark.parametrize(
    ("script", "code"),
    [
        (f"agent-replay show {INCIDENT} | head -n 1 > /dev/null; exit ${{PIPESTATUS[0]}}", 0),
        ("agent-replay schema trace | true; exit ${PIPESTATUS[0]}", 0),
        ("agent-replay --help | true; exit ${PIPESTATUS[0]}", 0),
        (f"agent-replay lint {INCIDENT} >&-", 0),
        (f"agent-replay diff {INCIDENT} {OTHER} >&-", 1),
        ("agent-replay show nosuch 2>&-", 2),
        ("agent-replay show - <&-", 2),
    ],
)
def test_streams_that_are_gone_change_nothing(script, code):
    """A reader that leaves, a stream that was closed: the exit code is the verb's, and nobody complains."""
    done = _shell(script)

    assert done.returncode == code, done.stderr.decode()
    assert b"Traceback" not in done.stderr and b"Exception ignored" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_output_that_can_not_be_written_is_told():
    """A full disk is no success."""
    done = _shell(f"agent-replay show {INCIDENT} > /dev/full")

    assert done.returncode == 1
    assert done.stderr.startswith(b"agent-replay: no space left on device")
    assert b"Exception ignored" not in done.stderr


def test_help_loads_nothing_heavy():
    """Asking how to use the command is immediate."""
    code = (
        "import sys\nfrom pytest_agentreplay.cli import main\nmain(['--help'])\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=_environment(), check=True)

    assert not HEAVY & set(done.stderr.decode().split())
