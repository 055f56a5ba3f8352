"""Decoders: what base64, hex, ``rev``, ``tr`` and their kind make of a text that is known.

Nothing here judges what comes out.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import zlib
from collections.abc import Callable
from typing import Final, TypeAlias

from pytest_agentreplay.guards.analysis.shell.call import Call
from pytest_agentreplay.guards.analysis.shell.provenance import Files, content_of, file_behind, source_of
from pytest_agentreplay.guards.analysis.shell.unknown import DECODED, NETWORK, is_known, unknown, unmarked
from pytest_agentreplay.guards.analysis.shell.words import decode_escapes

Output: TypeAlias = Callable[[Call, Files], str]
"""Gives what a command prints."""

DECODING: Final = frozenset(
    ("base64", "gbase64", "base32", "basenc", "xxd", "rev", "zcat", "gunzip", "openssl", "rot13")
)
"""Programs whose output nobody can read in the command."""
_TRANSLATED: Final = re.compile(r"\[:(\w+):\]|(.)-(.)|(\\.[0-7]{0,2}|.)", re.DOTALL)
_CLASSES: Final = {"lower": "abcdefghijklmnopqrstuvwxyz", "upper": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "digit": "0123456789"}


def _source_text(call: Call, files: Files) -> str | None:
    """Give what a decoder reads: its file or its input; None where nobody can know it."""
    operands = [word for word in call.operands if word not in ("-", "enc", "base64")]
    text = content_of(call, files, operands[-1]) if operands and call.frame.stdin is None else call.frame.stdin
    return text if text is not None and is_known(text) else None


def decoder(decode: Callable[[Call, str], bytes], *flags: str) -> Output:
    """Make the output of a program that decodes, if given one of some flags, what it reads."""

    def output(call: Call, files: Files) -> str:
        if flags and not call.has(*flags):
            return unknown(file_behind(call), source_of(call))
        text = _source_text(call, files)
        if text is None:
            return unknown("", NETWORK if NETWORK in (call.frame.stdin or "") else DECODED)
        try:
            return unmarked(decode(call, text).decode("utf-8", "replace"))
        except (ValueError, binascii.Error, OSError, EOFError, zlib.error):
            return unknown("", DECODED)

    return output


def decode_base64(call: Call, text: str) -> bytes:
    """Decode base64 of either alphabet, padded or not."""
    clean = re.sub(r"[^A-Za-z0-9+/_-]", "", text).translate(str.maketrans("-_", "+/"))
    return base64.b64decode(clean + "=" * (-len(clean) % 4))


def decode_hex(call: Call, text: str) -> bytes:
    """Decode hexadecimal digits."""
    return bytes.fromhex("".join(re.findall(r"[0-9A-Fa-f]{2}", text.replace("\\x", " ").replace("0x", " "))))


def decompress(call: Call, text: str) -> bytes:
    """Decompress gzip."""
    return gzip.decompress(text.encode("latin-1"))


def reversed_lines(call: Call, files: Files) -> str:
    """Give what ``rev`` prints."""
    text = _source_text(call, files)
    if text is None:
        return unknown("", NETWORK if NETWORK in (call.frame.stdin or "") else DECODED)
    return "\n".join(line[::-1] for line in text.split("\n"))


def translated(call: Call, files: Files) -> str:
    """Give what ``tr`` prints."""
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


def substituted(call: Call, files: Files) -> str:
    """Give what one plain ``s`` command of ``sed`` prints."""
    text = call.frame.stdin
    scripts = call.values.get("-e") or call.values.get("--expression") or call.word(0)
    found = re.fullmatch(r"s(.)((?:\\.|(?!\1)[^\\])*)\1((?:\\.|(?!\1)[^\\])*)\1(g?)", scripts, re.DOTALL)
    if text is None or not is_known(text) or not found or re.search(r"[\\^$.*+?\[\](){}|&]", found[2] + found[3]):
        return unknown("", source_of(call))
    return text.replace(found[2], found[3], -1 if found[4] else 1)


def openssl_output(call: Call, files: Files) -> str:
    """Give what ``openssl`` prints."""
    if call.args[:1] == ["s_client"]:
        return unknown("", NETWORK)
    if "-d" in call.flags and ("base64" in call.args or "-base64" in call.flags or "-a" in call.flags):
        return decoder(decode_base64)(call, files)
    return unknown("", DECODED if "-d" in call.flags else source_of(call))


def unmarked_escapes(text: str) -> str:
    r"""Undo escapes; ``\0NNN`` is octal too, as ``echo -e`` has it."""
    return decode_escapes(re.sub(r"\\0([0-7]{1,3})", r"\\\1", text))
