"""The first divergence of real pairs of runs is where their recordings say it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_agentreplay.compare import align, calls_of
from pytest_agentreplay.trace import ToolStep, assign_addresses

TRACES = Path(__file__).parents[3] / "shared" / "traces"
if not TRACES.is_dir():
    pytest.skip("the recorded runs are not beside the checkout", allow_module_level=True)


def lines(name):
    """Read one of the recordings."""
    return [json.loads(line) for line in (TRACES / name).read_text(encoding="utf-8").splitlines()]


RUNS = {(run["file"], run["run_id"]): run for run in lines("ORACLE.jsonl")}
PAIRS = lines("PAIRS.jsonl")

# The recorded kind looks at the two calls where the runs part; ours at all that remains. A call of another tool,
# or of the same tool with other arguments, that both runs make later is out of order. One that the first run makes
# later, while its own call never comes, was skipped to.
KINDS = {
    "identical": {None},
    "one is a prefix of the other": {"missing", "extra"},
    "B inserted calls": {"extra"},
    "B skipped calls": {"missing"},
    "different tool": {"extra", "order"},
    "same tool, different args": {"arguments", "order"},
}
# t5-trial0 looks at 5RJ7UH and then FQ8APE, t5-trial1 at FQ8APE alone: it left out a call, and changed none.
SKIPPED_TO_THE_SAME_TOOL = [("t5-trial0", "t5-trial1")]


def calls(key):
    """Reduce a recorded run to its calls."""
    run = RUNS[tuple(key)]
    steps = [ToolStep(tool=tool, args=args) for tool, args in zip(run["names"], run["args"], strict=True)]
    assign_addresses(steps, {})
    return calls_of(steps)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair['a'][1][:12]}-{pair['b'][1][:12]}")
def test_the_first_divergence_of_a_real_pair_is_found(pair):
    """Index and kind agree with how the pair was recorded."""
    golden, run = calls(pair["a"]), calls(pair["b"])
    assert (len(golden), len(run)) == (pair["len_a"], pair["len_b"])

    found = align(golden, run).divergence

    expected = KINDS[pair["kind"]]
    if (pair["a"][1], pair["b"][1]) in SKIPPED_TO_THE_SAME_TOOL:
        expected = {"missing"}
    assert (found.kind if found else None) in expected
    if found is not None:
        assert (found.golden_index, found.run_index) == (pair["first_divergence"], pair["first_divergence"])
    else:
        assert len(golden) == len(run) == pair["first_divergence"]


def test_all_recorded_pairs_are_held_against_it():
    """The recording has 49 pairs, of every kind."""
    assert len(PAIRS) == 49
    assert {pair["kind"] for pair in PAIRS} == set(KINDS)
