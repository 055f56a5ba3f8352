"""`agent-replay import chat` finds in real transcripts exactly the calls that are in them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pytest_agentreplay.interop.chat import parse_chat
from pytest_agentreplay.interop.transcript import Imported
from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.trace import MessageStep, ModelStep, ToolStep, Trace
from pytest_agentreplay.trace.document import parse_trace, render_trace

TRACES = Path(__file__).parents[3] / "shared" / "traces"
CLAIMED = ("tau-bench/", "tau2/", "mini-swe-agent/", "swe-agent/", "gemini-cli/", "inspect/2025")

# The oracle counts no calls in mini-swe-agent's first protocol, where a call is a fenced command in the reply: its
# own index says so. What is in these two files was counted by hand.
FENCED = {"mini-swe-agent/v0/github_issue.traj.json": 10, "mini-swe-agent/v0/local.traj.json": 2}

pytestmark = pytest.mark.skipif(not TRACES.is_dir(), reason=f"the recorded transcripts are not at {TRACES}")


def _oracle() -> dict[str, list[dict[str, Any]]]:
    by_file: dict[str, list[dict[str, Any]]] = defaultdict(list)
    path = TRACES / "ORACLE.jsonl"
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        run = json.loads(line)
        if run["file"].startswith(CLAIMED) and run["file"] not in FENCED:
            by_file[run["file"]].append(run)
    return by_file


ORACLE = _oracle()


@cache
def _imported(file: str) -> Imported:
    return parse_chat((TRACES / file).read_bytes(), source=file)


def _digest(value: Any) -> str:
    return hashlib.sha1(value.encode() if isinstance(value, str) else json.dumps(value).encode()).hexdigest()[:12]


def _outcome(step: ToolStep) -> str | None:
    if step.error is not None:
        return _digest(step.error.message)
    return None if step.result is MISSING else _digest(step.result)


def _facts(trace: Trace) -> dict[str, Any]:
    """Describe a trace in the oracle's words."""
    calls = trace.tool_steps
    said = [step for step in trace.steps if isinstance(step, MessageStep | ModelStep) and step.content]
    groups = Counter(step.group for step in calls if step.group is not None)
    return {
        "tool_calls": len(calls),
        "names": [step.tool for step in calls],
        "args": [step.args for step in calls],
        "result_sha1": [_outcome(step) for step in calls],
        "errors": sum(step.error is not None for step in calls),
        "no_result": sum(step.result is MISSING and step.error is None for step in calls),
        "parallel_groups": len(groups),
        "messages": len(said),
        "states": sum(step.state is not MISSING for step in calls),
        "actors": sorted({step.actor or "assistant" for step in calls}),
    }


@pytest.mark.parametrize("file", sorted(ORACLE))
def test_every_recorded_run_is_imported_call_by_call(file: str) -> None:
    """Each run with tool calls becomes one trace with exactly its calls; each without becomes a refusal."""
    expected = [run for run in ORACLE[file] if run["tool_calls"]]
    imported = _imported(file)

    assert len(imported.refused) == len(ORACLE[file]) - len(expected)
    assert len(imported.traces) == len(expected)
    for run, (_, trace) in zip(expected, imported.traces, strict=True):
        facts = _facts(trace)
        assert facts == {key: run[key] for key in facts}, run["run_id"]


@pytest.mark.parametrize("file", sorted(ORACLE))
def test_labels_say_how_the_run_ended(file: str) -> None:
    """Reward, success and termination come along, as far as the file says."""
    expected = [run["labels"] for run in ORACLE[file] if run["tool_calls"]]

    for labels, (_, trace) in zip(expected, _imported(file).traces, strict=True):
        assert trace.run is not None
        found = trace.run.labels or {}
        for key in {"reward", "termination"} & set(labels):
            assert found[key] == labels[key]
        if "reward" in labels:
            assert found["success"] == labels["success"]


@pytest.mark.parametrize("file", sorted(FENCED))
def test_fenced_commands_are_calls(file: str) -> None:
    """Commands that mini-swe-agent's first protocol has in the reply become calls of bash with their output."""
    [(_, trace)] = _imported(file).traces

    assert [step.tool for step in trace.tool_steps] == ["bash"] * FENCED[file]
    assert all(isinstance(step.args, dict) and step.args["command"] for step in trace.tool_steps)
    assert not any(step.result is MISSING and step.error is None for step in trace.tool_steps)


@pytest.mark.parametrize("file", sorted(ORACLE))
def test_names_are_unique_and_safe(file: str) -> None:
    """No two traces of a file share a name, and no name needs quoting or climbs out of a directory."""
    names = [name for name, _ in _imported(file).traces]

    assert len({name.lower() for name in names}) == len(names)
    assert all(name.replace("-", "").replace("_", "").isalnum() and name.isascii() for name in names)


@pytest.mark.parametrize("file", sorted(ORACLE))
def test_imported_traces_can_be_written_and_read_again(file: str) -> None:
    """Real tool output, control characters and all, survives the way through a golden file."""
    for name, trace in _imported(file).traces:
        assert parse_trace(render_trace(trace), name) == trace


def test_what_is_no_message_list_is_refused_with_a_remedy() -> None:
    """Every other file under the folder yields refusals or traces, never an exception and never nothing."""
    for path in sorted(TRACES.rglob("*.*")):
        if path.is_file():
            imported = parse_chat(path.read_bytes(), source=path.name)
            assert imported.traces or imported.refused, path.name
            assert all(refusal.remedy and refusal.place for refusal in imported.refused)
