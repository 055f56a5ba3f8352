"""Frames: one step of a trace as labelled lines, in short or in full.

Nothing here knows which steps are shown, or where.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import Any, TypeAlias

from pytest_agentreplay import yaml_codec
from pytest_agentreplay.jsonable import MISSING, encode
from pytest_agentreplay.trace import ErrorInfo, Finding, Step, ToolStep, Trace, Verdict

Fact: TypeAlias = tuple[str, Any]
"""A label, and a text for people or any JSON value."""

_INDENT = 6
_LABEL = 10
_FEW_LINES = 4
_PROSE = frozenset({"content", "reasoning", "about"})


def title(step: Step, trace: Trace) -> str:
    """Say what a step is, in one line that starts with its address."""
    if type(step) is ToolStep:
        return "  ".join([step.address, *_about_call(step, trace)])
    what = {"model": "model", "message": "message", "state": "at"}[step.kind]
    name = getattr(step, what)
    by = f"by {step.actor}" if step.actor else ""
    return "  ".join(filter(None, [step.address, name, by]))


def _about_call(step: ToolStep, trace: Trace) -> Iterator[str]:
    yield step.effect if step.tool in trace.tools else f"{step.effect} (not declared)"
    if step.actor:
        yield f"by {step.actor}"
    if step.executed_by:
        yield f"ran at the {step.executed_by}"
    if step.group is not None:
        came_back = f", came back as number {step.finished}" if step.finished is not None else ""
        yield f"parallel group {step.group}{came_back}"


def facts(step: Step) -> Iterator[Fact]:
    """List what is known of a step, in the order in which it came about."""
    if type(step) is ToolStep:
        yield from _call(step)
    for name in ("content", "reasoning", "plan", "usage"):
        if (value := getattr(step, name, None)) is not None:
            yield name, value
    if step.state is not MISSING:
        yield "state", step.state
    started, took = getattr(step, "started_at", None), getattr(step, "duration_ms", None)
    when = [started or "", f"took {took:g} ms" if took is not None else ""]
    if any(when):
        yield "time", ", ".join(filter(None, when))


def _call(step: ToolStep) -> Iterator[Fact]:
    yield ("args", step.args or {}) if step.raw_args is None else ("raw args", step.raw_args)
    if step.error is not None:
        yield "error", ending(step.error)
    elif step.result is not MISSING:
        yield "result", quoted(step.result)
    else:
        yield "result", "none: the guard blocked it" if step.blocked else "none: the run stopped here"
    if step.verdict is not None:
        yield "verdict", verdict(step.verdict)


def ending(error: ErrorInfo) -> str:
    """Write a recorded exception in a line."""
    return f"{error.type}: {error.message}" if error.message else error.type


def verdict(given: Verdict) -> str:
    """Write a verdict: what was decided, by which policy, and every finding."""
    forced = ", unavailable" if given.unavailable else ""
    capped = f" (would {given.would})" if given.would and given.would != given.decision else ""
    policy = f" by {given.policy}" if given.policy else ""
    where = f" in {given.environment}" if given.environment else ""
    return "\n".join([f"{given.decision}{capped}{policy}{where}{forced}", *map(_finding, given.findings)])


def _finding(given: Finding) -> str:
    version = f"@{given.version}" if given.version is not None else ""
    facts = [given.severity, f"confidence {given.confidence:g}" if given.confidence is not None else None]
    about = ", ".join(filter(None, facts))
    named = f"{given.rule}{version}" + (f" ({about})" if about else "")
    return f"{named}: {given.reason}" if given.reason else named


def quoted(value: Any) -> Any:
    """Quote a text of one line, so that it is no JSON by its looks."""
    return json.dumps(value, ensure_ascii=False) if type(value) is str and "\n" not in value else value


def render(given: Fact, columns: int, *, whole: bool, more: str = "") -> Iterator[str]:
    """Write a fact: its label, and its value on as many lines as it takes.

    Args:
        given: the label and the value.
        columns: how wide a line is.
        whole: leave nothing out; else long lines and all but the first few are cut.
        more: what shows the rest.
    """
    label, value = given
    inside = columns - _INDENT - _LABEL
    lines = _lines(value, inside, prose=label in _PROSE)
    if not whole and len(lines) > _FEW_LINES:
        rest = len(lines) - _FEW_LINES + 1
        lines = [*lines[: _FEW_LINES - 1], f"... {rest} more lines{more}"]
    for index, line in enumerate(lines):
        text = line if whole or len(line) <= inside else line[: inside - 3] + "..."
        yield f"{'':{_INDENT}}{'' if index else label:<{_LABEL}}{text}".rstrip()


def _lines(value: Any, columns: int, *, prose: bool) -> list[str]:
    if type(value) is str:
        lines = value.expandtabs(4).splitlines() or [""]
        return [piece for line in lines for piece in textwrap.wrap(line, columns) or [""]] if prose else lines
    plain = encode(value)
    text = json.dumps(plain, ensure_ascii=False)
    if len(text) <= columns or type(plain) not in (dict, list):
        return [text]
    return yaml_codec.render(plain).expandtabs(4).splitlines()
