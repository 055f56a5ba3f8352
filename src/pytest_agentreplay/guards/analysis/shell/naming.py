"""Names of programs: what is really run, whatever a word does to hide it.

Nothing here judges what a program does.
"""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from pytest_agentreplay.guards.analysis.shell.call import Call, Frame
from pytest_agentreplay.guards.analysis.shell.deeds import KNOWN
from pytest_agentreplay.guards.analysis.shell.interpreters import INTERPRETERS
from pytest_agentreplay.guards.analysis.shell.syntax import Escaped, Quoted
from pytest_agentreplay.guards.analysis.shell.unknown import (
    DECODED,
    NETWORK,
    is_known,
    marks_of,
    shown,
    without_unknown,
)
from pytest_agentreplay.guards.analysis.shell.wrappers import LOADER, WRAPPERS
from pytest_agentreplay.guards.analysis.spelling import is_disguised, plain

if TYPE_CHECKING:
    from pytest_agentreplay.guards.analysis.shell.running import Runner

_LIKELY: Final = ("rm", "sh", "bash", "dd", "nc", "cat", "curl", "wget", "chmod", "mkfs", "python3", "perl")


def program_of(runner: Runner, words: list[str], frame: Frame) -> str:
    """Name the program of a command, its disguises off."""
    word = words[0]
    if not is_known(word):
        word = _guessed(runner, words, frame)
    name = word.rstrip("/").rpartition("/")[2] if "/" in word else word
    if not name.isascii():
        told = plain(unicodedata.normalize("NFKC", name))
        if told != name or is_disguised(name):
            runner.tell("obfuscation", "high", told, f"writes the program {told} in other letters")
        name = told
    if any(char in name for char in "*?[") and name not in ("[", "[["):
        name = _matched(runner, name, word)
    if "\\" in name:
        name = name.rpartition("\\")[2]
    return "ld.so" if LOADER.search(name) else name


def _guessed(runner: Runner, words: list[str], frame: Frame) -> str:
    """Name a program of which some is unknown: as it reads if that is empty, where this gives a known one."""
    word = words[0]
    mark = marks_of(word)
    if mark in (NETWORK, DECODED):
        runner.runs_unknown(word, "", Call("", words, frame))
        return ""
    left = without_unknown(word).rpartition("/")[2]
    if left:
        return left
    if len(words) > 1 and (words[1] in KNOWN or words[1] in WRAPPERS):
        runner.execute(words[1:], replace(frame, through=(*frame.through, shown(word))))
    elif len(words) > 2 and any(arg[:1] == "-" and "r" in arg and "f" in arg for arg in words[1:]):
        return "rm"
    return ""


def _matched(runner: Runner, pattern: str, written: str) -> str:
    if "/" not in written or not any(char.isalnum() or char == "?" for char in pattern):
        return pattern  # without a directory it stands for a file beside the command, not for a program
    found = next((name for name in (*_LIKELY, *sorted(KNOWN)) if fnmatchcase(name, pattern)), None)
    if found is None:
        return pattern
    runner.tell("obfuscation", "high", found, f"writes the program {found} as the pattern {pattern}")
    return found


def look_at_spelling(runner: Runner, word: tuple[object, ...], fields: list[str]) -> None:
    """Tell of a program whose name is spelled so that nobody reads it."""
    name = (fields[0] if fields else "").rpartition("/")[2]
    if name not in KNOWN and name not in WRAPPERS and name not in INTERPRETERS:
        return
    pieces = [part for part in word if part != ""]
    if any(isinstance(part, Escaped) for part in pieces):
        runner.tell("obfuscation", "medium", name, f"spells the program {name} in character codes")
    elif len(pieces) > 1 and all(isinstance(part, str) for part in pieces) and not _is_plain_escape(pieces):
        runner.tell("obfuscation", "medium", name, f"breaks up the name of the program {name} by quotes")


def _is_plain_escape(pieces: list[object]) -> bool:
    r"""Tell whether a name is only kept from being an alias (``\rm``), or quoted as a whole or by directory."""
    texts = [str(piece) for piece in pieces]
    if (
        isinstance(pieces[0], Quoted)
        and len(texts[0]) == 1
        and not any(isinstance(piece, Quoted) for piece in pieces[1:])
    ):
        return True
    return any("/" in text for text in texts)
