"""Packs: the rules that come with the package, by name; each is imported when a policy first uses it.

A pack is a module with a `VERSION` and `rules(options)`. It looks at the shape
of a call's arguments and at the trace, whatever the tool is called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any, Final, TypeAlias

from pytest_agentreplay.guards.rules import Rule

PackFactory: TypeAlias = Callable[[Mapping[str, Any]], list[Rule]]
"""Makes a pack's rules of its options; raises `ValueError` that names a wrong option and what it takes."""

_NAMES: Final = ("shell", "secrets", "egress", "injection", "jailbreak", "loops")


def _make(name: str, options: Mapping[str, Any]) -> list[Rule]:
    rules: list[Rule] = import_module(f"{__name__}.{name}").rules(options)
    return rules


PACKS: Final[Mapping[str, PackFactory]] = {name: partial(_make, name) for name in _NAMES}
