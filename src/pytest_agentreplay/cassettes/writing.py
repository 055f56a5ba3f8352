"""Writing cassettes: a file that vcrpy reads too, and that a person can review.

Nothing here decides what may be written; what comes in is clean already.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytest_agentreplay.cassettes.door import vcrpy
from pytest_agentreplay.cassettes.interactions import Interaction
from pytest_agentreplay.cassettes.reading import FORMAT, LINK
from pytest_agentreplay.yaml_codec import YamlError, render


def render_cassette(interactions: Sequence[Interaction], trace: str) -> bytes:
    """Write a cassette's file.

    Args:
        interactions: in order.
        trace: the file name of the trace that it belongs to.
    """
    link = {"format": FORMAT, "trace": trace, "interactions": len(interactions)}
    held = [_interaction(one) for one in interactions]
    document: dict[str, Any] = {
        "metadata": {LINK: link},
        "interactions": held,
        "version": 1,  # vcrpy's; last, so that a file that was cut off lacks it
    }
    if not _holds_bytes(held):
        try:
            return render(document).encode()
        except YamlError:
            pass  # a text that JSON-compatible YAML can't hold: vcrpy's own form can
    text: str = vcrpy("serializers.yamlserializer").serialize(document)
    return text.encode()


def _interaction(one: Interaction) -> dict[str, Any]:
    request, response = one.request, one.response
    return {
        "request": {
            "method": request.method,
            "uri": request.url,
            "headers": {name: [value] for name, value in request.headers.items()},
            "body": _body(request.body),
        },
        "response": {
            "headers": dict(response.headers),
            "body": {"string": _body(response.body)},
            "status": {"code": response.status, "message": response.reason},
        },
    }


def _body(body: bytes) -> str | bytes:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body


def _holds_bytes(interactions: list[dict[str, Any]]) -> bool:
    return any(
        isinstance(one["request"]["body"], bytes) or isinstance(one["response"]["body"]["string"], bytes)
        for one in interactions
    )
