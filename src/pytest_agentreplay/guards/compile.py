"""Compiling: from a policy as it is written to rules that judge.

A rule's conditions become closures, once; a pack makes its own rules. Nothing
here asks a rule anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, Final

from pytest_agentreplay.errors import PolicyFormatError
from pytest_agentreplay.guards.conditions.called import CallQuery, compile_called, compile_unless_called
from pytest_agentreplay.guards.conditions.condition import Condition, all_of, any_of, negated
from pytest_agentreplay.guards.conditions.egress import is_egress
from pytest_agentreplay.guards.conditions.flow import Origin, Target, compile_flow
from pytest_agentreplay.guards.conditions.grounded import compile_grounded
from pytest_agentreplay.guards.conditions.match import compile_match
from pytest_agentreplay.guards.conditions.python import compile_python, load
from pytest_agentreplay.guards.conditions.repeat import compile_repeat
from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.guards.history import History
from pytest_agentreplay.guards.meaning import rule_meaning
from pytest_agentreplay.guards.patterns import ToolPattern
from pytest_agentreplay.guards.python_rules import PythonRule
from pytest_agentreplay.guards.rules import Judge, Objection, Rule, UnavailableError
from pytest_agentreplay.guards.spec import CalledSpec, Conditions, ExceptionSpec, FlowSpec, PolicySpec, RuleSpec
from pytest_agentreplay.jsonable import type_name
from pytest_agentreplay.trace.problems import Location, Problem, nearest

_HARMLESS: Final = {"command": "true", "text": "see https://example.com/a.txt and /tmp/a.txt"}


class CompileError(Exception):
    """A policy says what can't be done.

    Attributes:
        problem: the place in the document, the fact and the remedy.
    """

    def __init__(self, path: Location, fact: str, remedy: str) -> None:
        super().__init__(fact)
        self.problem = Problem(path, fact, remedy)


def compile_policy(spec: PolicySpec, *, today: Callable[[], date] | None = None) -> tuple[Rule, ...]:
    """Make the rules of a policy: those of its packs first, then its own.

    Args:
        spec: the policy as it is written.
        today: for exceptions that end; the day in UTC where it is left out.

    Raises:
        CompileError: for an unknown pack, options it doesn't take, or two rules of one name.
    """
    rules = _pack_rules(spec)
    ids = {rule.id for rule in rules}
    for index, written in enumerate(spec.rules):
        if written.id in ids:
            raise CompileError(
                ("rules", index, "id"), f"there are two rules {written.id!r}", "name one of them otherwise"
            )
        ids.add(written.id)
        rules.append(compile_rule(written, today=today or _today))
    return tuple(rules)


def compile_rule(spec: RuleSpec, *, today: Callable[[], date] | None = None) -> Rule:
    """Make one rule."""
    judge = _judge(spec, today or _today)
    return Rule(
        spec.id,
        judge,
        spec.severity,
        spec.version,
        spec.decision,
        ToolPattern(spec.tools) if spec.tools is not None else None,
        rule_meaning(spec),
        _preparation(judge, list(_targets(spec)), flows_out=any(_flows_out(spec))),
    )


def _targets(spec: Conditions) -> Iterator[str]:
    if spec.python is not None:
        yield spec.python
    for part in (*(spec.all or ()), *(spec.any or ()), *((spec.not_,) if spec.not_ is not None else ())):
        yield from _targets(part)


def _flows_out(spec: Conditions) -> Iterator[bool]:
    yield spec.flow is not None and spec.flow.to.effect == "egress"
    for part in (*(spec.all or ()), *(spec.any or ()), *((spec.not_,) if spec.not_ is not None else ())):
        yield from _flows_out(part)


def _preparation(judge: Judge, targets: Sequence[str], *, flows_out: bool = False) -> Callable[[], object]:
    """Judge a call that says nothing, which loads what there is to load; of a user's code only import it."""
    if targets:
        return lambda: [load(target) for target in targets]
    context = partial(DecisionContext, "prepare", dict(_HARMLESS), effect="read", history=History())
    return lambda: (judge(context()), flows_out and is_egress(context()))


def _today() -> date:
    return datetime.now(UTC).date()


def _judge(spec: RuleSpec, today: Callable[[], date]) -> Judge:
    if spec.match is not None and spec.reason is not None and spec.written() == ["match"] and not spec.except_:
        return compile_match(spec.match, Objection(spec.reason, spec.confidence))  # the same as below, in one call
    condition = _together(spec) if spec.written() else _always
    exceptions = [(compile_match(exception.match), exception) for exception in spec.except_]
    if spec.reason is None and spec.confidence is None and not exceptions:
        return condition
    reason, confidence = spec.reason, spec.confidence

    def judge(context: DecisionContext) -> Objection | None:
        objection = condition(context)
        if objection is None or (exceptions and _excepted(exceptions, context, today())):
            return None
        sure = objection.confidence if objection.confidence is not None else confidence
        return Objection(reason or objection.reason, sure, objection.severity, objection.decision)

    return judge


def _always(context: DecisionContext) -> Objection:
    return Objection(f"{context.tool} was called")


def _excepted(exceptions: Sequence[tuple[Condition, ExceptionSpec]], context: DecisionContext, today: date) -> bool:
    """Tell whether an exception holds; one that can't say doesn't, so that the objection stands."""
    for condition, exception in exceptions:
        try:
            if not exception.expired(today) and condition(context) is not None:
                return True
        except UnavailableError:
            continue
    return False


def _together(spec: Conditions) -> Condition:
    return all_of([_COMPILERS[name](getattr(spec, name)) for name in spec.written()])


def _called(spec: CalledSpec, *, returned: bool = False) -> CallQuery:
    return CallQuery(spec.tool, spec.args, spec.max_steps_ago, returned=returned)


def _flow(spec: FlowSpec) -> Condition:
    kinds = spec.from_.secrets
    secrets = None if kinds is None else () if kinds is True else tuple(sorted(kinds))
    origin = Origin(_sorted(spec.from_.tool), secrets)
    return compile_flow(origin, Target(_sorted(spec.to.tool), spec.to.effect))


def _sorted(names: list[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(sorted(names))


def _negation(spec: Conditions) -> Condition:
    return negated(_together(spec), f"no {', '.join(spec.written()).replace('_', ' ')} as the rule wants it")


_COMPILERS: Final[Mapping[str, Callable[[Any], Condition]]] = {
    "match": compile_match,
    "called": lambda spec: compile_called(_called(spec)),
    "unless_called": lambda spec: compile_unless_called(_called(spec, returned=True)),
    "repeat": lambda spec: compile_repeat(tuple(spec.same), spec.max),
    "grounded": compile_grounded,
    "flow": _flow,
    "all": lambda specs: all_of([_together(spec) for spec in specs]),
    "any": lambda specs: any_of([_together(spec) for spec in specs]),
    "not_": _negation,
    "python": compile_python,
}


def _pack_rules(spec: PolicySpec) -> list[Rule]:
    unused = next((name for name in spec.packs if name not in spec.use), None)
    if unused is not None:
        raise CompileError(("packs", unused), f"the pack {unused} is tuned and not used", f"add it: use: [{unused}]")
    if not spec.use:
        return []
    from pytest_agentreplay.guards.packs import PACKS, known_packs  # here, since packs load parsers and patterns

    packs = PACKS if {*spec.use} <= {*PACKS} else known_packs()
    rules: list[Rule] = []
    for index, name in enumerate(spec.use):
        if name not in packs:
            guess = nearest(name, packs)
            remedy = f"did you mean {guess}?" if guess else f"the packs are {', '.join(sorted(packs))}"
            raise CompileError(("use", index), f"there is no pack {name!r}", remedy)
        if name in spec.use[:index]:
            raise CompileError(("use", index), f"the pack {name} is used twice", "take one of them out")
        made = _made(name, packs[name], spec.packs.get(name, {}))
        rules += made if name in PACKS else [_foreign(name, rule, index) for rule in made]
    return [rule if rule.prepare is not None else replace(rule, prepare=_preparation(rule.judge, ())) for rule in rules]


def _foreign(pack: str, made: Any, index: int) -> Rule:
    """Take a rule that somebody else's pack made, under the pack's name."""
    rule = made.compiled() if isinstance(made, PythonRule) else made
    if not isinstance(rule, Rule):
        raise CompileError(("use", index), f"the pack {pack} made {type_name(rule)}, no rule", "correct the pack")
    own = rule.id == pack or rule.id.startswith(f"{pack}/")
    return rule if own else replace(rule, id=f"{pack}/{rule.id}")


def _made(name: str, factory: Callable[[Mapping[str, Any]], Sequence[Any]], options: Mapping[str, Any]) -> list[Any]:
    try:
        return list(factory(options))
    except PolicyFormatError as error:
        inner = error.details.get("path", "")
        fact, remedy = error.fact, error.details.get("next") or "see the pack's reference"
    except ValueError as error:
        inner, fact, remedy = "", str(error), "see the pack's reference"
    except (Exception, SystemExit) as error:
        inner, fact, remedy = "", f"the pack {name} failed: {type_name(error)}: {error}", "correct the pack"
    option = inner.removeprefix("packs.").removeprefix(f"{name}.").partition(".")[0].partition("[")[0]
    path = ("packs", name, option) if option in options else ("packs", name)
    raise CompileError(path, fact, remedy)
