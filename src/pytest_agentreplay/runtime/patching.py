"""Attributes of other people's modules and classes, replaced in place and put back exactly.

Nothing here knows what the replacements do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Patches:
    """A set of replaced attributes."""

    def __init__(self) -> None:
        self._replaced: list[tuple[Any, str, Any, Any]] = []
        self._made: dict[tuple[Any, str], tuple[Any, Any]] = {}

    def __bool__(self) -> bool:
        return bool(self._replaced)

    def replace(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Put ``make(original)`` in the place of an attribute that `owner` itself defines.

        `make` is asked once for one original: a set is put in place and undone with every run.
        """
        original = vars(owner)[name]
        made = self._made.get((owner, name))
        if made is None or made[0] is not original:
            made = self._made[owner, name] = original, make(original)
        ours = made[1]
        setattr(owner, name, ours)
        self._replaced.append((owner, name, original, ours))

    def undo(self) -> None:
        """Put every original back, except under what somebody else put on top meanwhile."""
        while self._replaced:
            owner, name, original, ours = self._replaced.pop()
            if vars(owner).get(name) is ours:
                setattr(owner, name, original)
