"""One remote machine that a command talks to, and how a command's words part into options and operands.

Nothing here knows any program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias


class Remote(NamedTuple):
    """One machine that a command talks to.

    Attributes:
        text: the URL or host, as written.
        program: who talks to it.
        files: local files that are sent.
        data: texts that are sent, other than the URL.
        from_input: what it reads from its standard input is sent.
        lookup: only the name is sent, to a name server.
    """

    text: str
    program: str
    files: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    from_input: bool = False
    lookup: bool = False

    @property
    def sends(self) -> bool:
        """Whether anything is sent beside the request itself."""
        return bool(self.files or self.data or self.from_input)


Reader: TypeAlias = Callable[[str, Sequence[str]], Iterator[Remote]]
"""Reads a program's words: its name, then the words behind it."""


def options(words: Sequence[str], valued: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Part words into options with their values, and operands, as ``("", operand)``."""
    waiting = iter(words)
    for word in waiting:
        if word == "--":
            yield from (("", operand) for operand in waiting)
        elif word.startswith("--"):
            name, equals, value = word.partition("=")
            yield name, value if equals or name not in valued else next(waiting, "")
        elif word.startswith("-") and len(word) > 1:
            yield from _bundle(word, valued, waiting)
        else:
            yield "", word


def _bundle(word: str, valued: frozenset[str], waiting: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Part a bundle of short options; the first that takes a value takes the rest of it."""
    for index, letter in enumerate(word[1:], start=2):
        if f"-{letter}" in valued:
            yield f"-{letter}", word[index:] or next(waiting, "")
            return
        yield f"-{letter}", ""
