"""Audit events: what each of the interpreter's events attempts on the world.

Leaves out what touches nothing: reading, devices, bytecode caches, databases in
memory. Nothing here knows what a run is permitted, or when one is sealed.
"""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qs, unquote, urlsplit

from pytest_agentreplay.runtime.escapes import Attempt
from pytest_agentreplay.runtime.places import short_path

Reader: TypeAlias = Callable[..., Iterator[Attempt]]

_WRITING_FLAGS: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_DEVICES: Final = frozenset({os.devnull, "/dev/tty", "/dev/stdin", "/dev/stdout", "/dev/stderr"})
_DESCRIPTORS: Final = ("/dev/fd/", "/proc/self/fd/")
_BYTECODE: Final = re.compile(r"\.pyc(\.\d+)?")
_SHOWN: Final = 200
"""Characters of a command that are shown."""


# connections


def _connect(_: socket.socket, address: Any, *__: Any) -> Iterator[Attempt]:
    if address is None or _of_socketpair():
        return
    if isinstance(address, str | bytes):
        path = os.fsdecode(address)
        target = path if path.startswith("\0") else os.path.realpath(path)
        yield Attempt("connection", f"connect to the socket {target!r}", target, is_socket=True)
    elif isinstance(address, tuple) and address and isinstance(address[0], str | bytes):
        host, port = os.fsdecode(address[0]), address[1] if len(address) > 1 else None
        yield Attempt("connection", f"connect to {host}:{port}", host, port if isinstance(port, int) else None)


def _look_up(host: Any, *_: Any) -> Iterator[Attempt]:
    name = os.fsdecode(host) if isinstance(host, str | bytes) else ""
    if not _is_numeric(name) and name not in _own_names():
        yield Attempt("connection", f"look up {name}", name)


def _look_up_address(host: str) -> Iterator[Attempt]:
    if host not in _own_names() and not (_is_numeric(host) and ip_address(host).is_loopback):
        yield Attempt("connection", f"look up {host}", host)


def _own_names() -> set[str]:
    name = socket.gethostname()
    return {"", "localhost", "0.0.0.0", "::", name, name.partition(".")[0]}  # noqa: S104 - names that are looked up, not bound to


def _is_numeric(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _of_socketpair() -> bool:
    """Tell a pair made where the system has none: over loopback, as event loops need on Windows."""
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        if frame.f_code.co_filename == socket.__file__ and "socketpair" in frame.f_code.co_name:
            return True
    return False


# processes


def _run(executable: Any, args: Any = (), *_: Any) -> Iterator[Attempt]:
    words = [args] if isinstance(args, str | bytes) else list(args or [])
    argv = [os.fsdecode(word) for word in words]
    yield _process(f"run {argv}", os.fsdecode(executable if executable is not None else words[0]))


def _run_spawned(_: int, path: Any, args: Any, *__: Any) -> Iterator[Attempt]:
    yield from _run(path, args)


def _run_line(command: Any) -> Iterator[Attempt]:
    line = os.fsdecode(command)
    yield _process(f"run {line!r}", line.split(maxsplit=1)[0] if line.strip() else line)


def _run_on_terminal(argv: Any) -> Iterator[Attempt]:
    yield from _run(None, argv)


def _fork() -> Iterator[Attempt]:
    yield _process("fork", sys.executable)


def _fork_on_terminal() -> Iterator[Attempt]:
    caller = sys._getframe()
    while caller.f_back is not None:
        caller = caller.f_back
        if caller.f_code.co_name == "spawn" and caller.f_globals.get("__name__") == "pty":
            return  # judged by its own event
    yield from _fork()


def _fork_exec(args: Any, executables: Any) -> Iterator[Attempt]:
    if not any("from multiprocessing.resource_tracker import main" in os.fsdecode(word) for word in args):
        yield from _run(executables[0], args)


def _process(what: str, program: str) -> Attempt:
    return Attempt("process", what if len(what) <= _SHOWN else f"{what[:_SHOWN]}...", program)


# files


def _open(path: Any, mode: str | None, flags: int) -> Iterator[Attempt]:
    if flags & _WRITING_FLAGS or (mode and not {"w", "a", "x", "+"}.isdisjoint(mode)):
        yield from _change("write", path, skip_folder=True)


def _remove(path: Any, dir_fd: int = -1) -> Iterator[Attempt]:
    yield from _change("remove", path, dir_fd, follow=False)


def _rename(source: Any, target: Any, source_fd: int = -1, target_fd: int = -1) -> Iterator[Attempt]:
    ends = [_resolve(source, source_fd, follow=False), _resolve(target, target_fd, follow=False)]
    if not all(_is_bytecode(end) for end in ends):
        what = f"rename {short_path(ends[0])} to {short_path(ends[1])}"
        yield from (Attempt("file", what, end) for end in ends)


def _truncate(path: Any, _: int) -> Iterator[Attempt]:
    yield from _change("truncate", path)


def _link(_: Any, target: Any, __: int = -1, target_fd: int = -1) -> Iterator[Attempt]:
    yield from _change("link", target, target_fd, follow=False)


def _symlink(_: Any, target: Any, dir_fd: int = -1) -> Iterator[Attempt]:
    yield from _change("link", target, dir_fd, follow=False)


def _chmod(path: Any, _: int, dir_fd: int = -1) -> Iterator[Attempt]:
    yield from _change("change the mode of", path, dir_fd)


def _chown(path: Any, _: int, __: int, dir_fd: int = -1) -> Iterator[Attempt]:
    yield from _change("change the owner of", path, dir_fd)


def _database(database: Any) -> Iterator[Attempt]:
    name = os.fsdecode(database)
    if name.startswith("file:"):
        url = urlsplit(name)
        query = parse_qs(url.query)
        if query.get("mode", [""])[-1] in ("ro", "memory") or query.get("immutable", ["0"])[-1] == "1":
            return
        name = unquote(url.path)
    if name not in ("", ":memory:"):
        yield from _change("write the database", name)


def _change(
    verb: str, path: Any, dir_fd: int = -1, *, follow: bool = True, skip_folder: bool = False
) -> Iterator[Attempt]:
    if isinstance(path, int):
        return  # a descriptor: opening it was judged
    resolved = _resolve(path, dir_fd, follow=follow)
    folder = skip_folder and os.path.isdir(resolved)  # tempfile opens one, for its opener to make a file in it
    if not (folder or _is_device(path) or _is_bytecode(resolved)):
        yield Attempt("file", f"{verb} {short_path(resolved)}", resolved)


def _resolve(path: Any, dir_fd: int, *, follow: bool) -> str:
    """Make a path absolute and free of links; what names a link itself keeps its last part."""
    name = os.fsdecode(path)
    if dir_fd >= 0 and not os.path.isabs(name):
        name = os.path.join(os.path.realpath(f"/dev/fd/{dir_fd}"), name)
    if follow:
        return os.path.realpath(name)
    folder, last = os.path.split(name.rstrip(os.sep) or os.sep)
    return os.path.join(os.path.realpath(folder), last)


def _is_device(path: Any) -> bool:
    name = os.fsdecode(path)
    return name in _DEVICES or name.startswith(_DESCRIPTORS)


def _is_bytecode(path: str) -> bool:
    if not _BYTECODE.fullmatch(path[path.rfind(".pyc") :]):
        return False
    prefix = sys.pycache_prefix
    return os.path.basename(os.path.dirname(path)) == "__pycache__" or bool(
        prefix and path.startswith(os.path.realpath(prefix) + os.sep)
    )


FORK_EXEC: Final = "_posixsubprocess.fork_exec"
"""Our own event, since the interpreter has none for how multiprocessing spawns."""

READERS: Final[Mapping[str, Reader]] = {
    "socket.connect": _connect,
    "socket.sendto": _connect,
    "socket.sendmsg": _connect,
    "socket.getaddrinfo": _look_up,
    "socket.gethostbyname": _look_up,
    "socket.gethostbyaddr": _look_up_address,
    "subprocess.Popen": _run,
    "os.posix_spawn": _run,
    "os.exec": _run,
    "os.spawn": _run_spawned,
    "os.system": _run_line,
    "os.startfile": _run_line,
    "pty.spawn": _run_on_terminal,
    "os.fork": _fork,
    "os.forkpty": _fork_on_terminal,
    FORK_EXEC: _fork_exec,
    "open": _open,
    "os.remove": _remove,
    "os.rmdir": _remove,
    "os.rename": _rename,
    "os.truncate": _truncate,
    "os.link": _link,
    "os.symlink": _symlink,
    "os.chmod": _chmod,
    "os.chown": _chown,
    "sqlite3.connect": _database,
}
"""What each watched event attempts. Source: the audit events table of the Python library reference."""
