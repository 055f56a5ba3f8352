"""Commands hidden in the options of programs that are there for something else.

``git -c alias.x='!...'``, ``tar --to-command`` and their kind. Nothing here knows what becomes of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from pytest_agentreplay.guards.analysis.shell.call import Call
from pytest_agentreplay.guards.analysis.shell.inner import Argv, Inner, Text
from pytest_agentreplay.guards.analysis.shell.unknown import ANY_DEPTH, unknown
from pytest_agentreplay.redaction.keys import words

_GIT_CONFIG: Final = re.compile(
    r"(?i)(?:alias\.[\w.-]+=!(.+)|(?:core\.(?:pager|editor|sshcommand|fsmonitor|gitproxy|askpass)"
    r"|pager\.\w+|sequence\.editor|diff\.external|credential\.helper|gpg\.program"
    r"|[\w.]*\.(?:textconv|command|driver|cmd|clean|smudge))=!?(.+))$",
    re.DOTALL,
)
_GIT_TEXT: Final = words(
    "--exec -x --upload-pack --receive-pack --tree-filter --index-filter --msg-filter"
    " --env-filter --commit-filter --tag-name-filter --extcmd --open-files-in-pager"
)
_SED_EXECUTES: Final = re.compile(r"\s*+(?:(?:\d++|\$|/[^/]*/)\s*+)?e\s++(.+)", re.DOTALL)
_SED_SUBSTITUTES: Final = re.compile(r"\s*+(?:(?:\d++|\$|/[^/]*/)\s*+)?s([^\w\s\\])")
_LONGEST: Final = 4000


def _values(call: Call, *options: str) -> Iterator[str]:
    for place, word in enumerate(call.args):
        name, equals, value = word.partition("=")
        if name in options:
            yield value if equals else call.args[place + 1] if place + 1 < len(call.args) else ""


def _git(call: Call) -> Iterator[Inner]:
    args = call.args
    for place, word in enumerate(args):
        if (word in ("-c", "--config") and place + 1 < len(args) and (found := _GIT_CONFIG.match(args[place + 1]))) or (
            word.startswith("--config=") and (found := _GIT_CONFIG.match(word[9:]))
        ):
            yield Text(found[1] or found[2])
        elif word.startswith("ext::"):
            yield Text(word[5:].replace("%S", ""))
        elif word.partition("=")[0] in _GIT_TEXT:
            text = word.partition("=")[2] or (args[place + 1] if place + 1 < len(args) else "")
            if " " in text or "/" in text or word[:2] == "--":
                yield Text(text)
    for verb in ("foreach", "run"):
        if verb in args and ("submodule" in args or "bisect" in args):
            rest = [word for word in args[args.index(verb) + 1 :] if word not in ("--recursive", "--quiet", "-q")]
            yield Text(" ".join(rest))
    if "config" in args:
        for place, word in enumerate(args[:-1]):
            if word.startswith("alias.") and args[place + 1].startswith("!"):
                yield Text(args[place + 1][1:])


def _tar(call: Call) -> Iterator[Inner]:
    for value in _values(
        call,
        "--to-command",
        "--use-compress-program",
        "-I",
        "--rsh-command",
        "--info-script",
        "--new-volume-script",
        "-F",
    ):
        if value and not re.fullmatch(r"[\w.-]+(?: -[\w-]+)*", value):
            yield Text(value)
    for value in _values(call, "--checkpoint-action"):
        if value.startswith("exec="):
            yield Text(value[5:])


def _option(*options: str) -> Callable[[Call], Iterator[Inner]]:
    def find(call: Call) -> Iterator[Inner]:
        for value in _values(call, *options):
            if value:
                yield Text(value)

    return find


def _ssh_options(call: Call) -> Iterator[Inner]:
    for value in _values(call, "-o"):
        name, _, text = value.partition("=")
        if name.strip().lower() in ("proxycommand", "localcommand"):
            yield Text(text)
    for value in _values(call, "-S"):
        yield Text(value)


def _rsync(call: Call) -> Iterator[Inner]:
    for value in _values(call, "-e", "--rsh"):
        if not value.startswith(("ssh", "rsh", "sshpass")):
            yield Text(value)


def _sed(call: Call) -> Iterator[Inner]:
    for word in call.args:
        for statement in re.split(r"[;{}\n]", word[:_LONGEST]):
            found = _SED_EXECUTES.match(statement)
            if found:
                yield Text(found[1])
            elif substitution := _SED_SUBSTITUTES.match(statement):
                pieces = re.split(rf"(?<!\\){re.escape(substitution[1])}", statement[substitution.end() :])
                if len(pieces) > 2 and "e" in re.split(r"[^a-zA-Z0-9]", pieces[2])[0].replace("p", ""):
                    yield Text(pieces[1])


def _ex(call: Call) -> Iterator[Inner]:
    for place, word in enumerate(call.args):
        if word == "-exec" and place + 1 < len(call.args):
            yield Text(call.args[place + 1])


_FD_ANYTHING: Final = words(". .* * -H --hidden -I --no-ignore -u --unrestricted -HI -a --absolute-path -L --follow")


def _fd(call: Call) -> Iterator[Inner]:
    for place, word in enumerate(call.args):
        if word in ("-x", "--exec", "-X", "--exec-batch"):
            given = call.args[:place]
            root = next((each for each in given if each[:1] in ("/", "~") or each[:2] == ".."), ".")
            anything = all(each in _FD_ANYTHING or each == root for each in given)
            found = root if anything else f"{root.rstrip('/')}/{unknown(ANY_DEPTH)}"
            words = [each.replace("{}", found) for each in call.args[place + 1 :]]
            yield Argv(words if found in words else [*words, found])
            return


def _make(call: Call) -> Iterator[Inner]:
    for word in (*call.values.values(), *call.args):
        if word.startswith(("SHELL=", ".SHELLFLAGS=")):
            yield Text(word.partition("=")[2])
        elif word.startswith("--eval"):
            yield Text(re.sub(r"^--eval=?.*?:\s*;?\s*|\$\(shell\s*|\)$", "", word))
    for found in re.finditer(r"\$\(shell ([^)]*)\)", " ".join(call.args)):
        yield Text(found[1])
    if "-f-" in call.args or (call.values.get("-f") or _after(call, "-f")) in ("-", "/dev/stdin"):
        for line in (call.frame.stdin or "").splitlines():
            if line.startswith("\t") or ":;" in line:
                yield Text(line.partition(":;")[2] or line.strip().lstrip("@-"))


def _after(call: Call, flag: str) -> str:
    return next((call.args[place + 1] for place, word in enumerate(call.args[:-1]) if word == flag), "")


def _sqlite(call: Call) -> Iterator[Inner]:
    for text in (*call.args, call.frame.stdin or ""):
        for found in re.finditer(r"(?:^|\n)\s*\.(?:shell|system)\s+(.+)", text):
            yield Text(found[1])
        for found in re.finditer(r"(?:^|\n)\s*\\!\s*(.+)", text):
            yield Text(found[1])


def _ansible(call: Call) -> Iterator[Inner]:
    module = _after(call, "-m").rpartition(".")[2]
    if module in ("shell", "command", "raw", "win_shell", ""):
        yield Text(_after(call, "-a"))


def _remote_run(call: Call) -> Iterator[Inner]:
    for value in _values(call, "--parameters"):
        found = re.search(r"commands=\[?[\"']?(.+?)[\"']?\]?$", value)
        if found:
            yield Text(found[1])


def _configured(call: Call) -> Iterator[Inner]:
    """Look at variables that name a command."""
    for name, value in call.frame.assignments:
        if name in _COMMAND_VARIABLES and (" " in value or "/" in value):
            yield Text(value.removeprefix("|"))


_COMMAND_VARIABLES: Final = words(
    "GIT_SSH_COMMAND GIT_EDITOR GIT_PAGER PAGER EDITOR VISUAL PROMPT_COMMAND LESSOPEN"
    " GIT_EXTERNAL_DIFF MANPAGER GIT_PROXY_COMMAND GIT_SEQUENCE_EDITOR"
)
HIDDEN: Final[dict[str, Callable[[Call], Iterator[Inner]]]] = {
    "git": _git,
    "tar": _tar,
    "bsdtar": _tar,
    "rsync": _rsync,
    "scp": _ssh_options,
    "sftp": _ssh_options,
    "sed": _sed,
    "gsed": _sed,
    "man": _option("-P", "--pager", "-H"),
    "rg": _option("--pre", "--hostname-bin"),
    "sort": _option("--compress-program"),
    "zip": _option("-TT", "--unzip-command"),
    "tcpdump": _option("-z"),
    "go": _ex,
    "make": _make,
    "gmake": _make,
    "split": _option("--filter"),
    "fzf": _option("--preview", "--execute"),
    "fd": _fd,
    "fdfind": _fd,
    "ansible": _ansible,
    "aws": _remote_run,
    "sqlite3": _sqlite,
    "psql": _sqlite,
    "mysql": _sqlite,
    "cmake": lambda call: (
        Text(" ".join(call.args[place + 2 :]))
        for place, word in enumerate(call.args)
        if word == "-E" and call.args[place + 1 : place + 2] == ["env"]
    ),
    "wget": _option("--use-askpass"),
    "crontab": lambda call: (Text(_job(line)) for line in (call.frame.stdin or "").splitlines() if _job(line)),
    "at": lambda call: iter((Text(call.frame.stdin),) if call.frame.stdin else ()),
    "batch": lambda call: iter((Text(call.frame.stdin),) if call.frame.stdin else ()),
    "npm": _option("--script-shell"),
    "ncat": _option("-c", "--sh-exec"),
    "socat": lambda call: (
        Text(found[1])
        for word in call.args
        for found in re.finditer(r"(?i)(?:exec|system|shell):['\"]?([^,'\"]+)", word)
    ),
}


def _job(line: str) -> str:
    """Give the command of a line of a crontab."""
    found = re.match(r"\s*(?:@\w+|(?:[\d*/,-]+\s+){4}[\w*/,-]+)\s+(.+)", line)
    return found[1] if found else ""


def hidden_commands(call: Call) -> Iterator[Inner]:
    """List the commands that a command's options and variables hide."""
    find = HIDDEN.get(call.program)
    if find is not None:
        yield from find(call)
    if call.frame.assignments:
        yield from _configured(call)
