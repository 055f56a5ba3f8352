"""The audit log: every decision of a guard and what became of the call, one JSON document a line.

Append-only; a decision is on disk before the tool runs. What is written is
redacted. Nothing here judges.
"""

from __future__ import annotations

import json
import os
import threading
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_agentreplay.errors import SettingsError
from pytest_agentreplay.jsonable import encode
from pytest_agentreplay.redaction import Redactor
from pytest_agentreplay.trace import ToolStep, Trace
from pytest_agentreplay.trace.document import to_document


class AuditLog:
    """Appends decisions and outcomes to one file. Threads and processes may share it.

    Raises:
        SettingsError: when the file can't be written; a decision that can't be logged is not made.
    """

    def __init__(self, path: Path, redactor: Redactor) -> None:
        self._path = path
        self._redaction = redactor.session()
        self._lock = threading.Lock()
        self._write({"kind": "opened", "at": _now(), "pid": os.getpid()})

    def decided(self, step: ToolStep) -> str:
        """Log a decision before the tool runs; gives its id, which the outcome repeats."""
        decision = uuid.uuid4().hex
        self._write({"kind": "decision", "id": decision, "at": _now(), **self._clean(step, ("result", "error"))})
        return decision

    def ended(self, decision: str, step: ToolStep) -> None:
        """Log what became of the call."""
        self._write({"kind": "outcome", "id": decision, "at": _now(), **self._clean(step, ("args", "verdict"))})

    def _clean(self, step: ToolStep, without: tuple[str, ...]) -> dict[str, Any]:
        document: dict[str, Any] = to_document(Trace(steps=[step.model_copy()]))["steps"][0]
        kept = {key: value for key, value in document.items() if key not in without}
        with self._lock:
            clean: dict[str, Any] = encode(self._redaction.redact(kept))
        return clean

    def _write(self, entry: dict[str, Any]) -> None:
        line = json.dumps(entry, ensure_ascii=False) + "\n"
        try:
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(handle, line.encode("utf-8", "surrogatepass"))
            finally:
                os.close(handle)
        except OSError as error:
            raise SettingsError(
                f"the audit log can't be written: {error.strerror or error}",
                at=str(self._path),
                next="name a file in a folder that can be written",
            ) from error


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
