"""Outputs: what a command prints, as far as its words tell, and where the rest would come from.

Decoders are followed, so that text which was hidden in a decoder's input is
found. Nothing is run or read from a disk. Nothing here judges.
"""

from __future__ import annotations

import base64
import re
from typing import Final

from pytest_agentreplay.guards.analysis.shell.call import Call
from pytest_agentreplay.guards.analysis.shell.decoding import (
    Output,
    decode_base64,
    decode_hex,
    decoder,
    decompress,
    openssl_output,
    reversed_lines,
    substituted,
    translated,
    unmarked_escapes,
)
from pytest_agentreplay.guards.analysis.shell.launchers import found_path
from pytest_agentreplay.guards.analysis.shell.provenance import Files, content_of, file_behind, source_of
from pytest_agentreplay.guards.analysis.shell.unknown import (
    DECODED,
    NETWORK,
    is_known,
    unknown,
)

_LONGEST: Final = 65_536
_DIRECTIVE: Final = re.compile(r"%(?:%|[-+ #0]*[\d*]*(?:\.[\d*]+)?([bqsdiouxXcfeEgG]))")


def output_of(call: Call, files: Files) -> str:
    """Give what a command prints: text, with unknown stretches that say where they come from."""
    known = _OUTPUTS.get(call.program)
    if known is not None:
        return known(call, files)[:_LONGEST]
    return unknown(file_behind(call), source_of(call))


def _echo(call: Call, files: Files) -> str:
    words = list(call.args)
    escapes = False
    newline = "\n"
    while words and re.fullmatch(r"-[neE]+", words[0]):
        flags = words.pop(0)
        escapes = escapes or "e" in flags
        newline = "" if "n" in flags else newline
    text = " ".join(words)
    return (unmarked_escapes(text) if escapes or "\\x" in text or "\\0" in text else text) + newline


def _printf(call: Call, files: Files) -> str:
    args = call.args[2:] if call.args[:1] == ["-v"] else call.args
    if args[:1] == ["--"]:
        args = args[1:]
    if not args:
        return ""
    form, values = args[0], list(args[1:])
    output = ""
    for _ in range(64):
        before = len(values)
        output += _filled(form, values)
        if not values or len(values) == before:
            return output
    return output


def _filled(form: str, values: list[str]) -> str:
    """Fill in a format once; a percent sign that an escape makes is none of its directives."""
    pieces, place = [], 0
    for found in _DIRECTIVE.finditer(form):
        pieces += [unmarked_escapes(form[place : found.start()]), _formatted(found, values)]
        place = found.end()
    return "".join([*pieces, unmarked_escapes(form[place:])])


def _formatted(found: re.Match[str], values: list[str]) -> str:
    kind = found[1]
    if kind is None:
        return "%"
    value = values.pop(0) if values else ""
    if kind == "b":
        return unmarked_escapes(value)
    if kind == "c":
        return value[:1] if is_known(value) else value
    if kind in "xX" and value.lstrip("-").isdigit():
        return format(int(value), kind)
    if kind == "o" and value.isdigit():
        return format(int(value), "o")
    return value


def _cat(call: Call, files: Files) -> str:
    names = [word for word in call.operands if word != "-"]
    if not names:
        return call.frame.stdin if call.frame.stdin is not None else ""
    return "".join([content_of(call, files, name) for name in names])


def _filtered(call: Call, files: Files) -> str:
    """Give the output of programs that pass on what they read, whole or in part."""
    stdin = call.frame.stdin
    return stdin if stdin is not None else _cat(call, files)


def _pwd(call: Call, files: Files) -> str:
    return call.frame.directory or "."


def _which(call: Call, files: Files) -> str:
    return call.word(0) or unknown()


def _dirname(call: Call, files: Files) -> str:
    path = call.word(0)
    if path in ("bash", ""):
        return "."
    if not is_known(path):
        return path if "/" not in path.rpartition("\x03")[2] else path.rpartition("/")[0]
    return path.rstrip("/").rpartition("/")[0] or ("/" if path.startswith("/") else ".")


def _basename(call: Call, files: Files) -> str:
    name = call.word(0).rstrip("/").rpartition("/")[2]
    return name.removesuffix(call.word(1)) if call.word(1) else name


def _realpath(call: Call, files: Files) -> str:
    return call.path(call.word(0)) if call.operands else unknown()


def _git(call: Call, files: Files) -> str:
    if "--show-toplevel" in call.flags:
        return "."
    if call.word(0) == "ls-files":
        return "./" + unknown()
    return unknown("git")


def _find(call: Call, files: Files) -> str:
    return found_path(call) + "\n"


def _seq(call: Call, files: Files) -> str:
    return "1\n"


def _listing(call: Call, files: Files) -> str:
    place = next((word for word in call.operands), "")
    return f"{place.rstrip('/')}/{unknown()}" if place.startswith(("/", "~")) else unknown("listing")


def _mktemp(call: Call, files: Files) -> str:
    return "/tmp/tmp.made"


def _tee(call: Call, files: Files) -> str:
    return call.frame.stdin or ""


def _fetched(call: Call, files: Files) -> str:
    if (
        call.program == "wget"
        and call.values.get("-O", call.values.get("--output-document", "")) != "-"
        and not call.has("-O-")
    ):
        return ""
    named = call.values.get("-o", call.values.get("--output", "-"))
    if call.program == "curl" and (
        named not in ("-", "/dev/stdout") or call.has("-O", "--remote-name", "-I", "--head")
    ):
        return ""
    address = call.operands[-1] if call.operands else ""
    if address.startswith("file://"):
        return files.get(address[7:], unknown())
    return unknown("", NETWORK)


def _python(call: Call, files: Files) -> str:
    code = call.values.get("-c") or next(
        (call.args[i + 1] for i, word in enumerate(call.args[:-1]) if word == "-c"), ""
    )
    if not code or call.program == "perl":
        return unknown("", source_of(call))
    from pytest_agentreplay.guards.analysis.shell.python_code import printed

    text = printed(code)
    return (
        unknown("", NETWORK if re.search(r"urllib|requests|http|socket", code) else DECODED) if text is None else text
    )


_OUTPUTS: Final[dict[str, Output]] = {
    "echo": _echo,
    "printf": _printf,
    "print": _echo,
    "base64": decoder(decode_base64, "-d", "-D", "--decode", "-di", "-i"),
    "gbase64": decoder(decode_base64, "-d", "-D", "--decode"),
    "basenc": decoder(decode_base64, "-d", "--decode"),
    "base32": decoder(lambda call, text: base64.b32decode(re.sub(r"\s", "", text).upper()), "-d", "-D", "--decode"),
    "xxd": decoder(decode_hex, "-r", "-revert"),
    "zcat": decoder(decompress),
    "gunzip": decoder(decompress),
    "rev": reversed_lines,
    "tr": translated,
    "sed": substituted,
    "gsed": substituted,
    "pwd": _pwd,
    "which": _which,
    "command": _which,
    "type": _which,
    "whereis": _which,
    "dirname": _dirname,
    "basename": _basename,
    "realpath": _realpath,
    "readlink": _realpath,
    "git": _git,
    "find": _find,
    "gfind": _find,
    "fd": lambda call, files: "./" + unknown(),
    "seq": _seq,
    "nproc": _seq,
    "date": _seq,
    "id": _seq,
    "whoami": lambda call, files: "user",
    "hostname": lambda call, files: "host",
    "uname": lambda call, files: "Linux",
    "ls": _listing,
    "mktemp": _mktemp,
    "tempfile": _mktemp,
    "tee": _tee,
    "openssl": openssl_output,
    "curl": _fetched,
    "wget": _fetched,
    "python": _python,
    "python3": _python,
    "python2": _python,
    **dict.fromkeys(("cat", "tac", "bat", "gcat"), _cat),
    **dict.fromkeys(
        (
            "head",
            "tail",
            "sort",
            "uniq",
            "pv",
            "sponge",
            "fold",
            "fmt",
            "dos2unix",
            "column",
            "buffer",
            "mbuffer",
            "nl",
        ),
        _filtered,
    ),
    **dict.fromkeys(
        (
            "true",
            ":",
            "false",
            "test",
            "[",
            "cd",
            "mkdir",
            "rm",
            "touch",
            "sleep",
            "set",
            "chmod",
            "chown",
            "cp",
            "mv",
            "ln",
        ),
        lambda call, files: "",
    ),
}
