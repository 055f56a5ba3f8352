"""Blobs: payloads too large for a golden file, as ``<stem>.blobs/<sha256>.json`` beside it.

A blob's name is the digest of its bytes, so it never changes and can't be
tampered with unseen. Nothing here decides when a trace is written.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from pytest_agentreplay.jsonable import BlobRef, decode
from pytest_agentreplay.storage.atomic import replace_file

INLINE_LIMIT: Final = 64 * 1024
"""Bytes of JSON up to which a payload stays in its golden file."""

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_STEP_PAYLOADS = ("result", "state", "content", "plan")
_TRACE_PAYLOADS = ("input", "output")


def blob_directory(trace_file: Path) -> Path:
    """Say where the blobs of a trace file are."""
    return trace_file.with_name(f"{trace_file.stem}.blobs")


def blob_reader(trace_file: Path) -> Callable[[str], Any]:
    """Make the function that reads the payloads of a trace file by their digests.

    It raises a ValueError where a blob is missing, or is not what its name says.
    """
    directory = blob_directory(trace_file)

    def read_blob(digest: str) -> Any:
        name = _file_name(digest)
        try:
            data = (directory / name).read_bytes()
        except OSError as error:
            why = (error.strerror or "unreadable").lower()
            raise ValueError(f"the payload {directory.name}/{name} can't be read: {why}") from None
        if hashlib.sha256(data).hexdigest() != name.removesuffix(".json"):
            raise ValueError(f"the payload {directory.name}/{name} is not what its name says: it was changed")
        return _payload(data, f"{directory.name}/{name}")

    return read_blob


def move_out(document: dict[str, Any]) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Replace the large payloads of a document in file form by references.

    Returns:
        the document, and the bytes of each blob by its file's name.
    """
    blobs: dict[str, bytes] = {}
    slim = {key: _slim(item, blobs) if key in _TRACE_PAYLOADS else item for key, item in document.items()}
    if "steps" in slim:
        slim["steps"] = [_slim_step(step, blobs) for step in slim["steps"]]
    return slim, blobs


def write_blobs(trace_file: Path, blobs: dict[str, bytes]) -> None:
    """Put blobs in their place, before the trace that names them is.

    Raises:
        OSError: when one can't be written.
    """
    directory = blob_directory(trace_file)
    if blobs:
        directory.mkdir(exist_ok=True)
    for name, data in blobs.items():
        if not _holds(directory / name, data):
            replace_file(directory / name, data)


def remove_unused(trace_file: Path, text: str) -> None:
    """Remove the blobs that a trace's text doesn't name, once the text is in place.

    Raises:
        OSError: when one can't be removed.
    """
    directory = blob_directory(trace_file)
    if not directory.is_dir():
        return
    named = {f"{digest}.json" for digest in _DIGEST.findall(text)}
    for path in list(directory.iterdir()):
        if path.name not in named and (_is_blob(path) or path.name.startswith(".agentreplay-")):
            path.unlink(missing_ok=True)
    if not any(directory.iterdir()):
        directory.rmdir()


def _slim_step(step: Any, blobs: dict[str, bytes]) -> Any:
    slim = {key: _slim(item, blobs) if key in _STEP_PAYLOADS else item for key, item in step.items()}
    if isinstance(slim.get("args"), dict):
        slim["args"] = {name: _slim(item, blobs) for name, item in slim["args"].items()}
    return slim


def _slim(payload: Any, blobs: dict[str, bytes]) -> Any:
    if not _may_be_large(payload):
        return payload
    data = json.dumps(payload, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    if len(data) <= INLINE_LIMIT:
        return payload
    digest = hashlib.sha256(data).hexdigest()
    blobs[f"{digest}.json"] = data
    return {"$blob": f"sha256:{digest}"}


def _may_be_large(payload: Any) -> bool:
    if isinstance(payload, str):
        return len(payload) * 6 > INLINE_LIMIT  # a control character takes six bytes of JSON
    return isinstance(payload, (dict, list))


def _payload(data: bytes, name: str) -> Any:
    try:
        value = decode(json.loads(data))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the payload {name} is no JSON of a trace: {error}") from None
    if b'"$blob"' in data and _mentions_blob(value):
        raise ValueError(f"the payload {name} names another payload")
    return value


def _mentions_blob(value: Any) -> bool:
    if isinstance(value, (dict, list)):
        return any(_mentions_blob(item) for item in (value.values() if isinstance(value, dict) else value))
    return isinstance(value, BlobRef)


def _file_name(digest: str) -> str:
    found = _DIGEST.fullmatch(digest)
    if found is None:
        raise ValueError(f"{digest[:80]!r} is no payload: expected sha256: and 64 hexadecimal digits")
    return f"{found[1]}.json"


def _holds(path: Path, data: bytes) -> bool:
    return path.is_file() and path.read_bytes() == data


def _is_blob(path: Path) -> bool:
    return path.suffix == ".json" and _DIGEST.fullmatch(f"sha256:{path.stem}") is not None
