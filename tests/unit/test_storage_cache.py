"""The cache of parsed traces: fast, and never wrong."""

from __future__ import annotations

import os
import stat
import threading

import pytest

from pytest_agentreplay.errors import TraceFormatError
from pytest_agentreplay.storage import TraceCache, cache, load_trace, save_trace
from pytest_agentreplay.trace import Trace

TEXT = "format: agentreplay.trace/1\nsteps:\n  - {tool: t, args: {n: 1}, result: {$float: nan}}\noutput: %s\n"


class Counting:
    """Counts how often a text is really parsed."""

    def __init__(self, parse):
        self.parse = parse
        self.calls = 0

    def __call__(self, data, source):
        self.calls += 1
        return self.parse(data, source)


@pytest.fixture(autouse=True)
def state_home(tmp_path, monkeypatch):
    """Give each test a user of its own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def parser(monkeypatch):
    """Count what is parsed."""
    counting = Counting(cache.parse_document)
    monkeypatch.setattr(cache, "parse_document", counting)
    return counting


@pytest.fixture
def trace_file(tmp_path):
    """Write a small trace whose output is one."""
    path = tmp_path / "t.yaml"
    path.write_text(TEXT % "one")
    return path


@pytest.fixture
def directory(tmp_path):
    """Name a cache directory that is not there yet."""
    return tmp_path / "cache"


def entry_of(directory):
    """Find the only entry of a cache."""
    (entry,) = directory.glob("*.json")
    return entry


def test_an_unchanged_file_is_parsed_once(trace_file, directory, parser):
    """Another process with the same user reads what the first has parsed."""
    first = TraceCache(directory).load(trace_file)
    second = TraceCache(directory).load(trace_file)

    assert parser.calls == 1
    assert first == second == load_trace(trace_file)
    assert second.path == trace_file


def test_a_changed_file_is_parsed_again_whatever_its_times_say(trace_file, directory, parser):
    """Same size, same modification time, other bytes: the other bytes are what is loaded."""
    loader = TraceCache(directory)
    before = trace_file.stat()
    loader.load(trace_file)
    trace_file.write_text(TEXT % "two")
    os.utime(trace_file, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert loader.load(trace_file).output == "two"
    assert parser.calls == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:10],
        lambda data: data[:-1],
        lambda data: data + b" ",
        lambda data: data.replace(b"one", b"0ne"),
        lambda data: bytes([data[0] ^ 1]) + data[1:],
        lambda data: b"\x80\x04garbage",
        lambda data: bytes(32) + data[32:],
    ],
    ids=["empty", "no payload", "truncated", "longer", "payload", "mac", "pickle", "zero mac"],
)
def test_a_damaged_or_forged_entry_is_never_served(trace_file, directory, parser, damage):
    """Anything that isn't exactly what this user wrote is parsed anew, without a word, and mended."""
    loader = TraceCache(directory)
    loader.load(trace_file)
    entry = entry_of(directory)
    entry.write_bytes(damage(entry.read_bytes()))

    assert loader.load(trace_file).output == "one"
    assert loader.load(trace_file).output == "one"
    assert parser.calls == 2


def test_an_entry_written_with_another_key_is_never_served(trace_file, directory, parser, monkeypatch, tmp_path):
    """A cache directory that came with a repository is worth nothing here."""
    TraceCache(directory).load(trace_file)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "victim"))

    assert TraceCache(directory).load(trace_file).output == "one"
    assert parser.calls == 2


def test_an_entry_of_another_file_is_never_served(trace_file, directory, parser, tmp_path):
    """An entry that was moved under another file's name doesn't fit it, not even for equal bytes."""
    loader = TraceCache(directory)
    loader.load(trace_file)
    stored = entry_of(directory).read_bytes()
    other = tmp_path / "u.yaml"
    other.write_text(TEXT % "one")
    loader.load(other)
    (entry,) = [path for path in directory.glob("*.json") if path.read_bytes() != stored]
    entry.write_bytes(stored)

    assert loader.load(other).output == "one"
    assert parser.calls == 3


def test_another_version_of_the_code_parses_again(trace_file, directory, parser, monkeypatch):
    """What an older package made of the bytes is not what this one makes of them."""
    TraceCache(directory).load(trace_file)
    monkeypatch.setattr(cache, "_fingerprint", lambda: b"another")
    TraceCache(directory).load(trace_file)

    assert parser.calls == 2


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_turns_the_cache_off(trace_file, directory, parser, state_home, mode):
    """Whoever knows the key can forge entries."""
    loader = TraceCache(directory)
    loader.load(trace_file)
    (state_home / "pytest-agentreplay" / "cache.key").chmod(mode)
    entry = entry_of(directory)
    entry.unlink()
    TraceCache(directory).load(trace_file)

    assert not entry.exists()
    assert parser.calls == 1  # the second load went around the cache


def test_the_key_is_the_users_alone(trace_file, directory, state_home):
    """It is made with the narrowest permissions, and nothing else is left there."""
    TraceCache(directory).load(trace_file)
    key = state_home / "pytest-agentreplay" / "cache.key"

    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(key.read_bytes()) == 32
    assert os.listdir(key.parent) == ["cache.key"]


@pytest.mark.parametrize("content", [b"", b"short", bytes(33)])
def test_a_key_of_the_wrong_size_turns_the_cache_off(trace_file, directory, state_home, content):
    """A key that was cut off is no key."""
    key = state_home / "pytest-agentreplay" / "cache.key"
    key.parent.mkdir(parents=True)
    key.write_bytes(content)
    key.chmod(0o600)

    assert TraceCache(directory).load(trace_file).output == "one"
    assert not directory.exists()


def test_a_key_that_is_a_link_turns_the_cache_off(trace_file, directory, state_home, tmp_path):
    """A link could lead to bytes that somebody else knows."""
    (tmp_path / "known").write_bytes(bytes(32))
    (tmp_path / "known").chmod(0o600)
    key = state_home / "pytest-agentreplay" / "cache.key"
    key.parent.mkdir(parents=True)
    key.symlink_to(tmp_path / "known")
    TraceCache(directory).load(trace_file)

    assert not directory.exists()


def test_without_a_place_for_the_key_the_cache_is_off(trace_file, directory, tmp_path, monkeypatch):
    """No home that can be written: traces load all the same."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))

    assert TraceCache(directory).load(trace_file).output == "one"
    assert not directory.exists()


def test_a_cache_directory_that_cannot_be_made_is_no_obstacle(trace_file, tmp_path):
    """The cache stays cold, the trace is loaded."""
    (tmp_path / "file").write_text("")

    assert TraceCache(tmp_path / "file" / "cache").load(trace_file).output == "one"


def test_payloads_beside_the_file_are_verified_behind_a_warm_cache(tmp_path, directory, parser):
    """An entry speaks for the file's own bytes; its payloads are read and checked each time."""
    path = tmp_path / "big.yaml"
    save_trace(Trace(output="x" * 70_000), path)
    loader = TraceCache(directory)
    first = loader.load(path)
    assert loader.load(path) == first and parser.calls == 1
    (blob,) = (tmp_path / "big.blobs").iterdir()
    blob.write_text('"forged"')

    with pytest.raises(TraceFormatError, match="not what its name says"):
        loader.load(path)


def test_a_broken_trace_is_told_each_time_with_its_place(tmp_path, directory):
    """A warm cache knows the line of a problem as a cold one does."""
    path = tmp_path / "broken.yaml"
    path.write_text("format: agentreplay.trace/1\nkind: incidnet\n")
    loader = TraceCache(directory)

    for _ in range(2):
        with pytest.raises(TraceFormatError) as caught:
            loader.load(path)
        assert caught.value.details["at"].endswith("broken.yaml:2:1")


@pytest.mark.parametrize(
    "value",
    ["1e308", "-0.0", "0.1", "123456789012345678901234567890", '"\\ud83d\\ude00"', '"\\x7f\\u2028"', "5e-324"],
)
def test_a_warm_load_gives_the_values_of_a_cold_one(tmp_path, directory, value):
    """Numbers and texts come out of the cache to the last bit."""
    path = tmp_path / "v.yaml"
    path.write_text(f"format: agentreplay.trace/1\noutput: {value}\n")
    loader = TraceCache(directory)
    outputs = [loader.load(path).output for _ in range(2)] + [load_trace(path).output]

    assert len({repr(output) for output in outputs}) == 1


def test_many_threads_share_a_cold_cache(trace_file, directory):
    """No load fails and none is wrong while entries and key are being made."""
    outputs = []

    def load():
        outputs.append(TraceCache(directory).load(trace_file).output)

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outputs == ["one"] * 8
    assert len(list(directory.iterdir())) == 1
