"""Schemes: URLs by which a fetching tool reaches what it was not made for: other protocols, files, code.

Nothing here knows of hosts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pytest_agentreplay.guards.analysis.outgoing import SPOKEN_KEYS, TALK_KEYS
from pytest_agentreplay.guards.analysis.paths import resolve
from pytest_agentreplay.guards.analysis.remotes import remotes_of
from pytest_agentreplay.guards.analysis.texts import last_key
from pytest_agentreplay.guards.analysis.urls import URL_KEYS
from pytest_agentreplay.guards.rules import Objection

if TYPE_CHECKING:
    from pytest_agentreplay.guards.context import DecisionContext
    from pytest_agentreplay.trace import Severity

_SCHEME: Final = re.compile(r"(?i)\s{0,8}(?:view-source:|url:)?([a-z][a-z0-9+.-]{2,20}):(?=[/\\\w<%])")
_SMUGGLING: Final = frozenset(
    ("gopher", "dict", "netdoc", "jar", "phar", "expect", "php", "zip", "compress.zlib", "ogg", "glob")
)
_UNUSUAL: Final = frozenset(("ldap", "ldaps", "tftp", "rmi", "telnet"))
_CODE: Final = re.compile(r"(?i)\s{0,8}(?:javascript:|vbscript:|data:text/html|data:[\w/+.-]{0,40};base64,PHNjcmlwd)")
_SYSTEM: Final = re.compile(
    r"(?i)(?:/(?:etc|proc|sys|dev|root|boot|var/(?:log|lib|run|spool))(?:/|$)|~(?:/\.|$)|/windows(?:/|$))"
)


def scheme_objection(context: DecisionContext) -> Objection | None:
    """Give what there is against the schemes of the URLs that a call would fetch."""
    for at, text in context.texts:
        key = last_key(at)
        if key in URL_KEYS or (
            key not in SPOKEN_KEYS and key not in TALK_KEYS and "://" in text[:40] and " " not in text
        ):
            found = _of(at, text)
            if found is not None:
                return found
    for shell in context.shell:
        for remote in remotes_of(shell):
            if found := _of(shell.source, remote.text):
                return found
    return None


def _of(at: str, url: str) -> Objection | None:
    found = _SCHEME.match(url)
    if found is None:
        return None
    scheme = found[1].lower()
    if _CODE.match(url):
        return Objection(f"{at} is code and no address: {url.strip()[:40]!r}")
    if scheme == "file":
        severity: Severity = "high" if _SYSTEM.match(resolve(url.strip())) else "low"
        return Objection(f"{at} reads a file of this machine: {url.strip()[:80]!r}", severity=severity)
    if scheme in _SMUGGLING:
        return Objection(f"{at} uses the scheme {scheme}, by which requests are smuggled")
    if scheme in _UNUSUAL and scheme.rstrip("s") not in at.lower():
        return Objection(f"{at} uses the scheme {scheme}", severity="medium")
    return None
