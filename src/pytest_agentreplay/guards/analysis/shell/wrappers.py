"""Wrappers: programs that run another one, and where in their arguments it is.

Each wrapper gives what it runs: the words of a command, or the text of a
script. Nothing here knows what becomes of it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Final

from pytest_agentreplay.guards.analysis.shell.call import Call
from pytest_agentreplay.guards.analysis.shell.inner import Argv, Inner, Text, Unwrap, option_text, skip_flags
from pytest_agentreplay.guards.analysis.shell.launchers import (
    unwrap_docker,
    unwrap_expect,
    unwrap_find,
    unwrap_kubectl,
    unwrap_parallel,
    unwrap_ssh,
    unwrap_terminal,
    unwrap_windows,
    unwrap_xargs,
)
from pytest_agentreplay.redaction.keys import words

_ASSIGNMENT: Final = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)


def _prefix(valued: str = "", positional: int = 0) -> Unwrap:
    flags = frozenset(valued.split())

    def unwrap(call: Call) -> Iterator[Inner]:
        rest = skip_flags(call.args, flags, positional)
        assignments = []
        while rest and (found := _ASSIGNMENT.fullmatch(rest[0])):
            assignments.append((found[1], found[2]))
            rest = rest[1:]
        if rest or assignments:
            yield Argv(rest, tuple(assignments))

    return unwrap


def _after_verb(verbs: str, valued: str = "", positional: int = 0) -> Unwrap:
    """Unwrap programs of which only some verbs run a command, as ``poetry run``."""
    names, flags = frozenset(verbs.split()), frozenset(valued.split())

    def unwrap(call: Call) -> Iterator[Inner]:
        for place, word in enumerate(call.args[:8]):
            if word in names:
                rest = skip_flags(call.args[place + 1 :], flags, positional)
                if len(rest) == 1 and " " in rest[0]:
                    yield Text(rest[0])
                elif rest:
                    yield Argv(rest)
                return

    return unwrap


def _after_dashes(call: Call) -> Iterator[Inner]:
    if "--" in call.args:
        rest = call.args[call.args.index("--") + 1 :]
        if rest:
            yield Argv(rest)


def _both(*unwraps: Unwrap) -> Unwrap:
    def unwrap(call: Call) -> Iterator[Inner]:
        for each in unwraps:
            yield from each(call)

    return unwrap


def _joined(valued: str = "", positional: int = 0) -> Unwrap:
    """Unwrap programs that hand their words to a shell, joined by blanks."""
    flags = frozenset(valued.split())

    def unwrap(call: Call) -> Iterator[Inner]:
        rest = skip_flags(call.args, flags, positional)
        if rest:
            yield Text(" ".join(rest))

    return unwrap


def _env(call: Call) -> Iterator[Inner]:
    args = call.args
    for place, word in enumerate(args):
        if word in ("-S", "--split-string") and place + 1 < len(args):
            yield Text(f"{args[place + 1]} {shlex.join(args[place + 2 :])}")
            return
        if word.startswith("-S") or word.startswith("--split-string="):
            yield Text(" ".join((word.removeprefix("--split-string=").removeprefix("-S"), *args[place + 1 :])))
            return
        if word[:1] == "-" and len(word) > 2 and word[1] != "-" and word.endswith("S") and place + 1 < len(args):
            yield Text(" ".join(args[place + 1 :]))
            return
        if word[:1] != "-" and "=" not in word:
            break
    yield from _prefix("-u --unset -C --chdir -a --argv0")(
        Call("env", ["--", *args[1:]] if args[:1] == ["-"] else args, call.frame)
    )


def _command(call: Call) -> Iterator[Inner]:
    if not (call.args and call.args[0] in ("-v", "-V", "-pv")):
        yield from _prefix()(call)


def _timeout(call: Call) -> Iterator[Inner]:
    rest = skip_flags(call.args, frozenset(("-k", "--kill-after", "-s", "--signal")), 1)
    if rest:
        yield Argv(rest)


def _su(call: Call) -> Iterator[Inner]:
    yield from option_text("-c", "--command", "-lc", "--session-command")(call)
    args = call.args
    if "--" in args and call.program == "runuser":
        yield Argv(args[args.index("--") + 1 :])
    elif call.program == "runuser" and "-u" in args:
        rest = args[args.index("-u") + 2 :]
        if rest and rest[0][:1] != "-":
            yield Argv(rest)


def _busybox(call: Call) -> Iterator[Inner]:
    if call.args and call.args[0][:1] != "-":
        yield Argv(call.args)


def _loader(call: Call) -> Iterator[Inner]:
    rest = skip_flags(call.args, frozenset(("--library-path", "--preload", "--audit", "--argv0")))
    if rest:
        yield Argv(rest)


def _gdb(call: Call) -> Iterator[Inner]:
    for inner in option_text("-ex", "--eval-command")(call):
        if isinstance(inner, Text):
            yield Text(re.sub(r"^\s*(?:!|shell\s+)", "", inner.text))


def _flock(call: Call) -> Iterator[Inner]:
    yield from option_text("-c", "--command")(call)
    rest = skip_flags(call.args, frozenset(("-w", "--timeout", "--wait", "-E")), 1)
    if rest and rest[0] not in ("-c", "--command"):
        yield Argv(rest)


def _salt(call: Call) -> Iterator[Inner]:
    for place, word in enumerate(call.args[:-1]):
        if word in ("cmd.run", "cmd.shell", "cmd.run_all", "cmd.script"):
            yield Text(call.args[place + 1])


def _daemon(call: Call) -> Iterator[Inner]:
    rest = call.args[call.args.index("--") + 1 :] if "--" in call.args else []
    for inner in option_text("--exec", "-x", "--startas", "-a")(call):
        if isinstance(inner, Text):
            yield Argv([inner.text, *rest])


WRAPPERS: Final[dict[str, Unwrap]] = {
    "sudo": _prefix(
        "-u -g -h -p -C -r -t -T -U -D -R --user --group --host --prompt --chdir --chroot --role"
        " --type --other-user --close-from"
    ),
    "doas": _prefix("-u -C -a"),
    "pkexec": _prefix("--user"),
    "gosu": _prefix("", 1),
    "su-exec": _prefix("", 1),
    "setpriv": _prefix("--reuid --regid --groups"),
    "capsh": option_text("-c"),
    "env": _env,
    "busybox": _busybox,
    "toybox": _busybox,
    "timeout": _timeout,
    "gtimeout": _timeout,
    "flock": _flock,
    "watch": _joined("-n --interval -q --equexit"),
    "eval": _joined(),
    "ssh": unwrap_ssh,
    "mosh": unwrap_ssh,
    "autossh": unwrap_ssh,
    "sshpass": _prefix("-p -f -d -P"),
    "su": _su,
    "runuser": _su,
    "sg": _su,
    "newgrp": _su,
    "script": option_text("-c", "--command", "-qc", "-qec", "-ec", "-qfc", "-fqc"),
    "docker": unwrap_docker,
    "podman": unwrap_docker,
    "nerdctl": unwrap_docker,
    "docker-compose": unwrap_docker,
    "kubectl": unwrap_kubectl,
    "oc": unwrap_kubectl,
    "find": unwrap_find,
    "gfind": unwrap_find,
    "xargs": unwrap_xargs,
    "gxargs": unwrap_xargs,
    "parallel": unwrap_parallel,
    "tmux": unwrap_terminal,
    "screen": unwrap_terminal,
    "expect": unwrap_expect,
    "cmd": unwrap_windows,
    "cmd.exe": unwrap_windows,
    "wsl": _prefix("-d -u --distribution --user -e --exec --cd"),
    "chroot": _prefix("--userspec --groups", 1),
    "arch-chroot": _prefix("-u", 1),
    "taskset": _prefix("", 1),
    "chrt": _prefix("", 1),
    "vagrant": _both(option_text("-c", "--command")),
    "heroku": _after_verb("run run:detached", "-a --app -s --size -r --remote"),
    "fly": option_text("-C", "--command"),
    "flyctl": option_text("-C", "--command"),
    "gcloud": _both(option_text("--command"), _after_dashes),
    "az": option_text("--command", "--scripts", "--command-to-execute"),
    "lxc": _after_dashes,
    "incus": _after_dashes,
    "lxc-attach": _after_dashes,
    "systemd-nspawn": _prefix("-D -M --directory --machine"),
    "nix-shell": option_text("--run", "--command"),
    "nix": _both(option_text("-c", "--command"), _after_dashes),
    "npx": _both(_prefix("-p --package"), option_text("-c", "--call")),
    "bunx": _prefix(),
    "uvx": _prefix("--from --with -p --python"),
    "npm": _both(_after_verb("exec x", "-p --package"), option_text("-c", "--call")),
    "pnpm": _after_verb("exec dlx"),
    "yarn": _after_verb("exec dlx"),
    "bundle": _after_verb("exec"),
    "poetry": _after_verb("run"),
    "pipenv": _after_verb("run"),
    "uv": _after_verb("run", "--with -p --python --project --directory --extra --group --env-file --from"),
    "hatch": _after_verb("run"),
    "pdm": _after_verb("run"),
    "rye": _after_verb("run"),
    "pixi": _after_verb("run exec"),
    "conda": _after_verb("run", "-n --name -p --prefix --cwd"),
    "mamba": _after_verb("run", "-n --name -p --prefix --cwd"),
    "micromamba": _after_verb("run", "-n --name -p --prefix --cwd"),
    "direnv": _after_verb("exec", "", 1),
    "asdf": _after_verb("exec"),
    "rbenv": _after_verb("exec"),
    "pyenv": _after_verb("exec"),
    "ip": lambda call: (Argv(call.args[3:]) for _ in (1,) if call.args[:2] == ["netns", "exec"] and call.args[3:]),
    "perf": _after_verb("stat record trace", "-e -o -F -p"),
    "aws-vault": _after_dashes,
    "op": _after_dashes,
    "doppler": _both(_after_dashes, option_text("--command")),
    "chamber": _after_dashes,
    "mise": _after_dashes,
    "cargo": _after_verb("watch-exec"),
    "entr": _prefix(),
    "nodemon": option_text("--exec", "-x"),
    "start-stop-daemon": _daemon,
    "adb": _after_verb("shell exec-out exec-in"),
    **dict.fromkeys(
        ("pdsh", "clush", "pssh", "parallel-ssh", "dsh", "mussh"), _joined("-w -h -H -l -g -x -t -u -p -f -R -o")
    ),
    "salt": _salt,
    "salt-call": _salt,
    "fab": _after_dashes,
    "ld.so": _loader,
    "command": _command,
    **dict.fromkeys(
        words("builtin nohup setsid fakeroot dbus-run-session dbus-launch catchsegv rlwrap unbuffer"),
        _prefix(),
    ),
    **dict.fromkeys(("exec",), _prefix("-a")),
    **dict.fromkeys(("time", "gtime"), _prefix("-f -o --format --output")),
    **dict.fromkeys(("nice", "gnice"), _prefix("-n --adjustment")),
    **dict.fromkeys(("ionice",), _prefix("-c -n --class --classdata")),
    **dict.fromkeys(("stdbuf", "gstdbuf"), _prefix("-i -o -e --input --output --error")),
    **dict.fromkeys(("strace", "ltrace", "dtruss"), _prefix("-e -o -p -s -u -P -E")),
    "unshare": _prefix("-R -w -S -G --root --wd --setuid --setgid"),
    "nsenter": _prefix("-t --target -S -G --setuid --setgid"),
    "proot": _prefix("-r -b -w -R -S"),
    **dict.fromkeys(("firejail", "torsocks", "torify"), _prefix()),
    **dict.fromkeys(("proxychains", "proxychains4"), _prefix("-f")),
    **dict.fromkeys(
        words(
            "systemd-run systemd-inhibit systemd-cat caffeinate xvfb-run prlimit cpulimit cgexec numactl"
            " setarch linux32 linux64"
        ),
        _prefix("-p --property --unit -u -g -s -n --what --who --why -t -w -l"),
    ),
    **dict.fromkeys(
        words("valgrind gdb lldb dotenv with-contenv dumb-init tini logsave trickle chronic ts retry dotenvx"),
        _prefix(),
    ),
}
WRAPPERS.update(
    {
        "dotenvx": _after_dashes,
        "gdb": _gdb,
        "logsave": _prefix("", 1),
    }
)

LOADER: Final = re.compile(r"ld-(?:linux|musl)[\w.-]*\.so[.\d]*$|ld\.so$")
