"""The pack `egress`: what leaves goes where it may, and nothing leaves in disguise.

| rule | objects to |
| --- | --- |
| ``egress/host`` | with `allow_hosts`: any other host in a call that reaches out |
| ``egress/mail`` | with `allow_mail`: recipients elsewhere |
| ``egress/scheme`` | URLs of other protocols, of files and of code, where a web address is asked for |
| ``egress/channel`` | services that take what anybody sends: request catchers, tunnels, pastes, webhooks of chats |
| ``egress/metadata`` | the addresses where cloud machines get their credentials |
| ``egress/address`` | a bare public address, and hosts that are spelled to look like another |
| ``egress/data`` | data in a URL, in an image's link, in a name to be looked up |
| ``egress/upload`` | commands that send files or their input to another machine |

Nothing here opens a connection.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from pytest_agentreplay.guards.analysis import signals
from pytest_agentreplay.guards.analysis.channels import channel_kind
from pytest_agentreplay.guards.analysis.hosts import parse_host, same_host
from pytest_agentreplay.guards.analysis.outgoing import CODE_KEYS, COMMAND_KEYS, SPOKEN_KEYS, TALK_KEYS, is_outgoing
from pytest_agentreplay.guards.analysis.remotes import is_silent, remotes_of, words_of
from pytest_agentreplay.guards.analysis.signals import CHANNEL, ODD_URL, SECRET, URL
from pytest_agentreplay.guards.analysis.spelling import visible
from pytest_agentreplay.guards.analysis.texts import last_key
from pytest_agentreplay.guards.analysis.urls import UrlFact
from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.guards.packs.egress.mail import mail_objection
from pytest_agentreplay.guards.packs.egress.payloads import data_in_host, data_in_path, data_in_query, image_payload
from pytest_agentreplay.guards.packs.egress.schemes import scheme_objection
from pytest_agentreplay.guards.packs.egress.uploads import lookup_severity, upload_objection
from pytest_agentreplay.guards.packs.options import refuse_unknown, take_texts
from pytest_agentreplay.guards.rules import Objection, Rule
from pytest_agentreplay.redaction.keys import words

VERSION: Final = 1

_TAKES: Final = {
    "allow_hosts": "a list of hosts, `*.example.com` for all below one",
    "allow_mail": "a list of domains, `*.example.com` for all below one",
}
_LOOKED_UP: Final = re.compile(
    r"(?:gethostbyname(?:_ex)?|getaddrinfo|resolver\.(?:query|resolve)|dns\.(?:lookup|resolve\w{0,8})|dnslookup)\(\s{0,8}"
    r"(?:f[\"'][^\"'\n]{0,80}\{|`[^`\n]{0,80}\$\{|[\w.()\[\]\"']{1,80}\s{0,4}(?:\+|%|\.format\())"
)
_FETCHED: Final = words("http https ws wss ftp ftps")


def rules(options: Mapping[str, Any]) -> list[Rule]:
    """Make the pack's rules.

    Args:
        options: ``allow_hosts``, the hosts that calls may reach; without it only what is suspicious is objected to.

    Raises:
        ValueError: for any other option, or a host that is none.
    """
    refuse_unknown("egress", options, _TAKES)
    allowed = take_texts("egress", options, "allow_hosts", "hosts")
    domains = take_texts("egress", options, "allow_mail", "domains")
    made = [
        Rule("egress/channel", _channel, version=VERSION, prepare=_prepare),
        Rule("egress/scheme", _scheme, version=VERSION),
        Rule("egress/metadata", _metadata, severity="critical", version=VERSION),
        Rule("egress/address", _address, version=VERSION),
        Rule("egress/data", _data, version=VERSION),
        Rule("egress/upload", _upload, version=VERSION),
    ]
    if allowed is not None:
        hosts = tuple(_pattern("allow_hosts", host) for host in allowed)
        made.insert(
            0, Rule("egress/host", partial(_host, hosts), version=VERSION, meaning={"allow_hosts": list(allowed)})
        )
    if domains is not None:
        allowed_domains = tuple(_pattern("allow_mail", domain) for domain in domains)
        meaning = {"allow_mail": list(domains)}
        made.append(Rule("egress/mail", partial(mail_objection, allowed_domains), version=VERSION, meaning=meaning))
    return made


def _scheme(context: DecisionContext) -> Objection | None:
    return scheme_objection(context) if context.signals & URL or context.shell else None


def _prepare() -> None:
    signals.prepare()
    data_in_query("a=b")


def _pattern(option: str, host: str) -> str:
    name = host.removeprefix("*.")
    parsed = parse_host(name) if not name.startswith("*") else None
    if parsed is None:
        raise ValueError(
            f"egress.{option} holds {host!r}, which is no host; it takes names as api.example.com or *.example.com"
        )
    return f"*.{parsed.name}" if host.startswith("*.") else parsed.name


def _host(allowed: tuple[str, ...], context: DecisionContext) -> Objection | None:
    if not _may_reach(context, URL):
        return None
    for fact in _reached(context, any_text=True):
        loopback = (
            fact.local
            and not fact.metadata
            and (
                fact.host == "localhost"
                or fact.host.endswith(".localhost")
                or fact.host.startswith("127.")
                or fact.host == "::1"
            )
        )
        if not loopback and not any(same_host(fact.host, host) for host in allowed):
            return Objection(f"{fact.at} reaches {fact.host}, which is not among the allowed hosts")
    return None


def _channel(context: DecisionContext) -> Objection | None:
    return _first(context, CHANNEL, lambda fact: channel_kind(fact.host, fact.path))


def _metadata(context: DecisionContext) -> Objection | None:
    return _first(
        context, ODD_URL, lambda fact: "where cloud machines get their credentials" if fact.metadata else None
    )


def _address(context: DecisionContext) -> Objection | None:
    if not _may_reach(context, ODD_URL):
        return None
    objection = _first(
        context, ODD_URL, lambda fact: "which is spelled to look like another host" if _is_spoofed(fact) else None
    )
    if objection is not None:
        return objection
    for fact in _reached(context):
        if fact.address and not fact.local and fact.scheme in _FETCHED and (fact.scheme or fact.path):
            return Objection(f"{fact.at} reaches {fact.host}, a bare address", severity="medium")
    return None


def _is_spoofed(fact: UrlFact) -> bool:
    return fact.disguised and not (
        fact.address and fact.local and not fact.metadata and fact.host.startswith(("127.", "0."))
    )


def _data(context: DecisionContext) -> Objection | None:
    for shell in context.shell:
        for remote in remotes_of(shell):
            if remote.lookup and (severity := lookup_severity(remote.text, shell)):
                return Objection(f"{remote.program} looks up a name that carries data", severity=severity)
    for at, text in context.texts if context.shell or not CODE_KEYS.isdisjoint(context.args) else ():
        if _computes_a_name(text):
            return Objection(f"{at} looks up a name that is put together of data")
    if not _may_reach(context, ODD_URL | SECRET):
        return None
    for fact in _reached(context):
        if (not fact.local or fact.metadata) and (
            what := data_in_query(fact.query) or data_in_path(fact.path) or data_in_host(fact.host)
        ):
            return Objection(
                f"the URL in {fact.at} carries {what} to {fact.host}",
                severity="medium" if what[0].isdigit() or what.startswith("a token as") else "high",
            )
    for at, text in context.texts:
        if ("](" in text or "<" in text or "]:" in text) and (url := image_payload(visible(text))):
            return Objection(f"{at} holds an image whose link carries data: {url[:60]}")
    return None


def _computes_a_name(code: str) -> bool:
    return ("gethostby" in code or "getaddrinfo" in code or "resolve" in code or "lookup" in code) and (
        _LOOKED_UP.search(code) is not None
    )


def _upload(context: DecisionContext) -> Objection | None:
    if not context.shell:
        return None
    return next((objection for shell in context.shell if (objection := upload_objection(shell))), None)


def _first(context: DecisionContext, signal: int, judge: Callable[[UrlFact], str | None]) -> Objection | None:
    if not _may_reach(context, signal):
        return None
    for fact in _reached(context, any_text=True):
        if what := judge(fact):
            return Objection(f"{fact.at} reaches {fact.host}, {what}")
    return None


def _may_reach(context: DecisionContext, signal: int) -> bool:
    if context.signals & signal:
        return True
    return bool(context.shell) and any(remotes_of(shell) for shell in context.shell)


def _reached(context: DecisionContext, *, any_text: bool = False) -> Iterator[UrlFact]:
    """Give the URLs that a call would reach, or hand to somebody who may; those it only speaks of stay out.

    Args:
        context: the call.
        any_text: URLs in longer texts count too, where the call takes them to somebody.
    """
    outgoing = any_text and is_outgoing(context)
    live = _live_words(context)
    commanded = {shell.source for shell in context.shell if shell.commands}
    for fact in context.urls:
        key = last_key(fact.at)
        if key in TALK_KEYS:
            continue
        if fact.at in commanded or key in COMMAND_KEYS:
            if fact.whole or fact.text in live:
                yield fact
        elif (
            (outgoing and (fact.scheme or fact.path or fact.port or fact.whole))
            or key in CODE_KEYS
            or ((fact.whole or fact.nested) and key not in SPOKEN_KEYS)
        ):
            yield fact


def _live_words(context: DecisionContext) -> str:
    """Join the words of the commands that may talk to anybody: interpreters, tools that nobody listed."""
    return "\n".join(
        [
            word
            for shell in context.shell
            for command in shell.commands
            if not is_silent(command.program.lower())
            for word in words_of(command)[1:]
        ]
        + [shell.text for shell in context.shell if shell.language != "shell"]
    )
