"""The command ``agent-replay``: from a command line to one verb, and from its outcome to an exit code.

A verb's module is imported only when it is called, so that help costs nothing.
Nothing here knows what a verb does.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from pytest_agentreplay.cli import terminal
from pytest_agentreplay.cli.arguments import parser
from pytest_agentreplay.errors import AgentReplayError, SettingsError, describe

WRONG = 1
USAGE = 2
INTERRUPTED = 130  # what shells give a command that Ctrl-C ended


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code.

    0: fine. 1: something differs, is invalid or was refused. 2: wrong usage.

    Args:
        argv: the arguments, without the program's name; those of this process if left out.
    """
    try:
        options = parser().parse_args(argv)
        outcome = import_module(f"{__name__}.{options.module}").run(options)
        terminal.say(outcome, as_json=options.json)
        code: int = outcome.code
    except SystemExit as stop:  # argparse has said what is wrong, or given its help
        code = stop.code if isinstance(stop.code, int) else USAGE
    except SettingsError as error:
        code = terminal.complain(str(error), USAGE)
    except AgentReplayError as error:
        code = terminal.complain(str(error), WRONG)
    except OSError as error:
        code = terminal.complain(_system_error(error), WRONG)
    except KeyboardInterrupt:
        code = terminal.complain("interrupted", INTERRUPTED)
    except Exception as error:
        code = terminal.complain(_internal_error(error), WRONG)
    terminal.settle()
    return code


def _system_error(error: OSError) -> str:
    at = {"at": str(error.filename)} if error.filename else {}
    return describe((error.strerror or str(error)).lower(), {**at, "next": "correct that, and try again"})


def _internal_error(error: Exception) -> str:
    place = traceback.extract_tb(error.__traceback__)[-1]
    at = f"{Path(place.filename).name}:{place.lineno}, in {place.name}"
    report = "report it with the command that you typed: this is a mistake in agent-replay or in one of its plugins"
    return describe(f"internal error: {type(error).__name__}: {error}", {"at": at, "next": report})
