"""What a tool's body writes to the graph beside its result: to the store, to channels, to the stream.

A stubbed body writes nothing, so what the recorded one wrote is written again.
Nothing here knows which call writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from pytest_agentreplay.adapters.adapter import Patches
from pytest_agentreplay.jsonable import MISSING, Missing, Value
from pytest_agentreplay.runtime.values import lenient

_SEND, _RUNTIME = "__pregel_send", "__pregel_runtime"


@dataclass(slots=True)
class Writes:
    """What one body wrote, in order.

    Attributes:
        given: what the framework gave the tool beside its arguments, where the store may be.
        write: writes a value as JSON.
        read: makes the value again.
    """

    given: list[Any]
    write: Callable[[Any], Value]
    read: Callable[[Value], Any]
    store: list[Value] = field(default_factory=list)
    channels: list[Value] = field(default_factory=list)
    stream: list[Value] = field(default_factory=list)

    def to_state(self) -> Value | Missing:
        """Give what was written, by where; `MISSING` when nothing was."""
        kinds = {"store": self.store, "channels": self.channels, "stream": self.stream}
        return {f"langgraph_{kind}": list(written) for kind, written in kinds.items() if written} or MISSING

    def repeat(self, state: Value) -> None:
        """Write again what `to_state` told."""
        told = state if isinstance(state, dict) else {}
        self.store.extend(told.get("langgraph_store", ()))
        self.channels.extend(told.get("langgraph_channels", ()))
        self.stream.extend(told.get("langgraph_stream", ()))
        if self.store:
            self._put(self._find_store())
        if self.channels:
            configurable = _config()["configurable"]
            configurable[_SEND]([(write["channel"], self.read(write["value"])) for write in self.channels])
        if self.stream:
            from langgraph.config import get_stream_writer

            for chunk in self.stream:
                get_stream_writer()(self.read(chunk))

    def note_put(self, namespace: Any, key: str, value: Any) -> None:
        """Note a write to a store; None for the value deletes."""
        self.store.append({"namespace": list(namespace), "key": key, "value": lenient(value)})

    def watched(self, runtime: Any) -> Any:
        """Copy a runtime of LangGraph's, so that its stream writer is seen; anything else is itself."""
        if not callable(getattr(runtime, "stream_writer", None)):
            return runtime
        seen = copy(runtime)
        object.__setattr__(seen, "stream_writer", self._streaming(runtime.stream_writer))  # one class of them is frozen
        return seen

    def sending(self, send: Callable[[Any], None]) -> Callable[[Any], None]:
        """Wrap what takes writes to channels."""

        def sent(writes: Any) -> None:
            for channel, value in writes:
                if not channel.startswith("__"):
                    self.channels.append({"channel": channel, "value": self.write(value)})
            send(writes)

        return sent

    def _streaming(self, write: Callable[[Any], None]) -> Callable[[Any], None]:
        def streamed(chunk: Any) -> None:
            self.stream.append(self.write(chunk))
            write(chunk)

        return streamed

    def _put(self, store: Any) -> None:
        for put in self.store:
            place = (tuple(put["namespace"]), put["key"])
            if put.get("value") is None:
                store.delete(*place)
            else:
                store.put(*place, put["value"])

    def _find_store(self) -> Any:
        from langgraph.config import get_store
        from langgraph.store.base import BaseStore

        found = (item for value in self.given for item in (value, getattr(value, "store", None)))
        return next((store for store in found if isinstance(store, BaseStore)), None) or get_store()


_noted: ContextVar[Writes | None] = ContextVar("agent_replay_langgraph_writes", default=None)


@contextmanager
def noting(writes: Writes) -> Iterator[None]:
    """Note what the code inside writes."""
    from langchain_core.runnables.config import var_child_runnable_config

    config = _config()
    configurable = config.get("configurable") or {}
    seen = dict(configurable)
    if _SEND in configurable:
        seen[_SEND] = writes.sending(configurable[_SEND])
    if _RUNTIME in configurable:
        seen[_RUNTIME] = writes.watched(configurable[_RUNTIME])
    of_store = _noted.set(writes)
    of_graph = var_child_runnable_config.set({**config, "configurable": seen} if config else None)
    try:
        yield
    finally:
        var_child_runnable_config.reset(of_graph)
        _noted.reset(of_store)


def note_stores(patches: Patches) -> None:
    """Put the seams into the classes of stores."""
    from langgraph.store.base import BaseStore
    from langgraph.store.base.batch import AsyncBatchedBaseStore

    for owner in (BaseStore, AsyncBatchedBaseStore):
        for name in ("put", "delete"):
            patches.replace(owner, name, _noted_first)
            patches.replace(owner, f"a{name}", _anoted_first)


def _config() -> Mapping[str, Any]:
    from langchain_core.runnables.config import var_child_runnable_config

    config: Mapping[str, Any] = var_child_runnable_config.get() or {}
    return config


def _noted_first(change: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(change)
    def noted(store: Any, namespace: Any, key: str, *args: Any, **kwargs: Any) -> Any:
        with _put_noted(namespace, key, args, kwargs):
            return change(store, namespace, key, *args, **kwargs)

    return noted


def _anoted_first(change: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(change)
    async def noted(store: Any, namespace: Any, key: str, *args: Any, **kwargs: Any) -> Any:
        with _put_noted(namespace, key, args, kwargs):
            return await change(store, namespace, key, *args, **kwargs)

    return noted


@contextmanager
def _put_noted(namespace: Any, key: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Iterator[None]:
    """Note a write once: stores write through each other."""
    writes = _noted.get()
    if writes is not None:
        writes.note_put(namespace, key, args[0] if args else kwargs.get("value"))
    token = _noted.set(None)
    try:
        yield
    finally:
        _noted.reset(token)
