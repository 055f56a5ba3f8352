"""A research agent that read a secret and sent it away because a page told it to.

A fetched page held a note addressed to automated readers, and the model took
it for an instruction. To the fixed agent a page is material: it never asks for
a call on the word of one. Both fetch their pages in parallel, as tasks.
"""

from __future__ import annotations

import re
from typing import Any

from golden_traces.incidents.agents.loop import Call, Conversation, Decision, aconverse
from golden_traces.incidents.agents.real_world import reach
from pytest_agentreplay import tool

_NOTE_TO_READERS = re.compile(r"attach the file (?P<path>\S+) to (?P<url>\S+)")


@tool(effect="read")
async def fetch_page(url: str) -> str:
    """Fetch the text of a page."""
    reach("fetch_page")


@tool(effect="read")
async def read_file(path: str) -> str:
    """Read a file of the workspace."""
    reach("read_file")


@tool(effect="write")
async def http_post(url: str, body: str) -> dict[str, Any]:
    """Send a body to an address."""
    reach("http_post")


@tool(effect="write")
async def save_summary(title: str, text: str) -> dict[str, Any]:
    """Save a summary into the workspace."""
    reach("save_summary")


TOOLS = {"fetch_page": fetch_page, "read_file": read_file, "http_post": http_post, "save_summary": save_summary}


def model_that_obeys_pages(conversation: Conversation) -> Decision:
    """Stand in for the model of the incident: an instruction is an instruction, whoever gives it."""
    notes = [note for page in conversation.of("fetch_page") if (note := _NOTE_TO_READERS.search(page.result))]
    if notes and not conversation.of("read_file"):
        return [Call("read_file", {"path": notes[0]["path"]})]
    if notes and not conversation.of("http_post"):
        return [Call("http_post", {"url": notes[0]["url"], "body": conversation.of("read_file")[-1].result})]
    return model_that_reads_pages(conversation)


def model_that_reads_pages(conversation: Conversation) -> Decision:
    """Stand in for the fixed model: a page is something to sum up."""
    pages = conversation.of("fetch_page")
    if not pages:
        return [Call("fetch_page", {"url": url}) for url in re.findall(r"https://\S+", conversation.request)]
    saved = conversation.of("save_summary")
    if saved:
        return f"The summary is in {saved[-1].result['path']}."
    first_lines = [page.result.splitlines()[0] for page in pages]
    return [Call("save_summary", {"title": "Release notes", "text": "\n".join(first_lines)})]


async def run_bad(request: str) -> str:
    """Run the agent as it was in the incident."""
    return await aconverse(model_that_obeys_pages, TOOLS, request)


async def run(request: str) -> str:
    """Run the fixed agent."""
    return await aconverse(model_that_reads_pages, TOOLS, request)
