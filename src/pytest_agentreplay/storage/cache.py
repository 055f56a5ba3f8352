"""A cache of parsed traces that can't serve what is stale, foreign or forged.

An entry is the JSON of one file's document under a MAC over everything it depends
on: the code that parses, the file's path, the file's bytes, the JSON itself. The
key of the MAC is the user's own, outside any checkout, so that a cache directory
that came with somebody's repository is worth nothing. Whatever doesn't fit is
parsed again without a word: a cache may be slow, never wrong, and never in the way.
Validation and payloads beside the file are not cached.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import stat
from functools import cache
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import pydantic
import pydantic_core

from pytest_agentreplay.storage.atomic import replace_file
from pytest_agentreplay.storage.trace_files import StrPath, load_trace
from pytest_agentreplay.trace.document import parse_document
from pytest_agentreplay.trace.model import Trace

_LAYOUT: Final = 1
"""Raised whenever the same bytes come to be parsed to something else."""

_DISTRIBUTIONS = ("pytest-agentreplay-guard", "PyYAML")
_KEY_SIZE = 32
_MAC_SIZE = 32


class TraceCache:
    """Loads traces, parsing each file only when its bytes have changed.

    Safe for many processes at a time, for a directory that can't be written, and for
    one that somebody else wrote.
    """

    def __init__(self, directory: StrPath) -> None:
        self._directory = os.fspath(directory)
        self._key = _user_key()

    def load(self, path: StrPath) -> Trace:
        """Load a golden trace, as `load_trace` does.

        Raises:
            TraceFormatError: as `load_trace` does.
        """
        if self._key is None:
            return load_trace(path)
        place = os.fsencode(os.path.abspath(path))
        mac = blake2b(key=self._key, digest_size=_MAC_SIZE)
        mac.update(_frame(_fingerprint()) + _frame(place))
        entry = os.path.join(self._directory, f"{blake2b(place, digest_size=20).hexdigest()}.json")
        return load_trace(path, read_document=_Reader(entry, mac))


class _Reader:
    """Reads one file's document: from its entry, or from the file and then into the entry."""

    __slots__ = ("_entry", "_mac")

    def __init__(self, entry: str, mac: Any) -> None:
        self._entry = entry
        self._mac = mac

    def __call__(self, data: bytes, source: str) -> dict[str, Any]:
        mac = self._mac.copy()
        mac.update(len(data).to_bytes(8))
        mac.update(data)
        document = _find(self._entry, mac)
        if document is None:
            document = parse_document(data, source)
            _store(self._entry, mac, document)
        return document


def _find(entry: str, mac: Any) -> dict[str, Any] | None:
    """Read the document of an entry, if the entry is what this user wrote for these very bytes."""
    try:
        with open(entry, "rb", buffering=0) as file:
            stored = file.readall()
    except OSError:  # not there, or not readable: both mean parse
        return None
    payload = memoryview(stored)[_MAC_SIZE:]
    mac = mac.copy()
    mac.update(payload)
    if not hmac.compare_digest(mac.digest(), stored[:_MAC_SIZE]):
        return None
    try:
        document: dict[str, Any] = pydantic_core.from_json(bytes(payload), cache_strings="keys")
    except ValueError:  # deeper than this reader goes, or half a surrogate pair
        return None
    return document


def _store(entry: str, mac: Any, document: dict[str, Any]) -> None:
    payload = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    mac = mac.copy()
    mac.update(payload)
    try:
        os.makedirs(os.path.dirname(entry), exist_ok=True)
        replace_file(Path(entry), mac.digest() + payload, durable=False)
    except OSError:  # a directory that can't be written is a cache that stays cold
        return


def _frame(data: bytes) -> bytes:
    return len(data).to_bytes(8) + data


@cache
def _fingerprint() -> bytes:
    parts = [f"layout {_LAYOUT}", f"pydantic {pydantic.VERSION}"]
    for name in _DISTRIBUTIONS:
        try:
            parts.append(f"{name} {version(name)}")
        except PackageNotFoundError:  # run from a source tree
            parts.append(name)
    return "\n".join(parts).encode()


def _user_key() -> bytes | None:
    """Read the user's key, or make it; None where there is no place that only this user can read."""
    state = os.environ.get("XDG_STATE_HOME") or ""
    root = state if os.path.isabs(state) else os.path.expanduser("~/.local/state")
    path = Path(root, "pytest-agentreplay", "cache.key")
    try:
        if not path.exists():
            _make_key(path)
        return _read_key(path)
    except OSError:  # no such place: the cache is off
        return None


def _make_key(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    mine = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(handle, "wb") as file:
            file.write(os.urandom(_KEY_SIZE))
        os.link(mine, path)  # unlike a rename it fails where another process was first
    except FileExistsError:
        return
    finally:
        mine.unlink()


def _read_key(path: Path) -> bytes | None:
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    with open(handle, "rb") as file:
        status = os.fstat(handle)
        key = file.read(_KEY_SIZE + 1)
    own = hasattr(os, "geteuid") and status.st_uid == os.geteuid()
    private = stat.S_ISREG(status.st_mode) and not status.st_mode & 0o077
    return key if own and private and len(key) == _KEY_SIZE else None
