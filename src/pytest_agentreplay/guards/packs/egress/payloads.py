"""Payloads: whether a URL carries data of the caller's rather than an address of its own.

A query, a path or a host's first labels can hold what somebody wants out. What
services sign or page with looks alike and is told from it by its name and by
whether it decodes to anything readable. Nothing here knows of calls.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final
from urllib.parse import unquote, unquote_plus

from pytest_agentreplay.guards.analysis.orders import decoded_text, readable
from pytest_agentreplay.guards.analysis.secrets import is_asked_for, looks_secret
from pytest_agentreplay.redaction import holds_placeholder
from pytest_agentreplay.redaction.by_key import is_stand_in

_SIGNED: Final = re.compile(
    r"(?i)(?:x-(?:amz|goog|ms|oss)-.*|sig|signature|expires|policy|key-pair-id|state|nonce|code|code_challenge|cursor"
    r"|after|before|continuation\w*"
    r"|page_?token|next\w*|token|hmac|hash|sha\d*|etag|v|ver|version|id|\w*_id|guid|uuid|session\w*|utm_\w+|gclid"
    r"|fbclid|se|sp|sv|sr|ref|integrity"
    r"|client_id|response_type|scope|redirect_uri|samlrequest|relaystate|jwt|pk|filters?|fields|url|src)"
)
_CARRYING: Final = re.compile(
    r"(?i)(?:data|d|payload|exfil\w*|leak\w*|dump|secrets?|stolen|loot|content|info|c|msg|message|log|body|out|output"
    r"|b64|base64|text|conversation|history"
    r"|summary|creds?|credentials?|password|passwd|env|file|x|p|keys?|prompt|memory|notes?|email|user_?data|context"
    r"|chat)"
)
_PASSWORD: Final = re.compile(r"(?i)(?:user_?|db_?|root_?)?(?:password|passwd|passphrase)")
_RANDOM_LABEL: Final = re.compile(r"(?:[0-9a-f]{32,63}|[a-z2-7]{40,63}|[A-Za-z0-9_-]{50,63})")
_CDNS: Final = re.compile(
    r"(?:\.cloudfront\.net|\.azureedge\.net|\.amazonaws\.com|\.googleusercontent\.com|\.gcr\.io|\.run\.app"
    r"|\.azurewebsites\.net|\.windows\.net|\.vercel\.app"
    r"|\.netlify\.app|\.herokuapp\.com|\.r2\.dev|\.r2\.cloudflarestorage\.com|\.elb\.amazonaws\.com"
    r"|\.rds\.amazonaws\.com|\.databricks\.com)$"
)
_LINKED_IMAGE: Final = re.compile(
    r"""(?i)(?:!\[[^\]]{0,400}\]\(\s*<?|<(?:img|link|iframe|script|video|audio|source|embed|object|input|body|table|td)\b[^>]{0,400}?\b"""
    r"""(?:src|href|data|background|poster)\s*=\s*["']?|\]:\s*<?|\burl\(\s*["']?)((?:https?:)?[/\\]{2}[^\s)"'>]+)"""
)
_LINK: Final = re.compile(r"(?i)(?<!!)\[[^\[\]\n]{0,200}\]\(\s?<?(https?:[/\\]{2}[^\s)\"'>]+)")
_FILLED: Final = re.compile(
    r"(?i)\{\{?[\w .$-]+\}?\}|<[\w -]+>|\$\{?[a-z_]+\}?|%7b[\w%-]+%7d|\[(?:data|secret|content|conversation|summary"
    r"|insert)[\w -]*\]"
)
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2}){16,}")
_LONG: Final = 40
_SENTENCE: Final = 4  # words


def data_in_query(query: str) -> str:
    """Tell what a query carries, in words; the empty text where it is an ordinary one."""
    for pair in re.split(r"[&;#]", query):
        name, equals, value = pair.partition("=")
        if not value.strip("="):  # no parameter: what ends in "=" is base64
            name, equals = pair, ""
        name, value = (unquote(name), unquote_plus(value)) if equals else ("", unquote_plus(name))
        if looks_secret(value) or (holds_placeholder(value) and "email" not in value):
            return "a token as a parameter named for it" if is_asked_for(name) else "a secret"
        if len(value) >= 6 and _PASSWORD.fullmatch(name) and not is_stand_in(value):
            return f"a password as {name!r}"
        if len(value) < 16 or _SIGNED.fullmatch(name):
            continue
        if _decodes(value):
            return "encoded text"
        if _CARRYING.fullmatch(name) and len(value) >= _LONG and not value.startswith(("http:", "https:", "/")):
            return f"{len(value)} characters as {name!r}"
    return ""


def data_in_path(path: str) -> str:
    """Tell what a path carries, in words."""
    for part in path.split("/"):
        value = unquote(part).partition(".")[0]
        if len(value) >= 24 and _decodes(value):
            return "encoded text"
        if looks_secret(value):
            return "a secret"
    return ""


def data_in_host(host: str) -> str:
    """Tell what a host's own labels carry, in words."""
    labels = host.split(".")[:-2]
    if any(_RANDOM_LABEL.fullmatch(label) for label in labels) and not _CDNS.search(host):
        return "what looks encoded"
    joined = "".join(labels)
    if len(joined) >= 24 and any(_decodes(label) for label in labels):
        return "encoded text"
    return ""


def image_payload(text: str) -> str:
    """Give the first image of a text, or link, that carries data in its URL; whoever shows the text fetches images."""
    for match in _LINK.finditer(text):
        if data_in_query(match[1].partition("?")[2]) in ("encoded text", "a secret"):
            return match[1]
    for match in _LINKED_IMAGE.finditer(text):
        url = match[1]
        _, mark, query = url.partition("?")
        if mark and (data_in_query(query) or _FILLED.search(query) or _is_prose(query)):
            return url
        if data_in_path(url.partition("?")[0].partition("//")[2].partition("/")[2]):
            return url
    return ""


def _is_prose(query: str) -> bool:
    values = [unquote_plus(pair.partition("=")[2]) for pair in query.split("&")]
    return any(len(value.split()) >= _SENTENCE and len(value) >= 24 for value in values)


def _decodes(value: str) -> bool:
    """Tell whether a value is base64 or hexadecimal of something readable."""
    if _HEX.fullmatch(value):
        return bool(readable(bytes.fromhex(value)))
    if re.fullmatch(r"[A-Za-z0-9+/_-]{16,}={0,2}", value) and not value.isalpha() and not value.isdecimal():
        text = decoded_text(value)
        return len(text) >= 12 and text.isascii()
    if re.fullmatch(r"[A-Z2-7]{24,}={0,6}|[a-z2-7]{24,}", value):
        value = value.upper()
        try:
            return base64.b32decode(value + "=" * (-len(value) % 8)).decode("ascii").isprintable()
        except (binascii.Error, UnicodeDecodeError):
            return False
    return False
