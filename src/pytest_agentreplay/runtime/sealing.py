"""Sealing: what a run reaches for around its tools is stopped, and told.

One audit hook, added when the first run is sealed, since a hook can't be taken
away again: with no run sealed it ends at its first statement. An event belongs
to the run whose lineage its thread or task carries. What native code does out
of the interpreter's sight raises no event and is not seen.
"""

from __future__ import annotations

import _socket
import os
import subprocess  # binds the real fork_exec, whose calls have their own event, before it is replaced
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from pytest_agentreplay.runtime.audit_events import FORK_EXEC, READERS, Reader
from pytest_agentreplay.runtime.children import with_marker
from pytest_agentreplay.runtime.escapes import Escape
from pytest_agentreplay.runtime.lineage import Lineage, current, current_mark, outside
from pytest_agentreplay.runtime.patching import Patches
from pytest_agentreplay.runtime.permits import Permits, Seal
from pytest_agentreplay.runtime.places import place_of

__all__ = ["Escape", "Seal", "outside", "sealed"]

_TEMPORARY: Final = frozenset({"tempfile.mkstemp", "tempfile.mkdtemp"})

_lock: Final = threading.Lock()
_patches: Final = Patches()
_sealed: dict[Lineage, Permits] = {}
_hooked = False


@contextmanager
def sealed(lineage: Lineage, seal: Seal) -> Iterator[Callable[[str], None]]:
    """Stop and report every escape of a run while the code inside runs.

    A stopped attempt raises `EscapeError` where it was made; the report stands even if the agent swallows that.

    Yields:
        what opens the seal to one more host.
    """
    tempfile.gettempdir()  # it tries folders by writing to them once, without an event that tells so
    permits = Permits(seal)
    _force(lineage, permits)
    try:
        yield permits.open_to
    finally:
        _lift(lineage)


def _force(lineage: Lineage, permits: Permits) -> None:
    global _hooked
    with _lock:
        if not _hooked:
            sys.addaudithook(_hook)
            _hooked = True
        if not _patches:
            _replace_all()
        _sealed[lineage] = permits


def _lift(lineage: Lineage) -> None:
    with _lock:
        _sealed.pop(lineage, None)
        if not _sealed:
            _patches.undo()


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if not _sealed:
        return
    __tracebackhide__ = True
    reader = READERS.get(event)
    if reader is None and event not in _TEMPORARY:
        return
    mark = current_mark()
    permits = None if mark is None else _sealed.get(mark.lineage)
    if mark is None or permits is None:
        return
    if reader is None:
        permits.made(args[0])
    elif not mark.is_aside:
        _judge(permits, reader, args)


def _judge(permits: Permits, reader: Reader, args: tuple[Any, ...]) -> None:
    __tracebackhide__ = True
    with outside():
        for attempt in reader(*args):
            if permits.allows(attempt):
                continue
            escape = Escape(attempt.kind, attempt.what, place_of(sys._getframe()), attempt.target)
            permits.seal.report(escape)
            raise escape.error()


def _replace_all() -> None:
    _patches.replace(_socket, "getaddrinfo", _remembering_getaddrinfo)
    if sys.platform != "win32":
        import _posixsubprocess

        _patches.replace(_posixsubprocess, "fork_exec", _audited_fork_exec)
        _patches.replace(subprocess, "_fork_exec", _marking_fork_exec)
        _patches.replace(os, "posix_spawn", _marking_spawn)
        _patches.replace(os, "posix_spawnp", _marking_spawn)
        _patches.replace(os, "execve", _marking_execve)


def _remembering_getaddrinfo(original: Callable[..., Any]) -> Callable[..., Any]:
    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        found = original(host, *args, **kwargs)
        lineage = current()
        permits = None if lineage is None else _sealed.get(lineage)
        if permits is not None and isinstance(host, str):
            permits.resolved(host, (entry[4][0] for entry in found if isinstance(entry[4][0], str)))
        return found

    return getaddrinfo


def _audited_fork_exec(original: Callable[..., int]) -> Callable[..., int]:
    def fork_exec(args: Any, executables: Any, *rest: Any) -> int:
        sys.audit(FORK_EXEC, args, executables)
        return original(args, executables, *rest)

    return fork_exec


def _marking_fork_exec(original: Callable[..., int]) -> Callable[..., int]:
    def fork_exec(args: Any, executables: Any, close_fds: Any, keep: Any, folder: Any, env: Any, *rest: Any) -> int:
        if env is not None and current() is not None:
            pairs = (entry.partition(b"=") for entry in env)
            env = [
                name + b"=" + value for name, value in with_marker({name: value for name, _, value in pairs}).items()
            ]
        return original(args, executables, close_fds, keep, folder, env, *rest)

    return fork_exec


def _marking_execve(original: Callable[..., Any]) -> Callable[..., Any]:
    def execve(path: Any, argv: Any, env: Any) -> Any:
        return original(path, argv, with_marker(env) if current() is not None else env)

    return execve


def _marking_spawn(original: Callable[..., int]) -> Callable[..., int]:
    def posix_spawn(path: Any, argv: Any, env: Any, /, **options: Any) -> int:
        if env is not None and current() is not None:
            env = with_marker(env)
        return original(path, argv, env, **options)

    return posix_spawn
