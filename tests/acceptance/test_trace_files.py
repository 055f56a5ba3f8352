"""Trace files: readable errors, exact round trips, small diffs, and nothing lost by crashes or crowds."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import stat
import subprocess
import sys
import time
from textwrap import dedent

import pytest

from pytest_agentreplay import Trace, TraceFormatError, load_trace, save_trace
from pytest_agentreplay.errors import SettingsError
from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.storage import update_trace
from pytest_agentreplay.trace import ErrorInfo, ToolStep

HEAD = "format: agentreplay.trace/1\n"
LARGE = "x" * 70_000

BROKEN = {
    "empty file": ("", 1, "nothing in it", "format: agentreplay.trace/1"),
    "a list": ("- tool: x\n", 1, "a trace is a mapping, this is a list", "start the file with the line `format:"),
    "no format": ("title: x\nsteps: []\n", 1, "`format` is missing", "format: agentreplay.trace/1"),
    "misspelt format": ("# c\nfromat: agentreplay.trace/1\n", 2, "`format` is missing", "where it says `fromat`"),
    "newer format": ("title: x\nformat: agentreplay.trace/2\n", 2, "agentreplay.trace/2 is newer", "upgrade"),
    "a policy": ("format: agentreplay.policy/1\nname: p\n", 1, "this is a policy, not a trace", "keep policies out"),
    "foreign format": ("format: openapi\n", 1, '"openapi" is no trace format', "format: agentreplay.trace/1"),
    "no YAML": (HEAD + "steps:\n  - tool: [x\ntitle: y\n", 4, "comma or a closing bracket", "add it"),
    "a tab": (HEAD + "steps:\n\t- tool: x\n", 3, "tab", "spaces"),
    "a key twice": (HEAD + "title: x\ntitle: y\n", 3, "title", "keep one"),
    "unknown key": (HEAD + "stesp: []\n", 2, "unknown key `stesp`", "did you mean `steps`?"),
    "unknown key in a step": (
        HEAD + "steps:\n  - tool: x\n    args: {}\n    reslt: 1\n",
        5,
        "unknown key `reslt`",
        "did you mean `result`?",
    ),
    "unknown key in a model": (HEAD + "run:\n  model: {temprature: 1}\n", 3, "`temprature`", "`temperature`?"),
    "unknown key, nothing near": (HEAD + "run: {zzz: 1}\n", 2, "unknown key `zzz`", "id, recorded_at, source"),
    "no kind of step": (HEAD + "steps:\n  - message: user\n  - tol: x\n", 4, "a step has one of tool", "`tool` where"),
    "two kinds of step": (HEAD + "steps:\n  - tool: x\n    model: y\n", 3, "tool and model", "a step of each"),
    "a step that is a text": (HEAD + "steps:\n  - search\n", 3, "expected a step", "a mapping with one of tool"),
    "a commit of digits": (
        HEAD + "run:\n  commit: 1234567\n",
        3,
        "expected text, found",
        'quote it: commit: "1234567"',
    ),
    "a version of digits": (HEAD + "run: {agent_version: 1.10}\n", 2, "number 1.1", 'agent_version: "1.10"'),
    "a tag of digits": (HEAD + "tags:\n  - ok\n  - 2024 # year\n", 4, "expected text", 'quote it: "2024"'),
    "a number in quotes": (
        HEAD + 'steps:\n- tool: x\n  duration_ms: "12.5"\n',
        4,
        "a number, found",
        "quotes off: 12.5",
    ),
    "one text for a list": (HEAD + "tags: loop\n", 2, 'expected a list, found the text "loop"', "[loop]"),
    "a text for a mapping": (HEAD + "replay: args\n", 2, "expected a mapping", "write a mapping"),
    "a wrong effect": (HEAD + "tools:\n  a: read\n  b: wirte\n", 4, 'read or write, found the text "wirte"', "write?"),
    "a wrong decision": (
        HEAD + "steps:\n- tool: x\n  verdict: blocked\n",
        4,
        "one of allow, log, warn, block",
        "block?",
    ),
    "a wrong limit": (HEAD + "expect:\n  calls:\n    x: nevr\n", 4, "`never` or a mapping", "{max: 3}"),
    "a negative limit": (HEAD + "expect:\n  calls:\n    x: {max: -1}\n", 4, "at least 0, found the number -1", "0"),
    "a sure finding": (
        HEAD + "steps:\n- tool: x\n  verdict:\n    decision: log\n    findings:\n    - {rule: r, confidence: 97}\n",
        7,
        "at most 1",
        "at most 1",
    ),
    "a result and an error": (
        HEAD + "steps:\n- tool: x\n  result: 1\n  error: {type: E}\n",
        5,
        "a result or an error, not both",
        "take one",
    ),
    "an error without type": (HEAD + "error:\n  message: m\n", 2, "`type` is missing", "add `type: ...`"),
    "an output and an error": (HEAD + "output: 1\nerror: {type: E}\n", 3, "an output or an error", "take one"),
    "an incident alone": (HEAD + "kind: incident\nsteps: []\n", 2, "an incident needs an `expect`", "kind: baseline"),
    "an answer without outcome": (
        HEAD + "replay:\n  answers:\n  - tool: x\n",
        4,
        "a result or an error",
        "result: ...",
    ),
    "no such check": (HEAD + "expect:\n  output: {contain: x}\n", 3, '"contain" is no check', "did you mean contains?"),
    "no regular expression": (HEAD + "expect:\n  output:\n    matches: '('\n", 4, "regular expression", "RE2"),
    "a state check without a check": (HEAD + "expect:\n  state:\n  - after: end\n", 4, "needs a check", "equals: 0"),
    "a misspelt state check": (HEAD + "expect: {state: [{after: end, equls: 1}]}\n", 2, "`equls`", "`equals`?"),
    "a bad path": (HEAD + "replay:\n  ignore_args: [a..b]\n", 3, "is no path", "a.b[0]"),
    "a mark that holds nonsense": (HEAD + "output:\n  a: {$base64: '=='}\n", 3, "$base64 can't be decoded", "$literal"),
    "a lost payload": (HEAD + f"output: {{$blob: 'sha256:{'0' * 64}'}}\n", 2, "can't be read", "restore the file"),
    "a payload elsewhere": (HEAD + "output: {$blob: 'sha256:../../x'}\n", 2, "is no payload", "restore the file"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_trace_says_where_what_and_what_would_be_right(tmp_path, monkeypatch, name):
    """File, line, column, the path inside, the fact and one remedy; never the error of a library."""
    text, line, fact, remedy = BROKEN[name]
    (tmp_path / "broken.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TraceFormatError) as caught:
        load_trace("broken.yaml")
    details = caught.value.details

    assert re.fullmatch(rf"broken\.yaml:{line}:\d+", details["at"])
    assert fact in caught.value.fact
    assert remedy in details["next"]
    assert details["path"]
    assert "pydantic" not in str(caught.value) and "\n" not in caught.value.fact


def test_the_first_problem_in_the_file_is_told_with_the_number_of_the_rest(tmp_path):
    """One thing at a time, from the top, and how much there is to come."""
    path = tmp_path / "t.yaml"
    path.write_text(HEAD + "zzz: 1\ntools: {a: raed}\nsteps:\n- tool: x\n  reslt: 1\n- {}\n- tool: 3\nkind: x\n")
    with pytest.raises(TraceFormatError) as caught:
        load_trace(path)

    assert caught.value.details["at"] == f"{path}:2:1"
    assert caught.value.details["more"] == "5 more problems after this one"


def test_the_path_inside_is_written_as_the_format_writes_paths(tmp_path):
    """Steps by index, keys by name, odd keys in quotes."""
    path = tmp_path / "t.yaml"
    path.write_text(HEAD + "expect:\n  calls:\n    a.b: {args: {to: {matches: '('}}}\n")
    with pytest.raises(TraceFormatError) as caught:
        load_trace(path)

    assert caught.value.details["path"] == 'expect.calls["a.b"].args.to.matches'


def test_a_missing_file_names_its_neighbours(tmp_path, monkeypatch):
    """A typo in a path is answered with the files that are there."""
    (tmp_path / "refund-loop.yaml").write_text(HEAD)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TraceFormatError, match="no such trace file") as caught:
        load_trace("refund-lop.yaml")
    with pytest.raises(TraceFormatError, match="there is no directory golden") as elsewhere:
        load_trace("golden/refund-loop.yaml")

    assert caught.value.details["closest"] == "refund-loop.yaml"
    assert caught.value.details["at"] == "refund-lop.yaml"
    assert elsewhere.value.details["next"]


def test_what_is_no_file_is_refused_both_ways(tmp_path):
    """A directory, or a device, is neither read nor replaced."""
    with pytest.raises(TraceFormatError, match="is a directory") as caught:
        load_trace(tmp_path)
    with pytest.raises(SettingsError, match="it is no file"):
        save_trace(Trace(), tmp_path)
    with pytest.raises(SettingsError, match="it is no file"):
        save_trace(Trace(), os.devnull)

    assert caught.value.details["at"] == str(tmp_path)


COMMENTED = """\
# yaml-language-server: $schema=../trace.schema.json
format: agentreplay.trace/1   # required

title: 'Refund loop'
tags: [ loop,  support ]      # two of them
steps:
  # the only call
  - {tool: lookup, args: {order: o-1}, result: {amount: 39}}
output: done  # as it should be
expect:
  output: "done"
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["", "BOM"])
def test_saving_what_was_loaded_writes_nothing(tmp_path, newline, mark):
    """Not one byte, not even the file's time."""
    path = tmp_path / "t.yaml"
    path.write_bytes((mark + COMMENTED.replace("\n", newline)).encode())
    before, data = path.stat(), path.read_bytes()
    save_trace(load_trace(path), path)

    assert path.read_bytes() == data
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["", "BOM"])
def test_updating_one_key_leaves_every_other_byte(tmp_path, newline, mark):
    """A re-recorded output is one line in the diff."""
    path = tmp_path / "t.yaml"
    path.write_bytes((mark + COMMENTED.replace("\n", newline)).encode())
    update_trace(path, {"output": "other"})
    expected = COMMENTED.replace("output: done  #", "output: other  #").replace("\n", newline)

    assert path.read_bytes().decode() == mark + expected
    assert load_trace(path).output == "other"


def test_an_update_replaces_and_removes_keys(tmp_path):
    """A run that now ends in an error has no output any more."""
    path = tmp_path / "t.yaml"
    path.write_text(COMMENTED)
    trace = update_trace(
        path,
        {"steps": [ToolStep(tool="b", result=[1])], "output": MISSING, "error": ErrorInfo(type="KeyError"), "tags": []},
    )
    text = path.read_text()

    assert trace == load_trace(path)
    assert trace.path == path and trace.steps[0].address == "b#1"
    assert "error: {type: KeyError}" in text and "output: done" not in text and "tags" not in text
    assert text.startswith(COMMENTED.split("tags")[0]) and 'expect:\n  output: "done"' in text


def test_an_update_that_would_break_the_trace_is_refused(tmp_path):
    """What is wrong is told, and the file is as it was."""
    path = tmp_path / "t.yaml"
    path.write_text(COMMENTED)
    with pytest.raises(TraceFormatError, match="an output or an error"):
        update_trace(path, {"error": ErrorInfo(type="E")})
    with pytest.raises(TraceFormatError, match="unknown key `stesp`"):
        update_trace(path, {"stesp": []})
    with pytest.raises(TraceFormatError, match="no such trace file"):
        update_trace(tmp_path / "new" / "t.yaml", {"output": 1})

    assert path.read_text() == COMMENTED
    assert os.listdir(tmp_path) == ["t.yaml"]


def test_a_new_file_is_made_with_its_directories(tmp_path):
    """Recording a trace into a directory that is not there yet makes it."""
    trace = Trace(input={"q": "ä"}, steps=[ToolStep(tool="t", args={}, result="a\nb\n")], output=None)
    path = tmp_path / "a" / "b" / "t.yaml"
    save_trace(trace, path)

    assert load_trace(path) == trace
    assert os.listdir(path.parent) == ["t.yaml"]


@pytest.mark.parametrize("text", ["format: agentreplay.policy/1\n", "services: {}\n", HEAD + "steps: [\n", "\x00"])
def test_what_is_no_readable_trace_is_not_written_over(tmp_path, text):
    """A policy, another tool's file, a trace with a slip in it: somebody's work is kept."""
    path = tmp_path / "t.yaml"
    path.write_text(text)
    with pytest.raises(TraceFormatError, match="not written over") as caught:
        save_trace(Trace(output=1), path)

    assert path.read_text() == text
    assert "or remove the file" in caught.value.details["next"]


def test_a_link_is_followed_and_permissions_are_kept(tmp_path):
    """The file behind the link changes, and who may read it does not."""
    (tmp_path / "real").mkdir()
    real = tmp_path / "real" / "t.yaml"
    real.write_text(COMMENTED)
    real.chmod(0o604)
    link = tmp_path / "link.yaml"
    link.symlink_to(real)
    update_trace(link, {"output": LARGE})

    assert link.is_symlink() and stat.S_IMODE(real.stat().st_mode) == 0o604
    assert load_trace(link).output == load_trace(real).output == LARGE
    assert sorted(os.listdir(tmp_path)) == ["link.yaml", "real"]
    assert sorted(os.listdir(real.parent)) == ["t.blobs", "t.yaml"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_may_not_be_read_or_written_says_so(tmp_path):
    """Permissions are told as what they are, and nothing is changed."""
    path = tmp_path / "t.yaml"
    path.write_text(COMMENTED)
    path.chmod(0o444)
    with pytest.raises(SettingsError, match="permission denied"):
        update_trace(path, {"output": 1})
    path.chmod(0)
    with pytest.raises(TraceFormatError, match="permission denied") as caught:
        load_trace(path)
    path.chmod(0o644)

    assert caught.value.details["next"] == "make the file readable"
    assert path.read_text() == COMMENTED


@pytest.mark.skipif(sys.platform == "win32", reason="no limits on file sizes there")
def test_a_full_disk_loses_nothing(tmp_path):
    """The old file stays, nothing is left beside it, the error names place and remedy."""
    path = tmp_path / "t.yaml"
    path.write_text(COMMENTED)
    code = """
        import resource, sys
        from pytest_agentreplay.storage import update_trace
        from pytest_agentreplay.errors import SettingsError
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        for output in ("x" * 5_000, "x" * 70_000):
            try:
                update_trace(sys.argv[1], {"output": output})
            except SettingsError as error:
                print(error.fact, error.details["at"], error.details["next"], sep="|")
    """
    done = subprocess.run(
        [sys.executable, "-c", dedent(code), str(path)], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stdout.count(f"can't write a trace: file too large|{path}|free some space") == 2, done.stderr
    assert path.read_text() == COMMENTED
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["t.yaml"]


def test_large_payloads_live_beside_the_file(tmp_path):
    """Over 64 KiB of JSON a payload has a file of its own, below it stays; both load as they were."""
    small, path = "y" * 60_000, tmp_path / "t.yaml"
    steps = [ToolStep(tool="t", args={"body": LARGE, "n": 1}, result=[LARGE, b"x"], state={"s": small})]
    trace = Trace(steps=steps, output={"$blob": LARGE})
    save_trace(trace, path)
    blobs = sorted(os.listdir(tmp_path / "t.blobs"))

    assert len(path.read_text()) < 61_000
    assert len(blobs) == 3 and all(re.fullmatch(r"[0-9a-f]{64}\.json", name) for name in blobs)
    assert load_trace(path) == trace


def test_payloads_that_a_rewritten_trace_no_longer_names_are_removed(tmp_path):
    """Old payloads go, new ones come, files that are none stay."""
    path = tmp_path / "t.yaml"
    save_trace(Trace(input=LARGE, output=LARGE + "1"), path)
    (tmp_path / "t.blobs" / "README").write_text("mine")
    before = set(os.listdir(tmp_path / "t.blobs"))
    update_trace(path, {"output": LARGE + "2"})
    after = set(os.listdir(tmp_path / "t.blobs"))
    update_trace(path, {"output": MISSING, "input": MISSING})

    assert len(before & after) == 2 and len(after - before) == 1
    assert os.listdir(tmp_path / "t.blobs") == ["README"]


def test_a_large_inline_payload_of_a_hand_written_trace_stays_inline(tmp_path):
    """A payload may live beside the file; moving one that didn't change would be a diff for nothing."""
    path = tmp_path / "t.yaml"
    path.write_text(HEAD + f"input: {LARGE}\noutput: 1\n")
    update_trace(path, {"output": 2})

    assert path.read_text() == HEAD + f"input: {LARGE}\noutput: 2\n"
    assert not (tmp_path / "t.blobs").exists()


def test_a_lost_payload_can_be_recorded_again(tmp_path):
    """Saving the trace anew heals a file whose payload is gone."""
    path = tmp_path / "t.yaml"
    trace = Trace(input=1, output=LARGE)
    save_trace(trace, path)
    for blob in (tmp_path / "t.blobs").iterdir():
        blob.unlink()
    save_trace(trace, path)

    assert load_trace(path) == trace


def test_a_changed_payload_is_told(tmp_path):
    """What a golden trace says can't be changed behind its back."""
    path = tmp_path / "t.yaml"
    save_trace(Trace(output=LARGE), path)
    (blob,) = (tmp_path / "t.blobs").iterdir()
    blob.write_text(json.dumps(LARGE + "!"))
    with pytest.raises(TraceFormatError, match="it was changed") as caught:
        load_trace(path)

    assert caught.value.details["path"] == "output.$blob"
    assert caught.value.details["at"] == f"{path}:2:10"


WRITER = """
    import itertools, sys
    from pytest_agentreplay import Trace, save_trace
    from pytest_agentreplay.storage import update_trace
    from pytest_agentreplay.trace import ToolStep
    path, size = sys.argv[1], int(sys.argv[2])
    print("ready", flush=True)
    for n in itertools.count():
        text = str(n % 10) * size
        if n % 3:
            update_trace(path, {"steps": [ToolStep(tool="t", result=text)], "output": text})
        else:
            save_trace(Trace(title="kept", steps=[ToolStep(tool="t", result=text)], output=text), path)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
@pytest.mark.parametrize("size", [2_000, 70_000], ids=["inline", "with payloads"])
def test_a_killed_writer_leaves_the_old_file_or_the_new_one(tmp_path, size):
    """Killed at whatever moment: a whole trace, no half of two, and nothing that a collector takes for one."""
    path = tmp_path / "t.yaml"
    save_trace(Trace(title="kept", steps=[ToolStep(tool="t", result="")], output=""), path)
    chance = random.Random(20260504)
    for _ in range(6):
        with subprocess.Popen(
            [sys.executable, "-c", dedent(WRITER), str(path), str(size)], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout.readline() == "ready\n"
            time.sleep(chance.uniform(0.0, 0.12))
            writer.send_signal(signal.SIGKILL)
        trace = load_trace(path)
        assert trace.title == "kept"
        assert trace.output == trace.tool_steps[0].result
        assert len(trace.output) in (0, size) and len(set(trace.output)) <= 1
        assert [file.name for file in tmp_path.rglob("*.yaml")] == ["t.yaml"]
    save_trace(Trace(output=1), path)

    assert [file.name for file in tmp_path.rglob("*")] == ["t.yaml"]


UPDATER = """
    import sys
    from pytest_agentreplay import Trace, save_trace
    from pytest_agentreplay.storage import update_trace
    shared, own, key = sys.argv[1:]
    for n in range(15):
        update_trace(shared, {key: f"{key} {n} " + "x" * 70_000 * (key == "output")})
        save_trace(Trace(output=n), own)
"""


def test_several_processes_change_one_trace_and_their_own(tmp_path):
    """Each one's changes are there in the end: none is lost to another that wrote at the same time."""
    shared = tmp_path / "shared.yaml"
    save_trace(Trace(steps=[]), shared)
    keys = ["title", "description", "output"]
    processes = [
        subprocess.Popen([sys.executable, "-c", dedent(UPDATER), str(shared), str(tmp_path / f"{key}.yaml"), key])
        for key in keys
    ]
    while any(process.poll() is None for process in processes):
        load_trace(shared)  # never a half, never a payload that is already gone

    assert [process.returncode for process in processes] == [0, 0, 0]
    trace = load_trace(shared)
    assert (trace.title, trace.description, trace.output[:10]) == ("title 14 ", "description 14 ", "output 14 ")
    assert [load_trace(tmp_path / f"{key}.yaml").output for key in keys] == [14, 14, 14]
    assert len(os.listdir(tmp_path / "shared.blobs")) == 1
    assert not list(tmp_path.rglob("*.tmp"))
