"""Names: which files under a directory are traces, and which trace a name means.

Reads as little as it can: it is asked about every YAML file of a test suite, so it
imports neither YAML nor models.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from pytest_agentreplay.errors import SettingsError

_FORMAT_LINE = re.compile(r"""^\ufeff?format:[ \t]+(["']?)([^\s"'#]+)\1[ \t]*(?:#.*)?\r?$""", re.MULTILINE)
_TRACE_FAMILY = "agentreplay.trace/"
_SHOWN = 5


def format_of(text: str | bytes) -> str | None:
    """Find what the ``format:`` line of a YAML text says, without parsing the text."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    found = _FORMAT_LINE.search(text)
    return found[2] if found else None


def is_trace_text(text: str | bytes) -> bool:
    """Tell whether a YAML text says that it is a trace, of whatever format version."""
    return (format_of(text) or "").startswith(_TRACE_FAMILY)


def find_traces(directory: Path) -> list[Path]:
    """List the files under a directory that are to have a ``format:`` line, sorted by path.

    That is every ``*.yaml`` but ``*.http.yaml``, policies too; hidden files, hidden
    directories and ``__pycache__`` are passed over, links to directories not followed.

    Raises:
        SettingsError: when the directory, or one in it, can't be listed.
    """
    found = []
    for folder, folders, files in os.walk(directory, onerror=_refuse_folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__pycache__"]
        found += [Path(folder, name) for name in files if _is_candidate(name)]
    return sorted(found)


def trace_name(path: Path, root: Path) -> str:
    """Name a trace by its path under `root`, with slashes and without ``.yaml``."""
    return path.relative_to(root).as_posix().removesuffix(".yaml")


def find_name(name: str, dirs: Iterable[Path]) -> Path | None:
    """Find the file that a trace's name means: its path under one of the directories, else its stem.

    Raises:
        SettingsError: when the name leads out of the directories, or several files have it.
    """
    return _choose(name, _named_files(dirs))


def resolve_name(name: str, dirs: Iterable[Path]) -> Path:
    """Get the file that a trace's name means.

    Raises:
        SettingsError: as `find_name` does, and when there is none; it names the nearest.
    """
    dirs = list(dirs)
    files = _named_files(dirs)
    path = _choose(name, files)
    if path is not None:
        return path
    where = {"in": ", ".join(str(directory) for directory in dirs) or "no directory"}
    known = {known for known, _ in files} | {path.stem for _, path in files}
    if close := difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.5):
        where["closest"] = ", ".join(close)
    raise SettingsError(
        f"no golden trace is called {name}", **where, next="name it by its path in there, without .yaml, or record it"
    )


def _choose(name: str, files: list[tuple[str, Path]]) -> Path | None:
    _refuse_climbing(name)
    by_path = [path for known, path in files if known == name]
    found = by_path or _traces_among([path for _, path in files if path.stem == name])
    found = list({os.path.realpath(path): path for path in found}.values())
    if len(found) > 1:
        listed = [str(path) for path in found[:_SHOWN]] + (["..."] if len(found) > _SHOWN else [])
        raise SettingsError(
            f"{len(found)} golden traces are called {name}",
            found="\n".join(listed),
            next="name it by its path under the trace directory, or load it with load_trace(path)",
        )
    return found[0] if found else None


def _named_files(dirs: Iterable[Path]) -> list[tuple[str, Path]]:
    return [(trace_name(path, directory), path) for directory in dirs for path in find_traces(directory)]


def _traces_among(paths: list[Path]) -> list[Path]:
    """Leave out policies, and what else is of another format, where several files have one stem."""
    if len(paths) < 2:
        return paths
    return [path for path in paths if (format_of(path.read_bytes()) or _TRACE_FAMILY).startswith(_TRACE_FAMILY)]


def _refuse_climbing(name: str) -> None:
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or "\\" in name or "\0" in name or Path(name).is_absolute():
        raise SettingsError(
            f"{name!r} is no name of a golden trace",
            next="name it by its path under the trace directory, or load it with load_trace(path)",
        )


def _is_candidate(name: str) -> bool:
    return name.endswith(".yaml") and not name.endswith(".http.yaml") and not name.startswith(".")


def _refuse_folder(error: OSError) -> None:
    raise SettingsError(
        f"can't look for traces: {(error.strerror or str(error)).lower()}",
        at=str(error.filename),
        next="correct the directory's name, or its permissions",
    ) from error
