"""One command about to run: its program and arguments, what it reads, and where.

What wrappers, outputs and deeds are asked about. Nothing here judges.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

from pytest_agentreplay.guards.analysis.shell.arguments import Parted, part_arguments
from pytest_agentreplay.guards.analysis.shell.facts import Deed, Effect, ShellCommand, ShellRedirect
from pytest_agentreplay.guards.analysis.shell.places import Place, place_of, resolve
from pytest_agentreplay.guards.analysis.shell.unknown import published, shown
from pytest_agentreplay.trace import Severity

_SHOWN: Final = 200
_WRITES: Final = frozenset((">", ">>", ">|", "&>", "&>>", "<>"))


class Redirect(NamedTuple):
    """A redirection, its word expanded."""

    operator: str
    target: str
    descriptor: str = ""


@dataclass(slots=True)  # not frozen, which makes it twice as dear: there is one for each command
class Frame:
    """What surrounds a command; it never changes.

    Attributes:
        stdin: the text that it reads; None where it reads nothing that was given to it.
        before: the programs whose output reaches it, the nearest last.
        after: the program that reads its output.
        through: the wrappers that it was found under.
    """

    stdin: str | None = None
    before: tuple[str, ...] = ()
    after: str = ""
    through: tuple[str, ...] = ()
    redirects: tuple[Redirect, ...] = ()
    assignments: tuple[tuple[str, str], ...] = ()
    directory: str = ""


@dataclass
class Call:
    """One command with its arguments, ready to be judged.

    Attributes:
        program: the program's name without its directory.
        args: its arguments, unknown stretches in place.
    """

    program: str
    args: list[str]
    frame: Frame = field(default_factory=Frame)

    @cached_property
    def parted(self) -> Parted:
        """The arguments by what they are."""
        return part_arguments(self.program, self.args)

    @property
    def flags(self) -> frozenset[str]:
        """The flags."""
        return self.parted.flags

    @property
    def operands(self) -> tuple[str, ...]:
        """What is neither a flag nor a flag's value."""
        return self.parted.operands

    @property
    def values(self) -> dict[str, str]:
        """The values of the flags that take one."""
        return self.parted.values

    def has(self, *flags: str) -> bool:
        """Tell whether any of some flags is given; long ones may be abbreviated."""
        given = self.parted.flags
        for flag in flags:
            if flag in given:
                return True
            if flag[:2] == "--" and any(
                word[:3] == flag[:3] and len(word) > 3 and flag.startswith(word) for word in given
            ):
                return True
        return False

    def word(self, index: int) -> str:
        """Give one operand, the empty text where there are fewer."""
        operands = self.parted.operands
        return operands[index] if index < len(operands) else ""

    def path(self, word: str) -> str:
        """Resolve a path that the command was given."""
        return resolve(word, self.frame.directory)

    def place(self, word: str) -> Place:
        """Tell what a path is that the command was given."""
        return place_of(resolve(word, self.frame.directory))

    @cached_property
    def text(self) -> str:
        """The command as people read it, cut where it is long."""
        text = shown(" ".join((self.program, *self.args)))
        return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."

    def deed(self, effect: Effect, severity: Severity, target: str, reason: str) -> Deed:
        """Tell one thing that this command does."""
        return Deed(effect, severity, shown(target), reason, self.text)

    def writes(self) -> list[tuple[str, str]]:
        """List the files that redirections write, each with its operator."""
        return [(each.target, each.operator) for each in self.frame.redirects if each.operator in _WRITES]

    def command(self) -> ShellCommand:
        """Give the command as a fact."""
        flags, operands, _ = self.parted
        frame = self.frame
        return ShellCommand(
            published(self.program) or "",
            (published(self.program), *[published(word) for word in self.args]),
            tuple(sorted(flags)) if len(flags) > 1 else tuple(flags),
            tuple([published(word) for word in operands]),
            tuple([ShellRedirect(each.operator, published(each.target), each.descriptor) for each in frame.redirects]),
            tuple([(name, published(value)) for name, value in frame.assignments]),
            frame.through,
            frame.before[-1] if frame.before else None,
            frame.after or None,
        )
