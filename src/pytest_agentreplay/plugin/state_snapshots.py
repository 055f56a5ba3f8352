"""The `state_snapshot` fixture: what pytest knows, handed to the room that knows syrupy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_agentreplay.errors import SettingsError
from pytest_agentreplay.plugin.settings import settings_of
from pytest_agentreplay.runtime.values import lenient

if TYPE_CHECKING:
    from pytest_agentreplay.snapshots.assertion import StateForm, StateSnapshot

_FORM = pytest.StashKey["StateForm"]()


def state_snapshot_of(request: pytest.FixtureRequest) -> StateSnapshot:
    """Make the snapshots of one test.

    Raises:
        SettingsError: when syrupy is not there, or a line of ``agent_replay_mask`` can't be used.
    """
    try:
        from pytest_agentreplay.snapshots.assertion import state_snapshot
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "syrupy":
            raise
        raise SettingsError(
            "state_snapshot needs syrupy, which is not installed",
            next="pip install 'syrupy>=7', or this package with its extra `snapshots`",
        ) from None
    session = getattr(request.config, "_syrupy", None)
    if session is None:
        raise SettingsError("state_snapshot needs syrupy's plugin, which is off", next="take -p no:syrupy out")
    return state_snapshot(request.node, session, _form(request.config))


def _form(config: pytest.Config) -> StateForm:
    if _FORM not in config.stash:
        from pytest_agentreplay.snapshots.assertion import StateForm
        from pytest_agentreplay.snapshots.masks import Masks

        factory = getattr(config, "_tmp_path_factory", None)
        roots = [str(factory.getbasetemp())] if factory is not None else []
        masks = Masks(config.getini("agent_replay_mask"), roots)
        config.stash[_FORM] = StateForm(lenient, settings_of(config).redactor, masks)
    return config.stash[_FORM]
