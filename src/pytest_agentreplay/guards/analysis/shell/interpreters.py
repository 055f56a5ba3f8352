"""Interpreters: where a shell, Python or another language finds its code in a command, and what follows from it.

Code comes from an argument, from what the command reads, or from a file that
the script itself wrote. Nothing here judges.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from pytest_agentreplay.guards.analysis.shell.call import Call, Frame
from pytest_agentreplay.guards.analysis.shell.deeds import KNOWN
from pytest_agentreplay.guards.analysis.shell.facts import Deed
from pytest_agentreplay.guards.analysis.shell.foreign_code import acts_of_code
from pytest_agentreplay.guards.analysis.shell.foreign_effects import told_by_code
from pytest_agentreplay.guards.analysis.shell.python_code import acts_of_python, printed
from pytest_agentreplay.guards.analysis.shell.unknown import (
    DECODED,
    NETWORK,
    PLAIN,
    is_known,
    marks_of,
    shown,
    unknown,
    without_unknown,
)
from pytest_agentreplay.redaction.keys import words

if TYPE_CHECKING:
    from pytest_agentreplay.guards.analysis.shell.running import Runner
    from pytest_agentreplay.trace import Severity

Interpreter = Callable[["Runner", Call], str]

_SHELL_VALUED: Final = frozenset(("-o", "+o", "-O", "+O", "--rcfile", "--init-file"))
_PYTHON_VALUED: Final = frozenset(("-W", "-X", "--check-hash-based-pycs"))
_NO_SHELLS: Final = words(
    "find vim vi nvim less man awk tar git python perl ruby node php lua sed rsync zip tcpdump"
    " make split expect ftp gdb fd"
)
_EDITORS: Final = frozenset(("vim", "nvim", "vi", "ex", "less", "emacs"))
_CODE_FLAGS: Final = {
    "perl": re.compile(r"-\w*[eE]$"),
    "ruby": re.compile(r"-\w*e$"),
    "node": re.compile(r"-e$|-p$|-pe$|--eval$|--print$"),
    "deno": re.compile(r"eval$"),
    "bun": re.compile(r"-e$|--eval$"),
    "php": re.compile(r"-r$|-B$|-R$"),
    "lua": re.compile(r"-e$"),
    "Rscript": re.compile(r"-e$"),
    "osascript": re.compile(r"-e$"),
    "tclsh": re.compile(r"-c$"),
    "groovy": re.compile(r"-e$"),
    "elixir": re.compile(r"-e$|--eval$"),
    "erl": re.compile(r"-eval$"),
    "julia": re.compile(r"-e$|--eval$"),
    "emacs": re.compile(r"--eval$"),
    "vim": re.compile(r"-c$|--cmd$"),
    "nvim": re.compile(r"-c$|--cmd$"),
    "vi": re.compile(r"-c$"),
    "ex": re.compile(r"-c$"),
    "gdb": re.compile(r"-ex$"),
    "less": re.compile(r"\+!.*"),
    "sqlite3": re.compile(r"-cmd$"),
    "irb": re.compile(r"-e$"),
    "jshell": re.compile(r"$^"),
    "scala": re.compile(r"-e$"),
    "swift": re.compile(r"-e$"),
    "ghc": re.compile(r"-e$"),
    "clojure": re.compile(r"-e$|--eval$"),
    "pwsh": re.compile(r"$^"),
}


def _shell(runner: Runner, call: Call) -> str:
    args, place, reads = call.args, 0, False
    while place < len(args):
        word = args[place]
        if word[:1] not in "-+" or word in ("-", "--") or word == "":
            place += word in ("-", "--")
            break
        if word[0] == "-" and word[1:2] != "-" and "c" in word[1:]:
            return _shell_text(runner, call, args[place + 1 :])
        reads = reads or (word[1:2] != "-" and "s" in word)
        place += 2 if word in _SHELL_VALUED else 1
    rest = args[place:]
    if rest and not reads and rest[0] not in ("/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"):
        return _file(runner, call, rest)
    if call.frame.stdin is None:
        _opened_shell(runner, call)
        return ""
    if call.frame.stdin.startswith("\x00file:") and any(each.operator == "<" for each in call.frame.redirects):
        return unknown()  # `sh < script.sh`, like `sh script.sh`
    return _run_text(runner, call, call.frame.stdin, ("bash", *rest))


def _opened_shell(runner: Runner, call: Call) -> None:
    """Tell of a shell that a program opens which is there for something else."""
    through = call.frame.through
    opener = next((name for name in reversed(through) if name in _NO_SHELLS), "")
    if opener:
        severity: Severity = "high" if "sudo" in through else "medium"
        runner.deeds.append(call.deed("privilege", severity, opener, f"opens a shell out of {opener}"))
    elif "sudo" in through and through[-1] == "env":
        runner.deeds.append(call.deed("privilege", "low", "root", "opens a shell as root"))


def _shell_text(runner: Runner, call: Call, rest: list[str]) -> str:
    while rest and (rest[0] == "--" or (rest[0][:1] in ("-", "+") and len(rest) > 1)):
        rest = rest[1:]
    if not rest:
        return ""
    if len(rest) > 1 and rest[0] in KNOWN:  # `sh -c rm -rf /`: whoever wrote it forgot the quotes
        _run_text(runner, call, " ".join(rest), None)
    return _run_text(runner, call, rest[0], tuple(rest[1:]) or None)


def _run_text(runner: Runner, call: Call, text: str, positional: tuple[str, ...] | None) -> str:
    if not without_unknown(text).strip():
        if text:
            runner.runs_unknown(text, "", call)
        return unknown("", marks_of(text) or "\x00")
    with runner.inside(
        (call.program,), Frame(None if text is call.frame.stdin else call.frame.stdin, through=call.frame.through)
    ):
        return runner.text(text, positional or ("bash",))


def _file(runner: Runner, call: Call, rest: list[str]) -> str:
    name = rest[0]
    content = runner.files.get(call.path(name))
    if marks_of(name) in (NETWORK, DECODED):
        runner.runs_unknown(name, "", call)
    elif content is not None:
        if name.startswith("/dev/fd/") and marks_of(content) == PLAIN and not without_unknown(content).strip():
            return unknown()  # what a program on this machine prints, as `source <(kubectl completion bash)`
        if marks_of(content) in (NETWORK, DECODED) and not without_unknown(content).strip():
            runner.runs_unknown(content, shown(name), call)
        else:
            return _run_text(runner, call, content, tuple(rest))
    return unknown()


def _source(runner: Runner, call: Call) -> str:
    return _shell(runner, Call("bash", [word for word in call.args if word != "-a"], call.frame)) if call.args else ""


def _python(runner: Runner, call: Call) -> str:
    args, place = call.args, 0
    while place < len(args):
        word = args[place]
        if word[:1] != "-" or word == "-":
            break
        if re.fullmatch(r"-[A-Zabdiqsuvx?]*c", word):
            return _python_text(runner, call, args[place + 1] if place + 1 < len(args) else "")
        if word.startswith("-m"):
            return unknown()
        if word.startswith("-c") and len(word) > 2:
            return _python_text(runner, call, word[2:])
        place += 2 if word in _PYTHON_VALUED else 1
    script = args[place] if place < len(args) else "-"
    if script in ("-", "/dev/stdin"):
        return _python_text(runner, call, call.frame.stdin) if call.frame.stdin else ""
    content = runner.files.get(call.path(script))
    if marks_of(script) in (NETWORK, DECODED):
        content = script
    if content is not None:
        return _python_text(runner, call, content, shown(script) if is_known(script) else "")
    return unknown()


def _python_text(runner: Runner, call: Call, code: str, name: str = "") -> str:
    if not without_unknown(code).strip():
        if code:
            runner.runs_unknown(code, name, call)
        return unknown()
    if marks_of(code) == NETWORK:
        runner.runs_unknown(code, name, call)
    runner.note_decoding(code)
    run_acts(runner, call, code, "python")
    text = printed(code)
    return unknown() if text is None else text


def run_acts(runner: Runner, call: Call, code: str, language: str) -> None:
    """Follow what a piece of code starts, and keep what it does by itself."""
    acts = acts_of_python(code) if language == "python" else None
    if acts is None:
        acts = acts_of_code(code, language)
    for act in acts:
        if isinstance(act, Deed):
            runner.deeds.append(Deed(act.effect, act.severity, shown(act.target), act.reason, call.text))
        else:
            runner.inner(
                act, Call(language, [], Frame(None, through=call.frame.through, directory=call.frame.directory))
            )


_ATTACHED: Final = re.compile(r"-[lnpaiw0F]*[eEr]([^\s\w/.-].*|\w[\w:]*[^\w/.:-].*)", re.DOTALL)


def _language(runner: Runner, call: Call) -> str:
    flag = _CODE_FLAGS[call.program]
    codes: list[str] = []
    for place, word in enumerate(call.args):
        attached = _ATTACHED.match(word) if call.program in ("perl", "ruby", "lua", "php") else None
        if attached or flag.match(word):
            code = call.args[place + 1] if place + 1 < len(call.args) and not word.startswith("+!") else word
            code = attached[1] if attached else code
            if call.program in ("perl", "ruby"):  # the modules that `-M` and `-r` bring
                code = " ".join([*(each[2:] for each in call.args if each[:2] in ("-M", "-r")), code])
            codes.append(code)
            if marks_of(code) in (NETWORK, DECODED):
                runner.runs_unknown(code, "", call)
            run_acts(runner, call, code, call.program)
    if not codes and call.program not in _EDITORS:
        _language_file(runner, call)
    return told_by_code("\n".join(codes)) if codes else unknown()


def _language_file(runner: Runner, call: Call) -> None:
    script = next((word for word in call.args if word[:1] != "-" and word != "run"), "-")
    code = (
        call.frame.stdin if script == "-" else runner.files.get(call.path(script), script if marks_of(script) else None)
    )
    if marks_of(script) in (NETWORK, DECODED):
        code = unknown("", marks_of(script))
    if call.program == "deno" and script.startswith(("http://", "https://")):
        code = unknown("", NETWORK)
    if code is None:
        return
    if not without_unknown(code).strip() and code:
        if marks_of(code) in (NETWORK, DECODED):
            runner.runs_unknown(code, "", call)
    else:
        run_acts(runner, call, code, call.program)


def _language_source(runner: Runner, call: Call) -> str:
    """Look through a source file that the script itself wrote."""
    for word in call.args:
        code = runner.files.get(call.path(word)) if "." in word else None
        if code and is_known(code):
            run_acts(runner, call, code, "go")
    return unknown()


def _awk(runner: Runner, call: Call) -> str:
    from pytest_agentreplay.guards.analysis.shell.provenance import source_of

    for word in call.args:
        if "system" in word or "|" in word or "/inet/" in word:
            run_acts(runner, call, word, "awk")
    return unknown("", source_of(call))


_POWERSHELL_FLAG: Final = re.compile(r"[-/](?:c|command|e|ec|en\w*|encodedcommand)$", re.IGNORECASE)


def _powershell(runner: Runner, call: Call) -> str:
    for place, word in enumerate(call.args):
        found = _POWERSHELL_FLAG.match(word)
        if not found or place + 1 >= len(call.args):
            continue
        text = " ".join(call.args[place + 1 :])
        if word.lower()[1:2] == "e":
            text = _decoded_utf16(call.args[place + 1])
            if not text:
                runner.runs_unknown(unknown("", DECODED), "", call)
                return unknown()
            runner.deeds.append(call.deed("obfuscation", "high", "", "hides its command in base64"))
        return _powershell_text(runner, call, text)
    rest = [word for word in call.args if word[:1] not in "-/"]
    if rest and not rest[0].lower().endswith(".ps1"):
        return _powershell_text(runner, call, " ".join(call.args))
    if call.frame.stdin:
        return _powershell_text(runner, call, call.frame.stdin)
    return unknown()


def _decoded_utf16(text: str) -> str:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4)).decode("utf-16-le")
    except (binascii.Error, ValueError):
        return ""


def _powershell_text(runner: Runner, call: Call, text: str) -> str:
    run_acts(runner, call, text, "powershell")
    return unknown()


INTERPRETERS: Final[dict[str, Interpreter]] = {
    **dict.fromkeys(
        words("sh bash zsh dash ksh ash fish mksh rbash csh tcsh bash.exe sh.exe yash elvish"),
        _shell,
    ),
    "source": _source,
    ".": _source,
    **dict.fromkeys(
        ("python", "python2", "python3", "pypy", "pypy3", "py", "ipython", "ipython3", "python.exe"), _python
    ),
    **{f"python3.{minor}": _python for minor in range(6, 16)},
    "python2.7": _python,
    **dict.fromkeys(_CODE_FLAGS, _language),
    **dict.fromkeys(("go", "ts-node", "tsx", "java", "rustc", "gcc", "cc", "clang"), _language_source),
    **dict.fromkeys(("awk", "gawk", "mawk", "nawk"), _awk),
    **dict.fromkeys(("powershell", "powershell.exe", "pwsh", "pwsh.exe"), _powershell),
}
del INTERPRETERS["sqlite3"], INTERPRETERS["gdb"]
