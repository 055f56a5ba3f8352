"""Builtins that change what the commands after them mean: the directory, variables, positional arguments, traps.

Each gives what it prints, or None where it is like any other program here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from pytest_agentreplay.guards.analysis.shell.call import Call
from pytest_agentreplay.guards.analysis.shell.outputs import output_of
from pytest_agentreplay.guards.analysis.shell.unknown import is_known, unknown

if TYPE_CHECKING:
    from pytest_agentreplay.guards.analysis.shell.running import Runner

Builtin = Callable[["Runner", Call], str | None]


def _cd(runner: Runner, call: Call) -> str:
    target = next((word for word in call.args if word[:1] != "-" or word == "-"), "~")
    if target == "-":
        runner.directory = ""
    elif target not in (".", ""):
        runner.directory = call.path(target)
    return ""


def _popd(runner: Runner, call: Call) -> str:
    runner.directory = ""
    return ""


def _read(runner: Runner, call: Call) -> str:
    valued = frozenset(("-d", "-n", "-N", "-p", "-t", "-u", "-i"))
    names: list[str] = []
    skip = False
    for word in call.args:
        if skip:
            skip = False
        elif word in valued:
            skip = True
        elif word[:1] != "-":
            names.append(word)
    given = runner.stdin if call.frame.stdin is None else call.frame.stdin
    lines = (given if given is not None else unknown("REPLY")).splitlines() or [""]
    if len(names) > 1:
        for place, name in enumerate(names):
            pieces = [line.split(None, len(names) - 1) for line in lines[:16]]
            runner.variables.values[name] = [piece[place] for piece in pieces if place < len(piece)] or [unknown(name)]
    else:
        found = [
            line if is_known(line) or line.strip("\x00\x03") else unknown((names or ["REPLY"])[0])
            for line in lines[:16]
        ]
        runner.variables.values[(names or ["REPLY"])[0]] = found
    return ""


def _mapfile(runner: Runner, call: Call) -> str:
    name = next((word for word in reversed(call.args) if word[:1] != "-"), "MAPFILE")
    runner.variables.values[name] = (call.frame.stdin or unknown(name)).splitlines()[:64] or [""]
    return ""


def _set(runner: Runner, call: Call) -> str | None:
    if "--" in call.args:
        runner.variables.positional = ["bash", *call.args[call.args.index("--") + 1 :]]
    elif call.args and call.args[0][:1] not in "-+":
        runner.variables.positional = ["bash", *call.args]
    return None


def _shift(runner: Runner, call: Call) -> str:
    if runner.variables.positional:
        del runner.variables.positional[1:2]
    return ""


def _printf(runner: Runner, call: Call) -> str | None:
    if call.args[:1] != ["-v"] or len(call.args) < 3:
        return None
    runner.variables.values[call.args[1]] = [output_of(call, runner.files)]
    return ""


def _trap(runner: Runner, call: Call) -> str:
    words = [word for word in call.args if word != "--"]
    if len(words) > 1 and words[0] not in ("", "-") and words[0][:1] != "-":
        runner.text(words[0])
    return ""


def _unalias(runner: Runner, call: Call) -> str:
    for name in call.args:
        runner.aliases.pop(name, None)
    return ""


def _hash(runner: Runner, call: Call) -> str | None:
    if call.args[:1] == ["-p"] and len(call.args) > 2:
        runner.aliases[call.args[2]] = call.args[1]
    return None


def _compgen(runner: Runner, call: Call) -> str | None:
    if "-C" in call.args and call.args.index("-C") + 1 < len(call.args):
        return runner.text(call.args[call.args.index("-C") + 1])
    return None


BUILTINS: Final[dict[str, Builtin]] = {
    "cd": _cd,
    "chdir": _cd,
    "pushd": _cd,
    "popd": _popd,
    "read": _read,
    "mapfile": _mapfile,
    "readarray": _mapfile,
    "set": _set,
    "shift": _shift,
    "printf": _printf,
    "trap": _trap,
    "unalias": _unalias,
    "hash": _hash,
    "complete": _compgen,
    "compgen": _compgen,
}
