"""The importers there are, as data: one for each family of foreign transcripts.

Nothing here reads files; how third parties add an importer is decided above.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from pytest_agentreplay.errors import SettingsError
from pytest_agentreplay.interop.chat import parse_chat
from pytest_agentreplay.interop.transcript import Imported


class Importer(Protocol):
    """What reads one family of foreign transcripts.

    Attributes:
        name: what a user types, as ``chat``.
        description: one line.
    """

    @property
    def name(self) -> str:
        """What a user types."""

    @property
    def description(self) -> str:
        """What it reads, in one line."""

    def parse(self, data: bytes, source: str) -> Imported:
        """Turn one document into traces; `source` names it in notes, refusals and file names."""
        ...


@dataclass(frozen=True, slots=True)
class FunctionImporter:
    """An importer made of a function."""

    name: str
    description: str
    function: Callable[[bytes, str], Imported]

    def parse(self, data: bytes, source: str) -> Imported:
        """Call the function."""
        return self.function(data, source)


def _parse_vcr(data: bytes, source: str) -> Imported:
    from pytest_agentreplay.interop.vcr import parse_vcr  # with it come the formats of every provider

    return parse_vcr(data, source=source)


BUILT_IN: Final[tuple[Importer, ...]] = (
    FunctionImporter(
        "chat",
        "message lists: OpenAI, Anthropic, fine-tuning JSONL, tau-bench, tau2, AgentDojo, Inspect, SWE-agent, "
        "mini-swe-agent, Gemini CLI",
        lambda data, source: parse_chat(data, source=source),
    ),
    FunctionImporter(
        "vcr",
        "cassettes of vcrpy and pytest-recording: OpenAI chat and responses, Anthropic, Gemini, Bedrock",
        _parse_vcr,
    ),
)


def get_importer(name: str, importers: Sequence[Importer] = BUILT_IN) -> Importer:
    """Return the importer of that name.

    Raises:
        SettingsError: when there is none; names the nearest and lists all.
    """
    by_name = {importer.name: importer for importer in importers}
    if name in by_name:
        return by_name[name]
    details = {"closest": near[0]} if (near := difflib.get_close_matches(name, by_name, n=1)) else {}
    raise SettingsError(f"no importer is called {name!r}", **details, next=f"use one of: {', '.join(sorted(by_name))}")
