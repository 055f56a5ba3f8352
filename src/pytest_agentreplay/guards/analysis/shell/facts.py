"""What the analysis of commands tells: facts about what a command line would do, for rules to judge.

Nothing here knows how they are found or which of them matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from pytest_agentreplay.trace import Severity

Effect: TypeAlias = Literal[
    "delete",
    "overwrite",
    "disk",
    "permission",
    "persistence",
    "privilege",
    "network",
    "interpreter_from_network",
    "reverse_shell",
    "leak",
    "vcs_history",
    "infra_destroy",
    "container",
    "db_drop",
    "process_kill",
    "machine",
    "traces",
    "obfuscation",
    "unreadable",
]
"""What a command does to the world.

``network`` only says that a command talks to another machine; ``machine`` is shutdown, firewall and kernel;
``traces`` removes what tells of the past; ``unreadable`` is a command that can't be followed.
"""


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that a command would do, grave enough to tell.

    Attributes:
        effect: its kind.
        severity: how grave, by what it is done to.
        target: the path, table, branch, host or unit; the empty text where there is none.
        reason: in a sentence without a subject, as ``deletes / recursively``.
        command: the command as people read it.
    """

    effect: Effect
    severity: Severity
    target: str
    reason: str
    command: str = ""


@dataclass(frozen=True, slots=True)
class ShellRedirect:
    """One redirection; `target` is None where nobody can know it, the text itself for a here-document."""

    operator: str
    target: str | None
    descriptor: str = ""


@dataclass(frozen=True, slots=True)
class ShellCommand:
    """One simple command, unwrapped.

    A word holds NUL in place of a stretch that nobody can know and is None where that is all of it.

    Attributes:
        program: the program's name without its directory; the empty text where nobody can know it.
        argv: its words, the program first, quotes removed.
        flags: short bundles split (``-r``, ``-f``), as written (``-rf``), long ones without their value.
        operands: what is neither a flag nor the value of one.
        assignments: variables set for this command alone.
        through: the wrappers that it was found under, outermost first: ``sudo``, ``bash``, ``python``...
        piped_from: the program whose output it reads, None without one.
        piped_into: the program that reads its output.
    """

    program: str
    argv: tuple[str | None, ...]
    flags: tuple[str, ...] = ()
    operands: tuple[str | None, ...] = ()
    redirects: tuple[ShellRedirect, ...] = ()
    assignments: tuple[tuple[str, str | None], ...] = ()
    through: tuple[str, ...] = ()
    piped_from: str | None = None
    piped_into: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ShellFacts:
    """What is known of one argument that holds commands or code.

    Equal to itself alone: what is found out about it is remembered by it.

    Attributes:
        source: the path of the argument, as ``args.command``.
        language: ``shell``, ``python``, ``sql`` or another language that was looked through for commands.
        text: the argument.
        programs: the names of the programs that run, in order, wrappers included.
        commands: the simple commands, wrappers taken off.
        flags: all flags of all commands.
        targets: operands and redirection targets of all commands, without the unknown ones.
        effects: what the commands do, each kind once.
        deeds: the same at length, with what it is done to and how grave it is.
        opaque: whether some of it could not be read; what could was judged all the same.
        why_opaque: what could not be read.
        may_harm: whether it is opaque and holds words that would do harm if they were a command after all.
        certain: whether the argument is a command by its name or its tool, and not only by its look.
    """

    source: str
    language: str
    text: str
    programs: tuple[str, ...] = ()
    commands: tuple[ShellCommand, ...] = ()
    flags: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    effects: tuple[Effect, ...] = ()
    deeds: tuple[Deed, ...] = ()
    opaque: bool = False
    why_opaque: str = ""
    may_harm: bool = False
    certain: bool = True
