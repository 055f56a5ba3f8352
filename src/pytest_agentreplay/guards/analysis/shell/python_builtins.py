"""Well-known functions of Python: what they give for values that are known.

Nothing here reads code.
"""

from __future__ import annotations

import ast
import base64
import binascii
import gzip
import zlib
from collections.abc import Callable
from typing import Any, Final

from pytest_agentreplay.guards.analysis.shell.unknown import ANY_DEPTH, DECODED, NETWORK, PLAIN, is_known, unknown

DECODERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "base64.b64decode": lambda data: base64.b64decode(data + b"=" * (-len(data) % 4)),
    "base64.standard_b64decode": base64.b64decode,
    "base64.urlsafe_b64decode": base64.urlsafe_b64decode,
    "base64.decodebytes": base64.decodebytes,
    "base64.b32decode": base64.b32decode,
    "base64.b16decode": base64.b16decode,
    "base64.b85decode": base64.b85decode,
    "base64.a85decode": base64.a85decode,
    "binascii.unhexlify": binascii.unhexlify,
    "binascii.a2b_hex": binascii.a2b_hex,
    "binascii.a2b_base64": binascii.a2b_base64,
    "zlib.decompress": zlib.decompress,
    "gzip.decompress": gzip.decompress,
}


class PathText(str):
    """The text of a ``pathlib.Path``."""

    __slots__ = ()


class Function:
    """A function or module that an expression stands for, by its dotted name."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


def call_value(name: str, args: list[Any]) -> Any:
    """Give what a call of a well-known function is worth."""
    first = args[0] if args else ""
    if name == "chr" and isinstance(first, int) and 3 < first < 0x110000:
        return chr(first)
    if name == "ord" and isinstance(first, str) and len(first) == 1:
        return ord(first)
    if name == "map" and len(args) > 1 and isinstance(first, Function) and isinstance(args[1], list | tuple | bytes):
        return [call_value(first.name, [item]) for item in list(args[1])[:4096]]
    if (
        name in ("bytes", "bytearray")
        and isinstance(first, list)
        and all(isinstance(item, int) and 0 <= item < 256 for item in first)
    ):
        return bytes(first)
    if name in (
        "str",
        "bytes",
        "repr",
        "os.fspath",
        "os.path.expanduser",
        "os.path.abspath",
        "os.path.realpath",
        "os.path.normpath",
        "os.path.expandvars",
        "shlex.quote",
    ):
        return first
    if name in ("list", "tuple", "sorted", "set", "shlex.split", "reversed"):
        return _listed(name, first)
    if name == "int" and isinstance(first, str) and first.lstrip("-").isdigit():
        return int(first)
    if name in _LISTS:
        return listed(name, as_text(first) or ".")
    if name in ("os.getcwd", "os.path.dirname"):
        return "."
    if name in ("os.getenv", "os.environ.get"):
        return "~" if first == "HOME" else unknown(as_text(first))
    if name.startswith("tempfile."):
        return "/tmp/tmp.made"
    if name in ("input", "sys.stdin.read"):
        return unknown("input")
    for arg in args:
        if isinstance(arg, str) and "\x00file:" in arg:
            return arg
    mark = next(
        (mark for mark in (NETWORK, DECODED) if any(isinstance(arg, str) and mark in arg for arg in args)), PLAIN
    )
    return unknown("" if mark != PLAIN else "value", mark)


_LISTS: Final = frozenset(("os.listdir", "os.scandir", "glob.glob", "glob.iglob", "os.walk", "os.fwalk"))


def listed(name: str, root: str) -> Any:
    """Give what a listing of a directory holds: one path that stands for all of them."""
    if name.startswith("glob."):
        return [root]
    path = PathText(f"{root.rstrip('/')}/{unknown(ANY_DEPTH)}")
    return [[path, [path], [path]]] if name.endswith("walk") else [path]


def _listed(name: str, value: Any) -> Any:
    if isinstance(value, str) and is_known(value):
        return value.split() if name == "shlex.split" else list(value[::-1] if name == "reversed" else value)
    if isinstance(value, list | tuple):
        return list(value[::-1]) if name == "reversed" else list(value)
    return value


def joined_path(args: list[Any], *, pathlike: bool) -> Any:
    """Join the parts of a path."""
    path = ""
    for arg in args:
        text = as_text(arg)
        path = text if text.startswith("/") or not path else f"{path.rstrip('/')}/{text}"
    return PathText(path or ".") if pathlike else path


def decoded(decode: Callable[..., bytes], args: list[Any], *, text: bool = False) -> Any:
    """Decode a value, as far as it is known."""
    data = args[0] if args else ""
    if isinstance(data, str):
        if not is_known(data):
            return unknown("", NETWORK if NETWORK in data else DECODED)
        data = data if text else data.encode()
    try:
        return decode(data)
    except (ValueError, TypeError, binascii.Error, zlib.error, OSError, EOFError):
        return unknown("", DECODED)


def as_text(value: Any) -> str:
    """Give a value as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, list | tuple):
        return " ".join(as_text(item) for item in value)
    return unknown(value.name.rpartition(".")[2]) if isinstance(value, Function) else str(value)


def percent_formatted(form: str, values: Any) -> str:
    """Do what ``%`` does with a text."""
    given = list(values) if isinstance(values, list | tuple) else [values]
    for value in given:
        for sign in ("%s", "%d", "%r"):
            if sign in form:
                form = form.replace(sign, as_text(value), 1)
                break
    return form


def brace_formatted(form: str, values: list[Any]) -> str:
    """Do what ``format`` does with a text."""
    for place, value in enumerate(values):
        form = form.replace("{}", as_text(value), 1).replace(f"{{{place}}}", as_text(value))
    return form


def computed(operator: ast.operator, left: int, right: int) -> Any:
    """Do what an operator does with two whole numbers."""
    if isinstance(operator, ast.Sub):
        return left - right
    if isinstance(operator, ast.BitXor):
        return left ^ right
    if isinstance(operator, ast.BitOr):
        return left | right
    if isinstance(operator, ast.Mult):
        return left * right if abs(left) < 1 << 64 and abs(right) < 1 << 64 else 0
    if isinstance(operator, ast.Mod | ast.FloorDiv) and right:
        return left % right if isinstance(operator, ast.Mod) else left // right
    return unknown("number")


def unveils(name: str, args: list[Any]) -> bool:
    """Tell whether a call makes a text of numbers, as one does that is not to be read."""
    if name == "map" and args and isinstance(args[0], Function):
        return args[0].name == "chr"
    return name == "chr" or (name in ("bytes", "bytearray") and bool(args) and isinstance(args[0], list))
