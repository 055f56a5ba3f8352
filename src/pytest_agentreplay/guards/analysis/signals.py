"""Signals: one cheap pass over a call that says which analyses could find anything in it.

A signal may promise too much and never too little: the rules of the packs look
at a call's texts only where its signal is up, so that an ordinary call costs one
walk of RE2. Nothing here decides anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import Final

import re2

from pytest_agentreplay.guards.analysis import channels, orders, secrets, urls
from pytest_agentreplay.guards.analysis.screens import Screens
from pytest_agentreplay.guards.analysis.spelling import has_unseen, hides_text, is_disguised, is_plain, plain
from pytest_agentreplay.guards.analysis.texts import texts_of
from pytest_agentreplay.jsonable import Value

SECRET: Final = 1
"""A secret, by its own look or by a key in the same text."""
TOKEN: Final = 16
"""A secret by its own look, or the placeholder of one."""
PLACE: Final = 2
"""A name from the paths of secrets, or a glob."""
URL: Final = 4
"""A URL or a host."""
ODD_URL: Final = 8
"""A URL that is more than an address: an odd host, a long query, a known channel."""
ENCODED: Final = 128
"""Text that may read otherwise than it is written: base64, hexadecimal, digits for letters."""
HIDDEN: Final = 32
"""Characters that nobody sees."""
CHANNEL: Final = 64
"""The name of a service that takes what anybody sends."""

_PLACE: Final = (
    r"(?i)\.ssh|id_(?:rsa|dsa|ecdsa|ed25519|xmss)|\.env|\.dev\.vars|flaskenv|\.aws|gcloud|\.azure|\.oci|aliyun"
    r"|credential|secret"
    r"|service[-_]?account|[-_](?:sa|key)\.json|gcp|signons|appdata|netrc|pgpass|\.my\.cnf|mylogin|htpasswd|s3cfg"
    r"|\.boto"
    r"|vault|rediscli|mongorc|authinfo"
    r"|smbcred|\.npmrc|\.pypirc"
    r"|yarnrc|\.cargo|nuget|\.m2|gradle|pip\.conf|linode-cli|bluemix|doctl|config[/\\.]+hub|auth\.json|\.bundle|terraform"
    r"|tfstate|tfvars|hosts\.yml|glab|\.docker|dockercfg|\.kube|kubeconfig"
    r"|kubernetes|k3s|gnupg|secring|private|shadow|master\.passwd|opasswd|sudoers|system32|repair[/\\.]+sam|ntds|keytab"
    r"|environ|[/\\]mem|[/\\]maps|keychain"
    r"|keyring|kwallet|password|\.kdb|1password|firefox|thunderbird|chrom|brave|edge|opera|vivaldi|logins\.json"
    r"|key[34]\.db|login data|cookies"
    r"|wallet|keystore|solana|metamask|wireguard|openvpn|\.ovpn|ipsec|\.claude|\.codex|copilot|\.gemini|huggingface"
    r"|openai|netlify|\.fly"
    r"|\.vercel|stripe|rclone|\.wandb|kaggle|databrickscfg|snowsql|\.dbt|circleci|heroku|ngrok|sentryclirc|_history"
    r"|wp-config|master\.key"
    r"|database\.yml|localsettings|appsettings|jenkins|\.pem|\.key|\.p12|\.pfx|\.jks|\.ppk|\.p8|\.pvk|ssh_host"
    r"|\.config[/\\.]+op|library[/\\.]+cookies"
    r"|%2e|%25|adminsdk|subversion|debian\.cnf|bitwarden"
    r"|(?:^|[\s'\"=@,;|<>(]|\\n)(?:[~./$]|[\w-]+/)[^\s'\":]*[*?\[{]|\{[^\s{}]*,[^\s{}]*\}"
)
_INDIRECT: Final = (  # paths that read otherwise once they are resolved, and globs wherever they begin
    r"(?i)\.\.|[^:]//|/\./|\\|%2f|xdg_config|(?:[~./$]|[\w-]/)[^\s'\":]*[*?\[{]"
)
_ODD_URL: Final = (
    r"(?i)[:/\\][/\\]+[^\s/?#]*[@%]|[/\\]{2}[0-9\[]|0x[0-9a-f]|[0-9]{8}|[0-9]\.[0-9]+\.|[?&#][\w.\[\]-]*=[^\s&]{16}"
    r"|[\w-]{32}|metadata|instance-data"
    r"|nip\.io|sslip|xip\.io|\\\\|https?:\\|xn--|::|!\[|<img|%3a%2f"
)


def _any_of(patterns: Iterable[str]) -> str:
    return "|".join([f"(?:{pattern})" for pattern in patterns])


_SCREENS: Final = (
    (
        (_any_of(secrets.LOOKS), TOKEN | SECRET),
        (_any_of(secrets.BY_KEY), SECRET),
    ),
    (
        (_PLACE, PLACE),
        (urls.SCREEN, URL),
        (orders.ENCODED, ENCODED),
        (channels.SCREEN, CHANNEL | URL),
    ),
    ((_ODD_URL, ODD_URL | URL),),
)
_FOREIGN_HOST: Final = (
    r"[/\\@][^\s/\\?#]*[^\x00-\x7f]|[^\x00-\x7f][^\s/]*\.[a-zA-Z]{2}|[A-Za-z0-9][\x{3002}\x{ff0e}\x{ff61}][A-Za-z0-9]"
)
_LONGEST_REMEMBERED: Final = 4096  # characters
_ESCAPED: Final = re.compile(r"\\[xuU]")


@cache
def _screens() -> Screens:
    return Screens(_SCREENS)


@cache
def _place() -> re2.Pattern:
    return re2.compile(_PLACE)


def may_be_place(path: str) -> bool:
    """Tell whether one path has anything in it of the paths of secrets."""
    return not path.isascii() or _place().search(path) is not None


def may_lead_to_place(words: Iterable[str]) -> bool:
    """Tell whether `may_be_place` could hold for any of some words, or of what they resolve to."""
    written = "\n".join(words)
    if "\0" in written:  # stands for what is unknown, and may be nothing
        written += "\n" + written.replace("\0", "")
    return not written.isascii() or bool(_leading().bits(written))


@cache
def _leading() -> Screens:
    return Screens([[(_PLACE, 1), (_INDIRECT, 1)]])


def signals_of(args: Mapping[str, Value]) -> int:
    """Give the signals of a call's arguments, joined by ``|``."""
    # A dict's repr is the cheapest text that holds all of its texts: characters that it escapes begin with \x, \u, \U.
    written = repr(args if type(args) is dict else dict(args))
    if written.isascii() and ("\\" not in written or not _ESCAPED.search(written)):
        return _signals(written)
    joined = "\n".join([text for _, text in texts_of(args, "args")])
    if joined.isascii():
        return _signals(joined)
    return _of_foreign(joined) if len(joined) <= _LONGEST_REMEMBERED else _signals_of_foreign(joined)


def _signals_of_foreign(joined: str) -> int:
    signals = _foreign_hosts().bits(joined)
    if not is_plain(joined):
        if has_unseen(joined) and (hides_text(joined) or is_disguised(joined)):
            signals |= HIDDEN
        joined = plain(joined)
    return signals | _screens().bits(joined)


_of_foreign: Final = lru_cache(maxsize=1024)(_signals_of_foreign)


@cache
def _foreign_hosts() -> Screens:
    return Screens([[(_FOREIGN_HOST, URL | ODD_URL)]])


def prepare() -> None:
    """Build what the first calls would else wait for: RE2 makes its automaton as texts come by."""
    _place().search(_PLACE)
    _foreign_hosts().bits("a")
    for group in _SCREENS:
        for pattern, _ in group:
            _signals(pattern)


def _signals(text: str) -> int:
    return _remembered(text) if len(text) <= _LONGEST_REMEMBERED else _screens().bits(text)


@lru_cache(maxsize=1024)
def _remembered(text: str) -> int:
    return _screens().bits(text)
