"""Expectations: what a golden trace says its run must do, as data.

Only the shape is checked here, check vocabulary included; judging a run by it
is the comparison's work.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from pytest_agentreplay.checks import CHECK_NAMES, brief, parse_path, render_path, validate_check
from pytest_agentreplay.errors import SettingsError
from pytest_agentreplay.trace.problems import explain
from pytest_agentreplay.trace.verdicts import Decision, Record, rule_broken

Trajectory: TypeAlias = Literal["strict", "in_order", "unordered", "subset", "superset", "writes"]
ArgsMode: TypeAlias = Literal["equal", "subset", "ignore"]


def _checked(spec: Any) -> Any:
    validate_check(spec)
    return spec


def _path(text: str) -> str:
    parse_path(text)
    return text


Check: TypeAlias = Annotated[Any, AfterValidator(_checked)]
"""A check as written: a bare value, or a mapping of the check vocabulary."""

PathText: TypeAlias = Annotated[str, AfterValidator(_path)]
"""A path into a JSON value, as ``docs[0].id``."""


class CallLimit(Record):
    """How often a tool may be called; `args` narrows which calls count."""

    min: int | None = Field(default=None, ge=0)
    max: int | None = Field(default=None, ge=0)
    exactly: int | None = Field(default=None, ge=0)
    args: dict[PathText, Check] | None = None


def _long_limit(value: Any) -> Any:
    if value == "never":
        return {"max": 0}
    if isinstance(value, (dict, CallLimit)):
        return value
    raise rule_broken(f"expected `never` or a mapping, found {brief(value, 40)}", "write never, or a limit as {max: 3}")


CallLimitOrNever: TypeAlias = Annotated[CallLimit, BeforeValidator(_long_limit)]


class StateCheck(Record):
    """A check on the agent's state after one step.

    Attributes:
        after: the address of the step, or ``end``.
        path: where in the state; the whole state where it is left out.
        check: the check, with its names beside `after` and `path` in a file.
    """

    after: str
    path: PathText | None = None
    check: Check

    @classmethod
    def file_keys(cls) -> tuple[str, ...]:
        """List the keys of a state check in a file: the check's names stand beside `after` and `path`."""
        return ("after", "path", *sorted(CHECK_NAMES))

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, value: Any) -> Any:
        if not isinstance(value, dict) or not CHECK_NAMES.intersection(value):
            return value
        check = {key: item for key, item in value.items() if key in CHECK_NAMES}
        return {**{key: item for key, item in value.items() if key not in CHECK_NAMES}, "check": check}


class Budget(Record):
    """The most that a run may use."""

    tool_calls: int | None = Field(default=None, ge=0)
    model_calls: int | None = Field(default=None, ge=0)
    input_tokens: int | None = Field(default=None, ge=0)
    output_tokens: int | None = Field(default=None, ge=0)


class Expect(Record):
    """Everything a golden trace can expect; what is left out is not checked."""

    trajectory: Trajectory | None = None
    args: ArgsMode | None = None
    calls: dict[str, CallLimitOrNever] | None = None
    order: list[list[str]] | None = None
    state: list[StateCheck] | None = None
    verdicts: dict[str, Decision] | None = None
    output: Check = None
    messages: Check = None
    budget: Budget | None = None
    no_repeats: int | None = Field(default=None, ge=1)

    def expects(self, name: str) -> bool:
        """Tell whether an expectation was written, also as an explicit null."""
        return name in self.model_fields_set


def parse_expect(expect: Mapping[str, Any]) -> Expect:
    """Read expectations given in Python.

    Raises:
        SettingsError: naming the key that is wrong.
    """
    written = dict(expect)
    try:
        return Expect.model_validate(written)
    except ValidationError as error:
        problem = explain(error, written, Expect)[0]
        path = render_path(("expect", *problem.path))
        raise SettingsError(problem.fact, path=path, next=problem.remedy) from None
