"""Texts: every text in a value, each with its path.

Names of parameters and other short, plain keys say nothing and are left out;
any other key is a text too. Text that is JSON and escapes what it holds is
opened. Nothing here knows what the texts are looked at for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from pytest_agentreplay.checks.paths import render_path
from pytest_agentreplay.jsonable import Value

_LONGEST_NAME: Final = 16
_MOST_OPENED: Final = 64  # texts of JSON in one value; a bound on how deep JSON in JSON is followed


def texts_of(value: Value, prefix: str) -> list[tuple[str, str]]:
    """List every text in a value with its path; keys stand at the path of what they lead to."""
    found: list[tuple[str, str]] = []
    waiting: list[tuple[str, Value]] = [(prefix, value)]
    opened = 0
    for path, item in waiting:  # grows while it is walked: breadth first, whatever the depth
        kind = type(item)
        if kind is str or kind is bytes:
            text = item if kind is str else item.decode("utf-8", "replace")
            found.append((path, text))
            if "\\" in text and text[:1] in ("{", "[") and opened < _MOST_OPENED:
                opened += 1
                waiting.append((path, _opened(text)))
        elif kind is dict or isinstance(item, Mapping):
            _list_mapping(item, path, found, waiting)
        elif kind is list or kind is tuple:
            waiting.extend([(f"{path}[{index}]", part) for index, part in enumerate(item)])
    return found


def _list_mapping(
    mapping: Mapping[str, Value], path: str, found: list[tuple[str, str]], waiting: list[tuple[str, Value]]
) -> None:
    for key, item in mapping.items():
        if key.isidentifier():
            below = f"{path}.{key}"
        else:
            segment = render_path((key,))
            below = path + segment if segment[:1] == "[" else f"{path}.{segment}"
        if len(key) > _LONGEST_NAME or not key.isidentifier():
            found.append((below, key))
        if type(item) is str and item[:1] not in ("{", "["):
            found.append((below, item))
        elif item is not None and type(item) is not int:
            waiting.append((below, item))


def _opened(text: str) -> Value:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None  # no JSON after all: the text itself was listed


@lru_cache(maxsize=4096)
def last_key(path: str) -> str:
    """Give the last name of a path, in lower case: ``to`` of ``args.mail.to[0]``."""
    end = len(path)
    while path.endswith("]", 0, end):
        start = path.rfind("[", 0, end)
        if path[start + 1] in "\"'":
            return path[start + 2 : end - 2].lower()
        end = start
    return path[path.rfind(".", 0, end) + 1 : end].lower()
