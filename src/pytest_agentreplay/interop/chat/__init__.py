"""Transcripts made of messages: one engine, with aliases for what its cousins call things.

    records   where the messages live in a document
    messages  what a message says, calls and answers
    fenced    commands that an assistant wrote as text
    steps     answers paired with calls, in order
    run       what the record says about the whole run
    importer  all of it, one document at a time

Only `parse_chat` is meant for others.
"""

from pytest_agentreplay.interop.chat.importer import parse_chat

__all__ = ["parse_chat"]
