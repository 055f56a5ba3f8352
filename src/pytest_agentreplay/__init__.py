"""Agent regression testing in pytest: golden traces replayed with every tool stubbed.

The public names are resolved when they are first asked for, so that importing
the package, or having it installed, loads nothing. (PYTEST_DONT_REWRITE)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_agentreplay.api.guarding import guard as guard
    from pytest_agentreplay.api.policies import load_policy as load_policy
    from pytest_agentreplay.compare import Divergence as Divergence
    from pytest_agentreplay.errors import AgentReplayError as AgentReplayError
    from pytest_agentreplay.errors import DivergenceError as DivergenceError
    from pytest_agentreplay.errors import EscapeError as EscapeError
    from pytest_agentreplay.errors import GuardBlocked as GuardBlocked
    from pytest_agentreplay.errors import PolicyFormatError as PolicyFormatError
    from pytest_agentreplay.errors import RunStopped as RunStopped
    from pytest_agentreplay.errors import TraceFormatError as TraceFormatError
    from pytest_agentreplay.errors import UnrecordedCallError as UnrecordedCallError
    from pytest_agentreplay.guards.context import DecisionContext as DecisionContext
    from pytest_agentreplay.guards.policy import Policy as Policy
    from pytest_agentreplay.guards.python_rules import rule as rule
    from pytest_agentreplay.runtime.run import Run as Run
    from pytest_agentreplay.storage import load_trace as load_trace
    from pytest_agentreplay.storage import save_trace as save_trace
    from pytest_agentreplay.tools.checkpoints import checkpoint as checkpoint
    from pytest_agentreplay.tools.decorator import tool as tool
    from pytest_agentreplay.trace import Finding as Finding
    from pytest_agentreplay.trace import MessageStep as MessageStep
    from pytest_agentreplay.trace import ModelStep as ModelStep
    from pytest_agentreplay.trace import StateStep as StateStep
    from pytest_agentreplay.trace import Step as Step
    from pytest_agentreplay.trace import ToolStep as ToolStep
    from pytest_agentreplay.trace import Trace as Trace
    from pytest_agentreplay.trace import Verdict as Verdict
else:
    _HOMES = {
        "api.guarding": ("guard",),
        "api.policies": ("load_policy",),
        "compare": ("Divergence",),
        "errors": (
            "AgentReplayError",
            "DivergenceError",
            "EscapeError",
            "GuardBlocked",
            "PolicyFormatError",
            "RunStopped",
            "TraceFormatError",
            "UnrecordedCallError",
        ),
        "guards.context": ("DecisionContext",),
        "guards.policy": ("Policy",),
        "guards.python_rules": ("rule",),
        "runtime.run": ("Run",),
        "storage": ("load_trace", "save_trace"),
        "tools.checkpoints": ("checkpoint",),
        "tools.decorator": ("tool",),
        "trace": ("Finding", "MessageStep", "ModelStep", "StateStep", "Step", "ToolStep", "Trace", "Verdict"),
    }
    _HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

    def __getattr__(name: str) -> object:
        home = _HOME_OF.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        found = getattr(import_module(f"{__name__}.{home}"), name)
        globals()[name] = found
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *_HOME_OF})

    __all__ = sorted(_HOME_OF)
