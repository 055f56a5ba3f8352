"""A support agent that searched for the same words until it ran out of turns.

No document matched, and the model took the empty result for bad luck. The
fixed agent widens its query once and then says that it found nothing.
"""

from __future__ import annotations

from typing import Any

from golden_traces.incidents.agents.loop import Call, Conversation, Decision, converse
from golden_traces.incidents.agents.real_world import reach
from pytest_agentreplay import checkpoint, tool


@tool(effect="read")
def search_docs(query: str) -> dict[str, Any]:
    """Search the help pages."""
    reach("search_docs")


TOOLS = {"search_docs": search_docs}


def _found(conversation: Conversation) -> list[dict[str, str]]:
    return [doc for outcome in conversation.of("search_docs") for doc in outcome.result["docs"]]


def model_that_tries_again(conversation: Conversation) -> Decision:
    """Stand in for the model of the incident: nothing found means search again."""
    found = _found(conversation)
    return found[0]["text"] if found else [Call("search_docs", {"query": conversation.request})]


def model_that_takes_no_for_an_answer(conversation: Conversation) -> Decision:
    """Stand in for the fixed model: one wider search, then an honest answer."""
    found = _found(conversation)
    if found:
        return found[0]["text"]
    queries = [conversation.request, conversation.request.split()[0]]
    tried = len(conversation.of("search_docs"))
    if tried < len(queries):
        return [Call("search_docs", {"query": queries[tried]})]
    return f"I don't have any documents about the {conversation.request}."


def _note_what_was_found(conversation: Conversation) -> None:
    checkpoint({"retrieved_docs_count": len(_found(conversation))}, at="retrieve")


def run_bad(query: str) -> str:
    """Run the agent as it was in the incident."""
    return converse(model_that_tries_again, TOOLS, query, observe=_note_what_was_found, max_turns=6)


def run(query: str) -> str:
    """Run the fixed agent."""
    return converse(model_that_takes_no_for_an_answer, TOOLS, query, observe=_note_what_was_found)
