"""Values in Python code: what an expression is worth as far as it is constant, and which function a call means.

Texts are put together, sliced and decoded; what can't be known becomes an
unknown stretch that says whether it came from the network or a decoder.
"""

from __future__ import annotations

import ast
import binascii
import codecs
from collections.abc import Callable
from typing import Any, Final

from pytest_agentreplay.guards.analysis.shell.python_builtins import (
    DECODERS,
    Function,
    PathText,
    as_text,
    brace_formatted,
    call_value,
    computed,
    decoded,
    joined_path,
    percent_formatted,
    unveils,
)
from pytest_agentreplay.guards.analysis.shell.unknown import DECODED, END, NETWORK, is_known, unknown, unmarked
from pytest_agentreplay.redaction.keys import words

_LONGEST: Final = 65_536
_TEXT_METHODS: Final = words(
    "lower upper strip lstrip rstrip replace split splitlines join format title capitalize"
    " swapcase removeprefix removesuffix rsplit partition encode decode zfill casefold"
)
_STARRED: Final = {
    "os": words(
        "system popen remove unlink rmdir removedirs rename chmod chown kill execv execvp execl execlp environ"
    ),
    "subprocess": words("run call check_call check_output Popen getoutput getstatusoutput"),
    "shutil": words("rmtree move copy copyfile copytree"),
    "pathlib": words("Path"),
    "socket": words("socket create_connection"),
    "urllib.request": words("urlopen urlretrieve Request"),
}
"""What a star import brings, of the names that matter here."""
_PATHS: Final = frozenset(("pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath", "Path"))
_ENVIRONMENT: Final = unknown("file:/proc/self/environ")
_READ_ON: Final = words("text content read decode json body data strip readlines read_text encode recv splitlines")


class Scope:
    """Names: what was imported under which, and what they hold."""

    def __init__(self) -> None:
        self.imports: dict[str, str] = {}
        self.values: dict[str, Any] = {}
        self.stars: list[str] = []

    def import_names(self, node: ast.Import | ast.ImportFrom) -> None:
        """Take the names of an import."""
        for alias in node.names:
            if isinstance(node, ast.ImportFrom) and alias.name == "*":
                self.stars.append(node.module or "")
            elif isinstance(node, ast.ImportFrom):
                self.imports[alias.asname or alias.name] = f"{node.module or ''}.{alias.name}".lstrip(".")
            elif alias.asname:
                self.imports[alias.asname] = alias.name
            else:
                root = alias.name.partition(".")[0]
                self.imports[root] = root

    def bind(self, target: ast.expr, value: Any) -> None:
        """Give a value to a name, or to several."""
        if isinstance(target, ast.Name):
            if isinstance(value, Function):
                self.imports[target.id] = value.name
            else:
                self.values[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            items = value if isinstance(value, list | tuple) else []
            for place, each in enumerate(target.elts):
                self.bind(each, items[place] if place < len(items) else unknown("item"))


Called = Callable[[str, ast.Call, list[Any], dict[str, Any]], Any]


class Folder:
    """Works out expressions.

    Attributes:
        decoded: whether a decoder was met since this was last cleared.
    """

    def __init__(self, scope: Scope, called: Called) -> None:
        self.scope = scope
        self.decoded = False
        self._called = called

    def value(self, node: ast.expr | None) -> Any:
        """Give what an expression is worth."""
        if isinstance(node, ast.Constant):
            return unmarked(node.value) if isinstance(node.value, str) and END not in node.value else node.value
        work = _WORK.get(type(node)) if node is not None else None
        return work(self, node) if work is not None else self._visited(node)

    def _visited(self, node: ast.AST | None) -> Any:
        for child in ast.iter_child_nodes(node) if node is not None else ():
            if isinstance(child, ast.expr):
                self.value(child)
        return unknown("value")

    def _name(self, node: ast.Name) -> Any:
        if node.id in self.scope.values:
            return self.scope.values[node.id]
        if node.id in self.scope.imports:
            return Function(self.scope.imports[node.id])
        module = next((star for star in self.scope.stars if node.id in _STARRED.get(star, ())), "")
        return Function(f"{module}.{node.id}" if module else node.id)

    def _attribute(self, node: ast.Attribute) -> Any:
        owner = self.value(node.value)
        if isinstance(owner, Function):
            name = f"{owner.name}.{node.attr}"
            if name in ("os.environ", "sys.argv"):
                return _ENVIRONMENT if name == "os.environ" else unknown("argv")
            return Function("base64.b64decode" if name.endswith("base64.b64decode") else name)
        if isinstance(owner, PathText):
            return (
                PathText(owner.rpartition("/")[0] or ".") if node.attr == "parent" else Function("Path()." + node.attr)
            )
        if isinstance(owner, str) and (NETWORK in owner or DECODED in owner):
            return owner
        return unknown(node.attr)

    def _binary(self, node: ast.BinOp) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(node.op, ast.Add):
            return self.added(left, right)
        if isinstance(node.op, ast.Div) and isinstance(left, str):
            return PathText(
                f"{left.rstrip('/')}/{as_text(right)}" if not as_text(right).startswith("/") else as_text(right)
            )
        if isinstance(node.op, ast.Mult) and isinstance(left, str) and isinstance(right, int):
            return (left * min(max(right, 0), 64))[:_LONGEST]
        if isinstance(node.op, ast.Mod) and isinstance(left, str):
            return percent_formatted(left, right)
        if isinstance(left, int) and isinstance(right, int):
            return computed(node.op, left, right)
        return unknown("value")

    def added(self, left: Any, right: Any) -> Any:
        """Add two values."""
        if isinstance(left, str) or isinstance(right, str):
            return (as_text(left) + as_text(right))[:_LONGEST]
        if isinstance(left, bytes) and isinstance(right, bytes):
            return left + right
        if isinstance(left, list | tuple) and isinstance(right, list | tuple):
            return [*left, *right][:256]
        return left + right if isinstance(left, int) and isinstance(right, int) else unknown("value")

    def _joined(self, node: ast.JoinedStr) -> Any:
        return "".join(as_text(self.value(part)) for part in node.values)[:_LONGEST]

    def _formatted(self, node: ast.FormattedValue) -> Any:
        return self.value(node.value)

    def _list(self, node: ast.List | ast.Tuple | ast.Set) -> Any:
        items: list[Any] = []
        for item in node.elts:
            if isinstance(item, ast.Starred):
                value = self.value(item.value)
                items += value if isinstance(value, list | tuple) else [value]
            else:
                items.append(self.value(item))
        return items

    def _dict(self, node: ast.Dict) -> Any:
        return {
            as_text(self.value(key)): self.value(value)
            for key, value in zip(node.keys, node.values, strict=True)
            if key is not None
        }

    def _subscript(self, node: ast.Subscript) -> Any:
        owner = self.value(node.value)
        if isinstance(node.slice, ast.Slice):
            bounds = [
                self.value(part) if part is not None else None
                for part in (node.slice.lower, node.slice.upper, node.slice.step)
            ]
            if (
                isinstance(owner, str | bytes | list)
                and all(bound is None or isinstance(bound, int) for bound in bounds)
                and bounds[2] != 0
            ):
                return owner[slice(*bounds)] if not isinstance(owner, str) or is_known(owner) else owner
            return owner if isinstance(owner, str) else unknown("value")
        index = self.value(node.slice)
        if isinstance(owner, list | tuple | bytes) and isinstance(index, int) and -len(owner) <= index < len(owner):
            return owner[index]
        if isinstance(owner, str) and is_known(owner) and isinstance(index, int) and -len(owner) <= index < len(owner):
            return owner[index]
        if isinstance(owner, dict) and isinstance(index, str) and index in owner:
            return owner[index]
        if isinstance(owner, str) and owner == _ENVIRONMENT and isinstance(index, str):
            return "~" if index == "HOME" else unknown(index)
        return owner if isinstance(owner, str) and not is_known(owner) else unknown("item")

    def _comprehension(self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp) -> Any:
        first = node.generators[0]
        items = self.value(first.iter)
        if (isinstance(items, str) and is_known(items)) or isinstance(items, bytes):
            items = list(items)
        if not isinstance(items, list | tuple) or len(items) > 4096 or len(node.generators) > 1:
            items = [unknown("item")]
        results = []
        for item in items:
            self.scope.bind(first.target, item)
            results.append(self.value(node.elt))
        return results

    def _unary(self, node: ast.UnaryOp) -> Any:
        value = self.value(node.operand)
        return -value if isinstance(node.op, ast.USub) and isinstance(value, int) else value

    def _conditional(self, node: ast.IfExp) -> Any:
        self.value(node.test)
        self.value(node.orelse)
        return self.value(node.body)

    def _awaited(self, node: ast.Await | ast.Starred | ast.YieldFrom) -> Any:
        return self.value(node.value)

    def _assigned(self, node: ast.NamedExpr) -> Any:
        value = self.value(node.value)
        self.scope.bind(node.target, value)
        return value

    def _lambda(self, node: ast.Lambda) -> Any:
        self.value(node.body)
        return unknown("function")

    def _call(self, node: ast.Call) -> Any:
        args = self._list(ast.List(node.args, ast.Load()))
        keywords = {each.arg: self.value(each.value) for each in node.keywords if each.arg is not None}
        for each in node.keywords:
            if each.arg is None:
                self.value(each.value)
        if isinstance(node.func, ast.Attribute):
            return self._method(node, node.func, args, keywords)
        function = self.value(node.func)
        if isinstance(function, Function):
            return self._named(function.name, node, args, keywords)
        return unknown("value")

    def _named(self, name: str, node: ast.Call, args: list[Any], keywords: dict[str, Any]) -> Any:
        name = name.removeprefix("builtins.").removeprefix("__builtins__.")
        if name == "compile" and args:
            return args[0]
        value = self._called(name, node, args, keywords)
        return value if value is not None else self._known_call(name, args)

    def _method(self, node: ast.Call, func: ast.Attribute, args: list[Any], keywords: dict[str, Any]) -> Any:
        owner = self.value(func.value)
        method = func.attr
        if isinstance(owner, Function):
            return self._named(f"{owner.name}.{method}", node, args, keywords)
        if isinstance(owner, PathText):
            if method == "joinpath":
                return joined_path([owner, *args], pathlike=True)
            value = self._called("Path()." + method, node, [owner, *args], keywords)
            return PathText(owner) if method in ("resolve", "absolute", "expanduser") else value
        if hasattr(owner, "path") and method in ("write", "writelines"):
            return self._called("File()." + method, node, [owner, *args], keywords)
        if isinstance(owner, str | bytes) and method in _TEXT_METHODS:
            return self._text_method(owner, method, args)
        if isinstance(owner, str) and not is_known(owner):
            value = self._called(f"object.{method}", node, args, keywords)
            return owner if method in _READ_ON or NETWORK in owner else value or unknown("value")
        return self._called(f"object.{method}", node, args, keywords) or unknown("value")

    def _text_method(self, owner: str | bytes, method: str, args: list[Any]) -> Any:
        if method == "join" and args and isinstance(args[0], list | tuple):
            return as_text(owner).join(as_text(item) for item in args[0])[:_LONGEST]
        if method == "decode" or method == "encode":
            return self._coded(owner, method, args)
        if method == "format" and isinstance(owner, str):
            return brace_formatted(owner, args)
        if isinstance(owner, str) and not is_known(owner):
            return owner
        try:
            return getattr(owner, method)(*args)
        except (TypeError, ValueError, LookupError):
            return unknown("value")

    def _coded(self, owner: str | bytes, method: str, args: list[Any]) -> Any:
        coding = as_text(args[0]) if args else "utf-8"
        if coding.replace("_", "").replace("-", "").lower() in (
            "rot13",
            "hex",
            "base64",
            "zlib",
            "unicodeescape",
            "zip",
        ):
            self.decoded = True
            return self._codecs([owner, coding])
        if isinstance(owner, bytes) and method == "decode":
            return unmarked(owner.decode("utf-8", "replace"))
        return owner

    def _codecs(self, args: list[Any]) -> Any:
        try:
            data, coding = args[0], as_text(args[1])
            if coding.lower().replace("-", "") not in ("rot13", "rot_13") and isinstance(data, str):
                data = data.encode()
            done = codecs.decode(data, coding)
        except (ValueError, TypeError, LookupError, IndexError, binascii.Error):
            return unknown("", DECODED)
        return unmarked(done) if type(done) is str else done

    def _known_call(self, name: str, args: list[Any]) -> Any:
        decode = DECODERS.get(name)
        if decode is not None:
            self.decoded = True
            return decoded(decode, args)
        if name in ("codecs.decode", "bytes.fromhex", "bytearray.fromhex"):
            self.decoded = True
            return self._codecs(args) if name == "codecs.decode" else decoded(bytes.fromhex, args, text=True)
        if name in _PATHS or name == "os.path.join":
            return joined_path(args, pathlike=name != "os.path.join")
        if name.startswith(("Path.", "pathlib.Path.")):
            return PathText("~" if name.endswith("home") else ".")
        if name in ("__import__", "importlib.import_module", "getattr"):
            return self._reached(name, args)
        self.decoded = self.decoded or unveils(name, args)
        return call_value(name, args)

    def _reached(self, name: str, args: list[Any]) -> Any:
        if name != "getattr":
            return Function(as_text(args[0])) if args else unknown("module")
        if len(args) > 1 and isinstance(args[0], Function) and isinstance(args[1], str):
            return Function(f"{args[0].name}.{args[1]}")
        return unknown("value")


_WORK: Final[dict[type[ast.AST], Callable[[Folder, Any], Any]]] = {
    ast.Name: Folder._name,
    ast.Attribute: Folder._attribute,
    ast.BinOp: Folder._binary,
    ast.JoinedStr: Folder._joined,
    ast.FormattedValue: Folder._formatted,
    ast.List: Folder._list,
    ast.Tuple: Folder._list,
    ast.Set: Folder._list,
    ast.Dict: Folder._dict,
    ast.Subscript: Folder._subscript,
    ast.ListComp: Folder._comprehension,
    ast.GeneratorExp: Folder._comprehension,
    ast.SetComp: Folder._comprehension,
    ast.UnaryOp: Folder._unary,
    ast.IfExp: Folder._conditional,
    ast.Await: Folder._awaited,
    ast.Starred: Folder._awaited,
    ast.YieldFrom: Folder._awaited,
    ast.NamedExpr: Folder._assigned,
    ast.Lambda: Folder._lambda,
    ast.Call: Folder._call,
}
