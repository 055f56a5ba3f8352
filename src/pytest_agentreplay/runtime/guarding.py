"""Guarding: one guard along one run, with the memory that its rules judge by.

Every call is judged before it is answered, counts from then on, and is remembered with
its outcome once that is known. Nothing here knows policies, or what a refusal becomes.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_agentreplay.jsonable import MISSING, Missing, Value
from pytest_agentreplay.trace import Effect, StateStep, Step, ToolStep, Verdict

if TYPE_CHECKING:
    from pytest_agentreplay.guards.context import DecisionContext
    from pytest_agentreplay.guards.evaluator import Guard


class RunGuard:
    """Judges the calls of one run. Threads may share it.

    Args:
        guard: asks the rules.
        given: the agent's input; `MISSING` where it took none, or none is known.
        late: what the guard told of overruns; replays only warn of them.
    """

    def __init__(self, guard: Guard, given: Value | Missing = MISSING, late: Sequence[str] = ()) -> None:
        from pytest_agentreplay.guards.history import History

        self.late = late
        self.guard = guard
        self.given = given
        self._history = History()
        self._told: dict[str, Any] = {}
        self._lock = threading.Lock()

    def tell(self, state: Value | Missing, context: Mapping[str, Any]) -> None:
        """Take what the agent told of its state, and of what its next decisions are made on."""
        with self._lock:
            self._told.update(context)
            if state is not MISSING:
                self._history.add(StateStep(state=state))

    def judge(self, tool: str, args: Mapping[str, Value], effect: Effect) -> Verdict:
        """Judge a call that is about to be made, which counts as begun from now on; never raises.

        One look at what was before: of two calls made at the same moment, one is judged with the other.
        """
        with self._lock:
            try:
                verdict = self.guard.judge(self._context(tool, args, effect))
            except (Exception, SystemExit) as error:  # a guard that fails must refuse
                verdict = self.guard.refuse(f"the guard failed: {type(error).__name__}: {error}")
            self._history.begin(made_step({"tool": tool, "args": args}, verdict, effect))
        return verdict

    def _context(self, tool: str, args: Mapping[str, Value], effect: Effect) -> DecisionContext:
        from pytest_agentreplay.guards.context import DecisionContext

        history = self._history
        return DecisionContext(
            tool,
            args,
            effect=effect,
            history=history,
            input=self.given,
            plan=self._told.get("plan", history.plan),
            state=history.state,
            retrieved=self._told.get("retrieved", MISSING),
            external=self._told.get("external"),
            environment=self.guard.environment,
        )

    def remember(self, call: ToolStep) -> None:
        """Take what became of a call that was judged."""
        with self._lock:
            self._history.end(call)

    def note(self, step: Step) -> None:
        """Take a step that nobody was asked about."""
        with self._lock:
            self._history.add(step)


def made_step(call: Mapping[str, Any], verdict: Verdict | None, effect: Effect) -> ToolStep:
    """Make the step of a call that was made here, with the effect that its tool has."""
    step = ToolStep(**call, verdict=verdict)
    step._classify(effect)
    return step
