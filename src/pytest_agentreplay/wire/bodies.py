"""Bodies as they travel: headers in any shape, packed bytes, texts.

What comes out is bytes that a format can be read from. Nothing here knows a
format, or who sent what.
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from pytest_agentreplay.wire.fields import WireError

Headers: TypeAlias = Mapping[str, Any] | Iterable[tuple[Any, Any]] | None
"""Headers as HTTP libraries and cassettes have them: values are texts, bytes, or lists of either."""

MAX_BODY: Final = 256 * 1024 * 1024
_GZIP_MAGIC: Final = b"\x1f\x8b"
_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"


def header(headers: Headers, name: str) -> str:
    """Return the first value of a header whatever the case of its name; empty where there is none."""
    items: Any = getattr(headers, "items", None)  # not every library's headers are a Mapping
    pairs: Any = items() if items else headers or ()
    for key, value in pairs:
        if _text(key).lower() == name:
            return _text(value[0] if isinstance(value, list | tuple) and value else value)
    return ""


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, str) else ""


def unpacked(body: bytes, headers: Headers) -> bytes:
    """Undo the content encodings that the headers name; a body that is plain already comes back as it is.

    Raises:
        WireError: when a packed body is broken, too large, or needs a library that isn't there.
    """
    for encoding in reversed(header(headers, "content-encoding").lower().split(",")):
        body = _unpacked(body, encoding.strip())
    # Cassettes lose the header and keep the bytes, and the other way round.
    return _inflated(body, 31, "gzip") if body.startswith(_GZIP_MAGIC) else body


def _unpacked(body: bytes, encoding: str) -> bytes:
    if encoding in ("gzip", "x-gzip"):
        return _inflated(body, 31, "gzip") if body.startswith(_GZIP_MAGIC) else body
    if encoding == "deflate" and body and not _looks_plain(body):
        return _deflated(body)
    if encoding == "br" and body and not _looks_plain(body):
        return _by_library(body, "br", ("brotli", "brotlicffi"))
    if encoding == "zstd" and body.startswith(_ZSTD_MAGIC):
        return _by_library(body, "zstd", ("compression.zstd", "zstandard"))
    return body


def _looks_plain(body: bytes) -> bool:
    return body.lstrip()[:1] in (b"{", b"[") or body.startswith((b"data:", b"event:", b":"))


def _deflated(body: bytes) -> bytes:
    # RFC 9110 means zlib's format; some servers send the raw stream.
    try:
        return _inflated(body, 15, "deflate")
    except WireError:
        return _inflated(body, -15, "deflate")


def _inflated(body: bytes, window: int, encoding: str) -> bytes:
    unpacker = zlib.decompressobj(window)
    try:
        plain = unpacker.decompress(body, MAX_BODY)
    except zlib.error as error:
        raise WireError(f"the body is no {encoding}: {error}") from None
    if unpacker.unconsumed_tail:
        raise WireError(f"the body is larger than {MAX_BODY} bytes when unpacked")
    if not unpacker.eof and not plain:
        raise WireError(f"the body is cut off: no complete {encoding}")
    return plain


def _by_library(body: bytes, encoding: str, modules: tuple[str, ...]) -> bytes:
    for name in modules:
        try:
            library = importlib.import_module(name)
        except ImportError:
            continue
        try:
            plain: bytes = library.decompress(body)
        except Exception as error:  # each library has an error class of its own
            raise WireError(f"the body is no {encoding}: {error}") from None
        return plain
    raise WireError(f"the body is packed with {encoding}", next=f"install {modules[-1]}, or record it unpacked")
