"""Exceptions as data: written into a trace, and raised again from it.

Only classes that are builtin or already imported are raised; nothing is imported
and no ``__init__`` runs. What can't be made that way gets a stand-in of the same
name and text. Nothing here knows where the exception came from.
"""

from __future__ import annotations

import builtins
import sys
from ast import literal_eval
from typing import Any

from pytest_agentreplay.errors import AgentReplayError
from pytest_agentreplay.jsonable import NotJsonError, snapshot
from pytest_agentreplay.trace import ErrorInfo


class RecordedError(AgentReplayError):
    """The base of stand-ins for exceptions whose class can't be made here."""

    def __init__(self, message: str = "", /) -> None:
        super().__init__(message)


def record_error(error: BaseException) -> ErrorInfo:
    """Write an exception down: its class, its text, and what it carried as far as that is JSON."""
    cls = type(error)
    name = cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
    attributes: dict[str, Any] = {}
    for key, value in {"args": list(error.args), **error.__dict__}.items():
        if key == "__notes__" or (key == "args" and value == [str(error)]):
            continue
        try:
            attributes[key] = snapshot(value)
        except NotJsonError:
            continue  # what is not JSON can't be handed out again; the class and the text remain
    return ErrorInfo(type=name, message=str(error), attributes=attributes or None)


def raise_again(info: ErrorInfo) -> Exception:
    """Make the exception that a trace recorded, or its stand-in; a fresh one each time."""
    cls = _find_class(info.type)
    if cls is not None:
        error = _make(cls, info)
        if error is not None:
            return error
    return _stand_in(info)


def _find_class(name: str) -> type[Exception] | None:
    module_name, _, qualname = name.rpartition(".")
    found: Any = builtins if not module_name else None
    while module_name and found is None:
        found = sys.modules.get(module_name)
        if found is None:
            module_name, _, outer = module_name.rpartition(".")
            qualname = f"{outer}.{qualname}"
    for part in qualname.split("."):
        found = vars(found).get(part) if found is not None and hasattr(found, "__dict__") else None
    return found if isinstance(found, type) and issubclass(found, Exception) else None


def _make(cls: type[Exception], info: ErrorInfo) -> Exception | None:
    attributes = dict(info.attributes or {})
    args = attributes.pop("args", None)
    args = tuple(args) if isinstance(args, list) else (info.message,)
    try:
        error = cls.__new__(cls, *args)
        error.args = args
        error.__dict__.update(attributes)
        text = str(error)
    except Exception:
        # A class is free to refuse; its stand-in says what it stands for.
        return None
    if text != info.message and cls.__str__ in (Exception.__str__, KeyError.__str__):
        error.args = (_key_in(info.message) if issubclass(cls, KeyError) else info.message,)
    return error if isinstance(error, cls) else None


def _key_in(message: str) -> Any:
    """Read the key back from a KeyError's text, which is its repr."""
    try:
        return literal_eval(message)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return message


def _stand_in(info: ErrorInfo) -> Exception:
    module, _, name = info.type.rpartition(".")
    cls = type(name or "RecordedError", (RecordedError,), {"__module__": module or __name__})
    error: RecordedError = cls(info.message)
    error.add_note(f"stands for the recorded {info.type}, whose class is not imported here or can't be made")
    for key, value in (info.attributes or {}).items():
        if key not in ("args", "fact", "details"):
            error.__dict__[key] = value
    return error
