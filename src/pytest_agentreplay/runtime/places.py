"""Places in code: how a function, a coroutine or a calling frame is named to a reader.

Names look like ``shop.sync:push (shop/sync.py:41)``. Nothing here knows of runs.
"""

from __future__ import annotations

import functools
import os
import sysconfig
from contextvars import Context
from types import BuiltinMethodType, CodeType, FrameType
from typing import Any, Final

_PACKAGE: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_LIBRARY: Final = tuple({os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "platstdlib")})
_INSTALLED: Final = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


def short_path(path: str) -> str:
    """Cut the working directory off a path that lies under it."""
    here = os.getcwd() + os.sep
    return path.removeprefix(here)


def name_work(subject: Any) -> str:
    """Name what runs: a callable, or a coroutine object as a task holds it."""
    subject = _inner(subject)
    code = _code_of(subject)
    module = getattr(subject, "__module__", None) or _module_of_frame(subject)
    name = getattr(subject, "__qualname__", None) or f"{type(subject).__qualname__}()"
    place = f" ({short_path(code.co_filename)}:{code.co_firstlineno})" if code else ""
    return f"{module}:{name}{place}" if module else f"{name}{place}"


def place_of(frame: FrameType | None) -> str:
    """Name the innermost frame that is the user's: ``shop/api.py:41 in charge``.

    Where no frame is, an installed library's is named, and then the standard library's.
    """
    candidates: dict[int, str] = {}
    while frame is not None:
        rank = _rank(frame.f_code.co_filename)
        if rank is not None and rank not in candidates:
            code = frame.f_code
            candidates[rank] = f"{short_path(code.co_filename)}:{frame.f_lineno} in {code.co_name}"
        frame = frame.f_back
    return candidates[min(candidates)] if candidates else "<unknown>"


def _rank(filename: str) -> int | None:
    """Tell how likely a file is the user's: 0 is theirs, None is never named."""
    if filename.startswith(_PACKAGE):
        return None
    if any(part in filename for part in _INSTALLED):
        return 1
    if filename.startswith("<frozen ") or os.path.realpath(filename).startswith(_LIBRARY):
        return 2
    return 0


def _inner(subject: Any) -> Any:
    """Look through partials, and through the ``context.run`` that asyncio.to_thread submits."""
    while isinstance(subject, functools.partial):
        runs_in_context = isinstance(subject.func, BuiltinMethodType) and isinstance(subject.func.__self__, Context)
        subject = subject.args[0] if runs_in_context and subject.args else subject.func
    return subject


def _code_of(subject: Any) -> CodeType | None:
    for name in ("__code__", "cr_code", "gi_code"):
        code = getattr(subject, name, None)
        if isinstance(code, CodeType):
            return code
    called = getattr(type(subject), "__call__", None)  # noqa: B004 - its code is wanted, not whether it is there
    code = getattr(called, "__code__", None)
    return code if isinstance(code, CodeType) else None


def _module_of_frame(subject: Any) -> str | None:
    frame = getattr(subject, "cr_frame", None) or getattr(subject, "gi_frame", None)
    return frame.f_globals.get("__name__") if frame is not None else None
