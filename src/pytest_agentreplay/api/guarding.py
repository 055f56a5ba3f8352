"""Guards by file name: in production code around an agent, and for the runs of a test session."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from pytest_agentreplay.api.audit_log import AuditLog
from pytest_agentreplay.api.frameworks import join_for_good
from pytest_agentreplay.api.guarded_functions import guard_function
from pytest_agentreplay.errors import SettingsError
from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.redaction import Redactor
from pytest_agentreplay.runtime.bound_guards import BoundGuard, bound
from pytest_agentreplay.runtime.guarding import RunGuard
from pytest_agentreplay.runtime.values import lenient
from pytest_agentreplay.tools.effects import EffectResolver
from pytest_agentreplay.trace import Effect, Trace

if TYPE_CHECKING:
    from pytest_agentreplay.guards.evaluator import Guard
    from pytest_agentreplay.guards.policy import Policy
    from pytest_agentreplay.guards.python_rules import PythonRule

PolicySource: TypeAlias = "str | os.PathLike[str] | Policy | PythonRule"
Mode: TypeAlias = Literal["enforce", "audit", "off"]
F = TypeVar("F", bound=Callable[..., Any])


class guard:  # noqa: N801 - a verb at its call: `with guard(...)`, `@guard(...)`
    """Judge every tool call made inside by policies; a context manager and a decorator, sync and async.

    Args:
        policy: a policy file, a loaded policy, a rule in Python, or several of those.
        env: the environment that the policies are judged in.
        mode: ``enforce`` raises `GuardBlocked` on a block, ``audit`` only records, ``off`` asks nothing.
        effects: what tools do to the world, by name, where `@tool` doesn't say.
        audit_log: a file that every decision is appended to, one JSON document a line, redacted.
        input: what the agent was asked, which rules call ``input``; of a decorated function its arguments by
            name where this is left out.

    Raises:
        PolicyFormatError: when a policy can't be read; at once, and not at the first call.
        SettingsError: for a mode that is none, without any policy, or for an audit log that can't be written.
    """

    def __init__(
        self,
        policy: PolicySource | Sequence[PolicySource],
        *,
        env: str = "production",
        mode: Mode = "enforce",
        effects: dict[str, Effect] | None = None,
        audit_log: str | os.PathLike[str] | None = None,
        input: Any = MISSING,
    ) -> None:
        if mode not in ("enforce", "audit", "off"):
            raise SettingsError(f"there is no guard mode {mode!r}", next="use enforce, audit or off")
        from pytest_agentreplay.guards.evaluator import Guard

        sources: list[Any] = list(policy) if isinstance(policy, list | tuple) else [policy]
        if not sources:
            raise SettingsError("a guard without a policy would let everything through", next="name a policy")
        join_for_good()
        self._guard = Guard(_policies(sources), environment=env, mode=mode)
        self._input = input
        self._effects = EffectResolver({}, effects or {})
        self._log = AuditLog(Path(audit_log), Redactor()) if audit_log is not None else None
        self._entered: ContextVar[tuple[AbstractContextManager[BoundGuard], ...]] = ContextVar("entered", default=())

    @property
    def problems(self) -> tuple[str, ...]:
        """What went wrong after a tool had run, when nothing could be stopped any more."""
        return tuple(self._log.problems) if self._log is not None else ()

    def __enter__(self) -> guard:
        entered = bound(self._made(self._input))
        entered.__enter__()
        self._entered.set((*self._entered.get(), entered))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        *outer, entered = self._entered.get()
        self._entered.set(tuple(outer))
        entered.__exit__(kind, error, traceback)

    async def __aenter__(self) -> guard:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    def __call__(self, function: F) -> F:
        """Guard every call of a function, plain, coroutine or generator, each with a memory of its own.

        Raises:
            SettingsError: for a class, or what can't be called.
        """
        return guard_function(function, lambda args, kwargs: self._made(self._asked(function, args, kwargs)))

    def _asked(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self._input is not MISSING:
            return self._input
        try:
            return dict(inspect.signature(function).bind(*args, **kwargs).arguments)
        except (TypeError, ValueError):  # the call will say so itself, or has no signature
            return MISSING

    def _made(self, given: Any) -> BoundGuard:
        run = RunGuard(self._guard, given if given is MISSING else lenient(given))
        return BoundGuard(run, self._effects, self._log)


def _policies(sources: Sequence[Any]) -> list[Policy]:
    """Make policies of what a guard is given; the rules in Python among it are one."""
    from pytest_agentreplay.api.policies import policy_of
    from pytest_agentreplay.guards.policy import Policy
    from pytest_agentreplay.guards.python_rules import PythonRule

    policies = [_load(source) if isinstance(source, str | os.PathLike) else source for source in sources]
    rules = [source for source in policies if isinstance(source, PythonRule)]
    policies = [source for source in policies if not isinstance(source, PythonRule)]
    wrong = next((source for source in policies if not isinstance(source, Policy)), None)
    if wrong is not None:
        raise SettingsError(
            f"{wrong!r} is no policy", next="give a file's name, a loaded policy, or a function with @rule"
        )
    return [*policies, *([policy_of(rules)] if rules else [])]


def _load(path: str | os.PathLike[str]) -> Policy:
    from pytest_agentreplay.api.policies import load_policy

    return load_policy(path)


class SessionGuards:
    """The guards of a test session: its own policies, and those that a trace names.

    Args:
        policies: the session's policy files.
        environment: where decisions apply, unless a test says otherwise.
        mode: as of `guard`.
    """

    def __init__(self, policies: Sequence[Path], environment: str, mode: Mode) -> None:
        self._policies = tuple(policies)
        self.environment = environment
        self.mode = mode
        self._loaded = functools.cache(_load)

    def check(self) -> None:
        """Load the session's own policies.

        Raises:
            PolicyFormatError: when one can't be read.
        """
        for path in self._policies:
            self._loaded(path)

    def for_trace(
        self, trace: Trace | None, environment: str | None, on_late: Callable[[str], None] | None = None
    ) -> Guard | None:
        """Make the guard that judges the run of a trace; None where no policy does.

        Raises:
            PolicyFormatError: when a policy that the trace names can't be read.
        """
        paths = dict.fromkeys([*self._policies, *_named_by(trace)])
        if not paths:
            return None
        from pytest_agentreplay.guards.evaluator import Guard

        policies = [self._loaded(path) for path in paths]
        return Guard(policies, environment=environment or self.environment, mode=self.mode, on_late=on_late)


def _named_by(trace: Trace | None) -> list[Path]:
    if trace is None or not trace.policies:
        return []
    base = trace.path.parent if trace.path is not None else Path.cwd()
    return [Path(os.path.normpath(base / name)) for name in trace.policies]
