"""The trace: one recorded run of one agent, and what its golden file adds to it.

The vocabulary of the whole package. Nothing here reads or writes files, runs
agents or compares.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, model_validator

from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.trace.expect import Check, Expect, PathText
from pytest_agentreplay.trace.steps import ErrorInfo, MessageStep, ModelStep, StateStep, Step, ToolStep
from pytest_agentreplay.trace.verdicts import Effect, Number, Record, rule_broken

FORMAT: Final = "agentreplay.trace/1"
RECORDED_HERE: Final = "pytest"
"""The `source` of a trace whose every local call passed the boundary, those of sub-agents included."""
_RESERVED = frozenset({"model", "state", "message", "end"})


class Answer(Record):
    """An answer for calls that the recording lacks.

    Attributes:
        args: checks by argument path; any arguments match where it is left out.
    """

    tool: str
    args: dict[PathText, Check] | None = None
    result: Any = MISSING
    error: ErrorInfo | None = None

    @model_validator(mode="after")
    def _one_outcome(self) -> Answer:
        if (self.result is MISSING) == (self.error is None):
            raise rule_broken("an answer has either a result or an error", "write one of them: `result: ...`")
        return self


class ReplayOptions(Record):
    """How recorded answers are found for the calls of a run.

    Attributes:
        match: ``args``, ``order`` or ``name``.
        ignore_args: argument paths left out of answering and of comparing.
        unmatched: what happens to a call without an answer.
    """

    match: Literal["args", "order", "name"] = "args"
    ignore_args: list[PathText] = Field(default_factory=list)
    unmatched: Literal["fail", "error", "live"] = "fail"
    answers: list[Answer] = Field(default_factory=list)


class ModelInfo(Record):
    """The model that a recorded run used."""

    provider: str | None = None
    name: str | None = None
    temperature: Number | None = None
    seed: int | None = None
    max_tokens: int | None = None
    prompt_version: str | None = None


class RunInfo(Record):
    """Where a trace came from; shown, never compared."""

    id: str | None = None
    recorded_at: str | None = None
    source: str | None = None
    environment: str | None = None
    agent_version: str | None = None
    commit: str | None = None
    model: ModelInfo | None = None
    usage: dict[str, Number] | None = None
    labels: dict[str, Any] | None = None
    cassette: str | None = None


class Trace(Record):
    """One recorded run; with `expect` and the rest of a golden file, a regression test.

    Attributes:
        input: a mapping is keyword arguments, anything else the one positional argument;
            left out (`MISSING`) when the agent takes none.
        steps: in file order.
        output: what the agent returned; left out (`MISSING`) when not recorded.
        error: the exception that ended the run.
    """

    format: Literal["agentreplay.trace/1"] = FORMAT
    title: str | None = None
    kind: Literal["baseline", "incident"] = "baseline"
    description: str | None = None
    tags: list[str] = Field(default_factory=list)
    agent: str | None = None
    input: Any = MISSING
    tools: dict[str, Effect] = Field(default_factory=dict)
    policies: list[str] = Field(default_factory=list)
    replay: ReplayOptions = Field(default_factory=ReplayOptions)
    run: RunInfo | None = None
    steps: list[Step] = Field(default_factory=list)
    output: Any = MISSING
    error: ErrorInfo | None = None
    expect: Expect | None = None

    @model_validator(mode="after")
    def _complete(self) -> Trace:
        if self.kind == "incident" and self.expect is None:
            fact = "an incident needs an `expect`: without one the bad run itself would be expected"
            raise rule_broken(fact, "add `expect:` with what a good run does, or make it `kind: baseline`", "kind")
        if self.output is not MISSING and self.error is not None:
            raise rule_broken("a run ends in an output or an error, not both", "take one of them out", "error")
        at_boundary = self.run is not None and self.run.source == RECORDED_HERE
        assign_addresses(self.steps, self.tools, at_boundary=at_boundary)
        return self

    @property
    def path(self) -> Path | None:
        """The file that the trace was loaded from; no part of what makes two traces equal."""
        path: Path | None = self.__dict__.get("_path")
        return path

    def _found_at(self, path: Path) -> None:
        self.__dict__["_path"] = path

    @property
    def tool_steps(self) -> list[ToolStep]:
        """The tool steps, in file order."""
        return [step for step in self.steps if type(step) is ToolStep]

    @property
    def name(self) -> str:
        """The title, else the file's stem, else ``trace``: for showing."""
        return self.title or (self.path.stem if self.path else "trace")


def assign_addresses(
    steps: Iterable[ToolStep | ModelStep | MessageStep | StateStep],
    effects: dict[str, Effect],
    *,
    at_boundary: bool = False,
) -> None:
    """Tell every step its address, and every tool step its tool's effect.

    Args:
        steps: of one trace, in order.
        effects: by tool name.
        at_boundary: calls of sub-agents passed the boundary too, so that a replay expects them.
    """
    counts: dict[str, int] = {}
    for step in steps:
        if type(step) is ToolStep:
            name = tool_address(step.tool, step.actor or step.executed_by)
            step._classify(effects.get(step.tool, "write"), at_boundary=at_boundary)
        else:
            name = step.kind
        counts[name] = count = counts.get(name, 0) + 1
        step._locate(f"{name}#{count}")


def tool_address(tool: str, actor: str | None = None) -> str:
    """Name a tool as addresses do: ``tool:model`` for reserved names, ``search@user`` for other callers."""
    name = f"tool:{tool}" if tool in _RESERVED else tool
    return f"{name}@{actor}" if actor else name
