"""Python code: which processes it starts and which files it touches, told as the commands that would do the same.

Read from the syntax tree; texts are put together as far as they are constant,
decoders included. Nothing is imported or run.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from pytest_agentreplay.guards.analysis.shell.facts import Deed
from pytest_agentreplay.guards.analysis.shell.inner import Argv, Text
from pytest_agentreplay.guards.analysis.shell.python_acts import SHELLS, Act, Acts
from pytest_agentreplay.guards.analysis.shell.unknown import END, unknown

_MOST: Final = 200
_DEEPEST: Final = 4


@lru_cache(maxsize=1024)
def acts_of_python(code: str) -> tuple[Act, ...] | None:
    """List what a piece of Python does to processes and files, in order; None where it is no Python."""
    tree = _parsed(code)
    if tree is None:
        return None
    reader = _Reader()
    try:
        reader.read(tree.body)
    except RecursionError:
        reader.acts.append(Deed("unreadable", "medium", "", "nests too deep to be followed"))
    return tuple(reader.finished())


@lru_cache(maxsize=256)
def printed(code: str) -> str | None:
    """Give what a piece of Python prints as far as it is constant; None where it prints nothing."""
    tree = _parsed(code)
    if tree is None:
        return None
    reader = _Reader()
    reader.read(tree.body)
    return "".join(reader.printed) if reader.printed else None


def is_python(code: str) -> bool:
    """Tell whether a text can only be Python: it parses and has more than names and operators."""
    tree = _parsed(code)
    if tree is None:
        return False
    telling = (
        ast.Import,
        ast.ImportFrom,
        ast.FunctionDef,
        ast.ClassDef,
        ast.Call,
        ast.With,
        ast.For,
        ast.Try,
        ast.Assign,
        ast.While,
        ast.If,
    )
    return any(isinstance(node, telling) for node in ast.walk(tree))


@lru_cache(maxsize=512)
def _parsed(code: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(_without_magics(code.strip("\r\n ")))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _without_magics(code: str) -> str:
    """Turn a notebook's shell lines into calls that mean the same."""
    if not any(line.lstrip()[:1] in ("!", "%") for line in code.splitlines()):
        return code
    lines = code.splitlines()
    if lines and lines[0].startswith(("%%bash", "%%sh", "%%script", "%%!")):
        body = "\n".join(lines[1:])
        return f"__import__('os').system({body!r})"
    return "\n".join(_magic(line) for line in lines)


def _magic(line: str) -> str:
    stripped = line.lstrip()
    indent = line[: len(line) - len(stripped)]
    if stripped[:1] == "!":
        return f"{indent}__import__('os').system({stripped.lstrip('!')!r})"
    if stripped.startswith(("%sx ", "%system ", "%sc ")):
        return f"{indent}__import__('os').system({stripped.partition(' ')[2]!r})"
    return f"{indent}pass" if stripped[:1] == "%" else line


class _Reader(Acts):
    """Reads statements in order and collects what they do."""

    def __init__(self) -> None:
        super().__init__()
        self._names: set[str] = set()
        self._functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
        self._depth = 0

    def finished(self) -> Iterator[Act]:
        """Give what was found, and what only shows in the whole."""
        yield from self.acts[:_MOST]
        if len(self.acts) > _MOST:
            yield Deed("unreadable", "medium", "", "does too much to be followed")
        connects = (
            any(name.startswith("socket.") or name.endswith(".connect") for name in self._names)
            and "socket" in self.scope.imports.values()
        )
        starts_shell = any(
            isinstance(act, Argv) and act.words and act.words[0].rpartition("/")[2] in SHELLS for act in self.acts
        ) or any(
            isinstance(act, Text) and act.text.strip().rpartition("/")[2].split(" ")[0] in SHELLS for act in self.acts
        )
        if connects and (self._names & {"os.dup2", "pty.spawn"} or starts_shell):
            yield Deed("reverse_shell", "critical", "", "hands a shell to another machine")

    def read_code(self, text: str) -> None:
        """Read code inside this code."""
        inner = _parsed(text)
        if self._depth >= _DEEPEST:
            self.acts.append(Deed("unreadable", "medium", "", "nests too deep to be followed"))
        elif inner is not None:
            self._depth += 1
            self.read(inner.body)
            self._depth -= 1

    def act(self, name: str, call: ast.Call, args: list[Any], keywords: dict[str, Any]) -> Any:
        """Take notice of one call; those of functions in this code are followed."""
        self._names.add(name)
        if name in self._functions and args:
            self._function(self._functions[name], args)
            return unknown("result")
        return super().act(name, call, args, keywords)

    def read(self, body: list[ast.stmt]) -> None:
        """Read statements."""
        for statement in body:
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Import | ast.ImportFrom):
            self.scope.import_names(node)
        elif isinstance(node, ast.Assign):
            value = self.folder.value(node.value)
            for target in node.targets:
                self.scope.bind(target, value)
        elif isinstance(node, ast.AnnAssign | ast.AugAssign) and node.value is not None:
            self._augmented(node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            self._functions[node.name] = node
            self._function(node, [])
        elif isinstance(node, ast.ClassDef):
            self.read(node.body)
        elif isinstance(node, ast.For | ast.AsyncFor):
            self._loop(node)
        else:
            self._other(node)

    def _augmented(self, node: ast.AnnAssign | ast.AugAssign) -> None:
        assert node.value is not None
        value = self.folder.value(node.value)
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
            value = self.folder.added(self.folder.value(_loaded(node.target)), value)
        self.scope.bind(node.target, value)

    def _loop(self, node: ast.For | ast.AsyncFor) -> None:
        items = self.folder.value(node.iter)
        choices = list(items[:8]) if isinstance(items, list | tuple) and items else [unknown("item")]
        for choice in choices:
            self.scope.bind(node.target, choice)
            self.read(node.body)
        self.read(node.orelse)

    def _other(self, node: ast.stmt) -> None:
        if isinstance(node, ast.While) and _forks(node):
            self.acts.append(
                Deed("process_kill", "critical", "", "starts processes without end until the machine stalls")
            )
        for _, field in ast.iter_fields(node):
            for item in field if isinstance(field, list) else [field]:
                if isinstance(item, ast.stmt):
                    self._statement(item)
                elif isinstance(item, ast.expr):
                    self.folder.value(item)
                elif isinstance(item, ast.withitem):
                    value = self.folder.value(item.context_expr)
                    if item.optional_vars is not None:
                        self.scope.bind(item.optional_vars, value)
                elif isinstance(item, ast.ExceptHandler | ast.match_case):
                    self.read(item.body)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, given: list[Any]) -> None:
        if self._depth > _DEEPEST:
            return
        self._depth += 1
        names = [each.arg for each in (*node.args.posonlyargs, *node.args.args)]
        for place, name in enumerate(names):
            self.scope.values[name] = given[place] if place < len(given) else unknown(name)
        if given or not names:
            self.read(node.body)
        else:
            before = len(self.acts)
            self.read(node.body)
            self.acts[before:] = [act for act in self.acts[before:] if not _hangs_on_parameters(act)]
        self._depth -= 1


def _hangs_on_parameters(act: Act) -> bool:
    """Tell whether an act is unknown only because nobody has called its function yet."""
    return (
        isinstance(act, Argv)
        and act.words[:1] in (["rm"], ["rmdir"], ["mv"])
        and any(END in word for word in act.words)
    )


def _forks(node: ast.While) -> bool:
    constant = isinstance(node.test, ast.Constant) and bool(node.test.value)
    return constant and any(
        isinstance(each, ast.Attribute) and each.attr == "fork" for part in node.body for each in ast.walk(part)
    )


def _loaded(target: ast.expr) -> ast.expr:
    return ast.Name(target.id, ast.Load()) if isinstance(target, ast.Name) else target
