"""Shapes of scripts that mean something before anything is expanded. Nothing here follows a script."""

from __future__ import annotations

from pytest_agentreplay.guards.analysis.shell.expansion import Variables
from pytest_agentreplay.guards.analysis.shell.syntax import (
    Command,
    Compound,
    Parameter,
    ProcessSubstitution,
    Script,
    Simple,
    Word,
)


def is_fed(word: Word) -> bool:
    """Tell whether a word holds ``>(...)``, which reads what the command around it prints."""
    return isinstance(word, tuple) and any(
        isinstance(part, ProcessSubstitution) and part.direction == ">" for part in word
    )


def first_program(command: Command) -> str:
    """Give the program of a command where it is written out."""
    if isinstance(command, Simple) and command.words and isinstance(command.words[0], str):
        return command.words[0].rpartition("/")[2]
    return ""


def is_choice(word: Word, variables: Variables) -> bool:
    """Tell whether a program's name is one of several that a variable may hold, not a name with its arguments."""
    names = [part.name for part in word if isinstance(part, Parameter)] if isinstance(word, tuple) else []
    return any(len(variables.values.get(name, ())) > 1 for name in names) and not any(
        isinstance(part, Parameter) and part.index in ("@", "*") for part in word
    )


def multiplies(name: str, body: Script) -> bool:
    """Tell whether a function starts itself in the background or in a pipe, so that it multiplies."""
    waiting = list(body)
    while waiting:
        pipeline = waiting.pop()
        for command in pipeline.commands:
            if isinstance(command, Compound):
                waiting += command.body
            elif first_program(command) == name and (pipeline.background or len(pipeline.commands) > 1):
                return True
    return False
