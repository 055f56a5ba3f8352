"""``agent-replay import``: foreign transcripts to golden traces, redacted, one file a run, and what traffic came along.

Nothing here knows a foreign format, what is secret, or how a trace is written.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_agentreplay.api.hooks import plugin_manager
from pytest_agentreplay.api.model_traffic import cassette_name, keep_both
from pytest_agentreplay.api.redacting import redacted
from pytest_agentreplay.cli.sources import STDIN, read_stdin
from pytest_agentreplay.cli.terminal import Outcome
from pytest_agentreplay.errors import AgentReplayError, SettingsError
from pytest_agentreplay.interop.names import UniqueNames
from pytest_agentreplay.interop.registry import BUILT_IN, Importer, get_importer
from pytest_agentreplay.interop.transcript import Imported, Note, Refusal
from pytest_agentreplay.jsonable import equal
from pytest_agentreplay.redaction import Redaction, Redactor
from pytest_agentreplay.storage.trace_files import load_trace, save_trace
from pytest_agentreplay.trace import RunInfo, Trace
from pytest_agentreplay.trace.document import to_document

if TYPE_CHECKING:
    from pytest_agentreplay.cassettes import Interaction

_MOST_NOTES = 10


@dataclass(frozen=True, slots=True)
class Kept:
    """One trace in a file.

    Attributes:
        status: ``wrote``, ``same`` where the file said so already, ``over`` where it said something else.
        calls: how many tool calls it has.
        redacted: whether anything had to go.
        tools: the tools that its agent calls.
        unclassified: those of them whose effect it doesn't declare.
        cassette: the file beside it that its model can be replayed from.
    """

    status: str
    path: str
    calls: int
    redacted: bool
    tools: tuple[str, ...]
    unclassified: tuple[str, ...]
    cassette: str | None = None


@dataclass(slots=True)
class Source:
    """What became of one transcript file."""

    source: str
    traces: list[Kept] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Intake:
    """How transcripts are taken in.

    Attributes:
        reads: tools that only read.
        force: write over what says something else.
    """

    importer: Importer
    directory: Path
    reads: tuple[str, ...]
    force: bool
    redactor: Redactor
    names: UniqueNames = field(default_factory=UniqueNames)

    def take(self, file: str) -> Source:
        """Import one file; whatever can't be is refused, nothing raises."""
        imported = self._parsed(file)
        source = Source(file, notes=imported.notes, refused=imported.refused)
        for name, trace in imported.traces:
            path = self.directory / f"{self.names.take(name)}.yaml"
            try:
                source.traces.append(self._keep(trace, path, imported.traffic.get(name, ())))
            except AgentReplayError as error:
                where = {label: text for label, text in error.details.items() if label in ("at", "path")}
                fact = ", ".join([error.fact, *(f"{label} {text}" for label, text in where.items())])
                source.refused.append(Refusal(name, fact, error.details.get("next", "correct it and import it again")))
        return source

    def _parsed(self, file: str) -> Imported:
        name = "stdin" if file == STDIN else file
        try:
            data = read_stdin() if file == STDIN else Path(file).read_bytes()
        except OSError as error:
            why = f"can't be read: {(error.strerror or str(error)).lower()}"
            return Imported(refused=[Refusal(name, why, "make the file readable")])
        try:
            return self.importer.parse(data, name)
        except Exception as error:  # an importer of somebody else may fail in any way
            why = f"the importer {self.importer.name} failed: {type(error).__name__}: {error}"
            return Imported(refused=[Refusal(name, why, "report it to whoever wrote the importer")])

    def _keep(self, imported: Trace, path: Path, traffic: Sequence[Interaction]) -> Kept:
        beside = path.with_name(cassette_name(None, path)) if traffic else None
        imported = _linked(imported, beside) if beside else imported
        redaction = self.redactor.session()
        trace = redacted(imported, self.redactor, dict.fromkeys(self.reads, "read"), redaction=redaction)
        status = self._status(trace, path)
        self._write(trace, path, status, (beside, _rendered(traffic, path, redaction)) if beside else None)
        called = sorted({step.tool for step in trace.tool_steps if step.by_agent})
        unclassified = tuple(tool for tool in called if tool not in trace.tools)
        is_redacted = not equal(to_document(imported) | {"tools": None}, to_document(trace) | {"tools": None})
        cassette = str(beside) if beside else None
        return Kept(status, str(path), len(trace.tool_steps), is_redacted, tuple(called), unclassified, cassette)

    def _status(self, trace: Trace, path: Path) -> str:
        if not os.path.lexists(path):
            return "wrote"
        if equal(to_document(load_trace(path)), to_document(trace)):
            return "same"
        if self.force:
            return "over"
        raise _taken(path)

    def _write(self, trace: Trace, path: Path, status: str, cassette: tuple[Path, bytes] | None) -> None:
        there = cassette is None or cassette[0].exists()
        if status == "same" and there:
            return
        if cassette and there and not self.force and cassette[0].read_bytes() != cassette[1]:
            raise _taken(cassette[0])
        keep_both(cassette, lambda: save_trace(trace, path))


def _taken(path: Path) -> SettingsError:
    return SettingsError(
        f"{path} is already there and says something else", next="write over it with --force, or choose another -o"
    )


def _linked(imported: Trace, cassette: Path) -> Trace:
    run = (imported.run or RunInfo()).model_copy(update={"cassette": cassette.name})
    return imported.model_copy(update={"run": run})


def _rendered(traffic: Sequence[Interaction], path: Path, redaction: Redaction) -> bytes:
    """Write the cassette of a trace, redacted as the trace is."""
    from pytest_agentreplay.cassettes import cleaned, render_cassette

    return render_cassette([cleaned(one, redaction) for one in traffic], path.name)


def run(options: argparse.Namespace) -> Outcome:
    """Import the files.

    Raises:
        SettingsError: when there is no such format, file or directory.
    """
    importer = get_importer(options.format, _importers())
    directory = Path(options.output)
    if directory.exists() and not directory.is_dir():
        raise SettingsError(f"{directory} is no directory", next="name another with -o")
    files = _files(options.files)
    redactions = [line for lines in plugin_manager().hook.agent_replay_redactions() for line in lines]
    redactor = Redactor.from_settings([*options.redact, *redactions])
    intake = Intake(importer, directory, tuple(options.reads), options.force, redactor)
    sources = [intake.take(file) for file in files]
    text = "\n".join(line for source in sources for line in _lines(source))
    summary = "\n".join(_summary(sources, intake.reads))
    return Outcome(f"{text}\n{summary}", _as_json(sources), 1 if any(source.refused for source in sources) else 0)


def _importers() -> Sequence[Importer]:
    added = plugin_manager().hook.agent_replay_importers()
    return [*BUILT_IN, *(importer for importers in added for importer in importers)]


def _files(names: Sequence[str]) -> list[str]:
    """Give each file once, however often and by whatever path it was named."""
    found: dict[str, str] = {}
    for name in names:
        path = Path(name)
        if name != STDIN and path.is_dir():
            raise SettingsError(f"{name} is a directory", next=f"name the files in it, as {path / '*.json'}")
        if name != STDIN and not path.exists():
            raise SettingsError(f"there is no file {name}", next="correct the path")
        found.setdefault(name if name == STDIN else os.path.realpath(name), name)
    return list(found.values())


def _lines(source: Source) -> Iterator[str]:
    yield "standard input" if source.source == STDIN else source.source
    for kept in source.traces:
        told = ", redacted" if kept.redacted else ""
        beside = f", with {Path(kept.cassette).name}" if kept.cassette else ""
        yield f"  {kept.status:<8} {kept.path}, {_count(kept.calls, 'call')}{told}{beside}"
    for note in source.notes[:_MOST_NOTES]:
        yield f"  odd      {_within(source, note.place)}{note.fact}"
    if len(source.notes) > _MOST_NOTES:
        yield f"  odd      {len(source.notes) - _MOST_NOTES} more, see --json"
    alike: dict[tuple[str, str], list[str]] = {}
    for refusal in source.refused:
        alike.setdefault((refusal.why, refusal.remedy), []).append(_within(source, refusal.place))
    for (why, remedy), places in alike.items():
        yield f"  refused  {places[0]}{why}" + (f" (and {len(places) - 1} more like it)" if len(places) > 1 else "")
        yield f"           next: {remedy}"


def _within(source: Source, place: str) -> str:
    """Say where in a file that is named above; nothing where it is the whole of it."""
    inside = place.removeprefix("stdin" if source.source == STDIN else source.source).strip()
    return f"{inside}: " if inside else ""


def _summary(sources: Sequence[Source], reads: Sequence[str]) -> Iterator[str]:
    kept = [one for source in sources for one in source.traces]
    odd, refused = sum(len(source.notes) for source in sources), sum(len(source.refused) for source in sources)
    yield f"{_count(len(kept), 'trace')} from {_count(len(sources), 'file')}, {odd} odd, {refused} refused"
    if unclassified := sorted({tool for one in kept for tool in one.unclassified}):
        yield f"counted as writes, until `tools:` or --reads says otherwise: {', '.join(unclassified)}"
    never = set(reads) - {tool for one in kept for tool in one.tools}
    if kept and never:
        yield f"named by --reads and called by no trace: {', '.join(sorted(never))}"


def _as_json(sources: Sequence[Source]) -> dict[str, Any]:
    return {
        "traces": sum(len(source.traces) for source in sources),
        "refused": sum(len(source.refused) for source in sources),
        "unclassified": sorted({tool for source in sources for one in source.traces for tool in one.unclassified}),
        "sources": [asdict(source) for source in sources],
    }


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
