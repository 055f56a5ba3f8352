"""LangGraph: the state after every step of a graph, as `PregelLoop.after_tick` leaves it.

With and without a checkpointer, in subgraphs, sync and async. Beside it, what
runs side by side and what is written to stores. Tools are LangChain's. Nothing
here knows what becomes of a state.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields, is_dataclass
from functools import wraps
from typing import Any

from pytest_agentreplay.adapters.adapter import Patches
from pytest_agentreplay.adapters.langgraph_steps import (
    add_to_step,
    batch_in,
    begin_step,
    end_step,
    forget_steps,
    nodes_in,
    together,
)
from pytest_agentreplay.adapters.langgraph_writes import note_stores
from pytest_agentreplay.tools import gate

_DEEPEST = 50
"""Levels of a state that are read: one that holds itself has no end."""


def install(patches: Patches) -> None:
    """Tell the state after every step, what runs side by side in it, and what tools write to stores."""
    from langgraph.prebuilt.tool_node import ToolNode
    from langgraph.pregel._loop import PregelLoop

    patches.replace(PregelLoop, "tick", _beginning)
    patches.replace(PregelLoop, "accept_push", _adding)
    patches.replace(PregelLoop, "after_tick", _telling)
    patches.on_undo(forget_steps)
    patches.replace(ToolNode, "_run_one", _one_of_many)
    patches.replace(ToolNode, "_arun_one", _aone_of_many)
    note_stores(patches)


def _beginning(tick: Callable[[Any], bool]) -> Callable[[Any], bool]:
    @wraps(tick)
    def beginning(loop: Any) -> bool:
        goes_on = tick(loop)
        begin_step({id: task.name for id, task in loop.tasks.items()})
        return goes_on

    return beginning


def _adding(accept_push: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(accept_push)
    def adding(loop: Any, task: Any, *args: Any, **kwargs: Any) -> Any:
        pushed = accept_push(loop, task, *args, **kwargs)
        if pushed is not None:
            add_to_step(pushed.id, task.id)
        return pushed

    return adding


def _one_of_many(run_one: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(run_one)
    def running(node: Any, call: Any, input_type: Any, runtime: Any) -> Any:
        with together(_batch_of_node(runtime)):
            return run_one(node, call, input_type, runtime)

    return running


def _aone_of_many(arun_one: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(arun_one)
    async def running(node: Any, call: Any, input_type: Any, runtime: Any) -> Any:
        with together(_batch_of_node(runtime)):
            return await arun_one(node, call, input_type, runtime)

    return running


def _batch_of_node(runtime: Any) -> Hashable | None:
    """Name the batch of a node that calls all tools that a model asked for: its step's, or its own."""
    namespace = runtime.config.get("configurable", {}).get("checkpoint_ns", "")
    batch = batch_in(namespace)
    return (namespace or None) if batch is None else batch


def _telling(after_tick: Callable[[Any], None]) -> Callable[[Any], None]:
    from langgraph.errors import GraphInterrupt

    @wraps(after_tick)
    def telling(loop: Any) -> None:
        if gate.active is None:
            return after_tick(loop)
        end_step(list(loop.tasks))
        nodes = {task.name for task in loop.tasks.values() if not task.name.startswith("__")}
        try:
            after_tick(loop)
        except GraphInterrupt:  # the step is done, and the graph stops after it
            _tell(loop, nodes)
            raise
        return _tell(loop, nodes)

    return telling


def _tell(loop: Any, nodes: set[str]) -> None:
    from langgraph.pregel._io import read_channels

    active = gate.active
    if active is not None and nodes:
        state = read_channels(loop.channels, loop.stream_keys)
        active.checkpoint(_stable(state), _place(loop, nodes), {})


def _place(loop: Any, nodes: set[str]) -> str:
    """Name the step: its nodes, after the nodes that hold the subgraph."""
    return "/".join([*nodes_in(loop.checkpoint_ns), ", ".join(sorted(nodes))])


def _stable(value: Any, depth: int = 0) -> Any:
    """Give a value without what is another in every run; what is no JSON is left to whoever takes it."""
    from langchain_core.messages import BaseMessage
    from pydantic import BaseModel

    if depth > _DEEPEST:
        return value
    if isinstance(value, BaseMessage):
        return _message(value)
    if isinstance(value, Mapping):
        return {str(key): _stable(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_stable(item, depth + 1) for item in value]
    if isinstance(value, BaseModel):
        return {name: _stable(getattr(value, name, None), depth + 1) for name in type(value).model_fields}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _stable(getattr(value, field.name, None), depth + 1) for field in fields(value)}
    return value


def _message(message: Any) -> dict[str, Any]:
    """Give what a message says: ids, token counts and the provider's notes are another in every run."""
    told: dict[str, Any] = {"type": _type(message), "content": _content(message.content)}
    if message.name:
        told["name"] = message.name
    if getattr(message, "tool_calls", None):
        told["tool_calls"] = [{"name": call["name"], "args": _stable(call["args"])} for call in message.tool_calls]
    if getattr(message, "status", "success") != "success":
        told["status"] = message.status
    return told


def _type(message: Any) -> str:
    from langchain_core.messages import BaseMessageChunk, message_chunk_to_message

    return str((message_chunk_to_message(message) if isinstance(message, BaseMessageChunk) else message).type)


def _content(content: Any) -> Any:
    if not isinstance(content, list):
        return content
    return [
        {key: _stable(item) for key, item in block.items() if key != "id"} if isinstance(block, Mapping) else block
        for block in content
    ]
