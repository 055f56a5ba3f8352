"""Policies with all that plugins add to them: the rules and the packs of the hooks, beside the built-in ones.

Plugins are asked only where a policy uses what isn't built in. Nothing here judges.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_agentreplay.api.hooks import plugin_manager
from pytest_agentreplay.errors import SettingsError
from pytest_agentreplay.guards import loading
from pytest_agentreplay.guards.document import parse_policy, policy_problems
from pytest_agentreplay.guards.packs import PACKS, PackFactory, extend
from pytest_agentreplay.guards.policy import Policy
from pytest_agentreplay.guards.python_rules import PythonRule
from pytest_agentreplay.guards.spec import PolicySpec

__all__ = ["load_policy", "parse_policy", "policy_of", "policy_problems"]


def load_policy(path: str | os.PathLike[str]) -> Policy:
    """Load a policy.

    Args:
        path: the YAML file.

    Raises:
        PolicyFormatError: when there is no such file, it can't be read, or it is no policy.
    """
    return loading.load_policy(path)


def policy_of(rules: Sequence[PythonRule], name: str = "rules") -> Policy:
    """Make a policy of rules in Python: fail closed, blocking everywhere.

    Raises:
        SettingsError: for two rules of one id.
    """
    ids = [rule.id for rule in rules]
    twice = next((id for id in ids if ids.count(id) > 1), None)
    if twice is not None:
        raise SettingsError(f"there are two rules {twice!r}", next="give one of them another id")
    return Policy(PolicySpec(name=name), tuple(rule.compiled() for rule in rules))


def _offered() -> dict[str, PackFactory]:
    """Give the packs of the plugins, and each of their rules as a pack of one.

    Raises:
        SettingsError: for two of one name, or for a name that a built-in pack has.
    """
    hook = plugin_manager().hook
    packs: dict[str, PackFactory] = {}
    for offered in hook.agent_replay_packs():
        for name, factory in offered.items():
            _add(packs, name, factory)
    for rules in hook.agent_replay_rules():
        for rule in rules:
            _add(packs, rule.id, _alone(rule))
    return packs


def _add(packs: dict[str, PackFactory], name: str, factory: PackFactory) -> None:
    if name in PACKS or name in packs:
        raise SettingsError(f"a plugin adds {name!r}, which is there already", next="give it a name of its own")
    packs[name] = factory


def _alone(rule: PythonRule) -> PackFactory:
    def factory(options: Mapping[str, Any]) -> list[PythonRule]:
        if options:
            raise ValueError(f"{rule.id} is a rule and takes no options")
        return [rule]

    return factory


extend(_offered)
