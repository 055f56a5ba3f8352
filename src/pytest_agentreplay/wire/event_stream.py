"""Amazon's event stream: binary frames of typed headers and a payload, with two checksums each.

The layout is that of ``application/vnd.amazon.eventstream``: total length, length
of the headers, CRC32 of both, headers, payload, CRC32 of all. Nothing here knows
what the events mean.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from pytest_agentreplay.wire.fields import WireError

CONTENT_TYPE: Final = "application/vnd.amazon.eventstream"
_PRELUDE: Final = struct.Struct(">II")
_CRC: Final = struct.Struct(">I")
_OVERHEAD: Final = _PRELUDE.size + 2 * _CRC.size
_TEXT: Final = 7
# The sizes of header values by their type; texts and bytes say their own.
_SIZES: Final = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}


@dataclass(frozen=True, slots=True)
class Frame:
    """One message of the stream; headers that are no text are left out."""

    headers: dict[str, str] = field(default_factory=dict)
    payload: bytes = b""


def parse_frames(body: bytes) -> tuple[list[Frame], bool]:
    """Parse a stream; tells also whether it ends where a frame does.

    Raises:
        WireError: when a frame is broken, rather than cut off.
    """
    frames: list[Frame] = []
    position = 0
    while position < len(body):
        rest = len(body) - position
        if rest < _OVERHEAD:
            return frames, False
        total, header_length = _PRELUDE.unpack_from(body, position)
        (checksum,) = _CRC.unpack_from(body, position + _PRELUDE.size)
        if checksum != zlib.crc32(body[position : position + _PRELUDE.size]) or total < _OVERHEAD + header_length:
            raise WireError("the event stream has a broken frame", path=f"frame {len(frames) + 1}")
        if total > rest:
            return frames, False
        frames.append(_frame(body[position : position + total], header_length, len(frames) + 1))
        position += total
    return frames, True


def _frame(data: bytes, header_length: int, number: int) -> Frame:
    (checksum,) = _CRC.unpack_from(data, len(data) - _CRC.size)
    if checksum != zlib.crc32(data[: -_CRC.size]):
        raise WireError("the event stream has a frame with a wrong checksum", path=f"frame {number}")
    start = _PRELUDE.size + _CRC.size
    try:
        headers = _headers(data[start : start + header_length])
    except (IndexError, KeyError, struct.error):
        raise WireError("the event stream has a frame with broken headers", path=f"frame {number}") from None
    return Frame(headers, data[start + header_length : -_CRC.size])


def _headers(data: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    position = 0
    while position < len(data):
        name_end = position + 1 + data[position]
        name, kind = data[position + 1 : name_end].decode("utf-8", "replace"), data[name_end]
        position = name_end + 1
        if kind in _SIZES:
            position += _SIZES[kind]
            continue
        if kind not in (6, _TEXT):
            raise KeyError(kind)
        (length,) = struct.unpack_from(">H", data, position)
        if kind == _TEXT:
            headers[name] = data[position + 2 : position + 2 + length].decode("utf-8", "replace")
        position += 2 + length
    return headers


def render_frames(frames: Iterable[Frame]) -> bytes:
    """Write frames, all headers as texts."""
    return b"".join(_rendered(frame) for frame in frames)


def _rendered(frame: Frame) -> bytes:
    headers = b"".join(_header(name, value) for name, value in frame.headers.items())
    prelude = _PRELUDE.pack(_OVERHEAD + len(headers) + len(frame.payload), len(headers))
    message = prelude + _CRC.pack(zlib.crc32(prelude)) + headers + frame.payload
    return message + _CRC.pack(zlib.crc32(message))


def _header(name: str, value: str) -> bytes:
    encoded, text = name.encode(), value.encode()
    return bytes([len(encoded)]) + encoded + bytes([_TEXT]) + struct.pack(">H", len(text)) + text
