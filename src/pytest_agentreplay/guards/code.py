"""Code: what the digest of a rule in Python is made of.

The source text of the function and of everything in its own module that it refers to:
functions, classes, constants, imports by what they say. Read as text, so that no
module is imported for it, and the same in every version of Python. Where there is no
source, its byte code stands in. What other modules hold is not followed. Nothing here
runs anything.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import inspect
import sys
import textwrap
import tokenize
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec
from types import CodeType
from typing import Any, Final, TypeAlias

_MOST_MODULES: Final = 4  # that a name is followed through, where a module only hands it on

_Bindings: TypeAlias = dict[str, list[ast.stmt]]


def target_code(target: str) -> str | None:
    """Digest the code of ``module:function``; None where there is none to be read.

    Args:
        target: as a policy writes it; the module is found on the path and not imported.
    """
    module, _, name = target.partition(":")
    return _defined_in(module, name.partition(".")[0], _MOST_MODULES)


def function_code(function: Callable[..., Any]) -> str | None:
    """Digest the code of a function; None where there is none to be read."""
    name = function.__qualname__
    if "<" not in name:
        digest = _defined_in(function.__module__, name.partition(".")[0], 1)
        if digest is not None:
            return digest
    try:
        if getattr(getattr(function, "__code__", None), "co_filename", "").startswith("<"):
            raise OSError  # of no file: what stands under that name is whatever was typed or made last
        text = textwrap.dedent(inspect.getsource(function))
        parts = [text, *_referred_to(function.__module__, _names_in(ast.parse(text)))]
    except (OSError, TypeError, SyntaxError, ValueError):
        code = getattr(function, "__code__", None)
        return None if code is None else _digest([f"{sys.implementation.cache_tag}", *_of_code(code)])
    return _digest([*parts, *_closed_over(function)])


def _digest(parts: list[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _defined_in(module: str, name: str, modules: int) -> str | None:
    source = _source_of(module)
    bindings = _bindings(source)
    if source is None or name not in bindings:
        return None
    for node in bindings[name]:
        if isinstance(node, ast.ImportFrom) and modules > 1:
            origin = next(alias.name for alias in node.names if (alias.asname or alias.name) == name)
            return _defined_in(_absolute(node, module), origin, modules - 1)
    return _digest(list(_texts(source, bindings, {name})))


def _referred_to(module: str, names: set[str]) -> Iterator[str]:
    source = _source_of(module)
    if source is not None:
        yield from _texts(source, _bindings(source), names)


def _texts(source: str, bindings: _Bindings, names: set[str]) -> Iterator[str]:
    """Give the source of everything that names lead to, in the order of the module."""
    found: dict[int, ast.stmt] = {}
    waiting = sorted(names)
    seen = set(waiting)
    for name in waiting:  # grows while it is walked
        for node in bindings.get(name, ()):
            if node.lineno not in found:
                found[node.lineno] = node
                more = _names_in(node) - seen
                seen |= more
                waiting += sorted(more)
    lines = source.splitlines()
    for _, node in sorted(found.items()):
        first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))])
        yield "\n".join(line.rstrip() for line in lines[first - 1 : node.end_lineno])


def _names_in(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _bindings(source: str | None) -> _Bindings:
    """List the statements at the top of a module by the names that they bind."""
    bindings: _Bindings = {}
    try:
        waiting: list[ast.stmt] = list(ast.parse(source or "").body)
    except (SyntaxError, ValueError, RecursionError):
        return bindings
    for node in waiting:  # grows: what stands under `if` and `try` is the module's as well
        if isinstance(node, ast.If | ast.Try | ast.With):
            for part in ast.iter_child_nodes(node):
                waiting += [part] if isinstance(part, ast.stmt) else getattr(part, "body", []) if _holds(part) else []
        for name in _bound_by(node):
            bindings.setdefault(name, []).append(node)
    return bindings


def _holds(node: ast.AST) -> bool:
    return isinstance(node, ast.ExceptHandler)


def _bound_by(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return set().union(*map(_names_in, targets))
    return set()


def _absolute(node: ast.ImportFrom, module: str) -> str:
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    package = parts[: len(parts) - node.level + _is_package(module)]
    return ".".join([*package, *([node.module] if node.module else [])])


def _is_package(module: str) -> bool:
    loaded = sys.modules.get(module)
    spec = getattr(loaded, "__spec__", None) if loaded is not None else _find(module)
    return spec is not None and spec.submodule_search_locations is not None


def _source_of(module: str) -> str | None:
    """Read a module's source, from where it was imported, or would be."""
    loaded = sys.modules.get(module)
    spec = getattr(loaded, "__spec__", None) if loaded is not None else _find(module)
    file = getattr(loaded, "__file__", None) or (spec.origin if spec is not None else None)
    try:
        if file is not None and file.endswith(".py"):
            with tokenize.open(file) as opened:
                return opened.read()
        return inspect.getsource(loaded) if loaded is not None else None
    except (OSError, SyntaxError, TypeError, UnicodeError):
        return None


def _find(module: str) -> ModuleSpec | None:
    """Find a module without importing the packages that it is in."""
    importlib.invalidate_caches()  # it may have been written a moment ago
    path: Any = None
    spec: ModuleSpec | None = None
    name = ""
    for part in module.split("."):
        name = f"{name}.{part}" if name else part
        finders = (getattr(finder, "find_spec", None) for finder in sys.meta_path)
        spec = next((found for find in finders if find is not None and (found := find(name, path))), None)
        path = spec.submodule_search_locations if spec is not None else None
        if spec is None:
            return None
    return spec


def _of_code(code: CodeType) -> Iterator[str]:
    yield code.co_code.hex()
    yield " ".join(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _of_code(constant)
        else:
            yield repr(constant)


def _closed_over(function: Callable[..., Any]) -> Iterator[str]:
    """Give the plain values that a function keeps from where it was made, and its defaults."""
    cells = [cell.cell_contents for cell in getattr(function, "__closure__", None) or () if _is_filled(cell)]
    for value in (*cells, *(getattr(function, "__defaults__", None) or ())):
        if isinstance(value, str | int | float | bool | tuple | list | dict | None):
            yield repr(value)


def _is_filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:  # made and not yet assigned
        return False
