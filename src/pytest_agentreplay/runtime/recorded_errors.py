"""Exceptions as data: written into a trace, and raised again from it.

Only classes that are builtin or already imported are raised; nothing is imported
and no ``__init__`` runs. What can't be made that way gets a stand-in of the same
name and text. Nothing here knows where the exception came from.
"""

from __future__ import annotations

import builtins
import sys
from ast import literal_eval
from collections.abc import Mapping
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
    for key, value in {"args": list(error.args), **_fields_beside_args(error), **error.__dict__}.items():
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
    if issubclass(cls, KeyError) and "args" not in (info.attributes or {}):
        args = (_key_in(info.message),)
    try:
        error = _fill(cls, args, attributes)
        if str(error) != info.message:
            error = _fill(_with_text(cls, info.message), args, attributes)
    except Exception:
        # A class is free to refuse; its stand-in says what it stands for.
        return None
    return error if isinstance(error, cls) else None


def _fill(cls: type[Exception], args: tuple[Any, ...], attributes: Mapping[str, Any]) -> Exception:
    error = cls.__new__(cls, *args)
    error.args = args
    fields = _FIELDS.get(_family(cls), ())
    for name in fields:
        if name in attributes:
            setattr(error, name, attributes[name])
    error.__dict__.update({name: value for name, value in attributes.items() if name not in fields})
    return error


def _fields_beside_args(error: BaseException) -> dict[str, Any]:
    """Give what a builtin exception keeps outside its ``__dict__`` and its arguments don't restore."""
    cls = type(error)
    try:
        fresh = cls.__new__(cls, *error.args)
    except Exception:  # then nothing restores it, and its stand-in has its text
        return {}
    fields = {name: getattr(error, name, None) for name in _FIELDS.get(_family(cls), ())}
    return {name: value for name, value in fields.items() if value is not None and value != getattr(fresh, name, None)}


_FIELDS: Mapping[type[Exception] | None, tuple[str, ...]] = {
    OSError: ("errno", "strerror", "filename", "filename2"),
    UnicodeError: ("encoding", "object", "start", "end", "reason"),
    ImportError: ("name", "path", "msg"),
    SyntaxError: ("msg", "filename", "lineno", "offset", "text"),
    StopIteration: ("value",),
}
"""What builtin exceptions keep outside their ``__dict__``, by family."""


def _family(cls: type[BaseException]) -> type[Exception] | None:
    return next((family for family in _FIELDS if family is not None and issubclass(cls, family)), None)


def _with_text(cls: type[Exception], message: str) -> type[Exception]:
    """Make a class that is the recorded one in all but how its text comes about."""
    names = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__str__": lambda _: message}
    return type(cls.__name__, (cls,), names)


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
