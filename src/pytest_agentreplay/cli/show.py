"""``agent-replay show``: a trace in the terminal, frame by frame, or one step in full."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Iterator
from typing import Any

from pytest_agentreplay.cli import frames
from pytest_agentreplay.cli.sources import load, shown
from pytest_agentreplay.cli.terminal import Outcome, width
from pytest_agentreplay.errors import SettingsError
from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.trace import RunInfo, ToolStep, Trace
from pytest_agentreplay.trace.document import to_document

_END = "end"
_SOME = 8


def run(options: argparse.Namespace) -> Outcome:
    """Show the trace, or one of its steps.

    Raises:
        SettingsError: when there is no such trace, or no such step in it.
    """
    trace = load(options.trace)
    rows = _rows(trace)
    if options.step is None:
        name = shown(trace, options.trace)
        document = to_document(trace)
        return Outcome("\n".join(_all(trace, name, width())), {"trace": name, **document, "steps": rows[:-1]})
    index = _find(trace, options.step)
    return Outcome("\n".join(_one(trace, index, width())), rows[index])


def _rows(trace: Trace) -> list[dict[str, Any]]:
    """Give every step as JSON, with its address and its effect, and at last how the run ended."""
    document = to_document(trace)
    rows = []
    for step, written in zip(trace.steps, document.get("steps", ()), strict=True):
        row = {"address": step.address, **written}
        if type(step) is ToolStep:
            row |= {"effect": step.effect, "effect_from": "tools" if step.tool in trace.tools else "undeclared"}
        rows.append(row)
    ending = {key: document[key] for key in ("output", "error") if key in document}
    return [*rows, {"address": _END, **ending}]


def _find(trace: Trace, address: str) -> int:
    addresses = [*(step.address for step in trace.steps), _END]
    if address in addresses:
        return addresses.index(address)
    close = difflib.get_close_matches(address, addresses, n=3, cutoff=0.5)
    some = ", ".join(addresses[:_SOME]) + (f"... ({len(addresses)} in all)" if len(addresses) > _SOME else "")
    near = {"closest": ", ".join(close)} if close else {}
    raise SettingsError(f"the trace has no step {address}", **near, next=f"name one of: {some}")


def _all(trace: Trace, name: str, columns: int) -> Iterator[str]:
    yield trace.name if trace.path or trace.title else name
    for fact in _header(trace, name):
        yield from frames.render(fact, columns, whole=False, more=", see --json")
    for number, step in enumerate(trace.steps, start=1):
        yield ""
        yield f"{number:>4}  {frames.title(step, trace)}"
        for fact in frames.facts(step):
            yield from frames.render(fact, columns, whole=False, more=f", see --step {step.address}")
    yield ""
    yield f"{'':4}  {_END}"
    for fact in _ending(trace):
        yield from frames.render(fact, columns, whole=False, more=f", see --step {_END}")
    if trace.expect is not None:
        yield ""
        yield "      expected"
        yield from frames.render(("", to_document(trace)["expect"]), columns, whole=True)


def _one(trace: Trace, index: int, columns: int) -> Iterator[str]:
    is_step = index < len(trace.steps)
    yield frames.title(trace.steps[index], trace) if is_step else _END
    for fact in frames.facts(trace.steps[index]) if is_step else _ending(trace):
        yield from frames.render(fact, columns, whole=True)


def _header(trace: Trace, name: str) -> Iterator[frames.Fact]:
    yield "trace", name
    yield "kind", trace.kind
    if trace.description:
        yield "about", trace.description
    if trace.agent:
        yield "agent", trace.agent
    if trace.tags:
        yield "tags", ", ".join(trace.tags)
    if trace.run is not None:
        yield from _run(trace.run)
    yield from _effects(trace)
    if trace.input is not MISSING:
        yield "input", trace.input


def _effects(trace: Trace) -> Iterator[frames.Fact]:
    """Say of every tool that was called what it does, and whether the trace says so or nobody does."""
    called = {step.tool: step.effect for step in trace.tool_steps}
    declared = [f"{tool} {effect}" for tool, effect in sorted(called.items()) if tool in trace.tools]
    others = sorted(tool for tool in called if tool not in trace.tools)
    lines = [("declared", declared), ("not declared, so write", others)]
    if called:
        yield "effects", "\n".join(f"{what}: {', '.join(names)}" for what, names in lines if names)


def _run(info: RunInfo) -> Iterator[frames.Fact]:
    commit = f"commit {info.commit}" if info.commit else None
    version = f"agent {info.agent_version}" if info.agent_version else None
    about = [info.id, info.recorded_at, info.source, info.environment, version, commit]
    if any(about):
        yield "run", ", ".join(filter(None, about))
    if info.model is not None:
        yield "model", ", ".join(f"{key} {value}" for key, value in info.model if value is not None)
    for label, value in (("usage", info.usage), ("labels", info.labels), ("cassette", info.cassette)):
        if value:
            yield label, value


def _ending(trace: Trace) -> Iterator[frames.Fact]:
    if trace.error is not None:
        yield "error", frames.ending(trace.error)
    else:
        yield "output", "not recorded" if trace.output is MISSING else frames.quoted(trace.output)
