"""Calls: what two trajectories are compared by.

A call is a tool step reduced to what comparison asks of it. Nothing here knows
how trajectories are aligned.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pytest_agentreplay.checks import brief, remove_paths
from pytest_agentreplay.jsonable import Value, canonical
from pytest_agentreplay.trace import Effect, Step, ToolStep

Args: TypeAlias = dict[str, Value]
WithDefaults: TypeAlias = Callable[[str, Args], Args]
"""Fills in, for a tool, the defaults of the arguments that a call left out."""


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call of the agent itself.

    Attributes:
        tool: its name.
        key: equal for equal arguments, and only for them.
        args: as compared: with defaults, without ignored paths; None where they were no JSON.
        raw_args: the text of arguments that were no JSON.
        address: its step's name in its trace.
        group: calls of one group were made in parallel.
        effect: what the tool does to the world.
        index: its place among the calls of its run.
        position: its place among the steps of its run.
    """

    tool: str
    key: str
    args: Args | None
    raw_args: str | None = None
    address: str = ""
    group: int | None = None
    effect: Effect = "write"
    index: int = 0
    position: int = 0

    def __str__(self) -> str:
        return render_call(self)

    def to_dict(self) -> dict[str, Value]:
        """Return tool and arguments as a trace writes them."""
        if self.raw_args is not None:
            return {"tool": self.tool, "raw_args": self.raw_args}
        return {"tool": self.tool, "args": self.args or {}}


def calls_of(
    steps: Iterable[Step],
    *,
    ignore_args: Iterable[str] = (),
    with_defaults: WithDefaults | None = None,
    effects: Mapping[str, Effect] | None = None,
) -> list[Call]:
    """Reduce steps to the calls that the agent itself made, in order.

    Args:
        steps: of any kind; other kinds, other actors and provider-side calls are left out.
        ignore_args: argument paths left out of comparing.
        with_defaults: makes an argument left out equal to its default.
        effects: by tool; a step's own effect where a tool is not in it.
    """
    ignored = list(ignore_args)
    calls: list[Call] = []
    for position, step in enumerate(steps):
        if type(step) is ToolStep and step.by_agent:
            args = _compared(step, ignored, with_defaults)
            calls.append(
                Call(
                    tool=step.tool,
                    key=canonical(args) if args is not None else f"raw {step.raw_args}",
                    args=args,
                    raw_args=step.raw_args,
                    address=step.address,
                    group=step.group,
                    effect=(effects or {}).get(step.tool, step.effect),
                    index=len(calls),
                    position=position,
                )
            )
    return calls


def _compared(step: ToolStep, ignored: list[str], with_defaults: WithDefaults | None) -> Args | None:
    if step.raw_args is not None:
        return None
    args = step.args or {}
    if with_defaults is not None:
        args = with_defaults(step.tool, args)
    kept: Args = remove_paths(args, ignored) if ignored else args
    return kept


def render_call(call: Call, width: int = 100, telling: Collection[str] = ()) -> str:
    """Write a call as Python would, cut to `width` characters; the `telling` arguments first if it must be cut."""
    inside = max(width - len(call.tool) - 2, 3)
    if call.args is None:
        text = brief(call.raw_args, inside)
    else:
        shown = {name: f"{_printable(name)}={render_value(value)}" for name, value in call.args.items()}
        text = ", ".join(shown.values())
        if len(text) > inside:
            text = ", ".join(shown[name] for name in sorted(shown, key=lambda name: name not in telling))
    return f"{_printable(call.tool)}({text if len(text) <= inside else text[: inside - 3] + '...'})"


def render_value(value: Any, limit: int = 60) -> str:
    """Write one argument: texts as Python does, the rest as JSON."""
    if type(value) is not str:
        return brief(value, limit)
    text = repr(value[: limit + 1])
    return text if len(text) <= limit else text[: limit - 4] + "...'"


def _printable(name: str) -> str:
    return name if name.isprintable() else repr(name)
