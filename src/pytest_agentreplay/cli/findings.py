"""Findings: what is wrong, or likely meant otherwise, in a trace that is well-formed.

Judged by the trace alone, without running anything. Nothing here knows of files,
lines or terminals.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from pytest_agentreplay.compare import Observed, judge
from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.trace import Expect, Trace, Verdict, tool_address
from pytest_agentreplay.trace.problems import nearest

Severity: TypeAlias = Literal["error", "warning"]
Location: TypeAlias = tuple[str | int, ...]
_ALLOWED = Verdict(decision="allow")
_KINDS = frozenset({"model", "message", "state"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One objection to a trace.

    Attributes:
        path: the keys and indices in the document that lead to it.
        remedy: the one next step.
    """

    severity: Severity
    path: Location
    fact: str
    remedy: str


def findings(trace: Trace) -> Iterator[Finding]:
    """Look a trace over: what names no agent, what pins nothing, what nobody classified, names nobody knows."""
    yield from _agent(trace)
    yield from _pins_nothing(trace)
    yield from _unclassified(trace)
    if trace.expect is not None:
        yield from _unknown_names(trace, trace.expect)


def _agent(trace: Trace) -> Iterator[Finding]:
    if trace.agent is not None and not all(trace.agent.partition(":")):
        yield Finding("error", ("agent",), f"{trace.agent!r} names no agent", "write it as module:callable")


def _pins_nothing(trace: Trace) -> Iterator[Finding]:
    """Hold the recorded run against the expectations that it came with."""
    if trace.expect is None:
        if not trace.steps and trace.output is MISSING and trace.error is None:
            fact = "nothing is recorded and nothing is expected: it checks nothing"
            yield Finding("warning", (), fact, "add `steps`, or `expect`")
        return
    if not trace.steps:
        return
    recorded = Observed.from_trace(trace)
    verdicts = {step.address: _ALLOWED for step in trace.tool_steps} | dict(recorded.verdicts or {})
    parted = judge(trace.expect, trace, replace(recorded, verdicts=verdicts))
    if trace.kind == "baseline":  # a verdict that nobody recorded is for today's policies to say
        judged = {step.address for step in trace.tool_steps if step.verdict is not None}
        parted = [one for one in parted if one.kind != "verdict" or one.address in judged]
    if trace.kind == "incident" and not parted:
        fact = "it pins nothing: the recorded bad run itself meets every expectation"
        yield Finding("error", ("expect",), fact, "expect what the bad run did not do, or forbid what it did")
    unmet = [one for one in parted if one.kind != "not_observed"]
    if trace.kind == "baseline" and unmet:
        fact = f"the recorded good run itself does not meet it: {unmet[0]}"
        yield Finding("warning", ("expect",), fact, "record it again, correct `expect`, or make it `kind: incident`")


def _unclassified(trace: Trace) -> Iterator[Finding]:
    called = {step.tool for step in trace.tool_steps if step.by_agent}
    unknown = sorted(called - set(trace.tools))
    if unknown:
        fact = f"{', '.join(unknown)}: no effect declared here, so counted as write unless the code says otherwise"
        remedy = f"declare it: `tools: {{{unknown[0]}: read}}` or `write`"
        yield Finding("warning", ("tools",) if trace.tools else (), fact, remedy)


def _unknown_names(trace: Trace, expect: Expect) -> Iterator[Finding]:
    tools = {step.tool for step in trace.tool_steps} | set(trace.tools)
    tools |= {answer.tool for answer in trace.replay.answers}
    for tool, limit in (expect.calls or {}).items():
        forbidden = limit.max == 0 or limit.exactly == 0
        # Forbidding what was never there is sound; only a near miss is likely a slip.
        if tool not in tools and (not forbidden or nearest(tool, tools)):
            yield _unknown(tool, ("expect", "calls", tool), tools)
    for index, chain in enumerate(expect.order or []):
        for place, tool in enumerate(chain):
            if tool not in tools:
                yield _unknown(tool, ("expect", "order", index, place), tools)
    addresses = {step.address for step in trace.steps}
    bases = {tool_address(tool) for tool in tools} | _KINDS | {address.rpartition("#")[0] for address in addresses}
    for index, check in enumerate(expect.state or []):
        if check.after != "end" and not _is_address(check.after, bases):
            yield _unknown(check.after, ("expect", "state", index, "after"), addresses | {"end"})
    for name in expect.verdicts or {}:
        if name not in tools | bases and not _is_address(name, bases):
            yield _unknown(name, ("expect", "verdicts", name), addresses | tools)


def _is_address(name: str, bases: set[str]) -> bool:
    base, _, number = name.rpartition("#")
    return base in bases and number.isdecimal() and int(number) > 0


def _unknown(name: str, path: Location, known: set[str]) -> Finding:
    close = nearest(name, known)
    some = ", ".join(sorted(known)[:8]) or "nothing"
    remedy = f"did you mean `{close}`?" if close else f"correct it, or declare it under `tools`; known: {some}"
    return Finding("warning", path, f"{name} is in neither the steps, the answers nor the tools of this trace", remedy)
