"""Tool patterns: which tools a rule is about, as names with ``*``, ``?`` and ``[...]``, capitals as written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import translate
from typing import Final

_WILD: Final = re.compile(r"[*?\[]")


class ToolPattern:
    """Names and patterns, one of which a tool's name has to meet.

    Attributes:
        names: as they were written.
    """

    __slots__ = ("_exact", "_wild", "names")

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._exact = frozenset(names)
        wild = [translate(name) for name in names if _WILD.search(name)]
        self._wild = re.compile("|".join(wild)) if wild else None

    def __call__(self, tool: str) -> bool:
        """Tell whether a tool is meant."""
        return tool in self._exact or (self._wild is not None and self._wild.match(tool) is not None)
