"""One cassette to traces: exchanges read, put into runs, made into steps, oddities told.

A run is what one agent and its sub-agents did. Each takes along the interactions
that answer its own requests, so that the model can be replayed from them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, Final

from pydantic import ValidationError

from pytest_agentreplay.cassettes import Cassette, CassetteError, Interaction, parse_cassette, provider_traffic
from pytest_agentreplay.interop.names import UniqueNames, file_name
from pytest_agentreplay.interop.transcript import Imported, Note, Refusal
from pytest_agentreplay.interop.vcr.conversations import Conversation, find_conversations
from pytest_agentreplay.interop.vcr.exchanges import ServerCall, find_exchanges, place_of
from pytest_agentreplay.interop.vcr.steps import Assembly
from pytest_agentreplay.trace import ModelInfo, RunInfo, ToolStep, Trace
from pytest_agentreplay.wire.bodies import header

SOURCE: Final = "vcr"
_ENDING: Final = re.compile(r"(\.http)?\.(ya?ml|json)$", re.IGNORECASE)
_PROVIDERS: Final = {
    "openai-chat": "openai",
    "openai-responses": "openai",
    "anthropic": "anthropic",
    "gemini": "google",
    "bedrock": "aws.bedrock",
    "bedrock-invoke": "aws.bedrock",
}
_MAX_TOKENS: Final = ("max_tokens", "max_completion_tokens", "max_output_tokens", "maxTokens", "maxOutputTokens")


@dataclass(slots=True)
class _Run:
    """One run as it was found; `conversation` is None where only tools over MCP were called."""

    conversation: Conversation | None
    server_calls: list[ServerCall] = field(default_factory=list)

    @property
    def first(self) -> int:
        return self.conversation.first if self.conversation else self.server_calls[0].index


def parse_vcr(data: bytes, *, source: str) -> Imported:
    """Import every run of a cassette.

    Takes what vcrpy and pytest-recording write, in YAML or JSON. Never raises: what becomes no trace is listed
    under ``refused``.

    Args:
        data: the cassette.
        source: its file name, for places, titles and suggested names.
    """
    try:
        cassette = parse_cassette(data, Path(source))
    except CassetteError as error:
        where = error.details.get("path")
        remedy = "give a cassette of vcrpy or pytest-recording, whole"
        return Imported(refused=[Refusal(f"{source} {where}" if where else source, error.fact, remedy)])
    return _imported(cassette, source)


def _imported(cassette: Cassette, source: str) -> Imported:
    imported = Imported()
    tell = partial(_tell, imported.notes, source)
    runs = _runs(cassette.interactions, imported.notes, source)
    if not runs:
        why = "no request in it asks a model that is known, and none calls a tool over MCP"
        imported.refused.append(Refusal(source, why, "import cassettes of agents"))
    names = UniqueNames()
    for ordinal, run in enumerate(runs, start=1):
        stem = _stem(source)
        parts = [stem, str(ordinal)] if len(runs) > 1 else [stem]
        assembly = Assembly(tell)
        assembly.add_run(run.conversation, run.server_calls)
        found = _trace(assembly, run, cassette, ", ".join(parts), f"{source} {place_of(run.first)}")
        if isinstance(found, Refusal):
            imported.refused.append(found)
            continue
        name = names.take(file_name(*parts))
        imported.traces.append((name, found))
        imported.traffic[name] = _traffic(run, runs, cassette)
    return imported


def _tell(notes: list[Note], source: str, place: str, fact: str) -> None:
    notes.append(Note(f"{source} {place}", fact))


def _stem(source: str) -> str:
    return _ENDING.sub("", PurePosixPath(source.replace("\\", "/")).name) or SOURCE


def _runs(interactions: Sequence[Interaction], notes: list[Note], source: str) -> list[_Run]:
    """Find the runs; one that says and does what an earlier one did is recorded twice, and imported once."""
    tell = partial(_tell, notes, source)
    exchanges, server_calls = find_exchanges(interactions, tell)
    runs: list[_Run] = []
    said: dict[str, int] = {}
    for conversation in find_conversations(exchanges):
        what = repr([(exchange.request, exchange.reply) for one in conversation.members for exchange in one.exchanges])
        if what in said:
            again = f"the same conversation as {place_of(said[what])}, recorded again; imported once"
            tell(place_of(conversation.first), again)
            continue
        said[what] = conversation.first
        runs.append(_Run(conversation))
    if server_calls and not runs:
        runs.append(_Run(None))
    for call in server_calls:
        begun = [run for run in runs if run.conversation and run.first < call.index]
        (begun[-1] if begun else runs[0]).server_calls.append(call)
    return runs


def _trace(assembly: Assembly, run: _Run, cassette: Cassette, title: str, place: str) -> Trace | Refusal:
    try:
        steps = assembly.finish()
        if not any(type(step) is ToolStep for step in steps):
            return Refusal(place, "no tool calls: nothing to replay", "import runs that called tools")
        return Trace(
            title=title,
            input=assembly.input,
            run=_run_info(run, cassette, assembly.usage),
            steps=steps,
            output=assembly.output,
        )
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        why = f"a trace can't hold {'.'.join(map(str, problem['loc']))}: {problem['msg'].lower()}"
        return Refusal(place, why, "correct the cassette and import it again")


def _run_info(run: _Run, cassette: Cassette, usage: dict[str, int | float]) -> RunInfo:
    fields: dict[str, Any] = {
        "recorded_at": _recorded_at(cassette.interactions[run.first]),
        "source": SOURCE,
        "model": _model_info(run.conversation) if run.conversation else None,
        "usage": usage or None,
    }
    return RunInfo(**{name: value for name, value in fields.items() if value is not None})


def _model_info(conversation: Conversation) -> ModelInfo:
    exchange = conversation.exchanges[0]
    asked = exchange.request
    inner = [asked.settings.get(name) for name in ("inferenceConfig", "generationConfig")]
    settings = {
        **asked.settings,
        **{key: value for one in inner if isinstance(one, dict) for key, value in one.items()},
    }
    temperature, seed = settings.get("temperature"), settings.get("seed")
    most = next((settings[name] for name in _MAX_TOKENS if type(settings.get(name)) is int), None)
    imitated = asked.dialect.startswith("openai") and "openai" not in exchange.host
    fields: dict[str, Any] = {
        "provider": exchange.host if imitated else _PROVIDERS.get(asked.dialect),
        "name": exchange.reply.model or asked.model,
        "temperature": temperature if type(temperature) in (int, float) else None,
        "seed": seed if type(seed) is int else None,
        "max_tokens": most,
    }
    return ModelInfo(**{name: value for name, value in fields.items() if value not in (None, "")})


def _recorded_at(interaction: Interaction) -> str | None:
    try:
        found = parsedate_to_datetime(header(interaction.response.headers, "date"))
    except (TypeError, ValueError, IndexError):
        return None
    return found.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _traffic(run: _Run, runs: Sequence[_Run], cassette: Cassette) -> tuple[Interaction, ...]:
    """Choose the interactions that a replay of the run makes: not those of others, nor of its tools' agents."""
    if run.conversation is None:
        return ()
    mine = run.conversation.indices
    asked = {index for index, one in enumerate(cassette.interactions) if one.request.asked is not None}
    kept = [one for index, one in enumerate(cassette.interactions) if index in mine or index not in asked]
    return tuple(provider_traffic(kept))
