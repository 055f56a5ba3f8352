"""Files that change in one step."""

from __future__ import annotations

import os
import stat
import threading

import pytest

from pytest_agentreplay.storage import atomic
from pytest_agentreplay.storage.atomic import locked, replace_file

LEFTOVER = ".agentreplay-0123456789abcdef.tmp"


def test_a_new_file_has_the_permissions_that_the_user_gives_new_files(tmp_path):
    """The umask counts, as in any editor."""
    old = os.umask(0o027)
    try:
        replace_file(tmp_path / "a", b"1")
    finally:
        os.umask(old)

    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_a_replaced_file_keeps_its_permissions(tmp_path):
    """Nobody can read more, or less, than before."""
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "a").chmod(0o604)
    replace_file(tmp_path / "a", b"2")

    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o604
    assert (tmp_path / "a").read_bytes() == b"2"


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch, step):
    """Whatever fails, the bytes that were there are there."""

    def fail(*args):
        raise OSError(28, "No space left on device")

    (tmp_path / "a").write_bytes(b"1")
    monkeypatch.setattr(atomic.os, step, fail)
    with pytest.raises(OSError, match="No space"):
        replace_file(tmp_path / "a", b"2")

    assert (tmp_path / "a").read_bytes() == b"1"
    assert os.listdir(tmp_path) == ["a"]


def test_an_exclusive_holder_removes_what_a_killed_writer_left(tmp_path):
    """Litter of a crash doesn't stay; nothing else is touched."""
    (tmp_path / LEFTOVER).write_bytes(b"half")
    (tmp_path / ".other.tmp").write_bytes(b"x")
    with locked(tmp_path, shared=True):
        pass
    kept = sorted(os.listdir(tmp_path))
    with locked(tmp_path):
        pass

    assert kept == [LEFTOVER, ".other.tmp"]
    assert os.listdir(tmp_path) == [".other.tmp"]


def test_one_holder_at_a_time(tmp_path):
    """A second one waits until the first is done, also within one process."""
    events = []

    def second():
        with locked(tmp_path):
            events.append("second")

    thread = threading.Thread(target=second)
    with locked(tmp_path):
        thread.start()
        thread.join(0.2)
        events.append("first")
    thread.join()

    assert events == ["first", "second"]


def test_without_locks_it_goes_on(tmp_path, monkeypatch):
    """A platform without fcntl can still write."""
    monkeypatch.setattr(atomic, "fcntl", None)
    with locked(tmp_path):
        replace_file(tmp_path / "a", b"1")

    assert (tmp_path / "a").read_bytes() == b"1"


def test_a_file_system_without_locks_is_no_obstacle(tmp_path, monkeypatch):
    """Some network and container file systems refuse flock: then nothing is held."""

    def refuse(handle, operation):
        raise OSError(atomic.errno.ENOLCK, "no locks")

    monkeypatch.setattr(atomic.fcntl, "flock", refuse)
    (tmp_path / LEFTOVER).write_bytes(b"may be another's, being written")
    with locked(tmp_path):
        pass

    assert os.listdir(tmp_path) == [LEFTOVER]
