"""File names for imported traces: readable, stable, unique, and safe on every file system.

A name comes from what the record says about itself, so it can hold anything;
what leaves here can't climb out of a directory. Nothing here touches the disk.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import PurePosixPath

_MAX_LENGTH = 100
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_ENDING = re.compile(r"(\.traj)?\.(jsonl?|ndjson|traj)$", re.IGNORECASE)
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(1, 10))})


def stem_of(source: str) -> str:
    """Name a source by the last part of its path, without the endings of transcripts."""
    return _ENDING.sub("", PurePosixPath(source.replace("\\", "/")).name)


def file_name(*parts: str) -> str:
    """Join parts into one safe name of at most 100 characters; a long one ends in a digest of the whole."""
    whole = "-".join(parts)
    name = "-".join(filter(None, (_UNSAFE.sub("-", part).strip("-") for part in parts)))
    if len(name) > _MAX_LENGTH:
        digest = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        name = f"{name[: _MAX_LENGTH - 9].rstrip('-')}-{digest}"
    return f"trace-{name}".rstrip("-") if not name or name.lower() in _DEVICES else name


class UniqueNames:
    """Hands out each name once, whatever its case: the second ``run`` becomes ``run-2``."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._next: dict[str, int] = {}

    def take(self, name: str) -> str:
        """Return the name, numbered if it was taken."""
        unique, number = name, self._next.get(name.lower(), 2)
        while unique.lower() in self._taken:
            unique, number = f"{name}-{number}", number + 1
        self._next[name.lower()] = number
        self._taken.add(unique.lower())
        return unique
