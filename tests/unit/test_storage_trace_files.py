"""Trace files: what readers and writers hold, and what an update takes."""

from __future__ import annotations

import threading

import pytest

from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.storage import load_trace, save_trace, update_trace
from pytest_agentreplay.storage.atomic import locked
from pytest_agentreplay.trace import ReplayOptions, Trace

HEAD = "format: agentreplay.trace/1\n"


def load_in_thread(path):
    """Load a trace in a thread, and wait a moment for it."""
    loaded = []
    thread = threading.Thread(target=lambda: loaded.append(load_trace(path)))
    thread.start()
    thread.join(0.2)
    return thread, loaded


def test_a_trace_with_payloads_is_not_read_while_it_is_written(tmp_path):
    """Between a new text and the removal of old payloads a reader could find neither: it waits."""
    save_trace(Trace(output="x" * 70_000), tmp_path / "big.yaml")
    with locked(tmp_path):
        thread, loaded = load_in_thread(tmp_path / "big.yaml")
        waiting = not loaded
    thread.join()

    assert waiting and len(loaded) == 1


def test_a_trace_in_one_file_is_read_at_any_time(tmp_path):
    """One file is old or new by itself; nobody waits for it."""
    save_trace(Trace(output="x"), tmp_path / "t.yaml")
    with locked(tmp_path):
        thread, loaded = load_in_thread(tmp_path / "t.yaml")
        thread.join()

        assert len(loaded) == 1


def test_the_path_of_a_loaded_trace_stays_true_in_another_directory(tmp_path, monkeypatch):
    """What a trace names relative to itself is found after a chdir."""
    save_trace(Trace(output=1), tmp_path / "t.yaml")
    monkeypatch.chdir(tmp_path)

    assert load_trace("t.yaml").path == tmp_path / "t.yaml"


@pytest.mark.parametrize(
    ("written", "saved"),
    [
        ("kind: baseline\n", Trace()),
        ("title: null\ntags: []\n", Trace()),
        ("", Trace(kind="baseline", tags=[], replay=ReplayOptions())),
        ("input: {b: 1, a: 2}\n", Trace(input={"a": 2, "b": 1})),
    ],
)
def test_what_says_the_same_is_not_rewritten(tmp_path, written, saved):
    """A default that is spelled out, or keys in another order, are no difference."""
    path = tmp_path / "t.yaml"
    path.write_text(HEAD + written)
    save_trace(saved, path)

    assert path.read_text() == HEAD + written


@pytest.mark.parametrize(
    ("written", "saved"),
    [
        ("output: 1\n", Trace(output=1.0)),
        ("output: 1\n", Trace(output=True)),
        ("output: null\n", Trace()),
        ("", Trace(output=None)),
        ('output: ""\n', Trace(output=None)),
    ],
)
def test_what_differs_in_type_alone_is_rewritten(tmp_path, written, saved):
    """1, 1.0 and true, nothing, null and "" are different things."""
    path = tmp_path / "t.yaml"
    path.write_text(HEAD + written)
    save_trace(saved, path)

    assert path.read_text() != HEAD + written
    assert repr(load_trace(path).output) == repr(saved.output)


@pytest.mark.parametrize(("key", "default"), [("output", MISSING), ("error", None), ("steps", []), ("tags", [])])
def test_a_default_takes_its_key_out(tmp_path, key, default):
    """An update never writes `error: null` beside an output."""
    path = tmp_path / "t.yaml"
    lines = {"tags": "tags: [a]\n", "steps": "steps:\n  - {tool: t}\n", "output": "output: 1\n"}
    if key == "error":
        del lines["output"]
    path.write_text(HEAD + "".join(lines.values()) + ("error: {type: E}\n" if key == "error" else ""))
    update_trace(path, {key: default})

    assert path.read_text() == HEAD + "".join(line for name, line in lines.items() if name != key)


def test_an_empty_file_is_filled(tmp_path):
    """A file that was touched, or made by mktemp, holds nothing that could be lost."""
    path = tmp_path / "t.yaml"
    path.write_text(" \n")
    save_trace(Trace(output=1), path)

    assert path.read_text() == HEAD + "output: 1\n"
