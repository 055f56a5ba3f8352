"""One document to traces: conversations found, messages read, steps paired, oddities told.

Nothing here knows a dialect; that is messages' and records' work.
"""

from __future__ import annotations

from functools import partial

from pydantic import ValidationError

from pytest_agentreplay.interop.chat.fenced import with_commands
from pytest_agentreplay.interop.chat.messages import UnusableMessageError, read_message, role_of, unplaced_keys
from pytest_agentreplay.interop.chat.records import Conversation, find_conversations
from pytest_agentreplay.interop.chat.run import model_of, name_of, read_run, title_of, unplaced_facts
from pytest_agentreplay.interop.chat.steps import Assembly
from pytest_agentreplay.interop.documents import read_documents
from pytest_agentreplay.interop.names import UniqueNames
from pytest_agentreplay.interop.transcript import Imported, Note, Refusal
from pytest_agentreplay.trace import ToolStep, Trace

_KNOWN_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "exit"})


def parse_chat(text: str | bytes, *, source: str) -> Imported:
    """Import every transcript of a document made of messages.

    Takes a message list, an object that holds one (or many, under a container as ``simulations``), a list of
    either, requests with their responses, or JSON Lines of any of these. Never raises: what becomes no trace is
    listed under ``refused``.

    Args:
        text: the document.
        source: its file name, for places, titles and suggested names.
    """
    documents = read_documents(text, source)
    imported = Imported(refused=list(documents.refused))
    found = list(find_conversations(documents, source))
    conversations = [item for item in found if isinstance(item, Conversation)]
    refusals = [item for item in found if isinstance(item, Refusal)]
    imported.refused.extend(refusals if conversations else _summed_up(refusals, source))
    names = UniqueNames()
    for ordinal, conversation in enumerate(conversations, start=1):
        numbered = ordinal if len(conversations) > 1 else None
        try:
            trace, notes = _trace_of(conversation, source, numbered)
        except _RefusedError as refused:
            imported.refused.append(refused.refusal)
            continue
        imported.notes.extend(notes)
        imported.traces.append((names.take(name_of(conversation, source, numbered)), trace))
    return imported


def _summed_up(refusals: list[Refusal], source: str) -> list[Refusal]:
    """Refuse a document of another kind once, not once a record."""
    if len(refusals) < 2:
        return refusals
    one = refusals[0]
    return [Refusal(source, f"no messages in any of its {len(refusals)} records; {one.place}: {one.why}", one.remedy)]


class _RefusedError(Exception):
    def __init__(self, place: str, why: str, remedy: str) -> None:
        super().__init__(why)
        self.refusal = Refusal(place, why, remedy)


def _trace_of(conversation: Conversation, source: str, ordinal: int | None) -> tuple[Trace, list[Note]]:
    notes = [Note(place, fact) for place, fact in conversation.oddities]
    assembly = Assembly(model_of(conversation))
    unplaced: set[str] = set()
    try:
        _assemble(assembly, conversation, notes, unplaced)
        steps = assembly.finish(lambda place, fact: notes.append(Note(place, fact)))
        if not any(type(step) is ToolStep for step in steps):
            raise _RefusedError(conversation.place, "no tool calls: nothing to replay", "import runs that called tools")
        trace = Trace(
            title=title_of(conversation, source, ordinal),
            input=assembly.input,
            run=read_run(conversation, assembly.usage),
            steps=steps,
            output=assembly.output,
        )
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        why = f"a trace can't hold {'.'.join(map(str, problem['loc']))}: {problem['msg'].lower()}"
        raise _RefusedError(conversation.place, why, "correct the transcript and import it again") from None
    if left_out := sorted(unplaced) + sorted(unplaced_facts(conversation)):
        notes.append(Note(conversation.place, f"left out, a trace has no place for: {', '.join(left_out)}"))
    return trace, notes


def _assemble(assembly: Assembly, conversation: Conversation, notes: list[Note], unplaced: set[str]) -> None:
    for index, raw in enumerate(with_commands(conversation.messages)):
        place = f"{conversation.place}[{index}]"
        tell = partial(_tell, notes, place)
        role = role_of(raw)
        if role is None:
            tell("not a message; left out")
            continue
        if role not in _KNOWN_ROLES:
            tell(f"unknown role {role!r:.60}; kept as a message")
        try:
            message = read_message(raw, tell)
        except UnusableMessageError as error:
            raise _RefusedError(place, str(error), "correct the transcript and import it again") from None
        assembly.add(message, place, tell)
        unplaced |= unplaced_keys(raw)


def _tell(notes: list[Note], place: str, fact: str) -> None:
    notes.append(Note(place, fact))
