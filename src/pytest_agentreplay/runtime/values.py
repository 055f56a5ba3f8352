"""Arguments and results between Python and JSON.

Arguments are written down leniently (what can't be JSON becomes `Opaque`, equal
to anything of its type); results exactly (what can't be rebuilt is refused,
since the agent would get something else in replay). Nothing here knows traces.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import json
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from pytest_agentreplay.errors import ToolError
from pytest_agentreplay.jsonable import NotJsonError, Opaque, Value, canonical, snapshot, type_name
from pytest_agentreplay.tools.spec import ToolSpec

_PLAIN = frozenset(
    {str, int, float, bool, None, type(None), bytes, dict, list, Any, object, typing.NoReturn}
    | {collections.abc.Mapping, collections.abc.MutableMapping, collections.abc.Sequence}
)
_STREAMS = frozenset(
    {
        collections.abc.Iterator,
        collections.abc.Iterable,
        collections.abc.Generator,
        collections.abc.AsyncIterator,
        collections.abc.AsyncIterable,
        collections.abc.AsyncGenerator,
    }
)


def json_args(args: Mapping[str, Any]) -> dict[str, Value]:
    """Write arguments down as they are now; later changes to them don't show."""
    return {name: lenient(value) for name, value in args.items()}


def lenient(value: Any, depth: int = 0) -> Value:
    """Write any value as JSON, with `Opaque` in the place of what can't be."""
    try:
        return snapshot(value)
    except NotJsonError:
        return _lenient(value, depth)
    except RecursionError:
        return Opaque(type_name(value))


def _lenient(value: Any, depth: int) -> Value:
    if depth > 100:
        return Opaque(type_name(value))
    if isinstance(value, enum.Enum):
        return lenient(value.value, depth + 1)
    if isinstance(value, str | int | float | bytes):
        plain: Callable[[Any], Value] = next(kind for kind in (str, int, float, bytes) if isinstance(value, kind))
        return plain(value)
    if isinstance(value, Mapping):
        return {str(key): lenient(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [lenient(item, depth + 1) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((lenient(item, depth + 1) for item in value), key=canonical)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: lenient(getattr(value, field.name), depth + 1) for field in dataclasses.fields(value)}
    return _by_pydantic(value)


def _by_pydantic(value: Any) -> Value:
    from pydantic_core import PydanticSerializationError, to_jsonable_python

    try:
        return snapshot(to_jsonable_python(value))
    except (PydanticSerializationError, NotJsonError, ValueError, RecursionError):
        return Opaque(type_name(value))


class ResultCodec:
    """Writes one tool's results as JSON and rebuilds them from its return annotation."""

    def __init__(self, spec: ToolSpec) -> None:
        self._tool = spec.name
        self._annotation = _return_annotation(spec)
        known = self._annotation is not _UNKNOWN
        self._rebuilds = known and not _is_plain(self._annotation)
        self._takes_text = not known or _takes_text(self._annotation)
        self._made_adapter: Any = None

    @property
    def _adapter(self) -> Any:
        if self._made_adapter is None:
            from pydantic import ConfigDict, TypeAdapter

            try:
                config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64", arbitrary_types_allowed=False)
                self._made_adapter = TypeAdapter(self._annotation, config=config)
            except Exception:  # pydantic refuses a config for models and dataclasses, which bring their own
                self._made_adapter = TypeAdapter(self._annotation)
        return self._made_adapter

    def encode(self, result: Any) -> Value:
        """Write a result as JSON.

        Raises:
            ToolError: when it is neither JSON nor rebuilt by the tool's return annotation.
        """
        try:
            return snapshot(result)
        except NotJsonError as error:
            return self._encode_typed(result, error)

    def _encode_typed(self, result: Any, error: NotJsonError) -> Value:
        problem = f"{error.type_name} is not JSON and {self._tool} has no return annotation to rebuild it from"
        if self._annotation is not _UNKNOWN:
            try:
                written: Value = snapshot(self._adapter.dump_python(result, mode="json"))
                rebuilt = self._adapter.validate_python(written)
                if isinstance(result, type(rebuilt)) and self._adapter.dump_python(rebuilt, mode="json") == written:
                    return written
                problem = f"{error.type_name} comes back as {type_name(rebuilt)} from the return annotation"
            except Exception as failure:  # whatever a user's type raises, the remedy is the same
                problem = f"the return annotation can't rebuild {error.type_name}: {failure}"
        raise ToolError(
            f"the result of {self._tool} can't be recorded",
            cause=problem,
            next=f"return JSON from {self._tool}, or annotate what it returns with a dataclass or a pydantic model",
        )

    def decode(self, recorded: Value) -> Any:
        """Rebuild a recorded result; a fresh copy each time.

        Raises:
            ToolError: when the recorded value doesn't fit the return annotation.
        """
        value = snapshot(recorded)
        if type(value) is str and not self._takes_text:
            value = _parsed(value)
        if not self._rebuilds:
            return value
        try:
            return self._adapter.validate_python(value)
        except Exception as failure:  # a user's validators may raise anything
            raise ToolError(
                f"the recorded result of {self._tool} doesn't fit its return annotation",
                cause=str(failure),
                next="record the trace again, or bring the recorded result into the shape of the annotation",
            ) from None


_codecs: WeakKeyDictionary[Any, ResultCodec] = WeakKeyDictionary()


def codec_for(spec: ToolSpec) -> ResultCodec:
    """Find or make the codec of a tool."""
    codec = _codecs.get(spec.body)
    if codec is None or codec._tool != spec.name:
        codec = _codecs[spec.body] = ResultCodec(spec)
    return codec


class _Unknown:
    pass


_UNKNOWN = _Unknown()


def _return_annotation(spec: ToolSpec) -> Any:
    try:
        hints = typing.get_type_hints(spec.body, include_extras=True)
    except Exception:  # an annotation that can't be resolved is no annotation; encode says so where it matters
        return _UNKNOWN
    annotation = hints.get("return", _UNKNOWN)
    if spec.kind in ("generator", "async_generator") and annotation is not _UNKNOWN:
        if typing.get_origin(annotation) in _STREAMS and typing.get_args(annotation):
            return list[typing.get_args(annotation)[0]]  # type: ignore[misc]
        return _UNKNOWN
    return annotation


def _is_plain(annotation: Any) -> bool:
    if typing.is_typeddict(annotation) or isinstance(annotation, typing.TypeVar):
        return True
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        return True
    if origin is typing.Annotated:
        return _is_plain(typing.get_args(annotation)[0])
    if origin is not None and (origin in (typing.Union, types.UnionType) or origin in _PLAIN):
        return all(_is_plain(part) for part in typing.get_args(annotation))
    try:
        return annotation in _PLAIN
    except TypeError:
        return False


def _takes_text(annotation: Any) -> bool:
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated or origin in (typing.Union, types.UnionType):
        return any(_takes_text(part) for part in typing.get_args(annotation))
    if origin is typing.Literal or isinstance(annotation, typing.TypeVar):
        return True
    kind = origin or annotation
    if kind in (Any, object, bytes) or not isinstance(kind, type):
        return True
    return not (issubclass(kind, dict | list | tuple | int | float) or _has_fields(kind))


def _has_fields(kind: type) -> bool:
    return hasattr(kind, "__dataclass_fields__") or hasattr(kind, "__pydantic_fields__")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
