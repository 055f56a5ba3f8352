"""Which frameworks' seams are wanted: those of the built-in adapters, and of third parties'."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from functools import cache

from pytest_agentreplay.adapters import Adapter, joined
from pytest_agentreplay.adapters.built_in import BUILT_IN
from pytest_agentreplay.api.hooks import plugin_manager


def all_adapters() -> tuple[Adapter, ...]:
    """Give the built-in adapters and those of third parties."""
    return (*BUILT_IN, *(adapter for given in plugin_manager().hook.agent_replay_adapters() for adapter in given))


def frameworks_joined() -> AbstractContextManager[None]:
    """Keep the seams of all adapters in place for the code inside.

    Raises:
        AdapterError: when a framework is not what its adapter expects.
    """
    return joined(all_adapters())


@cache
def join_for_good() -> ExitStack:
    """Put the seams of all adapters in place for the rest of the process, as production code needs them.

    A seam without a gate in force only looks whether there is one. Does nothing when repeated.

    Raises:
        AdapterError: when a framework is not what its adapter expects.
    """
    kept = ExitStack()
    kept.enter_context(frameworks_joined())
    return kept
