"""The dialects there are, and which one an exchange is in.

Nothing here knows a format beyond its name.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from pytest_agentreplay.jsonable import Value
from pytest_agentreplay.wire import anthropic, bedrock, event_stream, gemini, openai_chat, openai_responses, sse
from pytest_agentreplay.wire.bodies import Headers, header, unpacked
from pytest_agentreplay.wire.dialect import Dialect, Target
from pytest_agentreplay.wire.exchanges import CUT_OFF, error_parts, json_response, read_error
from pytest_agentreplay.wire.fields import WireError, dumps, parse_json, shallow
from pytest_agentreplay.wire.model import ModelReply, ModelRequest, WireResponse

DIALECTS: Final[tuple[Dialect, ...]] = (
    openai_chat.DIALECT,
    openai_responses.DIALECT,
    anthropic.DIALECT,
    gemini.DIALECT,
    bedrock.DIALECT,
    bedrock.INVOKE_DIALECT,
)
_BY_NAME: Final = {dialect.name: dialect for dialect in DIALECTS}


def read_request(method: str, url: str, headers: Headers, body: bytes | Value) -> ModelRequest | None:
    """Read a request to a model, None where it is none that is known.

    Args:
        method: of HTTP.
        url: the whole of it.
        headers: as the HTTP library or the cassette has them.
        body: bytes, a text, or JSON that was parsed already.

    Raises:
        WireError: when it goes to a model and can't be read.
    """
    target = Target.of(url)
    if method.upper() != "POST":
        return None
    dialect = next((dialect for dialect in DIALECTS if dialect.claims(target, headers)), None)
    if dialect is None:
        return None
    document = _parsed(body, headers, "the request")
    if not isinstance(document, dict):
        raise WireError(f"a request in {dialect.name} is a JSON mapping, this is none")
    return dialect.read_request(target, document)


def _parsed(body: bytes | Value, headers: Headers, what: str) -> Value:
    if isinstance(body, str):
        return parse_json(body, what)
    if isinstance(body, bytes | bytearray):
        return parse_json(unpacked(bytes(body), headers), what)
    return shallow(body, what)


def read_reply(dialect: str, status: int, headers: Headers, body: bytes | Value) -> ModelReply:
    """Read what a model answered; an error of the provider, or a stream that was cut off, is in ``error``.

    Args:
        dialect: the name that the request has.
        status: of HTTP.
        headers: as the HTTP library or the cassette has them.
        body: bytes, a text, or JSON that was parsed already.

    Raises:
        WireError: when it can't be read.
    """
    known = _get(dialect)
    if not isinstance(body, bytes | bytearray | str):
        data = dumps(shallow(body, "the reply")).encode()
    else:
        data = unpacked(body.encode("utf-8", "surrogatepass") if isinstance(body, str) else bytes(body), headers)
    if not 200 <= status < 300:
        kind = header(headers, "x-amzn-errortype").partition(":")[0]
        return ModelReply(error=read_error(status, data, kind))
    content_type = header(headers, "content-type").lower()
    if known.read_frames is not None and content_type.startswith(event_stream.CONTENT_TYPE):
        return known.read_frames(data)
    if sse.looks_like_events(data) or (content_type.startswith(sse.CONTENT_TYPE) and not data.strip()):
        return known.read_events(sse.parse_events(data))
    return known.read_document(parse_json(data, "the reply"))


def write_reply(request: ModelRequest, reply: ModelReply) -> WireResponse:
    """Write a reply as the provider would answer the request, so that its own client accepts it.

    What the request's dialect has no place for is left out; the ids it needs and the reply lacks are numbered. An
    error without a status is one that ended a stream, and comes after what the reply says; a stream that was cut off
    is written whole.

    Raises:
        WireError: when no dialect is called what the request says.
    """
    known = _get(request.dialect)
    if reply.error is None or (request.stream and reply.error == CUT_OFF):
        return known.write_reply(request, reply)
    status, kind, message = error_parts(reply.error)
    said = known.write_error(status or 500, kind, message)
    if request.stream and status is None:
        begun = known.write_reply(request, reply)
        if begun.headers["content-type"] == sse.CONTENT_TYPE:
            return replace(begun, body=sse.unfinished(begun.body) + sse.render_events([("error", said)]))
    return json_response(said, status or 500)


def _get(name: str) -> Dialect:
    found: Any = _BY_NAME.get(name)
    if found is None:
        raise WireError(f"no dialect is called {name!r}", next=f"use one of: {', '.join(sorted(_BY_NAME))}")
    dialect: Dialect = found
    return dialect
