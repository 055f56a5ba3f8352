"""URLs: every URL and host in a call, parsed as a browser or curl would, with or without a scheme.

Takes the disguises off: user names that look like hosts, backslashes, tabs,
foreign dots, a URL in another's query. Nothing here knows which hosts are good.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from pytest_agentreplay.guards.analysis.hosts import Host, parse_host
from pytest_agentreplay.guards.analysis.remotes import remotes_of
from pytest_agentreplay.guards.analysis.screens import Screens
from pytest_agentreplay.guards.analysis.spelling import visible
from pytest_agentreplay.guards.analysis.texts import last_key
from pytest_agentreplay.redaction.keys import words

if TYPE_CHECKING:
    from pytest_agentreplay.guards.analysis.shell import ShellFacts
    from pytest_agentreplay.guards.context import DecisionContext

SCREEN: Final = r"(?i):[/\\]|%3a|%2f%2f|//|\\\\|\.[a-z]{2,24}(?:[^a-z(=]|$)|[0-9]\.[0-9]|0x[0-9a-f]|[0-9]{8}|::"
"""Matches every text in which a URL may be."""

URL_KEYS: Final = words(
    "url uri urls uris link links href host hosts hostname domain domains endpoint webhook webhook_url base_url"
    " site website address server origin remote callback callback_url redirect redirect_url redirect_uri"
    " target_url image_url src proxy api_url start_url page_url repo_url source_url destination_url"
)
"""Parameters whose whole text is a URL or a host."""

_SCHEMED: Final = re.compile(
    r"(?i)(?<![a-z0-9+.-])(?:([a-z][a-z0-9+.-]{0,30}):[/\\]{2,4}|(https?|wss?"
    r"|ftps?):[/\\]{0,1}(?=[\w\[%]))([^\s\"'<>`{}|^]+)"
)
_NESTED: Final = re.compile(r"(?i)(?:https?|wss?|ftp)(?::|%3a|%253a)(?:[/\\]|%2f|%252f){2}[^\s\"'<>`{}|^&]+")
_RELATIVE: Final = re.compile(r"(?:^|(?<=\]\()|(?<=src=)|(?<=src=[\"']))[/\\]{2}[^\s\"'<>`{}|^/\\]+\.[^\s\"'<>`{}|^]+")
_SCP_LIKE: Final = re.compile(r"(?<![\w/.@-])[\w.-]{1,64}@([\w-]+(?:\.[\w-]+)+):(?![0-9]+(?:[/?#]|$))([^\s\"'<>`]*)")
# Endings that are hosts far more often than files or attributes; with a path or a port behind it any ending will do.
_COMMON_TLDS: Final = (
    "com|net|org|io|ai|co|dev|app|edu|gov|mil|int|eu|uk|de|fr|nl|ru|cn|jp|br|au|ca|ch|in|us|xyz|top|site|online|club"
    "|shop|biz"
    "|info|cloud|tech|link|click|live|store|space|website|host|pw|tk|ml|ga|cf|gg|example|onion|network|systems|zone"
    "|fun|icu|ngrok"
)
_BARE: Final = re.compile(
    r"(?i)(?<![\w@./\\:%=$-])((?:[^\W_][\w-]{0,62}[.。．]){1,8}(?:(?:" + _COMMON_TLDS + r")(?![\w.。-]*[\w(=])"
    r"|[^\W\d_]{2,24}(?=:[0-9]{2,5}(?!\w)|/(?=[\w?#@%])))|xn--[\w-]+)(:[0-9]{1,5})?([/?#][^\s\"'<>`{}|^]*)?"
)
_BARE_ADDRESS: Final = re.compile(
    r"(?<![\w.@/:-])((?:[0-9]{1,3}\.){3}[0-9]{1,3})(?![\w.-])(:[0-9]{1,5})?(/[^\s\"'<>`{}|^]*)?"
)
_IN_TEXTS: Final = (_SCHEMED, _SCP_LIKE, _RELATIVE, _BARE, _BARE_ADDRESS)
_SCREENS: Final = (
    r"(?i::[/\\]|(?:https?|wss?|ftps?):)",
    r"@[^\s:]+:",
    r"[/\\]{2}",
    rf"(?i:\.(?:(?:{_COMMON_TLDS})(?:[^\w(=]|$)|[a-z]{{2,24}}[:/])|xn--)",
    r"[0-9]\.[0-9]+\.[0-9]",
)
"""One for each pattern above: matches every ASCII text in which that one does."""
_FOREIGN_SCREENS: Final = (*_SCREENS[:3], "[.\u3002\uff0e][^\\s.:/]{2}|(?i:xn--)", _SCREENS[4])
"""The same for texts that are not."""
_WHOLE: Final = re.compile(r"(?:[^\s/?#\\@]*@)?(\[[0-9A-Fa-f:.%]+\]|[^\s/?#\\:@]+)(?::[0-9]{1,5})?(?:[/?#\\]\S*)?")
_TRAILING: Final = ".,;:!?*_~'\")]}>"
_FILES: Final = words(
    "py md sh rs pl ps cc so rb js ts go c h java json yaml yml toml txt html css png jpg svg pdf csv xml lock"
    " cfg ini log zip mov gz tar bak tmp sql db exe dll app"
)
_LONGEST_REMEMBERED: Final = 4096  # characters
_MOST: Final = 200  # facts for one text


@dataclass(frozen=True, slots=True)
class UrlFact:
    """One URL, or one host, in a call.

    Attributes:
        at: the path of the argument.
        text: as written.
        scheme: in lower case; empty where none was written.
        host: canonical, see `Host.name`.
        port: None where none was written.
        user: what stands before ``@``.
        path: from the first slash on, without query; decoded no further.
        query: without its question mark, with the fragment.
        whole: the argument is this URL and nothing else, or a command connects to it.
        nested: it stands in another URL's path or query.
        address: the host is an address and no name.
        disguised: it is spelled so that a reader takes it for another host.
        local: the host is this machine, or one of its own network.
        metadata: cloud machines get their credentials there.
    """

    at: str
    text: str
    scheme: str
    host: str
    port: int | None
    user: str
    path: str
    query: str
    whole: bool
    nested: bool
    address: bool
    disguised: bool
    local: bool
    metadata: bool


def url_facts(context: DecisionContext) -> list[UrlFact]:
    """List the URLs of a call, each place once."""
    facts: dict[tuple[str, str], UrlFact] = {}
    texts = context.texts
    joined = "\n".join([text for _, text in texts])
    anywhere = not joined.isascii() or _patterns(joined)
    for at, text in texts:
        if anywhere or last_key(at) in URL_KEYS:
            for fact in _found_in(at, text) if len(text) <= _LONGEST_REMEMBERED else _in_text(at, text):
                facts.setdefault((at, fact.text), fact)
    for shell in context.shell:
        for fact in _reached_by(shell):
            facts[shell.source, fact.text] = fact
    return list(facts.values())


@lru_cache(maxsize=512)
def _reached_by(shell: ShellFacts) -> list[UrlFact]:
    found: list[UrlFact] = []
    for remote in remotes_of(shell):
        parsed = parse_url(shell.source, remote.text, whole=True)
        if parsed is not None:
            found += [parsed, *_nested(shell.source, remote.text, whole=True)]
    return found


@lru_cache(maxsize=256)
def _found_in(at: str, text: str) -> tuple[UrlFact, ...]:
    return tuple(_in_text(at, text))


def _in_text(at: str, text: str) -> Iterator[UrlFact]:
    if len(text) < 4 and not text.isdecimal():
        return
    written = visible(text)
    trimmed = written.strip()
    if len(trimmed) < 2048 and (last_key(at) in URL_KEYS or _is_url(trimmed)):
        fact = parse_url(at, trimmed, whole=True)
        if fact is not None:
            yield fact
            yield from _nested(at, trimmed)
            return
    yield from _within(at, written)


def _is_url(text: str) -> bool:
    found = _SCHEMED.match(text)
    return found is not None and found.end() == len(text)


def _within(at: str, text: str) -> Iterator[UrlFact]:
    count = 0
    for pattern in _patterns(text):
        for match in pattern.finditer(text):
            written = _trim(match[0])
            fact = parse_url(at, written, whole=False)
            if fact is not None and not (pattern is _BARE and _is_file(fact)):
                yield fact
                if pattern is _SCHEMED:
                    yield from _nested(at, written)
                count += 1
                if count == _MOST:
                    return


def _patterns(text: str) -> Sequence[re.Pattern[str]]:
    """Give the patterns that could match a text: each walks it a hundred times slower than the screen of all."""
    found = _screen(_SCREENS if text.isascii() else _FOREIGN_SCREENS).bits(text)
    return [pattern for number, pattern in enumerate(_IN_TEXTS) if found >> number & 1]


@cache
def _screen(patterns: tuple[str, ...]) -> Screens:
    return Screens([[(pattern, 1 << number) for number, pattern in enumerate(patterns)]])


def _is_file(fact: UrlFact) -> bool:
    return fact.port is None and not fact.path and fact.host.rpartition(".")[2] in _FILES


def _nested(at: str, text: str, *, whole: bool = False) -> Iterator[UrlFact]:
    for match in _NESTED.finditer(text, 8):
        fact = parse_url(at, unquote(unquote(match[0])), whole=whole, nested=True)
        if fact is not None:
            yield fact


def _trim(text: str) -> str:
    """Take off the punctuation that closes a sentence, but no bracket that the URL opened."""
    while text and text[-1] in _TRAILING:
        opening = {")": "(", "]": "[", "}": "{"}.get(text[-1])
        if opening and text.count(opening) >= text.count(text[-1]):
            break
        text = text[:-1]
    return text


def parse_url(at: str, text: str, *, whole: bool, nested: bool = False) -> UrlFact | None:
    """Parse one URL, or a host with or without a port and a path; None where no host is in it."""
    parts = _parts(text)
    if parts is None:
        return None
    scheme, user, port, path, query, host, disguised = parts
    kind = (host.address is not None, disguised, host.is_local, host.is_metadata)
    return UrlFact(at, text, scheme, host.name, port, user, path, query, whole, nested, *kind)


_Parts = tuple[str, str, int | None, str, str, Host, bool]


@lru_cache(maxsize=4096)
def _parts(text: str) -> _Parts | None:
    cleaned = text.translate(_STRIPPED)
    scheme, rest = _split_scheme(cleaned)
    if scheme in ("file", "data", "javascript", "about", "urn", "mailto", "tel") or (not scheme and not rest):
        return None
    authority, path, query = _split_path(rest, special=scheme in _SPECIAL or not scheme)
    user, at_sign, where = authority.rpartition("@")
    if not scheme and at_sign and ":" not in user and not path and not query and ":" not in where:
        return None  # an e-mail address
    name, port = _split_port(where)
    host = parse_host(name)
    if host is None and scheme in _SPECIAL and _UNREADABLE.search(name):
        host = Host(
            name.lower(), disguised=True
        )  # no browser takes it, and what another client makes of it nobody knows
    if host is None or (not scheme and not _is_plausible(host, name, port)):
        return None
    disguised = host.disguised or "\\" in cleaned[:200].partition("?")[0] or _misleads(user)
    return scheme, user, port, path, query, host, disguised


_STRIPPED: Final = dict.fromkeys(map(ord, "\t\r\n\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_UNREADABLE: Final = re.compile(r"\w%[0-9a-fA-F]{2}|[;&]")
_SPECIAL: Final = frozenset(("http", "https", "ws", "wss", "ftp"))
_SCHEME: Final = re.compile(
    r"(?i)([a-z][a-z0-9+.-]*):[/\\]{2,4}|(https?|wss?|ftps?):[/\\]?(?=[\w\[%])|[/\\]{2}(?=[\w\[%])"
)
_JDBC: Final = re.compile(r"(?i)(?:jdbc|sqlalchemy):")


def _split_scheme(text: str) -> tuple[str, str]:
    prefixed = _JDBC.match(text)
    start = prefixed.end() if prefixed else 0
    found = _SCHEME.match(text, start)
    if found is None:
        return _split_scp(text)
    return (found[1] or found[2] or "").lower(), text[found.end() :]


def _split_scp(text: str) -> tuple[str, str]:
    found = _SCP_LIKE.fullmatch(text)
    return ("ssh", f"{text[: found.end(1)]}/{found[2]}") if found else ("", text)


def _split_path(rest: str, *, special: bool) -> tuple[str, str, str]:
    ends = "/?#\\" if special else "/?#"
    end = next((index for index, char in enumerate(rest) if char in ends), len(rest))
    path, mark, query = rest[end:].partition("?")
    if not mark:
        path, _, query = path.partition("#")
    return rest[:end], path, query


def _split_port(where: str) -> tuple[str, int | None]:
    name, colon, port = where.rpartition(":")
    if not colon or "]" in port or not port.isdecimal() or (":" in name and not name.endswith("]")):
        return where.removesuffix(":") if where.count(":") == 1 else where, None
    return name, int(port)


def _is_plausible(host: Host, written: str, port: int | None) -> bool:
    """Tell a host without a scheme from any other word."""
    if host.address is not None:
        return "." in written or ":" in written or len(written) >= 8
    return "." in host.name or port is not None or host.name in ("localhost", "metadata", "instance-data")


def _misleads(user: str) -> bool:
    name = unquote(user).partition(":")[0]
    return "." in name and parse_host(name.rpartition("@")[2] or name) is not None and name.rpartition(".")[2].isalpha()
