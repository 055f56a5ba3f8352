"""The command ``agent-replay``: from a command line to one verb, and from its outcome to an exit code.

A verb's module is imported only when it is called, so that help costs nothing.
Nothing here knows what a verb does.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from pytest_agentreplay.cli import terminal
from pytest_agentreplay.cli.arguments import parser
from pytest_agentreplay.cli.failures import told
from pytest_agentreplay.errors import SettingsError

WRONG = 1
USAGE = 2
INTERRUPTED = 130  # what shells give a command that Ctrl-C ended


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code.

    0: fine. 1: something differs, is blocked or is invalid. 2: wrong usage, or a hook that gives no verdict.

    Args:
        argv: the arguments, without the program's name; those of this process if left out.
    """
    try:
        options = parser().parse_args(argv)
        outcome: terminal.Outcome | int = import_module(f"{__name__}.{options.module}").run(options)
        if isinstance(outcome, int):  # the verb has said everything as it went
            code = outcome
        else:
            terminal.say(outcome, as_json=options.json)
            code = outcome.code
    except SystemExit as stop:  # argparse has said what is wrong, or given its help
        code = stop.code if isinstance(stop.code, int) else USAGE
    except SettingsError as error:
        code = terminal.complain(told(error), USAGE)
    except KeyboardInterrupt as error:
        code = terminal.complain(told(error), INTERRUPTED)
    except Exception as error:
        code = terminal.complain(told(error), WRONG)
    terminal.settle()
    return USAGE if code and _answers_a_hook(sys.argv[1:] if argv is None else argv) else code


def _answers_a_hook(argv: Sequence[str]) -> bool:
    """Tell whether a coding agent asks, which takes every code but 0 and 2 for leave to go on."""
    return any(argument.partition("=")[0] == "--hook" for argument in argv)
