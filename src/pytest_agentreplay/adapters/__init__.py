"""Adapters: a file per framework, each putting the boundary into the classes through which tools are called.

No agent is changed: the seams are on the frameworks' classes, so agents that
were built before are covered too. Nothing here decides anything; every call goes
to the gate.
"""

from pytest_agentreplay.adapters.adapter import Adapter, AdapterError, Patches
from pytest_agentreplay.adapters.installing import joined

__all__ = ["Adapter", "AdapterError", "Patches", "joined"]
