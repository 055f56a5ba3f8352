"""Meaning: what a policy's verdicts depend on, written so that two policies that decide alike have one digest.

Rules, their conditions and what they decide, packs with their options, environments,
what happens on errors. Not names, descriptions, reasons, owners, tests, the order of
rules, or how it is laid out. A rule in Python is known by its name, its `version` and
its source (see `code`): there a comment counts as well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_agentreplay.guards.code import target_code
from pytest_agentreplay.guards.conditions.specs import normal
from pytest_agentreplay.guards.rules import Rule
from pytest_agentreplay.guards.spec import CalledSpec, Conditions, FlowSpec, PolicySpec, RepeatSpec, RuleSpec
from pytest_agentreplay.jsonable import canonical


def policy_digest(spec: PolicySpec, rules: Sequence[Rule]) -> str:
    """Digest what a policy means, as ``sha256:`` and 64 hexadecimal digits."""
    meaning = {
        "format": spec.format,
        "environments": {name: ceiling for name, ceiling in spec.environments.items() if ceiling != "block"},
        "on_error": spec.on_error,
        "deadline_ms": spec.deadline_ms,
        "packs": {name: spec.packs.get(name, {}) for name in spec.use},
        "rules": sorted(canonical(_of_rule(rule)) for rule in rules),
    }
    return digest(canonical(meaning))


def digest(text: str) -> str:
    """Digest a text."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _of_rule(rule: Rule) -> list[Any]:
    return [rule.id, rule.version, rule.severity, rule.decision, rule.meaning]


def rule_meaning(spec: RuleSpec) -> dict[str, Any]:
    """Write what one rule means, without what it is called and what it decides."""
    return {
        "tools": None if spec.tools is None else sorted(spec.tools),
        "confidence": spec.confidence,
        "conditions": _conditions(spec),
        "except": sorted(canonical([_checks(exception.match), exception.until]) for exception in spec.except_),
    }


def _conditions(spec: Conditions) -> dict[str, Any]:
    written = {name: _condition(getattr(spec, name)) for name in spec.written()}
    if spec.match is not None:
        written["match"] = _checks(spec.match)
    if spec.python is not None:
        written["python"] = [spec.python, target_code(spec.python)]
    if spec.grounded is not None:
        written["grounded"] = {path: sorted(sources) for path, sources in spec.grounded.items()}
    return written


def _condition(spec: Any) -> Any:
    if isinstance(spec, Conditions):
        return _conditions(spec)
    if isinstance(spec, CalledSpec):
        return [sorted(spec.tool), _checks(spec.args), spec.max_steps_ago]
    if isinstance(spec, RepeatSpec):
        return [sorted(spec.same), spec.max]
    if isinstance(spec, FlowSpec):
        return [spec.from_.secrets, spec.from_.tool and sorted(spec.from_.tool), _target(spec)]
    if isinstance(spec, list):
        return sorted(canonical(_conditions(part)) for part in spec)
    return spec


def _target(spec: FlowSpec) -> list[Any]:
    return [spec.to.effect, spec.to.tool and sorted(spec.to.tool)]


def _checks(checks: Mapping[str, Any]) -> dict[str, Any]:
    return {path: normal(check) for path, check in checks.items()}
