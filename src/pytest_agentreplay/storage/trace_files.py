"""Trace files: golden traces read from disk, written to it, and changed in place.

A write is one step for readers and for crashes, and leaves alone what it doesn't
change. What a document means is the work of `trace.document`, which file a name
means that of `storage.names`.
"""

from __future__ import annotations

import difflib
import errno
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import ValidationError

from pytest_agentreplay import yaml_codec
from pytest_agentreplay.checks import render_path
from pytest_agentreplay.errors import SettingsError, TraceFormatError
from pytest_agentreplay.jsonable import BlobRef
from pytest_agentreplay.storage.atomic import locked, replace_file
from pytest_agentreplay.storage.blobs import blob_reader, move_out, remove_unused, write_blobs
from pytest_agentreplay.trace.document import build_trace, document_order, parse_document, to_document, unwritable
from pytest_agentreplay.trace.model import Trace
from pytest_agentreplay.trace.problems import explain

StrPath: TypeAlias = str | os.PathLike[str]
ReadDocument: TypeAlias = Callable[[bytes, str], dict[str, Any]]
"""Turns a file's bytes and its name, for errors, into its document."""

_REMEDIES = {
    errno.EINVAL: "name the YAML file of the trace",
    errno.ENOSPC: "free some space: the file is as it was",
    errno.EFBIG: "free some space: the file is as it was",
    errno.EDQUOT: "free some space: the file is as it was",
    errno.EROFS: "choose a place that can be written",
    errno.ENAMETOOLONG: "choose a shorter name",
}


def load_trace(path: StrPath, *, read_document: ReadDocument = parse_document) -> Trace:
    """Load a golden trace.

    Args:
        path: the YAML file; its large payloads are read from ``<stem>.blobs/``.
        read_document: parses the bytes; a cache puts itself here.

    Raises:
        TraceFormatError: when there is no such file, it can't be read, or it is no trace.
    """
    place = os.path.abspath(path)
    shown = _shown(place)
    data = _read(place, shown)
    if b"blob" in data:
        trace = _load_with_blobs(_real(place), shown, read_document)
    else:
        trace = build_trace(read_document(data, shown), data, shown)
    trace._found_at(Path(place))
    return trace


def save_trace(trace: Trace, path: StrPath) -> None:
    """Write a trace to a file, as one step.

    Where the file holds a trace, only the top-level keys that differ are written, and
    all else, comments included, stays; where nothing differs nothing is written. A link
    is followed, missing directories are made, permissions are kept. On platforms
    without ``fcntl``, of two changes at one time the later one wins.

    Raises:
        TraceFormatError: when the trace holds what a file can't, or the file holds anything but a trace.
        SettingsError: when the file can't be written; it is as it was.
    """
    shown, target = _shown(os.path.abspath(path)), _real(path)
    with _writing(shown):
        target.parent.mkdir(parents=True, exist_ok=True)
    with _changing(target, shown):
        _write(trace, _read_if_any(target, shown), target, shown)


def update_trace(path: StrPath, changes: Mapping[str, Any]) -> Trace:
    """Change some fields of the trace in a file, and leave all else as it is.

    Args:
        path: a trace file.
        changes: fields of `Trace` by name; a value that is the field's default (`MISSING`, None, an
            empty list) takes the key out.

    Returns:
        the trace as it now is.

    Raises:
        TraceFormatError: when the file is no trace, or the changed one wouldn't be.
        SettingsError: when the file can't be written; it is as it was.
    """
    shown, target = _shown(os.path.abspath(path)), _real(path)
    _read(target, shown)
    with _changing(target, shown):
        data = _read(target, shown)
        old = build_trace(parse_document(data, shown), data, shown, read_blob=blob_reader(target))
        trace = _changed(old, changes, shown)
        _write(trace, data, target, shown)
    trace._found_at(Path(os.path.abspath(path)))
    return trace


def _load_with_blobs(target: Path, shown: str, read_document: ReadDocument) -> Trace:
    # Held against a writer, who removes the blobs that its new text doesn't name.
    with _reading(shown), locked(target.parent, shared=True):
        data = _read(target, shown)
        return build_trace(read_document(data, shown), data, shown, read_blob=blob_reader(target))


def _changed(old: Trace, changes: Mapping[str, Any], shown: str) -> Trace:
    fields = {name: getattr(old, name) for name in Trace.model_fields if name in old.model_fields_set}
    fields.update(changes)
    for name, field in Trace.model_fields.items():
        if name in changes and changes[name] == field.get_default(call_default_factory=True):
            del fields[name]
    try:
        return Trace.model_validate(fields)
    except ValidationError as error:
        problem = explain(error, fields, Trace)[0]
        path = render_path(problem.path) or "the whole trace"
        raise TraceFormatError(problem.fact, trace=shown, path=path, next=problem.remedy) from None


def _write(trace: Trace, old: bytes | None, target: Path, shown: str) -> None:
    document = to_document(trace)
    slim, blobs = move_out(document)
    try:
        if old is None or not old.strip():
            text = yaml_codec.render(slim)
        else:
            text = _spliced(old, trace, document, slim, target, shown)
    except yaml_codec.YamlError as error:
        raise unwritable(error) from None
    data = text.encode()
    # First the payloads, then the text that names them, last the payloads that it no longer names.
    write_blobs(target, {name: blob for name, blob in blobs.items() if name.removesuffix(".json") in text})
    if data != old:
        replace_file(target, data)
        remove_unused(target, text)


def _spliced(old: bytes, trace: Trace, document: dict[str, Any], slim: dict[str, Any], target: Path, shown: str) -> str:
    before = _trace_to_change(old, target, shown)
    written = to_document(before)
    keys = [key for key in document_order() if not _same(key, written, document, before, trace)]
    changes = {key: slim[key] for key in keys if key in document}
    removals = [key for key in keys if key not in document]
    text = old.decode()
    return yaml_codec.splice(text, changes, removals=removals, order=document_order()) if keys else text


def _same(key: str, written: dict[str, Any], document: dict[str, Any], before: Trace, after: Trace) -> bool:
    """Tell whether a key says the same in both; one that is left out says its default."""
    if (key in written) != (key in document):
        return bool(getattr(before, key) == getattr(after, key))
    return json.dumps(written.get(key), sort_keys=True) == json.dumps(document.get(key), sort_keys=True)


def _trace_to_change(data: bytes, target: Path, shown: str) -> Trace:
    read_blob = blob_reader(target)

    def read_if_there(digest: str) -> Any:
        try:
            return read_blob(digest)
        except ValueError:  # lost: what named it differs from whatever is saved now
            return BlobRef(digest)

    try:
        return build_trace(parse_document(data, shown), data, shown, read_blob=read_if_there)
    except TraceFormatError as error:
        fact = f"not written over, since what is there is no trace that can be read: {error.fact}"
        details = {**error.details, "next": f"{error.details['next']}; or remove the file"}
        raise TraceFormatError(fact, **details) from None


def _read(place: StrPath, shown: str) -> bytes:
    data = _read_if_any(place, shown)
    if data is None:
        raise _no_file(Path(place), shown)
    return data


def _read_if_any(place: StrPath, shown: str) -> bytes | None:
    with _reading(shown):
        try:
            with open(place, "rb", buffering=0) as file:
                return file.readall()
        except (FileNotFoundError, NotADirectoryError):
            return None


def _no_file(target: Path, shown: str) -> TraceFormatError:
    details = {"at": shown}
    folder = target.parent
    if not folder.is_dir():
        fact = f"no such trace file: there is no directory {_shown(str(folder))}"
        return TraceFormatError(fact, **details, next="correct the path, or record the trace")
    if close := difflib.get_close_matches(target.name, sorted(path.name for path in folder.glob("*.yaml")), n=3):
        details["closest"] = ", ".join(close)
    return TraceFormatError("no such trace file", **details, next="correct the path, or record the trace")


@contextmanager
def _reading(shown: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TraceFormatError(
            f"can't read a trace: {(error.strerror or str(error)).lower()}", at=shown, next="make the file readable"
        ) from error


@contextmanager
def _writing(shown: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        remedy = _REMEDIES.get(error.errno or 0, "make the file and its directory writable, or choose another place")
        raise SettingsError(f"can't write a trace: {reason}", at=shown, next=remedy) from error


@contextmanager
def _changing(target: Path, shown: str) -> Iterator[None]:
    """Hold the directory of a file that is to change."""
    with _writing(shown):
        if target.exists() and not target.is_file():
            raise OSError(errno.EINVAL, "it is no file")
        if target.exists() and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        with locked(target.parent):
            yield


def _real(path: StrPath) -> Path:
    return Path(os.path.realpath(path))


def _shown(place: str) -> str:
    """Show a path as a user would type it: relative where it is below the working directory."""
    try:
        return place.removeprefix(os.path.join(os.getcwd(), ""))
    except OSError:  # the working directory is gone
        return place
