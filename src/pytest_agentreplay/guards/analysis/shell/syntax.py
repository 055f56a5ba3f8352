"""The parts of a script: pipelines of commands, their words and what the words are made of.

Nothing here reads or runs anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias


class Quoted(str):
    """Text that stood in quotes or behind a backslash: no glob, no brace, no keyword."""

    __slots__ = ()


class Escaped(Quoted):
    r"""Quoted text that was written with character codes (``$'\x72'``)."""

    __slots__ = ()


@dataclass(slots=True)
class Parameter:
    """``$NAME`` or ``${NAME...}``; `index` is the subscript, `operator` and `operand` what follows the name."""

    name: str
    operator: str = ""
    operand: tuple[Part, ...] = ()
    index: str = ""
    quoted: bool = False


@dataclass(slots=True)
class Substitution:
    """``$(...)`` or backticks."""

    script: Script
    quoted: bool = False


@dataclass(slots=True)
class ProcessSubstitution:
    """``<(...)`` or ``>(...)``."""

    script: Script
    direction: str


@dataclass(slots=True)
class Arithmetic:
    """``$((...))``; `parts` are the substitutions inside."""

    parts: tuple[Part, ...]


Part: TypeAlias = str | Parameter | Substitution | ProcessSubstitution | Arithmetic
Word: TypeAlias = str | tuple[Part, ...]
"""Plain text, or the parts that are joined into one word."""


@dataclass(slots=True)
class Redirection:
    """``2> file``; the word of a here-document is its text."""

    operator: str
    word: Word
    descriptor: str = ""


@dataclass(slots=True)
class Assignment:
    """``NAME=word`` or ``NAME=(words)``."""

    name: str
    word: Word = ""
    items: list[Word] | None = None
    append: bool = False
    index: str = ""


@dataclass(slots=True)
class Simple:
    """One command with its words."""

    words: list[Word] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    redirections: list[Redirection] = field(default_factory=list)


@dataclass(slots=True)
class Compound:
    """A command made of others; `kind` is subshell, group, branch, loop, for, case, function or test.

    Attributes:
        name: the variable of a loop, the name of a function.
        words: what a loop runs over, what a test or an arithmetic command looks at.
    """

    kind: str
    body: Script
    name: str = ""
    words: list[Word] = field(default_factory=list)
    redirections: list[Redirection] = field(default_factory=list)


Command: TypeAlias = Simple | Compound


@dataclass(slots=True)
class Pipeline:
    """Commands joined by ``|``."""

    commands: list[Command]
    background: bool = False


Script: TypeAlias = list[Pipeline]
