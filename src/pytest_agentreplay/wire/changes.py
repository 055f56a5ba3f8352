"""What changed between the request that was recorded and the one that came.

Ids are no change. Nothing here knows where either request is from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any, Final, TypeVar

from pytest_agentreplay.jsonable import MISSING, Missing, Value, canonical, equal
from pytest_agentreplay.wire.model import Message, ModelRequest, ToolOutput, ToolUse
from pytest_agentreplay.wire.normal import VOLATILE, normal_form

_Part = TypeVar("_Part", ToolUse, ToolOutput)
_MOST_LEAVES: Final = 3
_MOST_SHOWN: Final = 60
_BEFORE: Final = 20


def explain(recorded: ModelRequest, incoming: ModelRequest) -> list[str]:
    """Say what changed, most telling first: messages in their order, tools, the model, what else was set."""
    return [
        *_changed_messages(recorded.messages, incoming.messages),
        *_changed_tools(recorded, incoming),
        *_changed_name("dialect", recorded.dialect, incoming.dialect),
        *_changed_name("model", recorded.model, incoming.model),
        *_changed_leaf("stream", recorded.stream, incoming.stream),
        *_changed_settings(recorded.settings, incoming.settings),
    ]


def _changed_name(what: str, old: str, new: str) -> Iterator[str]:
    if old != new:
        yield f"{what}: {old} -> {new}"


def _changed_settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted({*old, *new} - VOLATILE):
        yield from _changed_value(key, old.get(key, MISSING), new.get(key, MISSING))


def _changed_tools(recorded: ModelRequest, incoming: ModelRequest) -> Iterator[str]:
    old, new = recorded.tools, incoming.tools
    yield from (f"tool added: {name}" for name in new if name not in old)
    yield from (f"tool gone: {name}" for name in old if name not in new)
    if old != new and sorted(old) == sorted(new):
        yield f"tools in another order: {', '.join(new)}"
    for name, definition in recorded.definitions.items():
        if name in incoming.definitions:
            yield from _changed_value(f"tool {name}", definition, incoming.definitions[name])


def _changed_messages(old: tuple[Message, ...], new: tuple[Message, ...]) -> Iterator[str]:
    keys, others = [_key(message) for message in old], [_key(message) for message in new]
    # What both begin with, which is nearly all of a conversation, is never worth aligning.
    same = _common(keys, others)
    for kind, from_old, to_old, from_new, to_new in SequenceMatcher(
        None, keys[same:], others[same:], autojunk=False
    ).get_opcodes():
        if kind == "equal":
            continue
        gone, came = old[same + from_old : same + to_old], new[same + from_new : same + to_new]
        for offset, (was, now) in enumerate(zip_longest(gone, came), start=same + 1):
            if was is not None and now is not None:
                yield from _changed_message(f"message {from_old + offset}", was, now)
            elif now is not None:
                yield f"message {from_new + offset} ({_role(now)}) is new: {_summary(now)}"
            elif was is not None:
                yield f"message {from_old + offset} ({_role(was)}) is gone: {_summary(was)}"


def _common(old: Sequence[str], new: Sequence[str]) -> int:
    """Count what two sequences begin with."""
    pairs = enumerate(zip(old, new, strict=False))
    return next((at for at, (was, now) in pairs if was != now), min(len(old), len(new)))


def _key(message: Message) -> str:
    """Write a message without its ids."""
    uses = [[use.name, None if isinstance(use.args, Missing) else use.args, use.raw_args] for use in message.tool_uses]
    outputs = [[output.name, output.content, output.is_error] for output in message.tool_outputs]
    return canonical([message.role, _said(message), message.reasoning, uses, outputs])


def _said(message: Message) -> Value:
    return normal_form("", {"messages": message.content})["messages"]


def _role(message: Message) -> str:
    if message.tool_outputs:
        return _output_label(message.tool_outputs[0])
    if message.tool_uses and message.content is None:
        return _use_label(message.tool_uses[0])
    return message.role


def _use_label(use: ToolUse) -> str:
    return f"call of {use.name}"


def _output_label(output: ToolOutput) -> str:
    return f"tool result of {output.name}" if output.name else "tool result"


def _summary(message: Message) -> str:
    if message.content is not None:
        return _shortened(message.content)
    if message.tool_uses:
        return _shortened(_arguments(message.tool_uses[0]))
    return _shortened(message.tool_outputs[0].content) if message.tool_outputs else "nothing"


def _changed_message(place: str, old: Message, new: Message) -> Iterator[str]:
    if old.role != new.role:
        yield f"{place}: {_role(old)} -> {_role(new)}: {_summary(new)}"
        return
    yield from _changed_value(f"{place} ({old.role})", _said(old), _said(new))
    yield from _changed_each(place, old.tool_uses, new.tool_uses, _use_label, _changed_use)
    yield from _changed_each(place, old.tool_outputs, new.tool_outputs, _output_label, _changed_output)
    yield from _changed_value(f"{place} (reasoning)", old.reasoning, new.reasoning)


def _changed_each(
    place: str,
    old: Sequence[_Part],
    new: Sequence[_Part],
    label: Callable[[_Part], str],
    changed: Callable[[str, _Part, _Part], Iterator[str]],
) -> Iterator[str]:
    """Compare the calls or outputs of a message one by one."""
    for was, now in zip(old, new, strict=False):
        if label(was) != label(now):
            yield f"{place}: {label(was)} -> {label(now)}"
        else:
            yield from changed(f"{place} ({label(now)})", was, now)
    yield from (f"{place}: {label(one)} is gone" for one in old[len(new) :])
    yield from (f"{place}: {label(one)} is new" for one in new[len(old) :])


def _changed_use(place: str, old: ToolUse, new: ToolUse) -> Iterator[str]:
    return _changed_value(place, _arguments(old), _arguments(new))


def _arguments(use: ToolUse) -> Value:
    return use.raw_args if isinstance(use.args, Missing) else use.args


def _changed_output(place: str, old: ToolOutput, new: ToolOutput) -> Iterator[str]:
    yield from _changed_leaf(f"{place} is an error", old.is_error, new.is_error)
    yield from _changed_value(place, old.content, new.content)


def _changed_value(place: str, old: Value, new: Value) -> Iterator[str]:
    leaves = list(_leaves("", old, new))
    yield from (f"{place}: {path}{difference}" for path, difference in leaves[:_MOST_LEAVES])
    if len(leaves) > _MOST_LEAVES:
        yield f"{place}: {len(leaves) - _MOST_LEAVES} more differences"


def _leaves(path: str, old: Value, new: Value) -> Iterator[tuple[str, str]]:
    """Find where two values differ: the path, as it is shown, and the difference."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from _leaves(f"{path}.{key}" if path else str(key), old.get(key, MISSING), new.get(key, MISSING))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (was, now) in enumerate(zip(old, new, strict=True)):
            yield from _leaves(f"{path}[{index}]", was, now)
    elif not equal(old, new):
        yield f"{path}: " if path else "", _difference(old, new)


def _changed_leaf(place: str, old: Value, new: Value) -> Iterator[str]:
    if not equal(old, new):
        yield f"{place}: {_difference(old, new)}"


def _difference(old: Value, new: Value) -> str:
    if isinstance(old, str) and isinstance(new, str) and max(len(old), len(new)) > _MOST_SHOWN:
        first = _common(old, new)
        start = max(0, first - _BEFORE)
        return f"at character {first}: {_excerpt(old, start)} -> {_excerpt(new, start)}"
    return f"{_shortened(old)} -> {_shortened(new)}"


def _excerpt(text: str, start: int) -> str:
    end = start + _MOST_SHOWN
    return f"{'…' * (start > 0)}{text[start:end]!r}{'…' * (end < len(text))}"


def _shortened(value: Value) -> str:
    if isinstance(value, Missing):
        return "nothing"
    if isinstance(value, str):
        return _excerpt(value, 0)
    written = canonical(value)
    return written if len(written) <= _MOST_SHOWN else f"{written[:_MOST_SHOWN]}…"
