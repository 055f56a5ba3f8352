"""What the tests of this folder share: rehearsals with both adapters."""

from __future__ import annotations

import pytest

from pytest_agentreplay.adapters.built_in import BUILT_IN
from pytest_agentreplay.conformance.rehearsal import Rehearsal


@pytest.fixture
def rehearsal(tmp_path):
    """Records and replays in a folder of the test."""
    return Rehearsal(tmp_path, [adapter for adapter in BUILT_IN if adapter.name in ("langchain", "langgraph")])
