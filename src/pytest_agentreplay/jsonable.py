"""JSON values: what a trace can hold, how it is written, and when two are equal.

In memory a value is plain Python: None, bool, int, float (with NaN and the
infinities), str (with lone surrogates), bytes, list, dict with str keys, and
`Opaque` for what can't be JSON. In a file the ones that JSON lacks are marked:
``{$base64: ...}``, ``{$float: nan}``, ``{$utf16: ...}``, ``{$type: module.Name}``,
and a real mapping that looks like a mark is wrapped in ``{$literal: ...}``.
Nothing here knows of traces, tools or YAML.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Value: TypeAlias = Any
"""None, bool, int, float, str, bytes, Opaque, list[Value] or dict[str, Value]."""


@dataclass(frozen=True, slots=True)
class Opaque:
    """Stands for an argument that can't be JSON; equal to any other of the same type.

    Attributes:
        type_name: ``module.QualifiedName`` of the type.
    """

    type_name: str


@dataclass(frozen=True, slots=True)
class BlobRef:
    """Stands for a payload that lives beside its trace.

    Attributes:
        digest: ``sha256:`` and the hexadecimal digest of the payload's bytes.
    """

    digest: str


class Missing:
    """The type of `MISSING`: nothing was recorded, which is neither null nor the empty text."""

    _instance: Missing | None = None

    def __new__(cls) -> Missing:
        """Give the one instance there is."""
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False

    def __reduce__(self) -> str:
        return "MISSING"

    def __copy__(self) -> Missing:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Missing:
        return self


MISSING: Final = Missing()

MARKS: Final = frozenset({"$base64", "$float", "$utf16", "$type", "$literal", "$blob"})
_ATOMS: Final = frozenset({type(None), bool, int})
_UNCHANGING: Final = _ATOMS | {str, float, bytes, Opaque}
# One NaN object for all: containers compare by identity first, so two loads of one trace are equal.
_FLOATS: Final = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class NotJsonError(TypeError):
    """A value has no exact JSON form.

    Attributes:
        path: where inside the value, as keys and indices.
        type_name: what was found there.
    """

    def __init__(self, path: tuple[str | int, ...], type_name: str) -> None:
        super().__init__(f"{type_name} at {list(path)!r} is not JSON")
        self.path = path
        self.type_name = type_name

    def inside(self, key: str | int) -> NotJsonError:
        """Give the error as the container of the value has it."""
        return NotJsonError((key, *self.path), self.type_name)


class MarkError(ValueError):
    """A ``{$mark: ...}`` mapping holds what its mark doesn't allow."""

    def __init__(self, path: tuple[str | int, ...], problem: str) -> None:
        super().__init__(problem)
        self.path = path
        self.problem = problem


def type_name(value: object) -> str:
    """Name a value's type as ``module.QualifiedName``."""
    cls = type(value)
    return f"{cls.__module__}.{cls.__qualname__}"


def snapshot(value: object) -> Value:
    """Copy a value that is exactly JSON (or bytes), so that later changes to it don't show.

    Raises:
        NotJsonError: for any other type, subclasses of the plain ones included.
    """
    kind = type(value)
    if kind in _UNCHANGING:
        return value
    items: Any = value
    if kind is dict:
        return _snapshot_mapping(items)
    if kind is list:
        copied = []
        for item in items:
            try:
                copied.append(item if type(item) in _UNCHANGING else snapshot(item))
            except NotJsonError as error:
                raise error.inside(len(copied)) from None
        return copied
    raise NotJsonError((), type_name(value))


def _snapshot_mapping(value: dict[Any, Value]) -> dict[str, Value]:
    copied = {}
    for key, item in value.items():
        if type(key) is not str:
            raise NotJsonError((), f"a mapping with a {type(key).__name__} key")
        try:
            copied[key] = item if type(item) in _UNCHANGING else snapshot(item)
        except NotJsonError as error:
            raise error.inside(key) from None
    return copied


def encode(value: Value, path: tuple[str | int, ...] = ()) -> Any:
    """Turn a value into plain JSON, marking what JSON lacks.

    Raises:
        NotJsonError: for what a trace can't hold, with the path to it.
    """
    kind = type(value)
    if kind is str:
        return value if value.isascii() or _is_scalar_text(value) else _encode_surrogates(value)
    if kind in _ATOMS:
        return value
    if kind is float:
        return value if math.isfinite(value) else {"$float": str(value)}
    if kind is list:
        return [encode(item, (*path, index)) for index, item in enumerate(value)]
    if kind is dict:
        return _encode_mapping(value, path)
    if kind is bytes:
        return {"$base64": base64.b64encode(value).decode("ascii")}
    if kind is Opaque:
        return {"$type": value.type_name}
    if kind is BlobRef:
        return {"$blob": value.digest}
    raise NotJsonError(path, type_name(value))


def _encode_mapping(value: dict[Any, Value], path: tuple[str | int, ...]) -> dict[str, Any]:
    scalar = True
    for key in value:
        if type(key) is not str:
            raise NotJsonError(path, f"a mapping with a {type(key).__name__} key")
        scalar = scalar and (key.isascii() or _is_scalar_text(key))
    if not scalar:
        pairs = [[encode(key), encode(item, (*path, key))] for key, item in value.items()]
        return {"$literal": {"$pairs": pairs}}
    encoded = {key: encode(item, (*path, key)) for key, item in value.items()}
    if len(value) == 1 and next(iter(value)) in MARKS:
        return {"$literal": encoded}
    return encoded


def _is_scalar_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _encode_surrogates(text: str) -> dict[str, str]:
    return {"$utf16": text.encode("utf-16-be", "surrogatepass").hex()}


def decode(value: Any, path: tuple[str | int, ...] = ()) -> Value:
    """Undo `encode`.

    Raises:
        MarkError: when a mark holds what it can't, with the path to it.
    """
    kind = type(value)
    if kind is list:
        return [decode(item, (*path, index)) for index, item in enumerate(value)]
    if kind is dict:
        if len(value) == 1:
            mark, inner = next(iter(value.items()))
            if mark in MARKS:
                return _decode_mark(mark, inner, (*path, mark))
        return {key: decode(item, (*path, key)) for key, item in value.items()}
    return value


def _decode_mark(mark: str, inner: Any, path: tuple[str | int, ...]) -> Value:
    if mark == "$literal":
        return _decode_literal(inner, path)
    if mark == "$float" and isinstance(inner, str) and inner in _FLOATS:
        return _FLOATS[inner]
    if mark == "$type" and isinstance(inner, str):
        return Opaque(inner)
    if mark == "$blob" and isinstance(inner, str):
        return BlobRef(inner)
    if mark in ("$base64", "$utf16") and isinstance(inner, str):
        try:
            if mark == "$base64":
                return base64.b64decode(inner, validate=True)
            return bytes.fromhex(inner).decode("utf-16-be", "surrogatepass")
        except (binascii.Error, ValueError) as error:
            raise MarkError(path, f"{mark} can't be decoded: {error}") from None
    expected = {"$float": "nan, inf or -inf", "$utf16": "UTF-16 code units in hexadecimal"}.get(mark, "a text")
    raise MarkError(path, f"{mark} holds {expected}")


def _decode_literal(inner: Any, path: tuple[str | int, ...]) -> Value:
    if not isinstance(inner, dict):
        raise MarkError(path, "$literal holds a mapping")
    if set(inner) == {"$pairs"} and isinstance(inner["$pairs"], list):
        return dict(_decode_pair(pair, (*path, "$pairs", index)) for index, pair in enumerate(inner["$pairs"]))
    return {key: decode(item, (*path, key)) for key, item in inner.items()}


def _decode_pair(pair: Any, path: tuple[str | int, ...]) -> tuple[str, Value]:
    if isinstance(pair, list) and len(pair) == 2:
        key, item = decode(pair, path)
        if isinstance(key, str):
            return key, item
    raise MarkError(path, "$pairs holds lists of a text and a value")


def canonical(value: Value) -> str:
    """Write a value so that two texts are equal exactly when the values are.

    JSON's equality, type-strict: numbers by value (2 equals 2.0), booleans are
    no numbers, the order of keys is free, the order of lists is not, NaN equals NaN.
    """
    text = _DUMPS(value)
    if ".0" in text or "e+" in text:
        text = _DUMPS(_integral(value))
    return text


def equal(left: Value, right: Value) -> bool:
    """Tell whether two values are equal as `canonical` has it."""
    if left is right:
        return True
    return canonical(left) == canonical(right)


def _integral(value: Value) -> Value:
    kind = type(value)
    if kind is float:
        return int(value) if value.is_integer() else value
    if kind is list:
        return [_integral(item) for item in value]
    if kind is dict:
        return {key: _integral(item) for key, item in value.items()}
    return value


def _canonical_default(value: object) -> Any:
    if isinstance(value, bytes):
        return {"\x00bytes": value.hex()}
    if isinstance(value, Opaque):
        return {"\x00type": value.type_name}
    if isinstance(value, BlobRef):
        return {"\x00blob": value.digest}
    if isinstance(value, Missing):
        return {"\x00missing": True}
    raise NotJsonError((), type_name(value))


_DUMPS = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), check_circular=False, default=_canonical_default
).encode
