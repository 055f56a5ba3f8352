"""Permits: what a sealed run may reach for all the same.

Holds the test's allow lists, and what is learnt on the way: the files that
tempfile made, the addresses behind a permitted name. Nothing here knows of
audit events or of threads.
"""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Final

from pytest_agentreplay.runtime.escapes import Attempt, Escape

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})


@dataclass(frozen=True)
class Seal:
    """How a run is sealed.

    Attributes:
        report: told of every escape, from the thread that attempted it, before it is stopped.
        temporary: asked at the first file event for the folders that are free to use.
        allow_hosts: names, addresses, ``host:port``, ``*.example.com``, paths of sockets.
        allow_paths: files, and folders with all that is in them.
        allow_processes: names or full paths of programs, or True for all.
    """

    report: Callable[[Escape], None]
    temporary: Callable[[], Iterable[Path]] = tuple
    allow_hosts: frozenset[str] = frozenset()
    allow_paths: tuple[Path, ...] = ()
    allow_processes: tuple[str, ...] | bool = ()


class Permits:
    """What one sealed run may reach for."""

    def __init__(self, seal: Seal) -> None:
        self.seal = seal
        self._made: set[str] = set()
        self._names: defaultdict[str, set[str]] = defaultdict(set)
        self._hosts = {_canonical(host) for host in seal.allow_hosts}

    def allows(self, attempt: Attempt) -> bool:
        """Decide one attempt."""
        if attempt.kind == "process":
            return self._allows_program(attempt.target)
        if attempt.kind == "file":
            return self._allows_path(attempt.target)
        if attempt.is_socket:
            return attempt.target in self._sockets or self._allows_path(attempt.target)
        return self.allows_host(attempt.target, attempt.port)

    def allows_host(self, host: str, port: int | None) -> bool:
        """Decide a connection; without a port, whether the host may be looked up for any."""
        host = _canonical(host)
        return any(self._names_host(name, port) for name in {host, *self._names.get(host, ())})

    def open_to(self, host: str) -> None:
        """Permit a host that was not known beforehand."""
        self._hosts.add(_canonical(host))

    def made(self, path: str | bytes) -> None:
        """Permit a file or folder that tempfile makes."""
        self._made.add(os.path.realpath(os.fsdecode(path)))

    def resolved(self, name: str, addresses: Iterable[str]) -> None:
        """Remember the addresses behind a name."""
        for address in addresses:
            self._names[_canonical(address)].add(_canonical(name))

    def _names_host(self, host: str, port: int | None) -> bool:
        aliases = {host, *_LOOPBACK, "localhost"} if host == "localhost" else {host}
        if host in _LOOPBACK:
            aliases.add("localhost")
        return any(_matches(permitted, alias, port) for permitted in self._hosts for alias in aliases)

    def _allows_program(self, program: str) -> bool:
        allowed = self.seal.allow_processes
        if isinstance(allowed, bool):
            return allowed
        return not {program, os.path.basename(program), shutil.which(program) or program}.isdisjoint(allowed)

    def _allows_path(self, path: str) -> bool:
        return any(
            path == root or path.startswith(root.rstrip(os.sep) + os.sep) for root in (*self._roots, *self._made)
        )

    @cached_property
    def _sockets(self) -> set[str]:
        return {os.path.realpath(host) if os.sep in host else host for host in self.seal.allow_hosts}

    @cached_property
    def _roots(self) -> tuple[str, ...]:
        return tuple(os.path.realpath(root) for root in (*self.seal.temporary(), *self.seal.allow_paths))


def _matches(permitted: str, host: str, port: int | None) -> bool:
    name, separator, permitted_port = permitted.rpartition(":")
    if not separator or not permitted_port.isdigit() or (":" in name and not name.startswith("[")):
        name, permitted_port = permitted, ""
    if permitted_port and port is not None and int(permitted_port) != port:
        return False
    name = name.strip("[]")
    return host.endswith(name[1:]) if name.startswith("*.") else host == name


def _canonical(host: str) -> str:
    """Fold case, a trailing dot, an IPv6 scope, and an IPv4 address in IPv6's clothes."""
    host = host.lower().rstrip(".").partition("%")[0]
    try:
        address = ip_address(host)
    except ValueError:
        return host
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
