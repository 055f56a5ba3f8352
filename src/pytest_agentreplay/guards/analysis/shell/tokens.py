"""The last resort: judges the words of a text that could not be followed as if each might be a command.

Quotes, pipes and everything else that gives words their place are ignored, so
what is found may well be harmless. Nothing here is used for a text that can be read.
"""

from __future__ import annotations

import re
from typing import Final

from pytest_agentreplay.guards.analysis.shell.call import Call
from pytest_agentreplay.guards.analysis.shell.deeds import KNOWN, judge
from pytest_agentreplay.guards.analysis.shell.facts import Deed

_WORD: Final = re.compile(r"[^\s;|&()`'\"{}$<>\\]+")
_FETCHERS: Final = frozenset(("curl", "wget", "fetch", "nc", "ncat"))
_RUNNERS: Final = frozenset(("sh", "bash", "zsh", "dash", "python", "python3", "perl", "eval", "source"))
_MOST: Final = 40_000
_REACH: Final = 12  # words after a program that are taken for its arguments


def deeds_of_tokens(text: str) -> list[Deed]:
    """List what the words of a text would do if they were commands."""
    words = _WORD.findall(text)[:_MOST]
    names = [word.rpartition("/")[2] for word in words]
    deeds: dict[Deed, None] = {}
    for place, name in enumerate(names):
        if name in KNOWN and len(deeds) < 50:
            deeds.update(dict.fromkeys(judge(Call(name, words[place + 1 : place + 1 + _REACH]))))
    if not _FETCHERS.isdisjoint(names) and not _RUNNERS.isdisjoint(names):
        deeds[Deed("interpreter_from_network", "high", "", "may download code and run it unseen")] = None
    return list(deeds)
