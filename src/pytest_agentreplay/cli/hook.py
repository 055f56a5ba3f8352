"""``agent-replay check --hook claude-code``: the guard as a coding agent's pre-tool hook.

Ends with 0 and JSON on standard output, or with 2 and a reason on standard error, never
otherwise: a hook that ends with any other code lets the call through. Nothing here
knows rules, or what the agent's events look like.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from pytest_agentreplay.cli import terminal
from pytest_agentreplay.cli.failures import told
from pytest_agentreplay.cli.isolation import isolated
from pytest_agentreplay.errors import SettingsError

_BLOCK: Final = 2
_ENDING: Final = frozenset({"SIGTERM", "SIGHUP", "SIGXCPU", "SIGALRM"})
_LONGEST: Final = 20.0  # seconds; agents wait longer than that before they go on without their hooks


def run(options: argparse.Namespace) -> int:
    """Answer one event; returns the exit code, 0 or 2."""
    try:
        with _blocking_when_ended():
            if sys.stdin is None or sys.stdout is None:
                raise SettingsError("standard input or output is closed", next="leave both open to the hook")
            _send(isolated(lambda: _answer(options), _LONGEST))
    except BaseException as error:
        why = str(error) if isinstance(error, _Ended) else told(error)
        return terminal.complain(f"the call is blocked: {why}", _BLOCK)
    return 0


class _Ended(BaseException):
    """Somebody asks this process to end."""


@contextlib.contextmanager
def _blocking_when_ended() -> Iterator[None]:
    """Make an end from outside a refusal: a process that a signal ends has no exit code that blocks."""

    def end(number: int, frame: object) -> NoReturn:
        raise _Ended(f"the hook was ended by signal {number}")

    before: dict[int, Any] = {}
    with contextlib.suppress(ValueError):  # signals are the main thread's
        for name in _ENDING & set(vars(signal)):
            number = vars(signal)[name]
            before[number] = signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _answer(options: argparse.Namespace) -> str:
    from pytest_agentreplay.cli import claude_code
    from pytest_agentreplay.cli.calls import CallJudge
    from pytest_agentreplay.cli.json_objects import LARGEST, read_object

    event = claude_code.parse_event(read_object(sys.stdin.buffer.read(LARGEST + 1), "the event"))
    judge = CallJudge(options.policy, options.env, options.mode)
    session = claude_code.session_of(event) if claude_code.looks_back(judge.policies) else None
    return json.dumps(claude_code.answer(judge.judge(claude_code.call_of(event, session))))


def _send(text: str) -> None:
    """Write the answer; one that nobody got is none.

    Raises:
        OSError: when it can't be written.
    """
    data = text.encode("ascii") + b"\n"
    while data:
        data = data[os.write(sys.stdout.fileno(), data) :]
