"""`agent-replay import`: foreign transcripts to golden traces, redacted, nothing written over unasked."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace

import pytest

from pytest_agentreplay.api.hooks import hookimpl, plugin_manager
from pytest_agentreplay.cli import main
from pytest_agentreplay.interop.registry import FunctionImporter
from pytest_agentreplay.interop.transcript import Imported
from pytest_agentreplay.storage.trace_files import load_trace
from pytest_agentreplay.trace import ErrorInfo, MessageStep, RunInfo, ToolStep, Trace

KEY = "sk-proj-" + "Ab3" * 16


def _conversation(question="How much?", answer="45 EUR", tool="lookup"):
    call = {"id": "call_1", "type": "function", "function": {"name": tool, "arguments": '{"order": "o-1"}'}}
    return [
        {"role": "user", "content": question},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": answer},
        {"role": "assistant", "content": answer},
    ]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _write(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return name


def _imported(capsys, *argv, code=0):
    assert main(["import", *argv]) == code
    return capsys.readouterr().out


def test_a_transcript_becomes_a_golden_trace(folder, capsys):
    """The default place is where pytest looks for golden traces."""
    _write(folder, "run.json", _conversation())

    out = _imported(capsys, "chat", "run.json")

    trace = load_trace("golden_traces/run.yaml")
    assert [step.tool for step in trace.tool_steps] == ["lookup"]
    assert out == (
        "run.json\n  wrote    golden_traces/run.yaml, 1 call\n1 trace from 1 file, 0 odd, 0 refused\n"
        "counted as writes, until `tools:` or --reads says otherwise: lookup\n"
    )


def test_secrets_are_gone_before_anything_is_written(folder, capsys):
    """Wherever a transcript holds them."""
    _write(folder, "run.json", _conversation(f"my key is {KEY}, write to ann@example.org", f"used {KEY}"))

    out = _imported(capsys, "chat", "run.json")

    written = folder.joinpath("golden_traces/run.yaml").read_text("utf-8")
    assert KEY not in written and "ann@example.org" not in written
    assert "redacted:" in written
    assert "1 call, redacted" in out


def test_every_place_that_a_stranger_fills_is_redacted(folder, capsys):
    """Messages, arguments, results, errors, states, labels, title, ending: none is forgotten, and names stay."""
    from pytest_agentreplay.api.redacting import redacted
    from pytest_agentreplay.redaction import Redactor
    from pytest_agentreplay.trace.document import render_trace

    trace = Trace(
        title=KEY,
        description=KEY,
        input={"a": KEY},
        tools={"get_password": "read"},
        run=RunInfo(labels={"note": KEY}),
        steps=[
            MessageStep(message="user", content=[{"type": "text", "text": KEY}]),
            ToolStep(tool="get_password", args={"b": [KEY]}, result={"c": KEY}, state={"d": KEY}),
            ToolStep(tool="x", raw_args=f'{{"b": "{KEY}', error=ErrorInfo(type="ValueError", message=KEY)),
        ],
        output=KEY,
    )

    text = render_trace(redacted(trace, Redactor(), {}))

    assert KEY not in text
    assert "get_password: read" in text and "tool: get_password" in text and "type: ValueError" in text


def test_importing_again_changes_nothing(folder, capsys):
    """The same transcript gives the same trace."""
    _write(folder, "run.json", _conversation(f"{KEY}"))
    _imported(capsys, "chat", "run.json")
    before = folder.joinpath("golden_traces/run.yaml").stat().st_mtime_ns

    out = _imported(capsys, "chat", "run.json")

    assert "  same     golden_traces/run.yaml" in out
    assert folder.joinpath("golden_traces/run.yaml").stat().st_mtime_ns == before


def test_a_file_that_says_something_else_is_not_written_over(folder, capsys):
    """What somebody worked on is safe, and the refusal names it; --force says that it may go."""
    _write(folder, "run.json", _conversation())
    _imported(capsys, "chat", "run.json")
    golden = folder / "golden_traces/run.yaml"
    golden.write_text(golden.read_text("utf-8") + "expect: {calls: {lookup: {max: 1}}}\n", "utf-8")

    out = _imported(capsys, "chat", "run.json", code=1)
    assert "refused  run: golden_traces/run.yaml is already there and says something else" in out
    assert "expect:" in golden.read_text("utf-8")

    out = _imported(capsys, "chat", "run.json", "--force")
    assert "  over     golden_traces/run.yaml" in out
    assert load_trace(golden).expect is None


def test_a_file_that_is_no_trace_is_not_written_over_even_by_force(folder, capsys):
    """Whatever it is, it is not ours."""
    _write(folder, "run.json", _conversation())
    _write(folder, "golden_traces/run.yaml", "shopping: [milk]\n")

    for force in ([], ["--force"]):
        assert "refused" in _imported(capsys, "chat", "run.json", *force, code=1)
    assert folder.joinpath("golden_traces/run.yaml").read_text("utf-8") == "shopping: [milk]\n"


def test_a_file_named_twice_is_imported_once(folder, capsys):
    """By whatever path."""
    _write(folder, "run.json", _conversation())

    out = _imported(capsys, "chat", "run.json", "./run.json", str(folder / "run.json"))

    assert "1 trace from 1 file" in out


def test_files_of_one_name_do_not_write_over_each_other(folder, capsys):
    """Not even with --force: the second one is numbered."""
    _write(folder, "a/run.json", _conversation())
    _write(folder, "b/run.json", _conversation(answer="50 EUR"))

    _imported(capsys, "chat", "a/run.json", "b/run.json", "--force")

    assert load_trace("golden_traces/run.yaml").output == "45 EUR"
    assert load_trace("golden_traces/run-2.yaml").output == "50 EUR"


def test_reads_are_declared_and_the_rest_is_left_open(folder, capsys):
    """A transcript doesn't say what a tool does; the user may, and slips are told."""
    _write(folder, "run.json", _conversation())

    out = _imported(capsys, "chat", "run.json", "-o", "out", "--reads", "lookup, lokup")

    assert load_trace("out/run.yaml").tools == {"lookup": "read"}
    assert load_trace("out/run.yaml").tool_steps[0].effect == "read"
    assert "counted as writes" not in out
    assert "named by --reads and called by no trace: lokup" in out


def test_what_is_refused_is_told_and_does_not_stop_the_rest(folder, capsys):
    """Each file is imported for itself."""
    _write(folder, "bad.json", "{")
    _write(folder, "good.json", _conversation())

    out = _imported(capsys, "chat", "bad.json", "good.json", code=1)

    assert "  refused  not JSON" in out and "           next: " in out
    assert "wrote    golden_traces/good.yaml" in out


def test_refusals_of_one_reason_are_told_once(folder, capsys):
    """A file of a thousand chats without a tool doesn't fill the terminal."""
    _write(folder, "run.json", [{"messages": [{"role": "user", "content": "hi"}]}] * 30)

    out = _imported(capsys, "chat", "run.json", code=1)

    assert out.count("no tool calls") == 1
    assert "(and 29 more like it)" in out


def test_standard_input_is_a_file_too(folder, monkeypatch, capsys):
    """Its traces are named after it."""
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(json.dumps(_conversation()).encode())))

    assert "standard input\n  wrote    golden_traces/stdin.yaml" in _imported(capsys, "chat", "-")


def test_json_has_everything(folder, capsys):
    """Also the notes that the text leaves out."""
    _write(folder, "run.json", _conversation())

    found = json.loads(_imported(capsys, "chat", "run.json", "--json"))

    assert found["unclassified"] == ["lookup"]
    assert found["sources"][0]["traces"][0] == {
        "status": "wrote",
        "path": "golden_traces/run.yaml",
        "calls": 1,
        "redacted": False,
        "tools": ["lookup"],
        "unclassified": ["lookup"],
        "cassette": None,
    }


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["caht", "run.json"], "closest  chat"),
        (["chat", "nosuch.json"], "there is no file nosuch.json"),
        (["chat", "."], "is a directory"),
        (["chat", "run.json", "-o", "run.json"], "run.json is no directory"),
        (["chat"], "FILE"),
    ],
)
def test_wrong_usage_writes_nothing(argv, told, folder, capsys):
    """It is told before anything is done."""
    _write(folder, "run.json", _conversation())

    assert main(["import", *argv]) == 2
    assert told in capsys.readouterr().err
    assert not folder.joinpath("golden_traces").exists()


def _broken(data, source):
    raise RuntimeError("boom")


@pytest.mark.parametrize(
    ("parse", "code", "told"),
    [
        (lambda data, source: Imported([("mine", Trace(steps=[ToolStep(tool="t", args={})]))]), 0, "mine.yaml, 1 call"),
        (_broken, 1, "the importer theirs failed: RuntimeError: boom"),
    ],
)
def test_importers_of_others_are_used(parse, code, told, folder, capsys):
    """A plugin's format is a format like ours; its failure is told as its own."""

    class Theirs:
        @hookimpl
        def agent_replay_importers(self):
            return [FunctionImporter("theirs", "a format", parse)]

    _write(folder, "run.bin", "x")
    plugin = Theirs()
    plugin_manager().register(plugin)
    try:
        assert told in _imported(capsys, "theirs", "run.bin", code=code)
    finally:
        plugin_manager().unregister(plugin)
