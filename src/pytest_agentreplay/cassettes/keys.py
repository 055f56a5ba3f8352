"""Keys: which requests are the same one, asked again in another run.

Two are when they go to the same place and say the same, ids renumbered and
volatile fields left out. Nothing here knows what answers them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from urllib.parse import parse_qsl, urlencode

from pytest_agentreplay.cassettes.interactions import HttpRequest
from pytest_agentreplay.jsonable import Value, canonical
from pytest_agentreplay.wire import normal_form

CREDENTIALS = frozenset(
    {
        *("key", "api_key", "apikey", "api-key", "access_token", "token", "auth", "sig", "signature", "code"),
        *("x-amz-signature", "x-amz-credential", "x-amz-security-token", "x-amz-date", "x-goog-api-key"),
        *("x-goog-signature", "x-goog-credential", "awsaccesskeyid", "password", "secret", "client_secret"),
    }
)
"""Names of query parameters that are left out of cassettes, and so of comparing."""


def form_of(request: HttpRequest, drop: Collection[str]) -> Value:
    """Give the form of a request's body that is compared.

    Args:
        request: the request.
        drop: names of further fields to leave out.
    """
    value = request.value
    if not isinstance(value, dict | list):
        return value
    return normal_form(request.asked.dialect if request.asked else None, value, drop)


def key_of(request: HttpRequest, drop: Collection[str]) -> str:
    """Give the text that two requests have in common exactly when they are the same."""
    query = "" if request.asked is not None else urlencode(sorted(safe_query(request)))
    said = canonical(form_of(request, drop))
    digest = hashlib.blake2b(said.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"{request.target}?{query} {digest}"


def safe_query(request: HttpRequest) -> list[tuple[str, str]]:
    """List the parameters of a request's query that are no credentials."""
    pairs = parse_qsl(request.parts.query, keep_blank_values=True)
    return [(name, value) for name, value in pairs if name.lower() not in CREDENTIALS]
