"""Observed: what a run under test showed, as far as anything could see it.

The runtime fills it in while the agent runs. Nothing here knows what is expected.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_agentreplay.compare.calls import WithDefaults
from pytest_agentreplay.jsonable import MISSING, Value
from pytest_agentreplay.trace import Effect, ErrorInfo, MessageStep, ModelStep, Step, ToolStep, Trace, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What one run did.

    Attributes:
        steps: the run's own steps, in order, with their addresses.
        output: what the agent returned; `MISSING` where nothing saw it.
        error: the exception that left the agent.
        verdicts: address -> today's verdict; None where the guard was off, so that no verdict is checked.
        messages: what the agent said, texts or content blocks; None where nothing saw it.
        model_calls: None where nothing counted them, like the tokens.
        state_after: gives the agent's state after an address or ``end``, or `MISSING`; what the steps carry if None.
        effects: what the session knows of each tool, beyond what the steps say.
        with_defaults: fills in the arguments that a call left out.
        with_placeholders: puts what was redacted in a golden value in the place of what it stands for in the run's.
        ignore_args: argument paths left out of comparing, beside the trace's own.
        as_recorded: every call is known to be the golden one at its place, and none is missing: whatever the
            way of comparing them, the calls are the same.
    """

    steps: Sequence[Step]
    output: Value = MISSING
    error: ErrorInfo | None = None
    verdicts: Mapping[str, Verdict] | None = None
    messages: Sequence[Value] | None = None
    model_calls: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    state_after: Callable[[str], Value] | None = None
    effects: Mapping[str, Effect] = field(default_factory=dict)
    with_defaults: WithDefaults | None = None
    with_placeholders: Callable[[Value, Value], Value] | None = None
    ignore_args: Sequence[str] = ()
    as_recorded: bool = False

    @classmethod
    def from_trace(cls, trace: Trace) -> Observed:
        """Take a recorded trace for the run, as comparing two traces does."""
        models = [step for step in trace.steps if type(step) is ModelStep and step.actor is None]
        said = [step.content for step in models if step.content is not None]
        said += [step.content for step in trace.steps if type(step) is MessageStep and step.message == "assistant"]
        verdicts = {step.address: step.verdict for step in trace.tool_steps if step.verdict is not None}
        states = {step.address: step.state for step in trace.steps if step.state is not MISSING}
        if states:
            states["end"] = next(reversed(states.values()))
        return cls(
            steps=trace.steps,
            output=trace.output,
            error=trace.error,
            verdicts=verdicts or None,
            messages=said or None,
            model_calls=len(models) or None,
            input_tokens=tokens(models, "input_tokens"),
            output_tokens=tokens(models, "output_tokens"),
            state_after=lambda address: states.get(address, MISSING),
        )

    def in_terms_of(self, golden: Value, actual: Value) -> Value:
        """Return a value of the run as the golden trace would have it, redacted where that is."""
        return actual if self.with_placeholders is None else self.with_placeholders(golden, actual)

    def find_state(self, address: str) -> Value:
        """Return the agent's state after a step, or after the last one for ``end``; `MISSING` if none was seen."""
        if self.state_after is not None:
            return self.state_after(address)
        if address == "end":
            seen = [step.state for step in self.steps if step.state is not MISSING]
            return seen[-1] if seen else MISSING
        return next((step.state for step in self.steps if step.address == address), MISSING)

    def all_effects(self) -> dict[str, Effect]:
        """Return what is known of each tool that the run called or the session knows."""
        return {step.tool: step.effect for step in self.steps if type(step) is ToolStep} | dict(self.effects)


def tokens(steps: Sequence[ModelStep], name: str) -> int | None:
    """Add up what model steps say of their tokens; None where none says anything."""
    counts = [step.usage[name] for step in steps if step.usage and name in step.usage]
    return int(sum(counts)) if counts else None
