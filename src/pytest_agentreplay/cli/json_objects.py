"""JSON objects from strangers: read as one thing or not at all.

What two readers could take for two things (a key twice, NaN, a number out of range)
is refused, since the guard must judge what the tool is going to get. Nothing here
knows what the objects mean.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final

from pytest_agentreplay.errors import SettingsError

LARGEST: Final = 32 << 20
"""Bytes in one object."""


def read_object(data: bytes, what: str) -> dict[str, Any]:
    """Read one JSON object.

    Args:
        data: UTF-8, with or without a byte order mark.
        what: the object, as errors are to call it.

    Raises:
        SettingsError: for anything else.
    """
    if len(data) > LARGEST:
        raise SettingsError(f"{what} is larger than {LARGEST >> 20} MiB", next="leave out what no rule needs")
    try:
        value = json.loads(
            data.decode("utf-8-sig"), object_pairs_hook=_once, parse_float=_finite, parse_constant=_finite
        )
    except UnicodeDecodeError as error:
        raise SettingsError(f"{what} is not UTF-8: byte {error.start}", next="send it as UTF-8") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise SettingsError(f"{what} is not JSON: {error.msg.lower()}", at=where, next="send one JSON object") from None
    except ValueError as error:
        raise SettingsError(f"{what} can't be read: {error}", next="send JSON that reads in one way only") from None
    except RecursionError:
        raise SettingsError(f"{what} is nested too deeply", next="send it flatter") from None
    if type(value) is not dict:
        raise SettingsError(f"{what} is no JSON object", next="send one JSON object")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for index, key in enumerate(keys) if key in keys[:index])
        raise ValueError(f"the key {twice[:60]!r} is there twice")
    return value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is no number that JSON has")
    return number
