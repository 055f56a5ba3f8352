"""Files that change in one step: a reader, and a crash, sees the old bytes or the new ones.

Two guarantees, apart: `replace_file` swaps a whole file, `locked` lets one
process at a time read, change and replace within a directory. Nothing here knows
what the files hold.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_NO_LOCKS = {errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.ENOLCK}
_TEMPORARY = (".agentreplay-", ".tmp")


@contextmanager
def locked(directory: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold a directory against other processes and threads that ask for it too.

    An exclusive holder also removes what killed writers left behind there. Where the
    platform has no ``fcntl``, or the file system no locks, nothing is held: each write is
    still one step, but of two concurrent changes to one file the later one wins.

    Raises:
        OSError: when the directory can't be opened.
    """
    if fcntl is None:
        yield
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        if _flock(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX) and not shared:
            _sweep(directory)
        yield
    finally:
        os.close(handle)


def _flock(handle: int, operation: int) -> bool:
    try:
        fcntl.flock(handle, operation)
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return False
        raise
    return True


def replace_file(target: Path, data: bytes, *, durable: bool = True) -> None:
    """Put `data` in the place of a file, keeping its permissions.

    The bytes are written beside it first, under a hidden name that no collector of
    traces takes up.

    Args:
        target: no symbolic link: it would be replaced itself.
        data: the whole content.
        durable: wait for the disk, so that a power cut can't lose both old and new.

    Raises:
        OSError: with the target as it was.
    """
    prefix, suffix = _TEMPORARY
    temporary = target.with_name(f"{prefix}{secrets.token_hex(8)}{suffix}")
    try:
        _write_new(temporary, data, _mode_of(target), durable=durable)
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable and fcntl is not None:
        _sync_directory(target.parent)


def _write_new(path: Path, data: bytes, mode: int | None, *, durable: bool) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
        if mode is not None:
            os.chmod(path, mode)
        file.write(data)
        file.flush()
        if durable:
            os.fsync(file.fileno())


def _mode_of(target: Path) -> int | None:
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        return None


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sweep(directory: Path) -> None:
    prefix, suffix = _TEMPORARY
    for entry in os.scandir(directory):
        if entry.name.startswith(prefix) and entry.name.endswith(suffix):
            Path(entry.path).unlink(missing_ok=True)
