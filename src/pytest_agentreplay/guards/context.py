"""The decision context: all that a rule may look at when it judges one call.

What was known before the tool ran, and what the analysers derive from the
arguments, each made once, when a rule first asks for it. Nothing here judges.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pytest_agentreplay.jsonable import MISSING, Missing, Value
from pytest_agentreplay.trace import Effect

if TYPE_CHECKING:
    from pytest_agentreplay.guards.analysis.paths import PathFact
    from pytest_agentreplay.guards.analysis.secrets import SecretFact
    from pytest_agentreplay.guards.analysis.shell import ShellFacts
    from pytest_agentreplay.guards.analysis.urls import UrlFact
    from pytest_agentreplay.guards.history import History


class DecisionContext:
    """One call, about to be made.

    Attributes:
        tool: the tool's name.
        args: its arguments by parameter name.
        effect: what the tool does to the world.
        history: the earlier steps of the trace, indexed for rules.
        input: the agent's input; `MISSING` where it took none.
        plan: the intent that was last told; `MISSING` where none was.
        state: the agent's state; `MISSING` where none was observed.
        retrieved: what was looked up for this decision; `MISSING` where nothing was told.
        external: facts from outside, by name.
        environment: where the decision applies, as ``production``.
    """

    def __init__(
        self,
        tool: str,
        args: Mapping[str, Value],
        *,
        effect: Effect,
        history: History,
        input: Value | Missing = MISSING,
        plan: Value | Missing = MISSING,
        state: Value | Missing = MISSING,
        retrieved: Value | Missing = MISSING,
        external: Mapping[str, Any] | None = None,
        environment: str = "production",
    ) -> None:
        self.tool = tool
        self.args = args
        self.effect = effect
        self.history = history
        self.input = input
        self.plan = plan
        self.state = state
        self.retrieved = retrieved
        self.external = external or {}
        self.environment = environment

    @cached_property
    def texts(self) -> tuple[tuple[str, str], ...]:
        """Every text among the arguments with its path, as ``("args.body.items[0]", "...")``; keys included."""
        from pytest_agentreplay.guards.analysis.texts import texts_of

        return tuple(texts_of(self.args, "args"))

    @cached_property
    def signals(self) -> int:
        """What the arguments could hold, from one cheap pass: bits of `guards.analysis.signals`; never too few."""
        from pytest_agentreplay.guards.analysis.signals import signals_of

        return signals_of(self.args)

    @cached_property
    def shell(self) -> tuple[ShellFacts, ...]:
        """The shell commands found among the arguments, parsed; Python code that starts processes included."""
        from pytest_agentreplay.guards.analysis.shell import shell_facts

        return tuple(shell_facts(self))

    @cached_property
    def paths(self) -> tuple[PathFact, ...]:
        """The file paths found among the arguments and in their commands, resolved as far as text can be."""
        from pytest_agentreplay.guards.analysis.paths import path_facts

        return tuple(path_facts(self))

    @cached_property
    def urls(self) -> tuple[UrlFact, ...]:
        """The URLs and hosts found anywhere in the arguments, with or without a scheme."""
        from pytest_agentreplay.guards.analysis.urls import url_facts

        return tuple(url_facts(self))

    @cached_property
    def secrets(self) -> tuple[SecretFact, ...]:
        """The secrets found anywhere in the arguments; redacted placeholders count as what they replaced."""
        from pytest_agentreplay.guards.analysis.secrets import secret_facts

        return tuple(secret_facts(self))
