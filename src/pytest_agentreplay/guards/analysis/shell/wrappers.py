"""Wrappers: programs that run another one, and where in their arguments it is.

Each wrapper gives what it runs: the words of a command, or the text of a
script. Nothing here knows what becomes of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from pytest_agentreplay.guards.analysis.shell.call import Call
from pytest_agentreplay.guards.analysis.shell.unknown import ANY_DEPTH, unknown


@dataclass(frozen=True, slots=True)
class Argv:
    """A command in words; `assignments` are variables that are set for it."""

    words: list[str]
    assignments: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """A script; `positional` are its arguments, ``$0`` first."""

    text: str
    positional: tuple[str, ...] | None = None


Inner: TypeAlias = Argv | Text
Unwrap: TypeAlias = Callable[[Call], Iterator[Inner]]

_ASSIGNMENT: Final = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_FIND_RUNS: Final = frozenset(("-exec", "-execdir", "-ok", "-okdir"))


def _skip(args: list[str], valued: frozenset[str], positional: int = 0) -> list[str]:
    """Drop a wrapper's own flags and leading operands."""
    place = 0
    while place < len(args):
        word = args[place]
        if word == "--":
            place += 1
            break
        if word[:1] != "-" or len(word) == 1:
            break
        place += 2 if word in valued else 1
    rest = args[place:]
    for _ in range(positional):
        rest = rest[1:]
    return rest[1:] if positional and rest[:1] == ["--"] else rest


def _prefix(valued: str = "", positional: int = 0) -> Unwrap:
    flags = frozenset(valued.split())

    def unwrap(call: Call) -> Iterator[Inner]:
        rest = _skip(call.args, flags, positional)
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
                rest = _skip(call.args[place + 1 :], flags, positional)
                if rest:
                    yield Argv(rest)
                return

    return unwrap


def _after_dashes(call: Call) -> Iterator[Inner]:
    if "--" in call.args:
        rest = call.args[call.args.index("--") + 1 :]
        if rest:
            yield Argv(rest)


def _option_text(*options: str) -> Unwrap:
    """Unwrap programs that take a script in an option."""

    def unwrap(call: Call) -> Iterator[Inner]:
        for place, word in enumerate(call.args):
            name, equals, value = word.partition("=")
            if name in options:
                text = (
                    value if equals and name[:2] == "--" else call.args[place + 1] if place + 1 < len(call.args) else ""
                )
                if text:
                    yield Text(text)

    return unwrap


def _both(*unwraps: Unwrap) -> Unwrap:
    def unwrap(call: Call) -> Iterator[Inner]:
        for each in unwraps:
            yield from each(call)

    return unwrap


def _joined(valued: str = "", positional: int = 0) -> Unwrap:
    """Unwrap programs that hand their words to a shell, joined by blanks."""
    flags = frozenset(valued.split())

    def unwrap(call: Call) -> Iterator[Inner]:
        rest = _skip(call.args, flags, positional)
        if rest:
            yield Text(" ".join(rest))

    return unwrap


def _env(call: Call) -> Iterator[Inner]:
    args = call.args
    for place, word in enumerate(args):
        if word in ("-S", "--split-string") and place + 1 < len(args):
            yield Text(" ".join(args[place + 1 :]))
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
    rest = _skip(call.args, frozenset(("-k", "--kill-after", "-s", "--signal")), 1)
    if rest:
        yield Argv(rest)


def _su(call: Call) -> Iterator[Inner]:
    yield from _option_text("-c", "--command", "-lc", "--session-command")(call)
    args = call.args
    if "--" in args and call.program == "runuser":
        yield Argv(args[args.index("--") + 1 :])
    elif call.program == "runuser" and "-u" in args:
        rest = args[args.index("-u") + 2 :]
        if rest and rest[0][:1] != "-":
            yield Argv(rest)


def _ssh(call: Call) -> Iterator[Inner]:
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
    rest = _skip(call.args, valued)
    host, *command = rest or [""]
    command = _skip(command, valued)
    if command:
        yield Text(" ".join(command))
    elif host and call.frame.stdin is not None:
        yield Text(call.frame.stdin)


_DOCKER_VALUED: Final = frozenset(
    [
        "-e",
        "--env",
        "-u",
        "--user",
        "-w",
        "--workdir",
        "--env-file",
        "--name",
        "-v",
        "--volume",
        "-p",
        "--publish",
        "--network",
        "--net",
        "--entrypoint",
        "-m",
        "--memory",
        "--cpus",
        "-l",
        "--label",
        "--mount",
        "--platform",
        "--pull",
        "--restart",
        "-h",
        "--hostname",
        "--add-host",
        "--device",
        "--cap-add",
        "--cap-drop",
        "--security-opt",
        "--ipc",
        "--pid",
        "--shm-size",
        "--tmpfs",
        "--ulimit",
        "--gpus",
        "--runtime",
        "--log-driver",
        "--log-opt",
        "--dns",
        "--expose",
        "--link",
        "--volumes-from",
        "--userns",
        "--detach-keys",
        "--index",
        "--group-add",
        "--ip",
    ]
)


def _docker(call: Call) -> Iterator[Inner]:
    args = [word for word in call.args if word != "compose"]
    for place, word in enumerate(args[:12]):
        if word in ("exec", "run"):
            given = args[place + 1 :]
            rest = _skip(given, _DOCKER_VALUED)
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


def _kubectl(call: Call) -> Iterator[Inner]:
    if "exec" not in call.args[:10] and "run" not in call.args[:10] and "debug" not in call.args[:10]:
        return
    if "--" in call.args:
        yield Argv(call.args[call.args.index("--") + 1 :])
    elif "exec" in call.operands and len(call.operands) > 2:
        yield Argv(list(call.operands[call.operands.index("exec") + 2 :]))


def _find(call: Call) -> Iterator[Inner]:
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
    name = next((call.args[place + 1] for place, word in enumerate(call.args[:-1]) if word in ("-name", "-iname")), "")
    root = (roots or ["."])[-1] if len(roots) < 2 else _worst(call, roots)
    limited = any(
        word.startswith(("-m", "-c", "-a", "-size", "-empty", "-newer", "-path", "-regex", "-user", "-wholename"))
        for word in call.args
    )
    if name or limited or root not in (".", "./"):
        return f"{root.rstrip('/')}/{unknown(ANY_DEPTH)}" + (f"/{name}" if name and set(name) - {"*", "."} else "")
    return root


def _worst(call: Call, roots: list[str]) -> str:
    order = ("root", "home", "system", "empty", "parent", "machine", "personal", "top", "user", "outside", "variable")
    ranked = [(order.index(place) if (place := call.place(root)) in order else len(order), root) for root in roots]
    return min(ranked, key=lambda pair: pair[0])[1]


_XARGS_VALUED: Final = frozenset(
    [
        "-a",
        "--arg-file",
        "-d",
        "--delimiter",
        "-E",
        "-I",
        "--replace",
        "-L",
        "--max-lines",
        "-n",
        "--max-args",
        "-P",
        "--max-procs",
        "-s",
        "--max-chars",
        "-J",
        "-R",
        "-S",
    ]
)


def _xargs(call: Call) -> Iterator[Inner]:
    mark, rest = "", _skip(call.args, _XARGS_VALUED)
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


def _parallel(call: Call) -> Iterator[Inner]:
    rest = _skip(
        call.args,
        frozenset(
            [
                "-j",
                "--jobs",
                "-a",
                "--arg-file",
                "--colsep",
                "-S",
                "--sshlogin",
                "--tmpdir",
                "--joblog",
                "-N",
                "-n",
                "-I",
                "--delay",
                "--timeout",
                "--retries",
            ]
        ),
    )
    template, given, sources = [], [], False  # type: ignore[var-annotated]
    for word in rest:
        if word in (":::", "::::", ":::+"):
            sources = True
        else:
            (given if sources else template).append(word)
    items = given or (call.frame.stdin or unknown("input")).splitlines()
    text = " ".join(template)
    for item in items[:16]:
        if re.search(r"\{[./]*\}", text):
            yield Text(re.sub(r"\{[./]*\}", lambda _, item=item: item, text))  # type: ignore[misc]
        else:
            yield Text(f"{text} {item}".strip())


def _busybox(call: Call) -> Iterator[Inner]:
    if call.args and call.args[0][:1] != "-":
        yield Argv(call.args)


def _terminal(call: Call) -> Iterator[Inner]:
    """Unwrap tmux and screen: what is sent as keys, and the command of a new session."""
    args = call.args
    for place, word in enumerate(args[:6]):
        if word in ("send-keys", "send", "stuff"):
            keys = [
                key
                for key in _skip(args[place + 1 :], frozenset(("-t", "-N")))
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
            yield Text(" ".join(_skip(args[place + 1 :], frozenset(("-s", "-n", "-t", "-c", "-x", "-y", "-e", "-F")))))
            return
    if call.program == "screen":
        rest = _skip(args, frozenset(("-S", "-dmS", "-DmS", "-t", "-c", "-s", "-T", "-L", "-h")))
        if rest:
            yield Argv(rest)


def _loader(call: Call) -> Iterator[Inner]:
    rest = _skip(call.args, frozenset(("--library-path", "--preload", "--audit", "--argv0")))
    if rest:
        yield Argv(rest)


def _flock(call: Call) -> Iterator[Inner]:
    yield from _option_text("-c", "--command")(call)
    rest = _skip(call.args, frozenset(("-w", "--timeout", "--wait", "-E")), 1)
    if rest and rest[0] not in ("-c", "--command"):
        yield Argv(rest)


def _expect(call: Call) -> Iterator[Inner]:
    for script in _option_text("-c")(call):
        if isinstance(script, Text):
            yield Text(re.sub(r"\bspawn\s+(?:-\w+\s+)*", "", script.text))


def _windows(call: Call) -> Iterator[Inner]:
    for place, word in enumerate(call.args):
        if word.lower() in ("/c", "/k", "/r", "-c", "//c"):
            yield Text(" ".join(call.args[place + 1 :]))
            return


_NEVER: Final[Unwrap] = lambda call: iter(())  # noqa: E731

WRAPPERS: Final[dict[str, Unwrap]] = {
    "sudo": _prefix(
        "-u -g -h -p -C -r -t -T -U -D -R --user --group --host --prompt --chdir --chroot --role --type --other-user --close-from"
    ),
    "doas": _prefix("-u -C -a"),
    "pkexec": _prefix("--user"),
    "gosu": _prefix("", 1),
    "su-exec": _prefix("", 1),
    "setpriv": _prefix("--reuid --regid --groups"),
    "capsh": _option_text("-c"),
    "env": _env,
    "busybox": _busybox,
    "toybox": _busybox,
    "timeout": _timeout,
    "gtimeout": _timeout,
    "flock": _flock,
    "watch": _joined("-n --interval -q --equexit"),
    "eval": _joined(),
    "ssh": _ssh,
    "mosh": _ssh,
    "autossh": _ssh,
    "sshpass": _prefix("-p -f -d -P"),
    "su": _su,
    "runuser": _su,
    "sg": _su,
    "newgrp": _su,
    "script": _option_text("-c", "--command", "-qc", "-qec", "-ec", "-qfc", "-fqc"),
    "docker": _docker,
    "podman": _docker,
    "nerdctl": _docker,
    "docker-compose": _docker,
    "kubectl": _kubectl,
    "oc": _kubectl,
    "find": _find,
    "gfind": _find,
    "xargs": _xargs,
    "gxargs": _xargs,
    "parallel": _parallel,
    "tmux": _terminal,
    "screen": _terminal,
    "expect": _expect,
    "cmd": _windows,
    "cmd.exe": _windows,
    "wsl": _prefix("-d -u --distribution --user -e --exec --cd"),
    "chroot": _prefix("--userspec --groups", 1),
    "arch-chroot": _prefix("-u", 1),
    "taskset": _prefix("", 1),
    "chrt": _prefix("", 1),
    "vagrant": _both(_option_text("-c", "--command")),
    "heroku": _after_verb("run run:detached", "-a --app -s --size -r --remote"),
    "fly": _option_text("-C", "--command"),
    "flyctl": _option_text("-C", "--command"),
    "gcloud": _both(_option_text("--command"), _after_dashes),
    "az": _option_text("--command", "--scripts", "--command-to-execute"),
    "lxc": _after_dashes,
    "incus": _after_dashes,
    "lxc-attach": _after_dashes,
    "systemd-nspawn": _prefix("-D -M --directory --machine"),
    "nix-shell": _option_text("--run", "--command"),
    "nix": _both(_option_text("-c", "--command"), _after_dashes),
    "npx": _both(_prefix("-p --package"), _option_text("-c", "--call")),
    "bunx": _prefix(),
    "uvx": _prefix("--from --with -p --python"),
    "npm": _after_verb("exec x"),
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
    "doppler": _both(_after_dashes, _option_text("--command")),
    "chamber": _after_dashes,
    "mise": _after_dashes,
    "cargo": _after_verb("watch-exec"),
    "entr": _prefix(),
    "nodemon": _option_text("--exec", "-x"),
    "start-stop-daemon": _both(_after_dashes, _option_text("--exec", "-x", "--startas", "-a")),
    "find2perl": _NEVER,
    "adb": _after_verb("shell exec-out exec-in"),
    "ld.so": _loader,
    "command": _command,
    **dict.fromkeys(
        (
            "builtin",
            "nohup",
            "setsid",
            "fakeroot",
            "dbus-run-session",
            "dbus-launch",
            "catchsegv",
            "rlwrap",
            "unbuffer",
        ),
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
        (
            "systemd-run",
            "systemd-inhibit",
            "systemd-cat",
            "caffeinate",
            "xvfb-run",
            "prlimit",
            "cpulimit",
            "cgexec",
            "numactl",
            "setarch",
            "linux32",
            "linux64",
        ),
        _prefix("-p --property --unit -u -g -s -n --what --who --why -t -w -l"),
    ),
    **dict.fromkeys(
        (
            "valgrind",
            "gdb",
            "lldb",
            "coverage",
            "dotenv",
            "with-contenv",
            "dumb-init",
            "tini",
            "logsave",
            "trickle",
            "chronic",
            "ts",
            "retry",
            "dotenvx",
        ),
        _prefix(),
    ),
}
WRAPPERS.update(
    {
        "dotenvx": _after_dashes,
        "gdb": _option_text("-ex", "--eval-command"),
        "logsave": _prefix("", 1),
        "coverage": _NEVER,
    }
)

LOADER: Final = re.compile(r"ld-(?:linux|musl)[\w.-]*\.so[.\d]*$|ld\.so$")
