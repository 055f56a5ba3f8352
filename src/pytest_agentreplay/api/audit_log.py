"""The audit log: every decision of a guard and what became of the call, one JSON document a line.

Append-only; a decision is handed to the system before the tool runs, or the tool
doesn't run. An outcome that can't be written comes too late to stop anything: the call
keeps its result, and the gap is warned of, kept, and told in the log itself as soon as
that can be written again. What is written is redacted. Nothing here judges.
"""

from __future__ import annotations

import json
import os
import threading
import uuid
import warnings
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pytest_agentreplay.errors import SettingsError
from pytest_agentreplay.jsonable import MISSING, Value, encode
from pytest_agentreplay.redaction import Redaction, Redactor
from pytest_agentreplay.trace import ToolStep, Trace
from pytest_agentreplay.trace.document import to_document

_MOST_LISTED: Final = 100  # ids in one entry about outcomes that were lost


class AuditLog:
    """Appends decisions and outcomes to one file. Threads and processes may share it.

    Args:
        path: the file; made if it isn't there, readable by its owner alone.
        redactor: what must not be written.

    Attributes:
        problems: what could not be written although its tool had run, in words.

    Raises:
        SettingsError: when the file can't be written.
    """

    def __init__(self, path: Path, redactor: Redactor) -> None:
        self.problems: list[str] = []
        self._path = path
        self._redactor = redactor
        self._in_flight: dict[str, Redaction] = {}
        self._lost: list[str] = []
        self._lock = threading.Lock()
        self._write({"kind": "opened", "at": _now(), "pid": os.getpid()})

    def decided(self, step: ToolStep, given: Value = MISSING) -> str:
        """Log a decision before the tool runs; gives its id, which the outcome repeats.

        Args:
            step: the call with its verdict.
            given: what the agent was asked; `MISSING` where nobody said.

        Raises:
            SettingsError: when it can't be written; then the call must not be made.
        """
        decision = uuid.uuid4().hex
        redaction = self._redactor.session()
        try:
            entry = {**_document(step, ("result", "error")), "effect": step.effect, **_more(step, given)}
            self._write({"kind": "decision", "id": decision, "at": _now(), **_clean(entry, redaction)})
        except SettingsError:
            raise
        except Exception as error:
            raise SettingsError(
                f"the decision can't be written to the audit log: {type(error).__name__}: {error}",
                at=str(self._path),
                next="the call was not made; leave out of its arguments what has no end or no text",
            ) from error
        self._in_flight[decision] = redaction
        return decision

    def ended(self, decision: str, step: ToolStep) -> None:
        """Log what became of the call; a failure is warned of and kept, since the tool has run."""
        redaction = self._in_flight.pop(decision, None) or self._redactor.session()
        try:
            entry = _clean(_document(step, ("args", "raw_args", "verdict")), redaction)
            self._write({"kind": "outcome", "id": decision, "at": _now(), **entry})
        except Exception as error:
            self._lose(decision, step.tool, error)

    def _lose(self, decision: str, tool: str, error: Exception) -> None:
        why = error.fact if isinstance(error, SettingsError) else f"{type(error).__name__}: {error}"
        problem = f"the outcome of {tool} is missing from the audit log {self._path}: {why}"
        self.problems.append(problem)
        self._lost.append(decision)
        with suppress(Warning):  # where warnings are errors: the tool has run, and its result must reach the agent
            warnings.warn(problem, RuntimeWarning, stacklevel=2)

    def _write(self, entry: dict[str, Any]) -> None:
        try:
            with self._lock:
                lost, self._lost = self._lost, []
                try:
                    if lost:
                        gap = {"kind": "lost", "at": _now(), "count": len(lost), "ids": lost[:_MOST_LISTED]}
                        _append(self._path, gap)
                        lost = []
                    _append(self._path, entry)
                finally:
                    self._lost = lost + self._lost
        except OSError as error:
            raise SettingsError(
                f"the audit log can't be written: {error.strerror or error}",
                at=str(self._path),
                next="name a file in a folder that can be written",
            ) from error


def _append(path: Path, entry: dict[str, Any]) -> None:
    """Append one line by one write, so that writers don't mix; a line that somebody left unfinished is ended first."""
    line = json.dumps(entry, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"
    handle = _opened(path)
    try:
        if _is_torn(handle):
            line = b"\n" + line
        written = os.write(handle, line)
        if written < len(line):  # the disk is full, or a limit was met: what is there is half a line
            raise OSError(f"only {written} of {len(line)} bytes were taken")
    finally:
        os.close(handle)


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    except PermissionError:  # a log may be for writing alone
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _is_torn(handle: int) -> bool:
    """Tell whether the last line has no end, as a writer leaves it that was killed."""
    try:
        size = os.fstat(handle).st_size
        os.lseek(handle, max(size - 1, 0), os.SEEK_SET)  # writing goes to the end all the same
        return size > 0 and os.read(handle, 1) not in (b"\n", b"")
    except OSError:  # not for reading, or no file with a place: a pipe, a device
        return False


def _document(step: ToolStep, without: tuple[str, ...]) -> dict[str, Any]:
    document: dict[str, Any] = to_document(Trace(steps=[step.model_copy()]))["steps"][0]
    return {key: value for key, value in document.items() if key not in without}


def _more(step: ToolStep, given: Value) -> dict[str, Any]:
    took = step.verdict.duration_us if step.verdict is not None else None
    more = {"input": given, "duration_us": None if took is None else round(took, 1)}
    return {key: value for key, value in more.items() if value is not None and value is not MISSING}


def _clean(entry: dict[str, Any], redaction: Redaction) -> dict[str, Any]:
    """Redact an entry; what is a secret in one place of a call is one in all, its reasons included."""
    clean: dict[str, Any] = encode(redaction.spread(redaction.redact(entry)))
    return clean


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
