"""Places: where in the text a part of a document stands.

Only for messages: it reads the text once more, and gives the best answer it can
for a text that can't be read to its end.
"""

from __future__ import annotations

from typing import Any

import yaml
from yaml import CollectionEndEvent, CollectionStartEvent, MappingStartEvent, ScalarEvent, SequenceStartEvent

from pytest_agentreplay.yaml_codec.events import NextEvent, open_events, start_of
from pytest_agentreplay.yaml_codec.problems import Path, Refusal, place_of


def locate(text: str, path: Path) -> tuple[int, int]:
    """Find the deepest part of `path` that exists: a mapping's key, a list's item.

    Returns:
        line and column, 1-based; never raises.
    """
    text = text.removeprefix("\ufeff")
    index, complete = _follow(text, path, pure=False)
    if not complete:
        index = max(index, _follow(text, path, pure=True)[0])
    return place_of(text, index)


def _follow(text: str, path: Path, *, pure: bool) -> tuple[int, bool]:
    """Return the index of the deepest part found, and whether the text could be read that far."""
    index = 0
    try:
        next_event = open_events(text, pure=pure)
        next_event()
        if isinstance(next_event(), yaml.StreamEndEvent):
            return index, True
        event: Any = next_event()
        index = start_of(event)
        for part in path:
            found = _step(next_event, event, part)
            if found is None:
                break
            index, event = found
    except (yaml.YAMLError, Refusal):
        return index, False
    return index, True


def _step(next_event: NextEvent, event: Any, part: str | int) -> tuple[int, Any] | None:
    if isinstance(event, MappingStartEvent):
        return _find_key(next_event, part)
    if isinstance(event, SequenceStartEvent) and isinstance(part, int):
        return _find_item(next_event, part)
    return None


def _find_key(next_event: NextEvent, part: str | int) -> tuple[int, Any] | None:
    key: Any = next_event()
    while not isinstance(key, CollectionEndEvent):
        if isinstance(key, ScalarEvent) and key.value == part:
            return start_of(key), next_event()
        _skip(next_event, key)
        _skip(next_event, next_event())
        key = next_event()
    return None


def _find_item(next_event: NextEvent, part: int) -> tuple[int, Any] | None:
    for _ in range(part):
        if isinstance(event := next_event(), CollectionEndEvent):
            return None
        _skip(next_event, event)
    event = next_event()
    return None if isinstance(event, CollectionEndEvent) else (start_of(event), event)


def _skip(next_event: NextEvent, event: Any) -> None:
    """Read past the node that `event` starts."""
    depth = 0
    while True:
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth == 0:
            return
        event = next_event()
