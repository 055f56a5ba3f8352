"""Patterns: the secrets that a value gives away by its own look, as data.

Each detector has a screen (RE2, may promise too much) and a search (exact,
linear in the text). Vendors' formats are those of their documentation and of
the rule sets of gitleaks and GitHub secret scanning. Keys are another file's.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest
from typing import Final, NamedTuple

from pytest_agentreplay.redaction.by_key import is_stand_in
from pytest_agentreplay.redaction.cards import SCREEN as CARD_SCREEN
from pytest_agentreplay.redaction.cards import find_cards
from pytest_agentreplay.redaction.keys import words
from pytest_agentreplay.redaction.spans import Span, is_guessable


class Detector(NamedTuple):
    """What finds one sort of secret.

    Attributes:
        kind: what its spans are called, so that it can be turned off.
        screen: an RE2 pattern that matches every text in which `find` finds something.
        find: the exact search.
    """

    kind: str
    screen: str
    find: Callable[[str], Iterable[Span]]


_VENDOR_PREFIXES: Final = {  # prefix -> at least so many of [A-Za-z0-9_-] behind it
    r"gh[pousr]_": 20,  # GitHub
    r"github_pat_": 20,
    r"gl(?:pat|ptt|rt|dt|oas|cbt|ft|soat|agent)-": 20,  # GitLab
    r"xox[a-z]-": 10,  # Slack
    r"xapp-[0-9]-": 10,
    r"[sr]k_(?:live|test)_": 10,  # Stripe
    r"whsec_": 20,
    r"AIza": 30,  # Google
    r"GOCSPX-": 20,
    r"ya29\.": 20,
    r"npm_": 30,
    r"pypi-AgE": 20,
    r"hf_": 30,  # Hugging Face
    r"gsk_": 30,  # Groq
    r"xai-": 40,
    r"pplx-": 30,  # Perplexity
    r"r8_": 30,  # Replicate
    r"tvly-": 20,  # Tavily
    r"lsv2_(?:pt|sk)_": 20,  # LangSmith
    r"do[opr]_v1_": 40,  # DigitalOcean
    r"shp(?:at|ca|pa|ss)_": 30,  # Shopify
    r"lin_api_": 30,  # Linear
    r"ntn_": 30,  # Notion
    r"dp\.(?:pt|st|ct|sa|scim|audit)\.": 30,  # Doppler
    r"hv[sbr]\.": 20,  # Vault
    r"AT(?:ATT|CTT|BB)3?xFfG": 30,  # Atlassian
    r"dckr_[po]at_": 20,  # Docker Hub
    r"rubygems_": 40,
    r"AGE-SECRET-KEY-1": 50,
    r"NRAK-": 20,  # New Relic
    r"sntry[su]_": 30,  # Sentry
    r"gl(?:c|sa)_": 30,  # Grafana
    r"PMAK-": 20,  # Postman
    r"pul-": 40,  # Pulumi
    r"figd_": 30,  # Figma
    r"tskey-": 20,  # Tailscale
    r"nvapi-": 40,  # Nvidia
    r"xkeysib-": 40,  # Brevo
    r"sq0(?:atp|csp|idp)-": 20,  # Square
    r"fo1_": 30,  # Fly
    r"CFPAT-": 30,  # Contentful
}
_FIXED_KEYS: Final = (
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}",  # AWS
    r"SK[0-9a-f]{32}",  # Twilio
    r"dapi[0-9a-f]{32}(?:-[0-9])?",  # Databricks
    r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}",  # Telegram
    r"key-[0-9a-f]{32}",  # Mailgun
    r"[MNO][A-Za-z0-9]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}",  # Discord
)
_VENDOR_KEYS: Final = "|".join(
    [f"{prefix}[A-Za-z0-9_-]{{{count},}}" for prefix, count in _VENDOR_PREFIXES.items()]
    + [rf"{key}(?![A-Za-z0-9_-])" for key in _FIXED_KEYS]
    + [r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"]  # SendGrid
)
_ALONE: Final = r"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrt]))"  # or behind JSON's \n


def _by_pattern(kind: str, pattern: str, *, guessable: bool = False) -> Callable[[str], Iterator[Span]]:
    """Search for the first group of a pattern, or all of it where it has none."""
    compiled = re.compile(pattern)
    group = min(compiled.groups, 1)

    def find(text: str) -> Iterator[Span]:
        for match in compiled.finditer(text):
            if not is_stand_in(match[group]):
                yield Span(*match.span(group), kind, guessable)

    return find


_SK_KEY: Final = re.compile(_ALONE + r"sk-([A-Za-z0-9_-]{6,})")
_MIXED: Final = re.compile(r"[A-Za-z]*[0-9]+[A-Za-z]|[0-9]*[A-Za-z]+[0-9]")


def _find_sk_keys(text: str) -> Iterator[Span]:
    """Find OpenAI's, Anthropic's and others' ``sk-`` keys, but no ``sk-toggleable-content`` of a style sheet."""
    for match in _SK_KEY.finditer(text):
        parts = re.split("[-_]", match[1])
        longest = max(parts, key=len)
        if match[1].lower() != match[1] or len(longest) >= 16 or (len(longest) >= 8 and _MIXED.match(longest)):
            yield Span(*match.span(), "token", is_guessable(match[1]))


_SCHEME: Final = re.compile(r"(?i)(?:(?<![a-z])|(?<=\\[nrt]))(bearer|basic)[ \t]+([A-Za-z0-9._~+/-]{8,}=*)")


def _find_schemes(text: str) -> Iterator[Span]:
    """Find what follows ``Bearer`` or ``Basic``, where it is no English."""
    for match in _SCHEME.finditer(text):
        value = match[2]
        if match[1].lower() == "basic":
            if _is_basic(value):
                yield Span(*match.span(2), "password", guessable=True)
        elif re.search("[0-9]", value) and re.search("[A-Za-z]", value):
            yield Span(*match.span(2), "token", is_guessable(value))


def _is_basic(value: str) -> bool:
    try:
        return b":" in base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except binascii.Error:
        return False


_PEM_LINE: Final = re.compile(r"-----(BEGIN|END) [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PEM_BODY: Final = re.compile(r"(?:(?:\s|\\+[nr])*[A-Za-z0-9+/=]{20,})+")


def _find_private_keys(text: str) -> Iterator[Span]:
    """Find whole PEM blocks; one that was cut off ends where its base64 does."""
    lines = list(_PEM_LINE.finditer(text))
    for line, following in zip_longest(lines, lines[1:]):
        if line[1] == "END":
            continue
        if following is not None and following[1] == "END":
            yield Span(line.start(), following.end(), "private_key", guessable=False)
        elif body := _PEM_BODY.match(text, line.end()):
            yield Span(line.start(), body.end(), "private_key", guessable=False)


_DOMAIN: Final = re.compile(r"(?:@|%40)((?:[^\W_](?:[\w-]{0,62})\.){1,8}([^\W\d_]{2,24}|xn--[a-z0-9]{2,40}))(?![\w-])")
_LOCAL_BACKWARDS: Final = re.compile(r"[\w%+.'-]{1,64}")
_FILES: Final = words("png jpg jpeg gif svg webp ico css js ts py json yaml yml md html xml txt pdf")


def _find_emails(text: str) -> Iterator[Span]:
    """Find e-mail addresses, but no ``git@host:path`` and no ``logo@2x.png``."""
    for match in _DOMAIN.finditer(text):
        if match[2].lower() in _FILES:
            continue
        local = _LOCAL_BACKWARDS.match(text[max(0, match.start() - 64) : match.start()][::-1])
        name = local[0][::-1].lstrip("%+.'-") if local else ""
        start = match.start() - len(name)
        if name[:1] in ("n", "r", "t") and text[start - 1 : start] == "\\":  # JSON's \n, not the name's first letter
            start, name = start + 1, name[1:].lstrip("%+.'-")
        if name not in ("", "git") and not _is_in_url(text, start):
            yield Span(start, match.end(), "email", guessable=True)


def _is_in_url(text: str, start: int) -> bool:
    """Tell a URL's password, as in ``://user:password@host``, from a name."""
    scheme = text.rfind("://", max(0, start - 140), start)
    between = text[scheme + 3 : start]
    return scheme >= 0 and between.endswith(":") and not any(char.isspace() or char in "/@" for char in between)


DETECTORS: Final = (
    Detector("private_key", r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY", _find_private_keys),
    Detector(
        "token",
        f"(?:{'|'.join(_VENDOR_PREFIXES)}"
        + r"|A(?:KI|SI|BI|CC)A|SK[0-9a-f]{8}|dapi|key-[0-9a-f]|[MNO][A-Za-z0-9]{23,27}\.[A-Za-z0-9_-]{6}\.|[0-9]:AA"
        + r"|SG\.)[A-Za-z0-9_-]{8}",
        _by_pattern("token", _ALONE + f"(?:{_VENDOR_KEYS})"),
    ),
    Detector(
        "token",
        r"eyJ[A-Za-z0-9_-]+\.eyJ",
        _by_pattern("token", _ALONE + r"eyJ[A-Za-z0-9_-]{5,}+\.eyJ[A-Za-z0-9_-]{5,}+(?:\.[A-Za-z0-9_-]*)?"),
    ),
    Detector("token", r"sk-[A-Za-z0-9_-]{6}", _find_sk_keys),
    Detector(
        "token",
        r"hooks\.slack\.com/",
        _by_pattern("token", r"hooks\.slack\.com/(?:services|workflows)/([A-Za-z0-9/]{20,})"),
    ),
    Detector("token", r"://[^\s/?#@:]+@", _by_pattern("token", r"://([A-Za-z0-9_.~-]{20,256})@")),
    Detector(
        "password",
        r"://[^\s/?#@:]*:[^\s/?#]+@",
        _by_pattern("password", r"://[^\s/?#@:\"'<>]{0,128}:([^\s/?#\"'<>]{1,256})@(?=[\w.\[-])", guessable=True),
    ),
    Detector("token", r"(?i)(?:bearer|basic)[ \t]+[A-Za-z0-9._~+/-]{8}", _find_schemes),
    Detector("card", CARD_SCREEN, find_cards),
    Detector("email", r"(?:@|%40)[^\s@.]+\.", _find_emails),
)
