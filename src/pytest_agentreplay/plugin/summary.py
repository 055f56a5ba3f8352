"""The end of a session: the summary in the terminal, and the report files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_agentreplay.api.hooks import plugin_manager
from pytest_agentreplay.reports.formats import FORMAT, Renderer, renderer_for
from pytest_agentreplay.tools.effects import UNCLASSIFIED

_MOST_TOOLS = 8


def summarize(terminal: Any, config: pytest.Config) -> None:
    """Print the summary, and write the reports that were asked for."""
    facts = list(_facts(terminal))
    skipped = [report for report in terminal.stats.get("skipped", ()) if report.nodeid.split("::")[0].endswith(".yaml")]
    terminal.section("agent replay")
    for line in lines(facts, len(skipped), most=_MOST_TOOLS if config.get_verbosity() <= 0 else None):
        terminal.write_line(line)
    for name in config.option.agent_replay_report or ():
        path = config.invocation_params.dir / name
        _write(path, renderer_for(name, report_formats()), report_of(facts, len(skipped)))
        terminal.write_line(f"report: {path}")


def report_formats() -> dict[str, Renderer]:
    """The report formats of third parties, by ending."""
    return {
        ending: render
        for formats in plugin_manager().hook.agent_replay_report_formats()
        for ending, render in formats.items()
    }


def _facts(terminal: Any) -> Iterator[dict[str, Any]]:
    for category, reports in terminal.stats.items():
        if category:
            for report in reports:
                yield from getattr(report, "agent_replay", ())
    for report in terminal.stats.get("", ()):
        yield from getattr(report, "agent_replay", ())


def lines(facts: list[dict[str, Any]], skipped: int, most: int | None = None) -> Iterator[str]:
    """Say what the replays did, one line a subject; subjects with nothing to say are left out.

    Args:
        facts: of every replay.
        skipped: how many golden traces were not checked.
        most: how many tools are named for one source of their effects; None for all.
    """
    diverged = sum(fact["failure"] is not None for fact in facts)
    yield f"golden traces   {len(facts)} run, {diverged} diverged, {skipped} not checked"
    answered, withheld, live = (_sum(facts, key) for key in ("answered", "withheld", "live"))
    yield f"tool calls      {answered} answered, {withheld} write{'s' * (withheld != 1)} withheld, {live} live"
    yield f"escapes         {_sum(facts, 'escapes')}"
    for source, tools in _effects(facts):
        rest = f" and {len(tools) - most} more, see -v" if most is not None and len(tools) > most else ""
        yield f"effects         {source}: {', '.join(tools[:most])}{rest}"
    for outcome in ("updated", "recorded"):
        names = [fact["trace"] for fact in facts if fact["outcome"] == outcome]
        if names:
            yield f"{outcome:<15} {', '.join(names)}"
    drift = [f"{fact['trace']} {address}" for fact in facts for address in fact["drift"]]
    if drift:
        yield f"tool drift      {', '.join(drift)}"
    unclassified = sorted({tool for fact in facts for tool in fact["unclassified"]})
    if unclassified:
        yield f"unclassified    {', '.join(unclassified)} (counted as writes)"
    verdicts = _total(facts, "verdicts")
    if set(verdicts) - {"allow"}:
        yield f"verdicts        {_counts(verdicts)}"
        yield f"rules           {_counts(_total(facts, 'rules'))}"
    unjudged = sum(fact["unjudged"] for fact in facts)
    if unjudged:
        yield f"verdicts        not checked in {unjudged} run{'s' * (unjudged != 1)}: the guard is off"
    for fact in facts:
        yield from (f"over deadline   {fact['trace']}: {late}" for late in fact["late"])


def _effects(facts: list[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    """Sort the tools by who said what they do; those that nobody classified have a line of their own."""
    told: dict[str, set[str]] = {}
    for fact in facts:
        for tool, (effect, source) in fact["effects"].items():
            if source != UNCLASSIFIED:
                told.setdefault(source, set()).add(f"{tool} {effect}")
    return [(source, sorted(tools)) for source, tools in sorted(told.items())]


def _total(facts: list[dict[str, Any]], key: str) -> Counter[str]:
    total: Counter[str] = Counter()
    for fact in facts:
        total.update(fact[key])
    return total


def _counts(counted: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counted.items()))


def _sum(facts: list[dict[str, Any]], key: str) -> int:
    return sum(fact[key] for fact in facts)


def report_of(facts: list[dict[str, Any]], skipped: int) -> dict[str, Any]:
    """Gather a session's facts in the form that report formats take."""
    totals = {key: _sum(facts, key) for key in ("answered", "withheld", "live", "escapes", "unmatched")}
    return {
        "format": FORMAT,
        "summary": {
            "run": len(facts),
            "diverged": sum(fact["failure"] is not None for fact in facts),
            "not_checked": skipped,
            **totals,
        },
        "traces": facts,
    }


def _write(path: Path, render: Renderer, report: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(report), encoding="utf-8")
