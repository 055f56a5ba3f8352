"""Cassette files: ours, and any that vcrpy or pytest-recording wrote, read into interactions.

A file that is broken, cut off or empty is an error that names the place: vcrpy
itself takes such a one for empty. Nothing here writes.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from pytest_agentreplay.cassettes.door import vcrpy
from pytest_agentreplay.cassettes.errors import CassetteError
from pytest_agentreplay.cassettes.interactions import HttpRequest, HttpResponse, Interaction
from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.wire import WireError
from pytest_agentreplay.wire.bodies import unpacked

FORMAT: Final = "agentreplay.cassette/1"
LINK: Final = "agentreplay"
"""The key of vcrpy's metadata under which a cassette says whose it is."""

_AGAIN: Final = "restore the file, or record it again with --agent-record=rewrite"
_OF_TRANSPORT: Final = frozenset({"content-encoding", "content-length", "transfer-encoding", "connection"})


@dataclass(frozen=True, slots=True)
class Cassette:
    """What was recorded.

    Attributes:
        path: the file.
        trace: the file name of the trace that it belongs to; None for one that belongs to none.
    """

    path: Path
    interactions: tuple[Interaction, ...]
    trace: str | None = None

    @property
    def shown(self) -> str:
        """The path as a user would type it."""
        return shown(self.path)


def load_cassette(path: Path, *, trace: Path | None = None) -> Cassette:
    """Read a cassette, in YAML or, by its ending, JSON.

    Args:
        path: the file.
        trace: the trace that names it; a cassette that names another one is refused.

    Raises:
        CassetteError: when it is missing, broken, cut off, empty, or another trace's.
    """
    return parse_cassette(_read(path), path, trace=trace)


def parse_cassette(data: bytes, path: Path, *, trace: Path | None = None) -> Cassette:
    """Parse a cassette's bytes; the path names it, and need not exist.

    Raises:
        CassetteError: as `load_cassette` does.
    """
    document = _parsed(data, path)
    told = document.get("interactions")
    if not isinstance(told, list):
        raise _broken(path, "it has no list of interactions", "interactions")
    if not told:
        raise _broken(path, "it holds no interactions", "interactions")
    link = _link(document, path)
    if link is not None:
        _check_link(link, len(told), document, path, trace)
    interactions = tuple(_interaction(one, index, path) for index, one in enumerate(told))
    return Cassette(path, interactions, None if link is None else link.get("trace"))


def shown(path: Path) -> str:
    """Write a path the short way, relative to the working directory where it is below."""
    try:
        return str(path).removeprefix(os.path.join(os.getcwd(), ""))
    except OSError:  # the working directory is gone
        return str(path)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise CassetteError(
            "no such cassette",
            at=shown(path),
            next="record it with --agent-record=rewrite, or take `run.cassette` out of the trace",
        ) from None
    except OSError as error:
        raise _broken(path, f"it can't be read: {error}") from None


def _parsed(data: bytes, path: Path) -> Mapping[str, Any]:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise _broken(path, f"it can't be read: {error}") from None
    if not text.strip():
        raise _broken(path, "the file is empty")
    try:
        # By its look where it comes from a pipe: no cassette in YAML begins so.
        is_json = path.suffix == ".json" or text.startswith("{")
        document = json.loads(text) if is_json else _parse_yaml(text)
    except Exception as error:  # the parser's own errors, which only yaml_codec may name
        mark = getattr(error, "problem_mark", None)
        place = "" if mark is None else f":{mark.line + 1}:{mark.column + 1}"
        problem = getattr(error, "problem", None) or str(error)
        raise _broken(path, f"it can't be parsed: {problem}", place=place) from None
    if not isinstance(document, Mapping):
        raise _broken(path, "it is no mapping")
    return document


def _parse_yaml(text: str) -> Any:
    return vcrpy("serializers.yamlserializer").deserialize(text)  # its safe loader knows the tags that vcrpy writes


def _link(document: Mapping[str, Any], path: Path) -> Mapping[str, Any] | None:
    metadata = document.get("metadata")
    link = metadata.get(LINK) if isinstance(metadata, Mapping) else None
    if link is None:
        return None
    if not isinstance(link, Mapping) or link.get("format") != FORMAT:
        raise _broken(path, f"its format is not {FORMAT}", f"metadata.{LINK}.format")
    return link


def _check_link(
    link: Mapping[str, Any], held: int, document: Mapping[str, Any], path: Path, trace: Path | None
) -> None:
    if trace is not None and link.get("trace") != trace.name:
        raise CassetteError(
            f"the cassette belongs to another trace, {link.get('trace')}",
            at=shown(path),
            trace=shown(trace),
            next=f"record {trace.name} again with --agent-record=rewrite; "
            f"for a renamed trace, write its new name into metadata.{LINK}.trace",
        )
    if link.get("interactions") != held or document.get("version") != 1:
        raise _broken(path, f"it is cut off: it should hold {link.get('interactions')} interactions", "interactions")


def _interaction(told: Any, index: int, path: Path) -> Interaction:
    where = f"interactions[{index}]"
    try:
        request, response = told["request"], told["response"]
        made = Interaction(_request(request), _response(response))
    except KeyError as error:
        raise _broken(path, f"it lacks {error.args[0]}: it is cut off, or no cassette", where) from None
    except (TypeError, ValueError, AttributeError, binascii.Error, WireError) as error:
        raise _broken(path, f"it can't be read: {error}", where) from None
    return made


def _request(told: Mapping[str, Any]) -> HttpRequest:
    body = told["parsed_body"] if told.get("parsed_body") is not None else _bytes(told.get("body"))
    return HttpRequest(_text(told["method"]), _text(told["uri"]), body, _headers(told.get("headers")))


def _response(told: Mapping[str, Any]) -> HttpResponse:
    headers = _headers(told["headers"])
    if "status_code" in told:  # what vcrpy wrote for httpx before version 6
        return HttpResponse(int(told["status_code"]), unpacked(_bytes(told["content"]), headers), _kept(headers))
    status = told["status"]
    if told.get("parsed_body") is not None:
        body = json.dumps(told["parsed_body"], ensure_ascii=False).encode()
    else:
        body = unpacked(_bytes(told["body"]), headers)
    return HttpResponse(int(status["code"]), body, _kept(headers), _text(status.get("message") or ""))


def _bytes(body: Any) -> bytes:
    """Take a body in any form that cassettes have had: text, bytes, a file, ``string``, ``base64_string``."""
    if isinstance(body, Mapping):
        if isinstance(body.get("base64_string"), str):
            return base64.b64decode(body["base64_string"])
        found = body.get("string", MISSING)
        return b"" if found is MISSING else _bytes(found)
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode("utf-8", "surrogateescape")
    if isinstance(body, BytesIO):
        return body.getvalue()
    return body if isinstance(body, bytes) else b"".join(body)


def _headers(headers: Any) -> dict[str, list[str]]:
    """Bring headers into one shape: names in lower case, lists of texts."""
    found: dict[str, list[str]] = {}
    pairs = headers.items() if isinstance(headers, Mapping) else headers or ()
    for name, value in pairs:
        values = value if isinstance(value, list | tuple) else [value]
        found.setdefault(_text(name).lower(), []).extend(_text(one) for one in values)
    return found


def _kept(headers: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: values for name, values in headers.items() if name not in _OF_TRANSPORT}


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _broken(path: Path, fact: str, where: str = "", *, place: str = "") -> CassetteError:
    details = {"at": shown(path) + place, **({"path": where} if where else {})}
    return CassetteError(f"the cassette can't be used: {fact}", **details, next=_AGAIN)
