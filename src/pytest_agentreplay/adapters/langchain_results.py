"""Results of LangChain tools as JSON: plain values as they are, what is not JSON by its class's name.

A message or command is written as a mapping with one key, as
``{langchain_ToolMessage: {content: ...}}``; a message that the tool was given
with the state, as its position there, since its id is another one in every run.
Nothing here knows how tools are called.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pytest_agentreplay.errors import ToolError
from pytest_agentreplay.jsonable import NotJsonError, Opaque, Value, snapshot, type_name
from pytest_agentreplay.runtime.values import ResultCodec, codec_for, lenient
from pytest_agentreplay.tools.spec import ToolSpec

_MARK = "langchain_"
_PAIR = {"content", "artifact"}


@dataclass(slots=True)
class Halt:
    """A body that interrupted the graph, or handed over to the graph around it.

    Attributes:
        error: makes what LangGraph is to catch.
    """

    error: Callable[[], BaseException]
    recorded: Value = None


@dataclass(slots=True)
class _Halted:
    halt: Halt | None = None


@contextmanager
def halting() -> Iterator[_Halted]:
    """Take what isn't a tool's failure but LangGraph's way out of a node; it is a result, and raised again."""
    errors: Any = sys.modules.get("langgraph.errors")
    halted = _Halted()
    try:
        yield halted
    except Exception as error:
        if errors is None or not isinstance(error, errors.GraphInterrupt | errors.ParentCommand):
            raise
        halted.halt = Halt(_same(error))


def _same(error: Exception) -> Callable[[], BaseException]:
    return lambda: error


class ResultWriter:
    """Writes one call's result as JSON, and makes it again.

    Args:
        tool: whose response format and return annotation say what results are.
        call_id: the id under which the model waits for the result; None for a call that no model made.
        given: what the framework gave the tool beside its arguments.
        is_formatted: results are what LangChain made of the body's.
    """

    def __init__(self, tool: Any, call_id: str | None, given: Sequence[Any], *, is_formatted: bool = False) -> None:
        self._tool = tool
        self._call_id = call_id
        self._given = given
        self._has_artifact = tool.response_format == "content_and_artifact" and not is_formatted
        self._messages: list[Any] | None = None

    def encode(self, result: Any) -> Value:
        """Write a result.

        Raises:
            NotJsonError: when it can't be rebuilt.
        """
        if isinstance(result, Halt):
            return self._write_halt(result.error())
        if not self._has_artifact:
            return self._write_content(result)
        if not isinstance(result, tuple) or len(result) != 2:
            raise NotJsonError((), f"{type_name(result)} in the place of content and artifact")
        return {"content": self._write_content(result[0]), "artifact": self._write(result[1])}

    def decode(self, recorded: Value) -> Any:
        """Make a recorded result; a fresh one each time."""
        if isinstance(recorded, dict) and recorded.keys() <= {f"{_MARK}interrupt", f"{_MARK}parent"} and recorded:
            return Halt(lambda: self._read_halt(recorded))
        if not self._has_artifact:
            return self._read_content(recorded)
        if isinstance(recorded, dict) and set(recorded) == _PAIR:
            return self._read_content(recorded["content"]), self._read(recorded["artifact"])
        return self._read_content(recorded), None

    def refusal(self, reason: str) -> Any:
        """Make the result that tells the model why its call was refused."""
        from langchain_core.messages import ToolMessage

        message = ToolMessage(reason, name=self._tool.name, tool_call_id=self._call_id, status="error")
        return (message, None) if self._has_artifact else message

    def write(self, value: Any) -> Value:
        """Write any value, what can't be rebuilt by its type."""
        try:
            return self._write(value)
        except NotJsonError:
            return lenient(value)

    def read(self, recorded: Value) -> Any:
        """Make a value that `write` wrote."""
        return self._read(recorded)

    # -- content: what the model is told ---------------------------------------------------------

    def _write_content(self, content: Any) -> Value:
        try:
            return self._write(content)
        except NotJsonError:
            pass
        codec = self._codec()
        try:
            if codec is not None and not self._has_artifact:
                return codec.encode(content)
        except ToolError:
            if self._call_id is None:
                raise NotJsonError((), type_name(content)) from None
        if self._call_id is None:
            raise NotJsonError((), type_name(content))
        return _as_text(content)

    def _read_content(self, recorded: Value) -> Any:
        made = self._read(recorded)
        codec = self._codec()
        if codec is None or self._has_artifact or _is_framework(made):
            return made
        try:
            return codec.decode(made)
        except ToolError:
            return made  # a tool may return something else than it is annotated with, and then its text is told

    def _codec(self) -> ResultCodec | None:
        function = getattr(self._tool, "func", None) or getattr(self._tool, "coroutine", None)
        body = function or type(self._tool)._run
        try:
            return codec_for(ToolSpec(self._tool.name, body, kind="function"))
        except TypeError:  # an object that can't be the key of its codec
            return None

    # -- values ------------------------------------------------------------------------------------

    def _write(self, value: Any) -> Value:
        kind = type(value)
        if kind is list:
            return [self._write(item) for item in value]
        if kind is dict:
            written = {_key(key): self._write(item) for key, item in value.items()}
            return {f"{_MARK}literal": written} if _is_marked(written) else written
        if kind is tuple:
            return {f"{_MARK}tuple": [self._write(item) for item in value]}
        if kind.__module__.startswith(("langchain_core.", "langgraph.")):
            return self._write_object(value, kind.__name__)
        return snapshot(value)

    def _write_object(self, value: Any, name: str) -> Value:
        position = None
        if name == "Command":
            fields = {field: getattr(value, field) for field in ("graph", "update", "resume", "goto")}
            told = {field: item for field, item in fields.items() if item is not None and item != ()}
        elif name == "Send":
            told = {"node": value.node, "arg": value.arg}
        elif hasattr(type(value), "model_fields") and name in _classes():
            position = self._position(value)
            if position is not None and self._state_messages()[position] == value:
                return {f"{_MARK}given": position}
            told = self._fields(value)
        else:
            raise NotJsonError((), type_name(value))
        written = {field: self._write(item) for field, item in told.items()}
        if position is not None:
            written["id"] = {f"{_MARK}id_of": position}
        return {f"{_MARK}{name}": written}

    def _fields(self, value: Any) -> dict[str, Any]:
        told = {
            name: item
            for name, field in type(value).model_fields.items()
            if name != "type" and (item := getattr(value, name)) != field.get_default(call_default_factory=True)
        }
        if told.get("tool_call_id") == self._call_id:
            told.pop("tool_call_id", None)
        return told

    def _read(self, value: Value) -> Any:
        if isinstance(value, list):
            return [self._read(item) for item in value]
        if isinstance(value, Opaque):
            raise ValueError(f"{value.type_name} can't be made of JSON")
        if not isinstance(value, dict):
            return value
        if not _is_marked(value):
            return {key: self._read(item) for key, item in value.items()}
        mark, inner = next(iter(value.items()))
        name = mark.removeprefix(_MARK)
        if name == "literal":
            return {key: self._read(item) for key, item in inner.items()}
        if name == "tuple":
            return tuple(self._read(inner))
        if name == "given":
            return self._state_messages()[inner]
        if name == "id_of":
            return self._state_messages()[inner].id
        fields = self._read(inner)
        if name == "ToolMessage":
            fields = {"tool_call_id": self._call_id, **fields}
        return _classes()[name](**fields)

    # -- messages of the state -----------------------------------------------------------------------

    def _state_messages(self) -> list[Any]:
        if self._messages is None:
            self._messages = [message for value in self._given for message in _messages_in(value)]
        return self._messages

    def _position(self, value: Any) -> int | None:
        if getattr(value, "id", None) is None:
            return None
        return next((n for n, given in enumerate(self._state_messages()) if given.id == value.id), None)

    # -- halts -----------------------------------------------------------------------------------------

    def _write_halt(self, error: Any) -> Value:
        told = error.args[0] if error.args else ()
        if type(error).__name__ == "ParentCommand":
            return {f"{_MARK}parent": self._write(told)}
        return {f"{_MARK}interrupt": [self._write(interrupt.value) for interrupt in told]}

    def _read_halt(self, recorded: dict[str, Value]) -> BaseException:
        from langgraph.errors import GraphInterrupt, ParentCommand
        from langgraph.types import interrupt

        mark, told = next(iter(recorded.items()))
        values = self._read(told)
        made: BaseException = ParentCommand(values) if mark == f"{_MARK}parent" else GraphInterrupt(())
        try:
            while isinstance(values, list) and values:  # what answered the body's earlier interrupts is used up first
                interrupt(values[0])
        except GraphInterrupt as error:
            made = error
        return made


def _as_text(content: Any) -> str:
    """Write content as LangChain tells it to the model."""
    try:
        return json.dumps(content, ensure_ascii=False)
    except Exception:  # whatever a type raises, LangChain takes its text
        return str(content)


def _key(key: Any) -> str:
    if type(key) is not str:
        raise NotJsonError((), f"a mapping with a {type(key).__name__} key")
    return key


def _is_marked(value: Mapping[str, Any]) -> bool:
    return len(value) == 1 and next(iter(value)).startswith(_MARK)


def _is_framework(value: Any) -> bool:
    items = value if isinstance(value, list) and value else [value]
    return any(type(item).__module__.startswith(("langchain_core.", "langgraph.")) for item in items)


def _classes() -> dict[str, Any]:
    from langchain_core import documents, messages

    known = {
        name: item
        for name in messages.__all__
        if isinstance(item := getattr(messages, name), type) and issubclass(item, messages.BaseMessage)
    }
    types: Any = sys.modules.get("langgraph.types")
    of_graphs = {"Command": types.Command, "Send": types.Send} if types is not None else {}
    return {**known, **of_graphs, "Document": documents.Document}


def _messages_in(value: Any, depth: int = 0) -> Iterator[Any]:
    """Find the messages in what a tool was given: a state, a part of it, or the runtime that holds it."""
    from langchain_core.messages import BaseMessage

    if isinstance(value, BaseMessage):
        yield value
    elif depth < 3:
        if hasattr(value, "tool_call_id") and hasattr(value, "state"):
            inner: Any = [value.state]
        elif isinstance(value, Mapping):
            inner = value.values()
        elif isinstance(value, list | tuple):
            inner = value
        else:
            inner = list(getattr(value, "__dict__", {}).values())
        for item in inner:
            yield from _messages_in(item, depth + 1)
