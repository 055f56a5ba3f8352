"""Bound guards: the guards of production code, and the gate that asks them.

A guard binds to the context that entered it. A call from a thread without one goes
to the only guard in force, and among several all of them judge it. The gate is in
force as long as any guard is, over whatever gate was there before.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, NamedTuple, Protocol

from pytest_agentreplay.errors import GuardBlocked
from pytest_agentreplay.jsonable import Value, canonical
from pytest_agentreplay.runtime.guarding import RunGuard, made_step
from pytest_agentreplay.runtime.recorded_errors import record_error
from pytest_agentreplay.runtime.values import json_args, lenient
from pytest_agentreplay.runtime.watched_streams import awatched, watched
from pytest_agentreplay.tools import gate
from pytest_agentreplay.tools.binding import bind
from pytest_agentreplay.tools.effects import EffectResolver
from pytest_agentreplay.tools.framework_calls import FrameworkCall, framework_call
from pytest_agentreplay.tools.gate import Gate
from pytest_agentreplay.tools.spec import ToolSpec
from pytest_agentreplay.trace import Effect, ToolStep, Verdict


class Witness(Protocol):
    """Writes decisions down."""

    def decided(self, step: ToolStep, given: Value) -> str:
        """Note a decision before the tool runs, and what the agent was asked; gives the decision's id.

        Raises:
            AgentReplayError: when it can't be noted; then the tool must not run.
        """

    def ended(self, decision: str, step: ToolStep) -> None:
        """Note what became of the call; never raises, since the tool has run."""


class BoundGuard:
    """One guard in force."""

    def __init__(self, run: RunGuard, effects: EffectResolver, witness: Witness | None) -> None:
        self.run = run
        self.effects = effects
        self.witness = witness


_bound: ContextVar[tuple[BoundGuard, ...]] = ContextVar("agent_replay_bound_guards", default=())
_inside: ContextVar[bool] = ContextVar("agent_replay_inside_guarded_tool", default=False)
_in_force: list[BoundGuard] = []
_lock = threading.RLock()


def in_charge() -> tuple[BoundGuard, ...]:
    """Give the guards that judge a call made here."""
    return _bound.get() or tuple(_in_force)


@contextmanager
def bound(guard: BoundGuard) -> Iterator[BoundGuard]:
    """Put a guard in force for the code inside."""
    with _lock:
        _in_force.append(guard)
        if not isinstance(gate.active, GuardGate) and not _asks_itself(gate.active):
            gate.set_active(GuardGate(gate.active))
    previous = _bound.get()
    _bound.set((*previous, guard))
    try:
        yield guard
    finally:
        _bound.set(tuple(other for other in _bound.get() if other is not guard))
        with _lock:
            _in_force.remove(guard)
            if not _in_force and isinstance(gate.active, GuardGate):
                gate.set_active(gate.active.under)


def _asks_itself(active: Gate | None) -> bool:
    return getattr(active, "asks_bound_guards", False)


class GuardGate:
    """The gate of production code under a guard: judge, then call what was there before.

    Args:
        under: the gate that was in force; None where tools ran as they are.
    """

    def __init__(self, under: Gate | None) -> None:
        self.under = under

    def call(self, spec: ToolSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Judge and call a plain function."""
        __tracebackhide__ = True
        if _inside.get():
            return self._call(spec, args, kwargs)
        with judged(spec, args, kwargs) as note:
            return note(self._call(spec, args, kwargs))

    async def acall(self, spec: ToolSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Judge and call a coroutine function."""
        __tracebackhide__ = True
        if _inside.get():
            return await self._acall(spec, args, kwargs)
        with judged(spec, args, kwargs) as note:
            return note(await self._acall(spec, args, kwargs))

    def _call(self, spec: ToolSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return spec.body(*args, **kwargs) if self.under is None else self.under.call(spec, args, kwargs)

    async def _acall(self, spec: ToolSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return await (spec.body(*args, **kwargs) if self.under is None else self.under.acall(spec, args, kwargs))

    def generate(self, spec: ToolSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Generator[Any, Any, Any]:
        """Judge and call a generator function, once its first item is asked for."""
        stream: Any = spec.body(*args, **kwargs) if self.under is None else self.under.generate(spec, args, kwargs)
        return stream if _inside.get() else watched(stream, partial(decided, spec, args, kwargs), _running)

    def agenerate(self, spec: ToolSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> AsyncGenerator[Any, Any]:
        """Judge and call an async generator function, once its first item is asked for."""
        stream: Any = spec.body(*args, **kwargs) if self.under is None else self.under.agenerate(spec, args, kwargs)
        return stream if _inside.get() else awatched(stream, partial(decided, spec, args, kwargs), _running)

    def checkpoint(self, state: Any, at: str | None, context: dict[str, Any]) -> None:
        """Tell the guards in charge."""
        for guard in in_charge():
            guard.run.tell(state, {name: lenient(value) for name, value in context.items()})
        if self.under is not None:
            self.under.checkpoint(state, at, context)


@contextmanager
def judged(spec: ToolSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[Callable[[Any], Any]]:
    """Judge a call, let the code inside make it, and remember what became of it.

    Raises:
        GuardBlocked: when a guard in charge refuses the call.
    """
    with decided(spec, args, kwargs) as outcome, _running():

        def note(result: Any) -> Any:
            outcome["result"] = _written(framework_call(spec, args), result)
            return result

        yield note


@contextmanager
def decided(spec: ToolSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Judge a call; the code inside, which is not yet the tool's, says what became of it."""
    call = _call(spec, args, kwargs)
    judgements = [_decide(guard, spec, call) for guard in in_charge()]
    for judgement in judgements:
        if judgement.verdict.decision == "block":
            _remember(judgements, call)
            raise GuardBlocked(spec.name, judgement.verdict, judgement.verdict.reason)
    outcome: dict[str, Any] = {}
    try:
        yield outcome
    except Exception as error:
        outcome.pop("result", None)
        outcome["error"] = record_error(error)
        raise
    finally:
        _remember(judgements, {**call, **outcome})


@contextmanager
def _running() -> Iterator[None]:
    """Mark the time that a tool's own code runs: the calls that it makes are its business."""
    token = _inside.set(True)
    try:
        yield
    finally:
        _inside.reset(token)


def _call(spec: ToolSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    framework = framework_call(spec, args)
    if framework is not None and framework.raw_args is not None:
        return {"tool": spec.name, "raw_args": framework.raw_args}
    try:
        return {"tool": spec.name, "args": json_args(bind(spec, args, kwargs))}
    except TypeError:
        return {
            "tool": spec.name,
            "raw_args": canonical({"positional": lenient(list(args)), "keywords": lenient(kwargs)}),
        }


def _written(framework: FrameworkCall | None, result: Any) -> Value:
    """Write a result down for the rules that look back: as a trace would hold it, if it can."""
    if framework is None:
        return lenient(result)
    try:
        return framework.encode(result)
    except Exception:  # a result that can't be recorded is still one that a guard lets through
        return lenient(result)


class _Judgement(NamedTuple):
    """What one guard said about a call; `logged` is the decision's id where somebody writes decisions down."""

    guard: BoundGuard
    effect: Effect
    verdict: Verdict
    logged: str


def _decide(guard: BoundGuard, spec: ToolSpec, call: dict[str, Any]) -> _Judgement:
    effect, _ = guard.effects.resolve(spec)
    arguments = call["args"] if "args" in call else {"raw_args": call["raw_args"]}
    verdict = guard.run.judge(spec.name, arguments, effect)
    logged = guard.witness.decided(made_step(call, verdict, effect), guard.run.given) if guard.witness else ""
    return _Judgement(guard, effect, verdict, logged)


def _remember(judgements: list[_Judgement], call: dict[str, Any]) -> None:
    for guard, effect, verdict, logged in judgements:
        step = made_step(call, verdict, effect)
        guard.run.remember(step)
        if guard.witness is not None:
            guard.witness.ended(logged, step)


__all__ = ["BoundGuard", "GuardGate", "Witness", "bound", "in_charge"]
