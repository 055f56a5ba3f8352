"""The rules of the shell pack: one for each kind of thing that a command can do.

How grave a deed is was told by the analysis, from what it is done to; a rule only
picks the gravest that the user's options don't allow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from pytest_agentreplay.guards.analysis.shell import Deed, Effect, ShellFacts
from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.guards.packs.shell.options import Options, read_options
from pytest_agentreplay.guards.rules import Judge, Objection, Rule
from pytest_agentreplay.trace import Decision, Severity

VERSION: Final = 1
_EFFECTS: Final[dict[str, Effect]] = {
    "shell/delete": "delete",
    "shell/overwrite": "overwrite",
    "shell/disk": "disk",
    "shell/permission": "permission",
    "shell/persistence": "persistence",
    "shell/privilege": "privilege",
    "shell/remote-code": "interpreter_from_network",
    "shell/reverse-shell": "reverse_shell",
    "shell/leak": "leak",
    "shell/vcs-history": "vcs_history",
    "shell/infrastructure": "infra_destroy",
    "shell/container": "container",
    "shell/database": "db_drop",
    "shell/process": "process_kill",
    "shell/machine": "machine",
    "shell/traces": "traces",
    "shell/obfuscation": "obfuscation",
    "shell/unreadable": "unreadable",
}
_OPAQUE: Final = "shell/opaque"
IDS: Final = (*_EFFECTS, _OPAQUE)
_RANK: Final[dict[Severity, int]] = {"low": 0, "medium": 1, "high": 2, "critical": 3}
_OF_DECISION: Final[dict[Decision, Severity]] = {"log": "low", "warn": "medium", "block": "high"}
_GUESSED: Final = 0.6
"""How sure a finding is where an argument only looks like a command."""


def rules(options: Mapping[str, Any]) -> list[Rule]:
    """Make the pack's rules.

    Raises:
        ValueError: for an option, a rule or a value that there isn't.
    """
    read = read_options(options, IDS)
    meaning = {key: options[key] for key in sorted(options)}
    made = [
        Rule(rule_id, _judge(effect, read), version=VERSION, meaning={"effect": effect, "options": meaning})
        for rule_id, effect in _EFFECTS.items()
    ]
    if read.treat_opaque != "allow":
        severity = _OF_DECISION[read.treat_opaque]
        made.append(
            Rule(_OPAQUE, _judge_opaque(severity), severity, VERSION, read.treat_opaque, meaning={"options": meaning})
        )
    return [replace(rule, needs=_does_anything) for rule in made if rule.id not in read.off]


def _does_anything(context: DecisionContext) -> bool:
    return any(facts.deeds or facts.opaque for facts in context.shell)


def _judge(effect: Effect, options: Options) -> Judge:
    def judge(context: DecisionContext) -> Objection | None:
        worst: tuple[Deed, ShellFacts] | None = None
        for facts in context.shell:
            if effect not in facts.effects or not (facts.certain or context.effect == "write"):
                continue
            for deed in facts.deeds:
                if (
                    deed.effect == effect
                    and (worst is None or _RANK[deed.severity] > _RANK[worst[0].severity])
                    and not options.permits(deed)
                ):
                    worst = deed, facts
        return _objection(*worst) if worst is not None else None

    return judge


def _objection(deed: Deed, facts: ShellFacts) -> Objection:
    reason = f"{facts.source} {deed.reason}" + (f" ({deed.command})" if deed.command.strip() else "")
    return Objection(reason, None if facts.certain else _GUESSED, deed.severity)


def _judge_opaque(severity: Severity) -> Judge:
    def judge(context: DecisionContext) -> Objection | None:
        for facts in context.shell:
            if facts.may_harm and facts.certain:
                return Objection(f"{facts.source} can't be read to its end: {facts.why_opaque}", None, severity)
        return None

    return judge
