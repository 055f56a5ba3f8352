"""Paths: the file paths in a call's arguments and commands, resolved as far as text can be.

``..``, ``~``, variables for the home directory, ``file:`` URLs, Windows forms and
look-alike letters are resolved lexically; the disk is never asked, so a symbolic
link stays what it is called. Nothing here knows which paths matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from pytest_agentreplay.guards.analysis.remotes import words_of
from pytest_agentreplay.guards.analysis.spelling import plain
from pytest_agentreplay.guards.analysis.texts import last_key
from pytest_agentreplay.redaction.keys import words

if TYPE_CHECKING:
    from pytest_agentreplay.guards.analysis.shell import ShellCommand, ShellFacts
    from pytest_agentreplay.guards.context import DecisionContext

_PATH_KEYS: Final = words(
    "path paths file files filename filenames file_path filepath file_paths dir directory folder src source dst"
    " dest destination target from_path to_path input_file output_file attachment attachments local_path"
    " remote_path root cwd workdir working_directory location uri resource include includes glob files_to_read"
    " document absolute_path relative_path old_path new_path source_path target_path config config_file env_file"
    " key_file keyfile identity_file credentials_file upload save_path notebook_path abs_path"
)
_NOT_PATHS: Final = words(
    "pattern patterns query regex regexp search search_term search_query q text content contents body message"
    " messages description prompt title comment summary subject old_str new_str old_string new_string old_text"
    " new_text question answer note notes thought reasoning plan name_pattern command cmd argv args commands"
    " script_args reason label labels tag tags data file_text replacement task instructions instruction"
    " commit_message explanation markdown html diff patch"
)
_CODE_KEYS: Final = words(
    "code script python source_code program cell snippet js javascript sql query statement expression"
)
_DIRECTORY_KEYS: Final = (
    "dir",
    "directory",
    "folder",
    "root",
    "cwd",
    "workdir",
    "working_directory",
    "base",
    "base_path",
    "parent",
)
_DIRECTORIES: Final = frozenset(_DIRECTORY_KEYS)
_FILE_KEYS: Final = ("file", "filename", "name", "file_name", "path", "file_path", "filepath", "key")

_PATH_LIKE: Final = re.compile(r"(?:[~./\\%$]|[A-Za-z]:[\\/]|file:|\\\\)[^\n]{0,1023}|[^\s,;|&<>()=]{1,512}")
_LIST: Final = re.compile(r"[,\n;]+")
_WRAPPED: Final = re.compile(
    r"(?i)(?:view-source:|jar:|url:|netdoc:(?://)?|php://filter/\S{0,200}?resource=|phar://|zip://)+(?=/|~|file:|\.)"
)
_CODE_SIGN: Final = re.compile(
    r"\bopen\(|read_text\(|read_bytes\(|readFile|\bPath[.(]|\bimport \w|\brequire\(|File\.(?:read|open)|fopen\("
    r"|\bos\.(?:system|path|popen)"
    r"|subprocess\."
)
_LITERAL: Final = re.compile(r"""(?:"([^"\n]{2,300})"|'([^'\n]{2,300})'|`([^`\n]{2,300})`)""")
_HOME: Final = re.compile(
    r"(?i)(?:\$home|\$\{home\}|\$\{home:-[^}]*\}|\$env:(?:userprofile|home)|%userprofile%|%homedrive%%homepath%"
    r"|%homepath%"
    r"|(?:/host|/mnt|/rootfs)?/home/[^/]+|/users/[^/]+|(?:/mnt/|/)?[a-z]:?/users/[^/]+|(?:/host|/mnt"
    r"|/rootfs)?/(?:var/)?root"
    r"|~[a-z_][\w-]*|(?:c:)?/documents and settings/[^/]+)(?=/|$)"
)
_VARIABLES: Final = (
    (re.compile(r"(?i)(?:%appdata%|\$env:appdata)(?=/|$)"), "~/appdata/roaming"),
    (re.compile(r"(?i)(?:%localappdata%|\$env:localappdata)(?=/|$)"), "~/appdata/local"),
    (re.compile(r"(?i)\$\{?xdg_config_home\}?(?=/|$)"), "~/.config"),
    (re.compile(r"(?i)(?:%systemroot%|%windir%|\$env:(?:systemroot|windir))(?=/|$)"), "c:/windows"),
    (re.compile(r"(?i)\$\{?pwd\}?(?=/|$)"), "."),
)
_PROCESS_ROOT: Final = re.compile(r"^/proc/(?:self|thread-self|\d+|\*|\$\$)(?:/task/\d+)?/root(?=/)")
_PROCESS_CWD: Final = re.compile(r"^/proc/(?:self|thread-self|\d+|\*|\$\$)/cwd/")
_DEVICE: Final = re.compile(r"^//[?.]/(?:unc/)?")
_DRIVE: Final = re.compile(r"^[A-Za-z]:/")
_FILE_URL: Final = re.compile(r"(?i)^file:/{0,2}(?:localhost(?=/))?(?=/|[a-z]:|~)")
_STREAM: Final = re.compile(r"(?i)::?\$data$|(?<=[^/])[. ]+$")
_UNRESOLVED: Final = re.compile(
    r"(?i)[^\w./@+=,:#-]|[^\x00-\x7f]|\.\.|//|(?:^|/)\./|[/.]$|^(?:file:|[a-z]:/|/(?:home|root|users|var|mnt|host"
    r"|rootfs|proc)(?:/|$))"
)
_ODD_SLASHES: Final = str.maketrans("∕⁄⧸／＼", "////\\")


@dataclass(frozen=True, slots=True)
class PathFact:
    """One file path in a call.

    Attributes:
        at: the path of the argument.
        text: as written.
        path: resolved: forward slashes, no ``.`` and no ``..`` but leading ones, ``~`` for a home directory.
        name: the last part of `path`.
        role: ``argument``, ``code`` (a literal in a program), ``operand`` (of a command), ``read`` or ``write``
            (redirects).
        program: whose operand it is.
    """

    at: str
    text: str
    path: str
    name: str
    role: str = "argument"
    program: str = ""


def path_facts(context: DecisionContext) -> list[PathFact]:
    """List the paths of a call: its arguments' and, where `context.shell` finds commands, theirs."""
    facts = argument_paths(context)
    for shell in context.shell:
        facts += _of_commands(shell)
    return facts


@lru_cache(maxsize=512)
def _of_commands(shell: ShellFacts) -> list[PathFact]:
    return [fact for command in shell.commands for fact in command_paths(shell.source, command)]


def argument_paths(context: DecisionContext) -> list[PathFact]:
    """List the paths that arguments are or hold, those of commands left out."""
    facts = [fact for at, text in context.texts for fact in _in_argument(at, text)]
    return [*facts, *_joined(context)]


def command_paths(at: str, command: ShellCommand) -> Iterator[PathFact]:
    """Give the paths among a command's words and redirections."""
    program = command.program.lower()
    for word in operands(words_of(command)):
        yield _fact(at, word, "operand", program)
    for redirect in command.redirects:
        if redirect.target is not None and redirect.operator[:2] != "<<":
            yield _fact(at, redirect.target, "read" if redirect.operator[:1] == "<" else "write", program)


def operands(argv: tuple[str, ...]) -> Iterator[str]:
    """Give what may be paths among a command's words, the values of ``--option=value`` and ``@file`` included."""
    for word in argv[1:]:
        if word.startswith("-"):
            _, equals, value = word.partition("=")
            if equals:
                yield value
            elif len(word) > 3 and word[1] != "-" and (word[2] in "/~.@"):
                yield word[2:].lstrip("@")
        else:
            name, at_sign, value = word.partition("@")
            if at_sign and (not name or name.endswith("=")):
                yield value.partition(";")[0]
            elif "=" in word and "/" not in word.partition("=")[0]:
                yield word.partition("=")[2].lstrip("<")
                yield word
            else:
                yield word


def _in_argument(at: str, text: str) -> Iterator[PathFact]:
    key = last_key(at)
    if len(text) < 1 << 16 and (key in _CODE_KEYS or (key not in _NOT_PATHS and _CODE_SIGN.search(text))):
        for literal in _literals(text):
            if _PATH_LIKE.fullmatch(literal):
                yield _fact(at, literal, "code")
    if key in _NOT_PATHS or not text or len(text) > 4096:
        return
    if wrapped := _WRAPPED.match(text):
        yield _fact(at, text[wrapped.end() :].partition("!")[0], "argument")
    if "://" in text and text[:5].lower() != "file:":
        return
    if "\0" in text:  # what many programs take for the end
        yield _fact(at, text.partition("\0")[0], "argument")
    if key in _PATH_KEYS:
        for part in _LIST.split(text) if "{" not in text else (text,):
            yield _fact(at, part, "argument")
    elif _PATH_LIKE.fullmatch(text):
        yield _fact(at, text, "argument")


def _literals(code: str) -> Iterator[str]:
    """Give the texts in a program, and what neighbours of them make together."""
    before, end = "", 0
    for match in _LITERAL.finditer(code):
        literal = match[1] or match[2] or match[3]
        yield literal
        glue = code[end : match.start()].strip(" \t\r\n)") if before else None
        if glue is not None and glue in ("", "+", ",", "/", "/Path(", "/ Path("):
            literal = before + ("/" if glue[:1] in (",", "/") else "") + literal
            yield literal
        before, end = (literal if len(literal) < 300 else ""), match.end()


def _joined(context: DecisionContext) -> Iterator[PathFact]:
    """Put a directory and a file together that stand in two arguments."""
    args = context.args
    if _DIRECTORIES.isdisjoint(args):
        return
    for directory in _DIRECTORY_KEYS:
        if type(above := args.get(directory)) is str:
            for name in _FILE_KEYS:
                if name != directory and type(below := args.get(name)) is str and below[:1] not in ("/", "~"):
                    yield _fact(f"args.{name}", f"{above}/{below}", "argument")


def _fact(at: str, text: str, role: str, program: str = "") -> PathFact:
    path = resolve(text) if len(text) <= 4096 else text
    return PathFact(at, text, path, path.rpartition("/")[2], role, program)


@lru_cache(maxsize=4096)
def resolve(text: str) -> str:
    """Resolve a path lexically; what it can't know, a relative path's directory, stays out."""
    if not _UNRESOLVED.search(text):
        return text
    path = plain(text.translate(_ODD_SLASHES) if not text.isascii() else text).strip().strip("\"'`").replace("\0", "")
    url = _FILE_URL.match(path)
    if "%25" in path:  # encoded twice
        path = unquote(path)
    if url or "%2e" in path.lower() or "%2f" in path.lower():
        path = unquote(path[url.end() :] if url else path)
    path = _DEVICE.sub("", path.replace("\\", "/"))
    path = _STREAM.sub("", path) if path.strip("./ ") else path
    for pattern, meaning in _VARIABLES:
        path = pattern.sub(meaning, path) if path[:1] in "%$" else path
    for _ in range(4):
        path = _PROCESS_CWD.sub("./", _PROCESS_ROOT.sub("", _collapse(path)))
    drive = _DRIVE.match(path)
    path = _HOME.sub("~", path, count=1) if _HOME.match(path) else path
    return _collapse(path[2:] if drive and path[1:2] == ":" else path)


def _collapse(path: str) -> str:
    parts: list[str] = []
    for part in path.split("/"):
        if part == ".." and parts and parts[-1] not in ("..", "~"):
            parts.pop()
        elif part == ".." and path.startswith("/") and not parts:
            continue
        elif part not in ("", "."):
            parts.append(part)
    return ("/" if path.startswith("/") else "") + "/".join(parts)
