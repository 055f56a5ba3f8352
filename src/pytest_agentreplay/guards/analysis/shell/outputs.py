"""Outputs: what a command prints, as far as its words tell, and where the rest would come from.

Decoders are followed, so that text which was hidden in a decoder's input is
found. Nothing is run or read from a disk. Nothing here judges.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import gzip
import re
import shlex
import zlib
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote

from pytest_agentreplay.guards.analysis.shell.call import Call
from pytest_agentreplay.guards.analysis.shell.unknown import (
    DECODED,
    NETWORK,
    PLAIN,
    is_known,
    marks_of,
    unknown,
    unmarked,
)
from pytest_agentreplay.guards.analysis.shell.words import decode_escapes
from pytest_agentreplay.guards.analysis.shell.wrappers import found_path

Files = dict[str, str]
Output = Callable[[Call, Files], str]

_LONGEST: Final = 65_536
_FETCHERS: Final = frozenset(
    [
        "curl",
        "wget",
        "http",
        "https",
        "xh",
        "fetch",
        "aria2c",
        "lynx",
        "links",
        "w3m",
        "elinks",
        "nc",
        "ncat",
        "netcat",
        "socat",
        "telnet",
        "ftp",
        "tftp",
        "lwp-request",
        "GET",
        "dig",
        "nslookup",
        "host",
        "drill",
        "kdig",
        "gopher",
        "curlie",
        "hurl",
        "s3cmd",
        "iwr",
        "irm",
        "invoke-webrequest",
        "invoke-restmethod",
    ]
)
_FILE_STRETCH: Final = re.compile("\x00file:[^\x03]*\x03")
_ENVIRONMENT: Final = frozenset(("env", "printenv"))
_PASSES_ON: Final = frozenset(
    [
        "tar",
        "zip",
        "gzip",
        "bzip2",
        "xz",
        "zstd",
        "7z",
        "base64",
        "base32",
        "xxd",
        "od",
        "hexdump",
        "strings",
        "grep",
        "egrep",
        "rg",
        "sed",
        "awk",
        "cut",
        "jq",
        "yq",
        "gpg",
        "openssl",
        "cpio",
        "dd",
        "tail",
        "head",
        "nl",
        "bat",
        "less",
    ]
)
_DIRECTIVE: Final = re.compile(r"%(?:%|[-+ #0]*[\d*]*(?:\.[\d*]+)?([bqsdiouxXcfeEgG]))")
_TRANSLATED: Final = re.compile(r"\[:(\w+):\]|(.)-(.)|(\\.[0-7]{0,2}|.)", re.DOTALL)
_CLASSES: Final = {"lower": "abcdefghijklmnopqrstuvwxyz", "upper": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "digit": "0123456789"}
_DECODERS: Final = frozenset(
    [
        "base64",
        "gbase64",
        "base32",
        "basenc",
        "xxd",
        "openssl",
        "gpg",
        "uudecode",
        "zcat",
        "gunzip",
        "gzip",
        "bzcat",
        "bunzip2",
        "xzcat",
        "unxz",
        "zstdcat",
        "lz4cat",
        "brotli",
        "rev",
        "tr",
        "od",
        "recode",
        "ascii2uni",
        "perl",
        "python",
        "python3",
        "ruby",
        "node",
        "php",
        "unzip",
        "7z",
        "xz",
        "bzip2",
        "zstd",
    ]
)
DECODING: Final = frozenset(
    ("base64", "gbase64", "base32", "basenc", "xxd", "rev", "zcat", "gunzip", "openssl", "rot13")
)
"""Programs whose output nobody can read in the command."""
_SCHEMED_SOURCE: Final = re.compile(r"(?:s3|gs|https?|ftp|sftp)://", re.IGNORECASE)


def output_of(call: Call, files: Files) -> str:
    """Give what a command prints: text, with unknown stretches that say where they come from."""
    known = _OUTPUTS.get(call.program)
    if known is not None:
        return known(call, files)[:_LONGEST]
    return unknown(_carried(call), source_of(call))


def _carried(call: Call) -> str:
    """Name the file that a command's output was made of, where it is one that passes on what it reads."""
    stdin = call.frame.stdin or ""
    if found := _FILE_STRETCH.search(stdin):
        return found[0][1:-1]
    if call.program in _ENVIRONMENT:
        return "file:/proc/self/environ"
    if call.program in _PASSES_ON:
        names = [call.path(word) for word in call.operands if is_known(word) and ("/" in word or "." in word)]
        return "file:" + " ".join(names)
    return ""


def source_of(call: Call) -> str:
    """Tell where a command's output would come from: the network, something decoded, or anywhere."""
    stdin = call.frame.stdin or ""
    if fetches(call) or NETWORK in stdin or any(NETWORK in word for word in call.args):
        return NETWORK
    if call.program in _DECODERS and (DECODED in stdin or (stdin and is_known(stdin))):
        return DECODED
    return DECODED if DECODED in stdin else PLAIN


def fetches(call: Call) -> bool:
    """Tell whether a program brings text from another machine."""
    if call.program in _FETCHERS:
        return True
    if call.program in ("aws", "gsutil", "gcloud", "mc", "rclone", "kubectl"):
        return call.args[-1:] == ["-"] or "cat" in call.args[:2]
    return call.program in ("ssh", "scp", "rsync") and bool(call.operands)


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


def unmarked_escapes(text: str) -> str:
    r"""Undo escapes; ``\\0NNN`` is octal too, as ``echo -e`` has it."""
    return decode_escapes(re.sub(r"\\0([0-7]{1,3})", r"\\\1", text))


def _printf(call: Call, files: Files) -> str:
    args = call.args[2:] if call.args[:1] == ["-v"] else call.args
    if args[:1] == ["--"]:
        args = args[1:]
    if not args:
        return ""
    form, values = unmarked_escapes(args[0]), list(args[1:])
    output = ""
    for _ in range(64):
        before = len(values)
        output += _DIRECTIVE.sub(lambda found: _formatted(found, values), form)
        if not values or len(values) == before:
            return output
    return output


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
    return "".join([_content(call, files, name) for name in names])


def _content(call: Call, files: Files, name: str) -> str:
    if marks_of(name) in (NETWORK, DECODED):
        return unknown("", marks_of(name))
    path = call.path(name)
    return files[path] if path in files else unknown("file:" + path) if is_known(path) else unknown()


def _filtered(call: Call, files: Files) -> str:
    """Give the output of programs that pass on what they read, whole or in part."""
    stdin = call.frame.stdin
    return stdin if stdin is not None else _cat(call, files)


def _source_text(call: Call, files: Files) -> str | None:
    """Give what a decoder reads: its file or its input; None where nobody can know it."""
    operands = [word for word in call.operands if word not in ("-", "enc", "base64")]
    text = _content(call, files, operands[-1]) if operands and call.frame.stdin is None else call.frame.stdin
    return text if text is not None and is_known(text) else None


def _decoder(decode: Callable[[Call, str], bytes], *flags: str) -> Output:
    def output(call: Call, files: Files) -> str:
        if flags and not call.has(*flags):
            return unknown(_carried(call), source_of(call))
        text = _source_text(call, files)
        if text is None:
            return unknown("", NETWORK if NETWORK in (call.frame.stdin or "") else DECODED)
        try:
            return unmarked(decode(call, text).decode("utf-8", "replace"))
        except (ValueError, binascii.Error, OSError, EOFError, zlib.error):
            return unknown("", DECODED)

    return output


def _base64(call: Call, text: str) -> bytes:
    clean = re.sub(r"[^A-Za-z0-9+/_-]", "", text).translate(str.maketrans("-_", "+/"))
    return base64.b64decode(clean + "=" * (-len(clean) % 4))


def _xxd(call: Call, text: str) -> bytes:
    return bytes.fromhex("".join(re.findall(r"[0-9A-Fa-f]{2}", text.replace("\\x", " ").replace("0x", " "))))


def _gunzip(call: Call, text: str) -> bytes:
    return gzip.decompress(text.encode("latin-1"))


def _rev(call: Call, files: Files) -> str:
    text = _source_text(call, files)
    if text is None:
        return unknown("", NETWORK if NETWORK in (call.frame.stdin or "") else DECODED)
    return "\n".join(line[::-1] for line in text.split("\n"))


def _tr(call: Call, files: Files) -> str:
    text = call.frame.stdin
    if text is None or not is_known(text):
        return unknown("", source_of(call))
    sets = [_set(word) for word in call.operands]
    if call.has("-d") and sets:
        return "".join(char for char in text if char not in sets[0])
    if len(sets) < 2 or not sets[0] or not sets[1]:
        return unknown("", DECODED)
    target = sets[1] + sets[1][-1] * (len(sets[0]) - len(sets[1]))
    return text.translate(str.maketrans(sets[0], target[: len(sets[0])]))


def _set(word: str) -> str:
    chars = ""
    for name, first, last, single in _TRANSLATED.findall(word):
        if name:
            chars += _CLASSES.get(name, "")
        elif first:
            chars += "".join(map(chr, range(ord(first), min(ord(last), ord(first) + 256) + 1)))
        else:
            chars += decode_escapes(single)
    return chars


def _sed(call: Call, files: Files) -> str:
    text = call.frame.stdin
    scripts = call.values.get("-e") or call.values.get("--expression") or call.word(0)
    found = re.fullmatch(r"s(.)((?:\\.|(?!\1)[^\\])*)\1((?:\\.|(?!\1)[^\\])*)\1(g?)", scripts, re.DOTALL)
    if text is None or not is_known(text) or not found or re.search(r"[\\^$.*+?\[\](){}|&]", found[2] + found[3]):
        return unknown("", source_of(call))
    return text.replace(found[2], found[3], -1 if found[4] else 1)


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


def _openssl(call: Call, files: Files) -> str:
    if call.args[:1] == ["s_client"]:
        return unknown("", NETWORK)
    if "-d" in call.flags and ("base64" in call.args or "-base64" in call.flags or "-a" in call.flags):
        return _decoder(_base64)(call, files)
    return unknown("", DECODED if "-d" in call.flags else source_of(call))


def _fetched(call: Call, files: Files) -> str:
    if (
        call.program == "wget"
        and call.values.get("-O", call.values.get("--output-document", "")) != "-"
        and not call.has("-O-")
    ):
        return ""
    if call.program == "curl" and call.has("-o", "--output", "-O", "--remote-name", "-I", "--head"):
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


def _split_words(call: Call, files: Files) -> str:
    """Give the output of ``cut`` and the like, of which the text is followed but not the choice."""
    return unknown("", source_of(call))


def saved_files(call: Call) -> list[str]:
    """List the files that a download writes."""
    if call.program == "curl":
        named = [call.values[flag] for flag in ("-o", "--output") if flag in call.values]
        return named or ([_last_part(word) for word in call.operands] if call.has("-O", "--remote-name", "-J") else [])
    if call.program == "wget":
        named = [call.values[flag] for flag in ("-O", "--output-document") if flag in call.values]
        return [name for name in named if name != "-"] if named else [_last_part(word) for word in call.operands]
    if call.program in ("aria2c", "axel", "fetch", "http", "https"):
        return [call.values.get("-o") or _last_part(word) for word in call.operands]
    if call.program in ("scp", "rsync", "aws", "gsutil", "rclone", "tftp") and len(call.operands) > 1:
        *sources, target = call.operands
        if any(_SCHEMED_SOURCE.match(word) or re.match(r"[\w.@-]+:", word) for word in sources):
            return [target, *(f"{target.rstrip('/')}/{_last_part(word)}" for word in sources)]
    return []


def _last_part(address: str) -> str:
    name = unquote(re.sub(r"[?#].*", "", address)).rstrip("/").rpartition("/")[2]
    return name or "index.html"


def quoted(words: list[str]) -> str:
    """Join words into the text of a command."""
    return " ".join(word if "\x03" in word else shlex.quote(word) for word in words)


def _rot13(call: Call, text: str) -> bytes:
    return codecs.decode(text, "rot13").encode()


_OUTPUTS: Final[dict[str, Output]] = {
    "echo": _echo,
    "printf": _printf,
    "print": _echo,
    "base64": _decoder(_base64, "-d", "-D", "--decode", "-di", "-i"),
    "gbase64": _decoder(_base64, "-d", "-D", "--decode"),
    "basenc": _decoder(_base64, "-d", "--decode"),
    "base32": _decoder(lambda call, text: base64.b32decode(re.sub(r"\s", "", text).upper()), "-d", "-D", "--decode"),
    "xxd": _decoder(_xxd, "-r", "-revert"),
    "zcat": _decoder(_gunzip),
    "gunzip": _decoder(_gunzip),
    "rot13": _decoder(_rot13),
    "rev": _rev,
    "tr": _tr,
    "sed": _sed,
    "gsed": _sed,
    "pwd": _pwd,
    "which": _which,
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
    "openssl": _openssl,
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
