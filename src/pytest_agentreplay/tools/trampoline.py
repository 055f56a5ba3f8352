"""Trampolines: a Python function's code, replaced in place by code that asks the gate.

A function's identity stays, so every reference to it, wherever it is kept, sees
the change. The code that takes the place has the original's name, file, first
line and closure, and holds the gate and the tool as constants. What is worth
swapping, and for how long, is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, update_wrapper
from types import CodeType, FunctionType
from typing import Any, Final

from pytest_agentreplay.tools import gate
from pytest_agentreplay.tools.spec import Kind, ToolSpec

# The free variables are declared and not used: a function accepts code only if
# it has as many as the closure, and debuggers read all of them.
_TEMPLATE: Final = """
def enclose({cells}):
    {prefix}def trampoline(*args, **kwargs):
        {declaration}
        __tracebackhide__ = True
        active = "<gate>".active
        if active is None:
            return {wait}"<tool>".body(*args, **kwargs)
        return {wait}active.{method}("<tool>", args, kwargs)
    return trampoline
"""


def install(
    function: FunctionType, make_spec: Callable[[FunctionType], ToolSpec]
) -> tuple[ToolSpec, Callable[[], None]]:
    """Put a trampoline into a function of kind ``function`` or ``coroutine``.

    `make_spec` makes the tool from its body, a function with the original code.

    Returns:
        the tool, and what puts the original code back.
    """
    original = function.__code__
    spec = make_spec(_body_of(function))
    code = _trampoline(original, spec)
    is_signed = "__signature__" in function.__dict__

    def restore() -> None:
        function.__code__ = original
        if not is_signed:
            function.__dict__.pop("__signature__", None)

    if not is_signed and spec.signature is not None:
        function.__signature__ = spec.signature  # type: ignore[attr-defined]
    function.__code__ = code  # last: from here on other threads take the new path
    return spec, restore


def _body_of(function: FunctionType) -> FunctionType:
    body = FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    body.__kwdefaults__ = function.__kwdefaults__
    update_wrapper(body, function)
    del body.__wrapped__  # type: ignore[attr-defined]
    return body


def _trampoline(original: CodeType, spec: ToolSpec) -> CodeType:
    template = _template(spec.kind, len(original.co_freevars))
    constants = {"<gate>": gate, "<tool>": spec}
    return template.replace(
        co_consts=tuple(constants.get(item, item) if isinstance(item, str) else item for item in template.co_consts),
        co_freevars=original.co_freevars,
        co_name=original.co_name,
        co_qualname=original.co_qualname,
        co_filename=original.co_filename,
        co_firstlineno=original.co_firstlineno,
        co_linetable=_on_first_line(template),
    )


@cache
def _template(kind: Kind, cells: int) -> CodeType:
    names = ", ".join(f"cell{number}" for number in range(cells))
    is_async = kind == "coroutine"
    source = _TEMPLATE.format(
        cells=names,
        declaration=f"nonlocal {names}" if cells else "pass",
        prefix="async " if is_async else "",
        wait="await " if is_async else "",
        method="acall" if is_async else "call",
    )
    scope: dict[str, Any] = {}
    exec(source, scope)  # noqa: S102 - the text above; nothing of the user's is in it
    code: CodeType = scope["enclose"](*range(cells)).__code__
    return code


def _on_first_line(code: CodeType) -> bytes:
    """Write a line table that places everything on the first line, with no columns.

    Tracebacks then show the ``def`` line of the original, and underline nothing
    in it. The format is that of CPython's Objects/locations.md: entries for up to
    eight code units each, of the form 13, ``no column info``, with a line delta.
    """
    units = len(code.co_code) // 2
    table = bytearray()
    while units > 0:
        length = min(units, 8)
        table += bytes((0x80 | 13 << 3 | length - 1, 0))
        units -= length
    return bytes(table)
