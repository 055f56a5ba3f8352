"""`agent-replay diff` finds in pairs of real runs the place where they part."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pytest_agentreplay.cli.parting import part
from pytest_agentreplay.interop.chat import parse_chat
from pytest_agentreplay.trace import Trace

TRACES = Path(__file__).parents[3] / "shared" / "traces"
# What the pairs call it -> what a divergence may be called that depends on what comes later too.
KINDS = {
    "different tool": {"extra", "missing", "order"},
    "same tool, different args": {"arguments", "missing", "extra", "order"},
    "B skipped calls": {"missing"},
    "B inserted calls": {"extra"},
    "one is a prefix of the other": {"missing", "extra"},
    "identical": {None},
}

pytestmark = pytest.mark.skipif(not TRACES.is_dir(), reason=f"the recorded transcripts are not at {TRACES}")


def _lines(name: str) -> list[dict[str, Any]]:
    path = TRACES / name
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.is_file() else []


@cache
def _traces(file: str) -> dict[str, Trace]:
    """Import a file; its traces by the run ids that the list of runs gives them."""
    runs = [run["run_id"] for run in _lines("ORACLE.jsonl") if run["file"] == file and run["tool_calls"]]
    imported = parse_chat((TRACES / file).read_bytes(), source=file)
    return {run: trace for run, (_, trace) in zip(runs, imported.traces, strict=True)}


PAIRS = _lines("PAIRS.jsonl")


@pytest.mark.parametrize("pair", PAIRS, ids=[f"{pair['a'][1]} {pair['b'][1]}"[-60:] for pair in PAIRS])
def test_real_runs_part_where_they_do(pair: dict[str, Any]) -> None:
    """The first call that differs, by its index, and whether a tool had answered differently before it."""
    golden, other = (_traces(file)[run] for file, run in (pair["a"], pair["b"]))

    parting = part(golden, other)

    assert [len(calls) for calls in parting.calls] == [pair["len_a"], pair["len_b"]]
    parted = parting.divergence
    assert (parted.kind if parted else None) in KINDS[pair["kind"]]
    if parted is not None:
        assert parted.golden_index == parted.run_index == pair["first_divergence"]
    assert pair["results_equal_on_prefix"] == (not any(one.is_answer for one in parting.contrasts))
