"""``agent-replay diff``: where two traces part, and why, in the terminal."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from pytest_agentreplay.cli.parting import Contrast, Parting, part
from pytest_agentreplay.cli.sources import load, shown
from pytest_agentreplay.cli.terminal import Outcome, width
from pytest_agentreplay.compare import Divergence, side_by_side

_MOST = 10


def run(options: argparse.Namespace) -> Outcome:
    """Compare the traces; the exit code is 1 where they differ."""
    golden, other = load(options.a), load(options.b)
    parting = part(golden, other)
    names = (shown(golden, options.a), shown(other, options.b))
    text = "\n".join(_text(parting, names, width()))
    return Outcome(text, _as_json(parting, names), 0 if parting.identical else 1)


def _as_json(parting: Parting, names: tuple[str, str]) -> dict[str, Any]:
    parted = parting.divergence
    a, b = ({"trace": name, "calls": len(calls)} for name, calls in zip(names, parting.calls, strict=True))
    return {
        "a": a,
        "b": b,
        "identical": parting.identical,
        "first_divergence": parted and _divergence(parted, parting.why),
        "other_differences": [
            {"at": one.subject, "differences": [difference.to_dict() for difference in one.differences]}
            for one in parting.contrasts
        ],
    }


def _divergence(parted: Divergence, why: str) -> dict[str, Any]:
    written = parted.to_dict()
    index = {"a": written.pop("golden_index", None), "b": written.pop("run_index", None)}
    return {**written, "index": index, "why": why}


def _text(parting: Parting, names: tuple[str, str], columns: int) -> Iterator[str]:
    for side, name, calls in zip(("golden", "run"), names, parting.calls, strict=True):
        yield f"{side:<7} {name}, {len(calls)} call{'s' * (len(calls) != 1)}"
    yield ""
    if parting.identical:
        yield "no difference: the same calls, answers, states, verdicts and output"
        return
    if parting.divergence is None:
        yield "the calls are the same"
    else:
        yield from _parted(parting, parting.divergence, columns)
    if parting.contrasts:
        yield ""
        yield "what differs beside the calls"
        yield from _contrasts(parting.contrasts, columns)


def _parted(parting: Parting, parted: Divergence, columns: int) -> Iterator[str]:
    yield parted.headline
    yield f"  cause    {parted.cause}"
    yield f"  why      {parting.why}"
    yield ""
    yield side_by_side(*parting.calls, parted, width=columns)
    if parted.differences:
        yield ""
        yield "differences"
        yield from _cut((f"  {one}" for one in parted.differences[:_MOST]), columns)
        yield from _left_out(len(parted.differences))


def _contrasts(contrasts: tuple[Contrast, ...], columns: int) -> Iterator[str]:
    lines = [f"  {one.subject}: {difference}" for one in contrasts for difference in one.differences]
    yield from _cut(lines[:_MOST], columns)
    yield from _left_out(len(lines))


def _cut(lines: Any, columns: int) -> Iterator[str]:
    for line in lines:
        yield line if len(line) <= columns else line[: columns - 3] + "..."


def _left_out(number: int) -> Iterator[str]:
    if number > _MOST:
        yield f"  ... {number - _MOST} more, see --json"
