"""The pack `secrets`: files that hold secrets are not touched, and secrets don't leave.

| rule | objects to |
| --- | --- |
| ``secrets/path`` | a path of keys, tokens or passwords among the arguments |
| ``secrets/command`` | a command that reads such a file or sends it |
| ``secrets/leaves`` | a secret in the arguments of a call that sends or writes them |

Nothing here asks the disk or reads a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pytest_agentreplay.guards.analysis import signals
from pytest_agentreplay.guards.analysis.outgoing import COMMAND_KEYS, is_outgoing
from pytest_agentreplay.guards.analysis.secrets import SecretFact, is_asked_for, looks_secret, secrets_in
from pytest_agentreplay.guards.analysis.signals import HIDDEN, PLACE, SECRET
from pytest_agentreplay.guards.analysis.texts import last_key
from pytest_agentreplay.guards.analysis.urls import URL_KEYS
from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.guards.packs.options import refuse_unknown
from pytest_agentreplay.guards.packs.secrets.commands import command_objection
from pytest_agentreplay.guards.packs.secrets.places import PRIVATE_KEY, secret_place
from pytest_agentreplay.guards.rules import Objection, Rule
from pytest_agentreplay.redaction.keys import words

VERSION: Final = 1

_USED_KEYS: Final = words(
    "key_file keyfile key_path identity_file private_key_path private_key_file ssh_key ssh_key_path kubeconfig"
    " credentials_file credentials_path cert_file env_file ssl_key tls_key service_account_file pem_file"
)
"""Parameters of tools that use a key and don't show it."""

_PARAMETER: Final = re.compile(r"[?&#]([\w.-]+)=$")
_PERSONAL: Final = frozenset(("card", "cvv", "pin", "ssn"))
_CONNECTIONS: Final = URL_KEYS | words("dsn connection_string connection database_url uri repository repo clone_url")


def rules(options: Mapping[str, Any]) -> list[Rule]:
    """Make the pack's rules; it takes no options.

    Raises:
        ValueError: for any option.
    """
    refuse_unknown("secrets", options, {})
    return [
        Rule("secrets/path", _path, version=VERSION, prepare=_prepare),
        Rule("secrets/command", _command, version=VERSION),
        Rule("secrets/leaves", _leaves, version=VERSION),
    ]


def _prepare() -> None:
    signals.prepare()
    secret_place(".env")
    looks_secret("")
    next(secrets_in("", "password=hunter2-Winter"), None)


def _path(context: DecisionContext) -> Objection | None:
    if not context.signals & (PLACE | HIDDEN):
        return None
    found = None
    for fact in context.paths:
        if fact.role not in ("argument", "code") or (place := secret_place(fact.path)) is None:
            continue
        if last_key(fact.at) in _USED_KEYS:
            found = found or Objection(f"{fact.at} names {fact.path}: {place.what}", severity="low")
        elif place.sure or place.what == PRIVATE_KEY:
            return Objection(f"{fact.at} leads to {fact.path}: {place.what}", severity="high")
        else:
            found = Objection(f"{fact.at} leads to {fact.path}: perhaps {place.what}", severity="medium")
    return found


def _command(context: DecisionContext) -> Objection | None:
    if not context.shell:
        return None
    return next((objection for shell in context.shell if (objection := command_objection(shell))), None)


def _leaves(context: DecisionContext) -> Objection | None:
    if not context.signals & SECRET or (context.effect == "read" and not is_outgoing(context)):
        return None
    outgoing = is_outgoing(context)
    found = None
    for fact in _free(context):
        if fact.kind in _PERSONAL:
            found = found or (
                Objection(f"{fact.at} carries a {fact.kind} in its text", severity="medium") if outgoing else None
            )
        elif outgoing and _is_parameter(context, fact):
            found = found or Objection(f"{fact.at} carries a {_named(fact)} in its query", severity="medium")
        elif outgoing:
            return Objection(f"{fact.at} carries a {_named(fact)} out", severity="high")
        elif fact.redacted or looks_secret(fact.text):
            found = Objection(f"{fact.at} writes a {_named(fact)} down", severity="medium")
    return found


def _is_parameter(context: DecisionContext, fact: SecretFact) -> bool:
    """Tell a link that logs somebody in, whose parameter is named for a token, from a URL that carries one off."""
    text = next((text for at, text in context.texts if at == fact.at), "")
    before = _PARAMETER.search(text.partition(fact.text)[0])
    return before is not None and last_key(fact.at) in URL_KEYS and is_asked_for(before[1])


def _free(context: DecisionContext) -> Iterator[SecretFact]:
    """Give the secrets in texts; where a tool asks for a secret by its parameter's name, it may have it."""
    for fact in context.secrets:
        key = last_key(fact.at)
        if (
            fact.by_key
            or key in COMMAND_KEYS
            or is_asked_for(fact.at)
            or (key in _CONNECTIONS and fact.kind == "password")
        ):
            continue
        yield fact


def _named(fact: SecretFact) -> str:
    return fact.kind.replace("_", " ")
