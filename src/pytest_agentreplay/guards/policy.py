"""The policy: rules that are ready to judge, under a name and a version, with a digest of what they mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.guards.history import History
from pytest_agentreplay.guards.meaning import policy_digest
from pytest_agentreplay.guards.rules import Rule
from pytest_agentreplay.guards.spec import PolicySpec
from pytest_agentreplay.guards.values import as_json
from pytest_agentreplay.trace import Effect, Step, Verdict

if TYPE_CHECKING:
    from pytest_agentreplay.guards.evaluator import Guard

_MOST_ENVIRONMENTS: Final = 64


class Policy:
    """A versioned set of rules. It never changes; threads may share it.

    Args:
        spec: the policy as it is written.
        rules: its rules, compiled.
        source: the file's name, which names a policy that has none.

    Attributes:
        digest: changes with what the policy means, not with how it is written.
        path: the file that it was loaded from; None for one that was parsed from text.
    """

    def __init__(self, spec: PolicySpec, rules: tuple[Rule, ...], source: str = "policy") -> None:
        self.spec = spec
        self.rules = rules
        self.name = spec.name or Path(source).stem
        self.version = spec.version
        self.digest = policy_digest(spec, rules)
        self.path: Path | None = None
        self._guards: dict[str, Guard] = {}

    def __repr__(self) -> str:
        return f"<Policy {self.label}: {len(self.rules)} rules>"

    @property
    def label(self) -> str:
        """The policy as verdicts name it: ``name@version``."""
        return self.name if self.version is None else f"{self.name}@{self.version}"

    def judge(
        self,
        tool: str,
        args: Mapping[str, Any],
        *,
        effect: Effect | None = None,
        input: Any = None,
        plan: Any = None,
        state: Any = None,
        steps: Iterable[Step | Mapping[str, Any]] | History = (),
        external: Mapping[str, Any] | None = None,
        env: str = "production",
    ) -> Verdict:
        """Judge one call outside any run, enforcing.

        Args:
            tool: the tool's name.
            args: by parameter name; what is no JSON is looked at as JSON, as far as it goes.
            effect: what the tool does to the world; ``write`` where nobody said.
            input: the agent's input; None where it took none.
            plan: the intent; what the last model step told where it is None.
            state: the agent's state; what the last step showed where it is None.
            steps: earlier steps, as `Step`s or as mappings in the trace's form; a `History` is read on, not anew.
            external: facts from outside, by name.
            env: where the decision applies.

        Raises:
            TraceFormatError: for a step that is none.
        """
        history = steps if isinstance(steps, History) else History(steps)
        guard = self._guard(env)
        if not isinstance(args, Mapping):
            return guard.refuse("the arguments are no mapping by name")
        try:
            told = {"input": as_json(input), "plan": as_json(plan), "state": as_json(state)}
            call = as_json(args)
        except RecursionError:
            return guard.refuse("what it is asked about is nested too deeply")
        known = {name: value for name, value in told.items() if value is not None}
        known = {"plan": history.plan, "state": history.state, **known}
        context = DecisionContext(
            tool, call, effect=effect or "write", history=history, external=external, environment=env, **known
        )
        return guard.judge(context)

    def _guard(self, environment: str) -> Guard:
        from pytest_agentreplay.guards.evaluator import Guard  # here, since a guard is made of policies

        guard = self._guards.get(environment)
        if guard is None:
            if len(self._guards) >= _MOST_ENVIRONMENTS:
                self._guards.clear()
            guard = self._guards[environment] = Guard([self], environment=environment)
        return guard
