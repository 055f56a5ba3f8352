"""What a wrapper runs: the words of a command, or the text of a script. Nothing here knows any wrapper."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from pytest_agentreplay.guards.analysis.shell.call import Call


@dataclass(frozen=True, slots=True)
class Argv:
    """A command in words; `assignments` are variables that are set for it."""

    words: list[str]
    assignments: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """A script; `positional` are its arguments, ``$0`` first."""

    text: str
    positional: tuple[str, ...] | None = None


Inner: TypeAlias = Argv | Text
Unwrap: TypeAlias = Callable[[Call], Iterator[Inner]]


def skip_flags(args: list[str], valued: frozenset[str], positional: int = 0) -> list[str]:
    """Drop a wrapper's own flags, of which some take a value, and its leading operands."""
    place = 0
    while place < len(args):
        word = args[place]
        if word == "--":
            place += 1
            break
        if word[:1] != "-" or len(word) == 1:
            break
        place += 2 if word in valued else 1
    rest = args[place:]
    for _ in range(positional):
        rest = rest[1:]
    return rest[1:] if positional and rest[:1] == ["--"] else rest


def option_text(*options: str) -> Unwrap:
    """Unwrap programs that take a script in an option."""

    def unwrap(call: Call) -> Iterator[Inner]:
        for place, word in enumerate(call.args):
            name, equals, value = word.partition("=")
            if name in options:
                text = (
                    value if equals and name[:2] == "--" else call.args[place + 1] if place + 1 < len(call.args) else ""
                )
                if text:
                    yield Text(text)

    return unwrap
