"""Steps: the entries of a trace, one class a kind.

A step knows what happened. Its address and its tool's effect depend on the
whole trace, which tells them to it. Nothing here reads files or compares.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, TypeAlias, get_args

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.trace.verdicts import Decision, Effect, Number, Record, Verdict, rule_broken

STEP_KINDS = ("tool", "model", "message", "state")


class ErrorInfo(Record):
    """An exception, as recorded.

    Attributes:
        type: the class, dotted where it is not a builtin.
        attributes: what the instance carried, JSON only.
    """

    type: str
    message: str = ""
    attributes: dict[str, Any] | None = None


class _Step(Record):
    kind: ClassVar[str]

    @property
    def address(self) -> str:
        """The readable name of the step in its trace, as ``search_docs#2``."""
        address: str = self.__dict__.get("_address", "")
        return address

    def _locate(self, address: str) -> None:
        # Beside the fields, as a cached property is: no part of equality, and half the price of a PrivateAttr.
        self.__dict__["_address"] = address


_SHORT_VERDICTS: Final = {decision: Verdict(decision=decision) for decision in get_args(Decision)}


def _long_verdict(value: Any) -> Any:
    if isinstance(value, str):
        # Verdicts don't change, so that all short ones can be one.
        return _SHORT_VERDICTS.get(value) or {"decision": value}
    return value


LongVerdict: TypeAlias = Annotated[Verdict, BeforeValidator(_long_verdict)]
"""A verdict, also from its short form, the decision alone."""


class ToolStep(_Step):
    """One tool call with its outcome.

    Attributes:
        args: by parameter name; left out where only `raw_args` was recorded, or nothing.
        raw_args: the text of arguments that were not valid JSON.
        result: any JSON value; left out (`MISSING`) when the call has none.
        state: the agent's state after the call; left out (`MISSING`) when not recorded.
        group: calls with one group were made in parallel.
        finished: the order in which the group's calls came back, from 1.
        actor: who called, if not the agent itself.
        executed_by: ``provider`` for calls that ran at the model provider.
    """

    kind = "tool"

    tool: str = Field(min_length=1)
    id: str | None = None
    args: dict[str, Any] | None = None
    raw_args: str | None = None
    result: Any = MISSING
    error: ErrorInfo | None = None
    state: Any = MISSING
    verdict: LongVerdict | None = None
    started_at: str | None = None
    duration_ms: Number | None = None
    group: int | None = None
    finished: int | None = None
    actor: str | None = None
    executed_by: str | None = None

    @model_validator(mode="after")
    def _one_outcome(self) -> ToolStep:
        if self.result is not MISSING and self.error is not None:
            raise rule_broken("a call has a result or an error, not both", "take one of them out", "error")
        if self.args is not None and self.raw_args is not None:
            raise rule_broken(
                "a call has args or raw_args, not both", "keep raw_args only for text that is no JSON", "raw_args"
            )
        return self

    @property
    def effect(self) -> Effect:
        """What the tool does to the world; ``write`` where its trace doesn't say."""
        effect: Effect = self.__dict__.get("_effect", "write")
        return effect

    def _classify(self, effect: Effect, *, at_boundary: bool = False) -> None:
        self.__dict__["_effect"] = effect
        if at_boundary and self.actor is not None:
            self.__dict__["_at_boundary"] = True

    @property
    def by_agent(self) -> bool:
        """Whether the agent made the call, itself or by a sub-agent in its own process, so that a replay expects it."""
        return self.executed_by is None and (self.actor is None or "_at_boundary" in self.__dict__)

    @property
    def blocked(self) -> bool:
        """Whether the guard refused the call."""
        return self.verdict is not None and self.verdict.decision == "block"


class ModelStep(_Step):
    """One model call and what it decided.

    Attributes:
        model: the model's name.
        plan: the intent that later calls are held against.
        usage: counts by name, as ``input_tokens``.
    """

    kind = "model"

    model: str
    content: Any = None
    reasoning: str | None = None
    plan: Any = None
    usage: dict[str, Number] | None = None
    state: Any = MISSING
    started_at: str | None = None
    duration_ms: Number | None = None
    actor: str | None = None


class MessageStep(_Step):
    """One message of the conversation.

    Attributes:
        message: the role, as ``user``.
        content: text, or the provider's content blocks.
    """

    kind = "message"

    message: str
    content: Any = None
    state: Any = MISSING
    started_at: str | None = None
    actor: str | None = None


class StateStep(_Step):
    """A checkpoint on its own.

    Attributes:
        state: any JSON value.
        at: where in the agent it was taken: a node, a turn.
    """

    kind = "state"

    state: Any
    at: str | None = None
    started_at: str | None = None
    actor: str | None = None


def _kind_of(step: Any) -> str | None:
    if not isinstance(step, dict):
        return step.kind if isinstance(step, _Step) else None
    tool, model, message = "tool" in step, "model" in step, "message" in step
    if tool + model + message == 1:
        return "tool" if tool else "model" if model else "message"
    return "state" if "state" in step and not (tool or model or message) else None


Step: TypeAlias = Annotated[
    Annotated[ToolStep, Tag("tool")]
    | Annotated[ModelStep, Tag("model")]
    | Annotated[MessageStep, Tag("message")]
    | Annotated[StateStep, Tag("state")],
    Discriminator(
        _kind_of,
        custom_error_type="step_kind",
        custom_error_message="a step is a mapping with exactly one of tool, model, message or state",
    ),
]
