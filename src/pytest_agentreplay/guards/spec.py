"""The policy as it is written: a versioned set of rules, as data.

Only the shape is checked here, check vocabulary, paths and references included.
Nothing here reads files, compiles rules or judges.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from pytest_agentreplay.checks import CheckError, parse_path, render_path
from pytest_agentreplay.guards.conditions.grounded import compile_source
from pytest_agentreplay.guards.conditions.python import check_target
from pytest_agentreplay.guards.conditions.sight import compile_places
from pytest_agentreplay.guards.conditions.specs import validate_spec
from pytest_agentreplay.jsonable import MISSING, MarkError, decode
from pytest_agentreplay.redaction import KINDS
from pytest_agentreplay.trace import Decision, Effect, Record, Severity, Trace
from pytest_agentreplay.trace.problems import explain
from pytest_agentreplay.trace.verdicts import Number, Share, rule_broken

FORMAT: Final = "agentreplay.policy/1"


def _spec(spec: Any) -> Any:
    validate_spec(spec)
    return spec


def _place(path: str) -> str:
    compile_places(path)
    return path


def _argument(path: str) -> str:
    parse_path(path)
    return path


def _source(path: str) -> str:
    compile_source(path)
    return path


def _target(target: str) -> str:
    check_target(target)
    return target


def _filled(value: Any) -> Any:
    if not value:
        raise CheckError("there is nothing in it", remedy="write one at least, or take the key out")
    return value


def _positive(number: float) -> float:
    if not number > 0:
        raise CheckError("a deadline is more than 0 milliseconds", remedy="write a number such as 50")
    return number


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise CheckError(f"{text!r} is no day", remedy="write it as 2027-01-31") from None
    return text


Filled: Final = AfterValidator(_filled)

Spec: TypeAlias = Annotated[Any, AfterValidator(_spec)]
"""A check, in which ``$path`` stands for a value of the decision's context."""

PlaceText: TypeAlias = Annotated[str, AfterValidator(_place)]
"""A path to what a rule sees, as ``args.to`` or ``urls.host``."""

ArgumentText: TypeAlias = Annotated[str, AfterValidator(_argument)]
"""A path into the arguments of an earlier call, as ``order_id``."""

SourceText: TypeAlias = Annotated[str, AfterValidator(_source)]
Sources: TypeAlias = Annotated[list[SourceText], Filled]
Grounded: TypeAlias = Annotated[dict[PlaceText, Sources], Filled]
Match: TypeAlias = Annotated[dict[PlaceText, Spec], Filled]
Name: TypeAlias = Annotated[str, Field(min_length=1)]
Names: TypeAlias = Annotated[list[Name], Filled]
NameOrNames: TypeAlias = Annotated[Names, BeforeValidator(_listed, json_schema_input_type=Name | Names)]


class _Aliased(Record):
    """A part with keys that Python keeps for itself."""

    @classmethod
    def file_keys(cls) -> tuple[str, ...]:
        """List the keys of this part's mapping in a file, in their order."""
        return tuple(field.alias or name for name, field in cls.model_fields.items())


class CalledSpec(Record):
    """An earlier call.

    Attributes:
        tool: a name or a pattern, or several.
        args: checks by the paths of its arguments.
        max_steps_ago: the last step is one step ago; any time where it is left out.
    """

    tool: NameOrNames
    args: dict[ArgumentText, Spec] = Field(default_factory=dict)
    max_steps_ago: int | None = Field(default=None, ge=1)


class RepeatSpec(Record):
    """The same call in a row.

    Attributes:
        same: what makes calls the same: `tool`, `args`, or paths as `args.query`.
        max: how many in a row are allowed.
    """

    same: Annotated[list[PlaceText], Filled] = Field(default_factory=lambda: ["tool", "args"])
    max: int = Field(ge=1)

    @model_validator(mode="after")
    def _of_the_call(self) -> RepeatSpec:
        for path in self.same:
            if path != "tool" and parse_path(path)[0] != "args":
                raise rule_broken(f"calls can't be the same by {path}", "write tool, args, or a path into args", "same")
        return self


class FlowFrom(Record):
    """Where what is followed comes from.

    Attributes:
        secrets: true for every kind of secret, or a list of kinds.
        tool: the tools whose results are followed: names or patterns.
    """

    secrets: Literal[True] | list[str] | None = None
    tool: NameOrNames | None = None

    @model_validator(mode="after")
    def _somewhere(self) -> FlowFrom:
        if self.secrets is None and self.tool is None:
            raise rule_broken("a flow comes from somewhere", "write secrets: true, tool: NAME, or both")
        unknown = sorted({*self.secrets} - {*KINDS}) if isinstance(self.secrets, list) else []
        if unknown:
            raise rule_broken(f"{unknown[0]} is no kind of secret", f"the kinds are {', '.join(KINDS)}", "secrets")
        return self


class FlowTo(Record):
    """Where it must not go.

    Attributes:
        effect: `egress` for calls that hand their arguments to somebody outside.
        tool: names or patterns.
    """

    effect: Literal["read", "write", "egress"] | None = None
    tool: NameOrNames | None = None

    @model_validator(mode="after")
    def _somewhere(self) -> FlowTo:
        if self.effect is None and self.tool is None:
            raise rule_broken("a flow goes somewhere", "write effect: egress, tool: NAME, or both")
        return self


class FlowSpec(_Aliased):
    """A flow of data along the trace.

    Attributes:
        from: where the data comes from.
        to: where it must not go.
    """

    from_: FlowFrom = Field(alias="from")
    to: FlowTo


class Conditions(_Aliased):
    """Conditions, all of which must hold.

    Attributes:
        match: checks by the paths of what a rule sees.
        called: an earlier call that was made.
        unless_called: an earlier call that was not made.
        repeat: the same call in a row, once too often.
        grounded: paths, and the places of which one must vouch for each value there.
        flow: what came from one place goes to another.
        python: a function as `module:function`, given the decision's context; gives a finding or None.
        all: conditions that must all hold.
        any: conditions of which one must hold.
        not: conditions that must not all hold.
    """

    match: Match | None = None
    called: CalledSpec | None = None
    unless_called: CalledSpec | None = None
    repeat: RepeatSpec | None = None
    grounded: Annotated[dict[PlaceText, Annotated[list[SourceText], Filled]], Filled] | None = None
    flow: FlowSpec | None = None
    python: Annotated[str, AfterValidator(_target)] | None = None
    all: Annotated[list[Conditions], Filled] | None = None
    any: Annotated[list[Conditions], Filled] | None = None
    not_: Conditions | None = Field(default=None, alias="not")

    @model_validator(mode="after")
    def _one_at_least(self) -> Conditions:
        if not self.written() and type(self) is Conditions:
            raise rule_broken("there is no condition in it", f"write one of {', '.join(CONDITIONS)}")
        return self

    def written(self) -> list[str]:
        """List the conditions that were written, by field name."""
        return [name for name in Conditions.model_fields if getattr(self, name) is not None]


CONDITIONS: Final = Conditions.file_keys()


class ExceptionSpec(Record):
    """What a rule doesn't object to.

    Attributes:
        match: checks by the paths of what a rule sees; they stand beside the other keys.
        owner: who answers for it.
        until: the last day on which it holds, UTC.
        reason: why it is there.
    """

    match: Match
    owner: str | None = None
    until: Annotated[str, AfterValidator(_day)] | None = None
    reason: str | None = None

    @classmethod
    def file_keys(cls) -> tuple[str, ...]:
        """List the keys that are no paths."""
        return ("owner", "until", "reason")

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        match = {key: item for key, item in value.items() if key not in cls.file_keys()}
        if not match:
            raise rule_broken("an exception without a check would switch the rule off", "add one, as args.url: {...}")
        return {**{key: item for key, item in value.items() if key not in match}, "match": match}

    def expired(self, today: date) -> bool:
        """Tell whether its last day is over."""
        return self.until is not None and today > date.fromisoformat(self.until)


def _steps(steps: list[Any]) -> list[Any]:
    document = {"steps": steps}
    try:
        return list(Trace.model_validate(decode(document)).steps)
    except ValidationError as error:
        problem = explain(error, document, Trace)[0]
        raise CheckError(problem.fact, render_path(problem.path[1:]), problem.remedy or "put it in quotes") from None
    except MarkError as error:
        raise CheckError(error.problem, render_path(error.path[1:]), "write it as a trace does") from None


class Case(Record):
    """One call that a rule is tried on.

    Attributes:
        tool: the first of the rule's `tools` where it is left out.
        args: by parameter name.
        effect: `write` where it is left out.
        steps: the steps before, as in a trace.
    """

    tool: Name | None = None
    args: dict[str, Any] = Field(default_factory=dict)
    effect: Effect | None = None
    input: Any = MISSING
    plan: Any = MISSING
    state: Any = MISSING
    retrieved: Any = MISSING
    external: dict[str, Any] | None = None
    steps: Annotated[list[Any], AfterValidator(_steps)] = Field(default_factory=list)


class Trials(Record):
    """Calls by what the rule alone decides about them; `allow`: it doesn't object."""

    block: list[Case] = Field(default_factory=list)
    warn: list[Case] = Field(default_factory=list)
    log: list[Case] = Field(default_factory=list)
    allow: list[Case] = Field(default_factory=list)


class RuleSpec(Conditions):
    """One rule: it objects where all of its conditions hold and none of its exceptions does.

    Attributes:
        id: unique in its policy.
        severity: `critical` and `high` block, `medium` warns, `low` logs.
        decision: in the place of the severity's.
        tools: names or patterns of the tools it is about; all tools where it is left out.
        reason: what the verdict says; made from the conditions where it is left out.
        confidence: 0 to 1, how sure the rule is where it objects.
        except: what it doesn't object to, with who answers for it and until when.
        tests: calls that it is tried on.
    """

    id: Name
    version: int | str | None = None
    description: str | None = None
    severity: Severity = "high"
    decision: Decision | None = None
    tools: Names | None = None
    except_: list[ExceptionSpec] = Field(default_factory=list, alias="except")
    reason: str | None = None
    confidence: Share | None = None
    tests: Trials | None = None

    @model_validator(mode="after")
    def _says_when(self) -> RuleSpec:
        if not self.written() and self.tools is None:
            raise rule_broken("the rule doesn't say when it objects", f"add one of {', '.join(CONDITIONS)}")
        return self


class PolicySpec(Record):
    """A versioned set of rules.

    Attributes:
        name: the file's name where it is left out.
        environments: the strongest decision allowed in each; `block` where one isn't named.
        on_error: what a rule that fails or overruns does.
        deadline_ms: for all rules together; looked at after each.
        use: built-in packs; none is on by itself.
        packs: options by pack.
    """

    model_config = ConfigDict(title="policy")

    format: Literal["agentreplay.policy/1"] = FORMAT
    name: Name | None = None
    version: int | str | None = None
    description: str | None = None
    environments: dict[str, Decision] = Field(default_factory=dict)
    on_error: Literal["block", "allow"] = "block"
    deadline_ms: Annotated[Number, AfterValidator(_positive)] = 50
    use: list[Name] = Field(default_factory=list)
    packs: dict[str, dict[str, Any]] = Field(default_factory=dict)
    rules: list[RuleSpec] = Field(default_factory=list)
