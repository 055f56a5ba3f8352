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
from pytest_agentreplay.guards.analysis.paths import argument_paths
from pytest_agentreplay.guards.analysis.secrets import SecretFact, is_asked_for, looks_secret, secrets_in
from pytest_agentreplay.guards.analysis.signals import ENCODED, HIDDEN, ODD_URL, PLACE, SECRET, TOKEN
from pytest_agentreplay.guards.analysis.texts import last_key
from pytest_agentreplay.guards.analysis.urls import URL_KEYS
from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.guards.packs.options import refuse_unknown
from pytest_agentreplay.guards.packs.secrets.commands import command_objection
from pytest_agentreplay.guards.packs.secrets.disguises import readings
from pytest_agentreplay.guards.packs.secrets.examples import is_documented, is_example, is_of_own_machine
from pytest_agentreplay.guards.packs.secrets.places import PRIVATE_KEY, secret_place
from pytest_agentreplay.guards.rules import Objection, Rule
from pytest_agentreplay.redaction.keys import words

VERSION: Final = 1

_USED_KEYS: Final = words(
    "key_file keyfile key_path identity_file private_key_path private_key_file ssh_key ssh_key_path kubeconfig"
    " credentials_file credentials_path cert_file env_file ssl_key tls_key service_account_file pem_file"
)
"""Parameters of tools that use a key and don't show it."""

_FILE_KEYS: Final = words("path file file_path filepath filename file_name target_file notebook_path")
_DOCUMENTATION: Final = re.compile(
    r"(?i)\.(?:md|mdx|rst|adoc|txt|html)$|(?:^|[/\\_.-])(?:docs?|tests?|examples?|samples?|fixtures?|spec)(?:[/\\_.-]|$)"
)
_SHORTEST_DISGUISE: Final = 20
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
    for fact in argument_paths(context):
        if (place := secret_place(fact.path) or secret_place(fact.path.rpartition(":")[2])) is None:
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
    outgoing = is_outgoing(context)
    if not context.signals & ((SECRET | ENCODED | ODD_URL) if outgoing else TOKEN) or (
        context.effect == "read" and not outgoing
    ):
        return None
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
        elif (fact.redacted or looks_secret(fact.text)) and not (is_documented(fact.text) and _documents(context)):
            found = Objection(f"{fact.at} writes a {_named(fact)} down", severity="medium")
    return found


def _is_parameter(context: DecisionContext, fact: SecretFact) -> bool:
    """Tell a link that logs somebody in, whose parameter is named for a token, from a URL that carries one off."""
    text = next((text for at, text in context.texts if at == fact.at), "")
    before = _PARAMETER.search(text.partition(fact.text)[0])
    return before is not None and last_key(fact.at) in URL_KEYS and is_asked_for(before[1])


def _free(context: DecisionContext) -> Iterator[SecretFact]:
    """Give the secrets in texts; where a tool asks for a secret by its parameter's name, it may have it."""
    for fact in (*context.secrets, *_disguised(context)):
        key = last_key(fact.at)
        if (
            fact.by_key
            or _stands_for_none(context, fact)
            or key in COMMAND_KEYS
            or is_asked_for(fact.at)
            or (key in _CONNECTIONS and fact.kind == "password")
        ):
            continue
        yield fact


def _disguised(context: DecisionContext) -> Iterator[SecretFact]:
    """Give the secrets in what the texts encode or cut into pieces, those that give themselves away."""
    known = {(fact.at, fact.text) for fact in context.secrets}
    for at, text in context.texts if is_outgoing(context) else ():
        if len(text) >= _SHORTEST_DISGUISE and last_key(at) not in COMMAND_KEYS:
            for reading in readings(text):
                for fact in secrets_in(at, reading):
                    if fact.kind in ("token", "private_key", "password") and (at, fact.text) not in known:
                        yield fact


def _documents(context: DecisionContext) -> bool:
    """Tell whether a call writes documentation, a test or an example."""
    return any(_DOCUMENTATION.search(text) for at, text in context.texts if last_key(at) in _FILE_KEYS)


def _stands_for_none(context: DecisionContext, fact: SecretFact) -> bool:
    if fact.redacted:
        return False
    if is_example(fact.text, fact.kind):
        return True
    return fact.kind == "password" and any(
        is_of_own_machine(text, fact.text) for at, text in context.texts if at == fact.at
    )


def _named(fact: SecretFact) -> str:
    return fact.kind.replace("_", " ")
