"""Packs: rules that a policy uses by a name; each is imported when a policy first uses it.

A built-in pack is a module with a `VERSION` and `rules(options)`. It looks at the
shape of a call's arguments and at the trace, whatever the tool is called. Where other
packs come from is told by whoever knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Any, Final, TypeAlias

from pytest_agentreplay.guards.python_rules import PythonRule
from pytest_agentreplay.guards.rules import Rule

PackFactory: TypeAlias = Callable[[Mapping[str, Any]], Sequence[Rule | PythonRule]]
"""Makes a pack's rules of its options; raises `ValueError` that names a wrong option and what it takes."""

_NAMES: Final = ("shell", "secrets", "egress", "injection", "jailbreak", "loops")
_ADDED: Final[list[Callable[[], Mapping[str, PackFactory]]]] = []


def _make(name: str, options: Mapping[str, Any]) -> list[Rule]:
    rules: list[Rule] = import_module(f"{__name__}.{name}").rules(options)
    return rules


PACKS: Final[Mapping[str, PackFactory]] = {name: partial(_make, name) for name in _NAMES}
"""The built-in packs."""


def extend(packs: Callable[[], Mapping[str, PackFactory]]) -> None:
    """Say where more packs come from; asked when a policy uses one that isn't built in."""
    _ADDED.append(packs)


def known_packs() -> Mapping[str, PackFactory]:
    """Give all packs, the built-in ones first."""
    return {**PACKS, **{name: factory for packs in _ADDED for name, factory in packs().items() if name not in PACKS}}
