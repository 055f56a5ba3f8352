"""``agent-replay check``: verdicts for calls that somebody else is about to make.

0: not blocked. 1: blocked. 2: no verdict could be made, and then a block stands on
standard output all the same: whoever reads that alone never takes an error for an
allow. Nothing here knows rules.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from pytest_agentreplay.cli import terminal
from pytest_agentreplay.cli.failures import told
from pytest_agentreplay.cli.terminal import Outcome
from pytest_agentreplay.errors import SettingsError

if TYPE_CHECKING:
    from pytest_agentreplay.cli.calls import CallJudge

_BLOCKED: Final = 1
_NO_VERDICT: Final = 2


def run(options: argparse.Namespace) -> Outcome | int:
    """Judge one call, one a line, or one of a coding agent."""
    if options.hook is not None:
        from pytest_agentreplay.cli import hook

        return hook.run(options)
    try:
        return _stream(options) if options.jsonl else _single(options)
    except (Exception, SystemExit) as error:  # a rule in Python may end the process: not with 0
        return _without_verdict(error, options.env)


def _single(options: argparse.Namespace) -> Outcome:
    from pytest_agentreplay.cli.json_objects import LARGEST

    judge = _judge(options)
    return _outcome(_judged(judge, _stdin().read(LARGEST + 1)))


def _judge(options: argparse.Namespace) -> CallJudge:
    from pytest_agentreplay.cli.calls import CallJudge

    return CallJudge(options.policy, options.env, options.mode)


def _judged(judge: CallJudge, data: bytes) -> dict[str, Any]:
    from pytest_agentreplay.cli.calls import parse_call, verdict_data
    from pytest_agentreplay.cli.json_objects import read_object

    return verdict_data(judge.judge(parse_call(read_object(data, "the call"))))


def _outcome(data: dict[str, Any], code: int | None = None) -> Outcome:
    blocked = _BLOCKED if data["decision"] == "block" else 0
    return Outcome(json.dumps(data, indent=2), data, blocked if code is None else code)


def _without_verdict(error: BaseException, environment: str) -> Outcome:
    terminal.complain(told(error), _NO_VERDICT)
    return _outcome(_refusal(error, environment), _NO_VERDICT)


def _refusal(error: BaseException, environment: str) -> dict[str, Any]:
    from pytest_agentreplay.cli.calls import refusal, verdict_data

    return verdict_data(refusal(told(error).partition("\n")[0], environment))


def _stream(options: argparse.Namespace) -> int:
    judge = _judge(options)
    code, number = 0, 0
    for number, line in _lines():
        try:
            data = _judged(judge, line)
        except (Exception, SystemExit) as error:
            terminal.complain(f"line {number}: {told(error)}", _BLOCKED)
            data = _refusal(error, options.env)
        terminal.say_line(data)
        code = _BLOCKED if data["decision"] == "block" else code
    if not number:
        raise SettingsError("there is no call on standard input", next="send one JSON object a line")
    return code


def _lines() -> Iterator[tuple[int, bytes]]:
    """Give every line that isn't blank with its number, as soon as it is there; an endless one is cut."""
    from pytest_agentreplay.cli.json_objects import LARGEST

    stream, number = _stdin(), 0
    while line := stream.readline(LARGEST + 2):
        number += 1
        rest = line
        while len(rest) > LARGEST and not rest.endswith(b"\n"):
            rest = stream.readline(LARGEST + 2)
        if line.strip():
            yield number, line


def _stdin() -> Any:
    if sys.stdin is None:
        raise SettingsError("standard input is closed", next="send the call on standard input")
    return sys.stdin.buffer
