"""Where the messages live: a document is taken apart into conversations.

A conversation is a list of messages and the records around it. Lists of
records, containers of simulations or samples, request and response pairs, and
SWE-agent's turns all come down to that. Nothing here reads what a message says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from pytest_agentreplay.interop.chat.content import dig, first
from pytest_agentreplay.interop.chat.messages import role_of
from pytest_agentreplay.interop.documents import Documents, Record
from pytest_agentreplay.interop.transcript import Refusal

CARRIERS: Final = (
    *("messages", "traj", "trajectory", "history", "conversation", "conversations", "message_history"),
    *("simulations", "samples", "trajectories", "transcripts", "runs"),
)
_TAU_BENCH: Final = "traj"
_REMEDY: Final = "give a message list, or an object that has one under `messages`"


@dataclass(frozen=True, slots=True)
class Conversation:
    """One transcript.

    Attributes:
        place: the document and the path to the messages.
        messages: as recorded; what is no message may be among them.
        around: the mappings that hold it, innermost first.
        oddities: what finding it showed, as place and fact.
    """

    place: str
    messages: list[Any]
    around: tuple[dict[str, Any], ...] = ()
    oddities: list[tuple[str, str]] = field(default_factory=list)


def find_conversations(documents: Documents, source: str) -> Iterator[Conversation | Refusal]:
    """Yield every transcript, and a refusal for every record that holds none."""
    records = documents.records
    if documents.lines and records and all(role_of(record.value) for record in records):
        gaps = [(refusal.place, "a message is missing here") for refusal in documents.refused]
        yield Conversation(source, [record.value for record in records], oddities=gaps)
        return
    pending: Conversation | None = None
    for record in _listed(records):
        paired = _pair(record)
        if pending is not None and (paired is None or not _continues(paired, pending)):
            yield pending
            pending = None
        if paired is not None:
            pending = _joined(pending, paired) if pending else paired
        else:
            yield from _within(record.value, record.place, ())
    if pending is not None:
        yield pending


def _listed(records: list[Record]) -> list[Record]:
    """Open a document that is one list of records; JSON Lines are such a list already."""
    if len(records) != 1 or not isinstance(records[0].value, list) or any(map(role_of, records[0].value)):
        return records
    place, items = records[0].place, records[0].value
    return [Record(f"{place}[{index}]", item) for index, item in enumerate(items)] or records


def _within(value: Any, place: str, around: tuple[dict[str, Any], ...]) -> Iterator[Conversation | Refusal]:
    if isinstance(value, list) and any(map(role_of, value)):
        yield Conversation(place, value, around)
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for index, item in enumerate(value):
            yield from _within(item, f"{place}[{index}]", around)
    elif isinstance(value, dict):
        yield from _within_mapping(value, place, around)
    else:
        yield Refusal(place, "no messages here", _REMEDY)


def _within_mapping(
    value: dict[str, Any], place: str, around: tuple[dict[str, Any], ...]
) -> Iterator[Conversation | Refusal]:
    carrier = next((name for name in CARRIERS if isinstance(value.get(name), list)), None)
    if carrier is None:
        keys = ", ".join(f"{key:.40}" for key in sorted(value)[:6])
        yield Refusal(place, f"no messages here, only {keys}" if keys else "no messages here", _REMEDY)
        return
    inside, around = f"{place} {carrier}", (value, *around)
    items = value[carrier]
    if not items:
        yield Conversation(inside, [], around)
    elif any(_is_turn(item) for item in items):
        yield Conversation(inside, _messages_of_turns(value, items), around)
    elif any(map(role_of, items)):
        messages = _with_failures(items) if carrier == _TAU_BENCH else _with_system(value, items)
        yield Conversation(inside, messages, around)
    else:
        yield from _within(items, inside, around)


def _with_failures(messages: list[Any]) -> list[Any]:
    """Mark the failed calls of tau-bench, whose environment says so by how the text begins and by nothing else."""
    return [{**message, "error": True} if _failed(message) else message for message in messages]


def _failed(message: Any) -> bool:
    return role_of(message) == "tool" and str(message.get("content")).startswith("Error: ")


def _with_system(holder: dict[str, Any], messages: list[Any]) -> list[Any]:
    """Put first the system prompt that Anthropic's API has beside the messages."""
    system = holder.get("system")
    return [{"role": "system", "content": system}, *messages] if isinstance(system, str | list) and system else messages


def _is_turn(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("action"), str) and "observation" in item


def _messages_of_turns(holder: dict[str, Any], turns: list[Any]) -> list[Any]:
    """Write SWE-agent's turns as messages: a call is named by the first word of its action."""
    messages: list[Any] = []
    history = holder.get("history")
    for message in history if isinstance(history, list) else ():
        if role_of(message) not in ("system", "user"):
            break
        messages.append(message)
    for turn in turns:
        if not _is_turn(turn):
            messages.append(turn)
            continue
        said = {"role": "assistant", "content": first(turn, ("response", "thought"))}
        action = turn["action"]
        if action.strip():
            call = {"name": action.split(maxsplit=1)[0], "arguments": {"action": action}}
            messages.append({**said, "tool_calls": [call]})
            state = {"state": turn["state"]} if turn.get("state") is not None else {}
            messages.append({"role": "tool", "content": turn["observation"], **state})
        else:
            messages += [said, {"role": "user", "content": turn["observation"]}]
    return messages


def _pair(record: Record) -> Conversation | None:
    """Read a request with its response, or a response alone, as a conversation."""
    value = record.value
    if not isinstance(value, dict):
        return None
    request, response = _body(value.get("request")), _body(value.get("response"))
    response = response if response is not None else value
    choices = dig(response, "choices")
    reply = dig(choices[0], "message") if isinstance(choices, list) and choices else response
    if role_of(reply) != "assistant" or reply is value:
        return None
    asked = request if request is not None else value
    messages = asked.get("messages")
    known = {key: response[key] for key in ("model", "usage") if key in response and key not in reply}
    history = _with_system(asked, messages) if isinstance(messages, list) else []
    conversation = Conversation(record.place, [*history, {**reply, **known}], tuple(filter(None, (value, request))))
    if isinstance(choices, list) and len(choices) > 1:
        conversation.oddities.append((record.place, f"only the first of {len(choices)} choices was imported"))
    return conversation


def _body(value: Any) -> dict[str, Any] | None:
    inner = dig(value, "body")
    found = inner if isinstance(inner, dict) else value
    return found if isinstance(found, dict) else None


def _continues(later: Conversation, earlier: Conversation) -> bool:
    """Tell whether a request starts with all that an earlier one and its reply said."""
    length = len(earlier.messages)
    if len(later.messages) <= length:
        return False
    return all(
        _essence(mine) == _essence(yours) for mine, yours in zip(later.messages[:length], earlier.messages, strict=True)
    )


def _essence(message: Any) -> Any:
    if not isinstance(message, dict):
        return message
    return [message.get(key) or None for key in ("role", "content", "tool_calls", "function_call", "tool_call_id")]


def _joined(earlier: Conversation, later: Conversation) -> Conversation:
    """Take the later conversation, with what the earlier reply told of model and usage."""
    messages = [*earlier.messages, *later.messages[len(earlier.messages) :]]
    return Conversation(earlier.place, messages, later.around, [*earlier.oddities, *later.oddities])
