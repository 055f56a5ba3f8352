"""Launchers: wrappers with a way of their own to say what they run, where and on what.

ssh, containers, ``find``, ``xargs``, terminals. Nothing here knows what becomes of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pytest_agentreplay.guards.analysis.shell.call import Call
from pytest_agentreplay.guards.analysis.shell.inner import Argv, Inner, Text, option_text, skip_flags
from pytest_agentreplay.guards.analysis.shell.unknown import ANY_DEPTH, unknown
from pytest_agentreplay.redaction.keys import words

_FIND_RUNS: Final = frozenset(("-exec", "-execdir", "-ok", "-okdir"))


_LOSES: Final = re.compile(r"[\s;|&()<>]")


def unwrap_ssh(call: Call) -> Iterator[Inner]:
    """Unwrap ``ssh``: what runs on the other machine, and what runs here to reach it."""
    valued = frozenset(
        [
            "-b",
            "-c",
            "-D",
            "-E",
            "-e",
            "-F",
            "-I",
            "-i",
            "-J",
            "-L",
            "-l",
            "-m",
            "-O",
            "-o",
            "-p",
            "-Q",
            "-R",
            "-S",
            "-W",
            "-w",
            "-B",
            "-P",
        ]
    )
    for place, word in enumerate(call.args):
        option = (
            word[2:]
            if word.startswith("-o") and len(word) > 2
            else call.args[place + 1]
            if word == "-o" and place + 1 < len(call.args)
            else ""
        )
        if option.lower().startswith(("proxycommand", "localcommand", "knownhostscommand", "remotecommand")):
            yield Text(option.partition("=")[2] or option.partition(" ")[2])
    rest = skip_flags(call.args, valued)
    host, *command = rest or [""]
    command = skip_flags(command, valued)
    if command:
        yield Text(" ".join(command))
        if any(
            _LOSES.search(word) for word in command
        ):  # the quotes are lost on the way, which whoever wrote it forgot
            yield Argv(command)
    elif host and call.frame.stdin is not None:
        yield Text(call.frame.stdin)


_DOCKER_VALUED: Final = words(
    "-e --env -u --user -w --workdir --env-file --name -v --volume -p --publish --network --net"
    " --entrypoint -m --memory --cpus -l --label --mount --platform --pull --restart -h"
    " --hostname --add-host --device --cap-add --cap-drop --security-opt --ipc --pid --shm-size"
    " --tmpfs --ulimit --gpus --runtime --log-driver --log-opt --dns --expose --link"
    " --volumes-from --userns --detach-keys --index --group-add --ip"
)


def unwrap_docker(call: Call) -> Iterator[Inner]:
    """Unwrap what runs in a container."""
    args = call.args
    if (call.word(0)) == "compose":
        args = [word for place, word in enumerate(args) if place != args.index("compose")]
    for place, word in enumerate(args[:12]):
        if word in ("exec", "run"):
            given = args[place + 1 :]
            rest = skip_flags(given, _DOCKER_VALUED)
            entrypoint = _value_of(given, "--entrypoint")
            if entrypoint:
                yield Argv([entrypoint, *rest[1:]])
            elif rest[1:]:
                yield Argv(rest[1:])
            return


def _value_of(args: list[str], option: str) -> str:
    for place, word in enumerate(args):
        if word.startswith(option + "="):
            return word[len(option) + 1 :]
        if word == option and place + 1 < len(args):
            return args[place + 1]
    return ""


def unwrap_kubectl(call: Call) -> Iterator[Inner]:
    """Unwrap what runs in a pod."""
    if "exec" not in call.args[:10] and "run" not in call.args[:10] and "debug" not in call.args[:10]:
        return
    if "--" in call.args:
        yield Argv(call.args[call.args.index("--") + 1 :])
    elif "exec" in call.operands and len(call.operands) > 2:
        yield Argv(list(call.operands[call.operands.index("exec") + 2 :]))


def unwrap_find(call: Call) -> Iterator[Inner]:
    """Unwrap what ``find`` runs for each file, the path put in."""
    path = found_path(call)
    for place, word in enumerate(call.args):
        if word in _FIND_RUNS:
            words = []
            for inner in call.args[place + 1 :]:
                if inner in (";", "+"):
                    break
                words.append(inner.replace("{}", path))
            if words:
                yield Argv(words)


def found_path(call: Call) -> str:
    """Give the path that ``find`` hands on: its root, something unknown, and the name it looks for."""
    roots = []
    for word in call.args:
        if word[:1] in ("-", "(", "!") and word not in ("-L", "-H", "-P", "-O3"):
            break
        if word[:1] != "-":
            roots.append(word)
    args = without_negated(call.args)
    name = next((args[place + 1] for place, word in enumerate(args[:-1]) if word in ("-name", "-iname")), "")
    root = (roots or ["."])[-1] if len(roots) < 2 else _worst(call, roots)
    limited = any(
        word.startswith(("-m", "-c", "-a", "-size", "-empty", "-newer", "-path", "-regex", "-user", "-wholename"))
        for word in args
    )
    if name or limited or root not in (".", "./"):
        return f"{root.rstrip('/')}/{unknown(ANY_DEPTH)}" + (f"/{name}" if name and set(name) - {"*", "."} else "")
    return root


def without_negated(args: list[str]) -> list[str]:
    """Leave out the tests of ``find`` that are negated: what they let through is nearly everything."""
    kept: list[str] = []
    skip = 0
    for word in args:
        if skip:
            skip -= 1
        elif word in ("!", "-not"):
            skip = 2
        else:
            kept.append(word)
    return kept


def _worst(call: Call, roots: list[str]) -> str:
    order = ("root", "home", "system", "empty", "parent", "machine", "personal", "top", "user", "outside", "variable")
    ranked = [(order.index(place) if (place := call.place(root)) in order else len(order), root) for root in roots]
    return min(ranked, key=lambda pair: pair[0])[1]


_XARGS_VALUED: Final = words(
    "-a --arg-file -d --delimiter -E -I --replace -L --max-lines -n --max-args -P --max-procs -s --max-chars -J -R -S"
)


def unwrap_xargs(call: Call) -> Iterator[Inner]:
    """Unwrap ``xargs``, with what it reads as far as that is known."""
    mark, rest = "", skip_flags(call.args, _XARGS_VALUED)
    for place, word in enumerate(call.args[: len(call.args) - len(rest)]):
        if word in ("-I", "-J") and place + 1 < len(call.args):
            mark = call.args[place + 1]
        elif word.startswith("-I") or word == "-i" or word.startswith("--replace"):
            mark = word[2:] if word.startswith("-I") else word.partition("=")[2] or "{}"
    given = call.frame.stdin
    if not rest:
        return
    if mark:
        items = [unknown("input")] if given is None else given.splitlines()
        for item in items[:8]:
            yield Argv([word.replace(mark, item) for word in rest])
    else:
        items = [unknown("input")] if given is None else given.split()
        yield Argv([*rest, *items[:64]])


def unwrap_parallel(call: Call) -> Iterator[Inner]:
    """Unwrap ``parallel``, with what it is given."""
    rest = skip_flags(
        call.args,
        words("-j --jobs -a --arg-file --colsep -S --sshlogin --tmpdir --joblog -N -n -I --delay --timeout --retries"),
    )
    template: list[str] = []
    given: list[str] = []
    sources = False
    for word in rest:
        if word in (":::", "::::", ":::+"):
            sources = True
        else:
            (given if sources else template).append(word)
    items = given or (call.frame.stdin or unknown("input")).splitlines()
    text = " ".join(template)
    pieces = re.split(r"\{[./]*\}", text)
    for item in items[:16]:
        yield Text(item.join(pieces) if len(pieces) > 1 else f"{text} {item}".strip())


def unwrap_terminal(call: Call) -> Iterator[Inner]:
    """Unwrap tmux and screen: what is sent as keys, and the command of a new session."""
    args = call.args
    for place, word in enumerate(args[:6]):
        if word in ("send-keys", "send", "stuff"):
            keys = [
                key
                for key in skip_flags(args[place + 1 :], frozenset(("-t", "-N")))
                if key not in ("Enter", "C-m", "KPEnter")
            ]
            yield Text(" ".join(keys).replace("\\n", "\n"))
            return
        if word in (
            "new",
            "new-session",
            "new-window",
            "neww",
            "split-window",
            "splitw",
            "respawn-pane",
            "run-shell",
            "run",
            "if-shell",
        ):
            yield Text(
                " ".join(skip_flags(args[place + 1 :], frozenset(("-s", "-n", "-t", "-c", "-x", "-y", "-e", "-F"))))
            )
            return
    if call.program == "screen":
        rest = skip_flags(args, frozenset(("-S", "-dmS", "-DmS", "-t", "-c", "-s", "-T", "-L", "-h")))
        if rest:
            yield Argv(rest)


def unwrap_expect(call: Call) -> Iterator[Inner]:
    """Unwrap what ``expect`` spawns."""
    for script in option_text("-c")(call):
        if isinstance(script, Text):
            yield Text(re.sub(r"\bspawn\s+(?:-\w+\s+)*", "", script.text))


def unwrap_windows(call: Call) -> Iterator[Inner]:
    """Unwrap ``cmd /c``."""
    for place, word in enumerate(call.args):
        if word.lower() in ("/c", "/k", "/r", "-c", "//c"):
            yield Text(" ".join(call.args[place + 1 :]))
            return
