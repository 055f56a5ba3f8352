"""Python code: which processes it starts and which files it touches, told as the commands that would do the same.

Read from the syntax tree; texts are put together as far as they are constant,
decoders included. Nothing is imported or run.
"""

from __future__ import annotations

import ast
import shlex
import warnings
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final

from pytest_agentreplay.guards.analysis.shell.facts import Deed
from pytest_agentreplay.guards.analysis.shell.python_values import Folder, Scope
from pytest_agentreplay.guards.analysis.shell.sql_text import sql_deeds
from pytest_agentreplay.guards.analysis.shell.unknown import DECODED, END, NETWORK, is_known, unknown
from pytest_agentreplay.guards.analysis.shell.wrappers import Argv, Text

Act = Argv | Text | Deed

_SHELLS: Final = frozenset(("sh", "bash", "zsh", "dash", "ksh", "cmd.exe", "cmd", "powershell.exe", "powershell"))
_MOST: Final = 200
_RUNS_TEXT: Final = frozenset(
    [
        "os.system",
        "os.popen",
        "subprocess.getoutput",
        "subprocess.getstatusoutput",
        "commands.getoutput",
        "commands.getstatusoutput",
        "pexpect.run",
        "pexpect.spawn",
        "asyncio.create_subprocess_shell",
        "posix.system",
        "nt.system",
        "os.startfile",
        "get_ipython.system",
        "get_ipython.getoutput",
        "popen2.popen2",
        "os.popen2",
        "fabric.run",
        "invoke.run",
        "fabric.api.run",
        "fabric.api.local",
        "invoke.task.run",
    ]
)
_RUNS_ARGV: Final = frozenset(
    [
        "subprocess.run",
        "subprocess.call",
        "subprocess.check_call",
        "subprocess.check_output",
        "subprocess.Popen",
        "asyncio.create_subprocess_exec",
        "pty.spawn",
        "posix.spawn",
        "trio.run_process",
        "anyio.run_process",
        "anyio.open_process",
    ]
)
_METHODS_THAT_RUN: Final = frozenset(
    ("system", "popen", "exec_command", "run_command", "run_cell", "getoutput", "sudo")
)
_FILE_COMMANDS: Final[dict[str, tuple[str, ...]]] = {
    "shutil.rmtree": ("rm", "-rf"),
    "os.remove": ("rm",),
    "os.unlink": ("rm",),
    "posix.unlink": ("rm",),
    "posix.remove": ("rm",),
    "os.rmdir": ("rmdir",),
    "os.removedirs": ("rmdir", "-p"),
    "os.rename": ("mv",),
    "os.replace": ("mv",),
    "os.renames": ("mv",),
    "shutil.move": ("mv",),
    "shutil.copy": ("cp",),
    "shutil.copy2": ("cp",),
    "shutil.copyfile": ("cp",),
    "shutil.copytree": ("cp", "-r"),
    "os.symlink": ("ln", "-s"),
    "os.link": ("ln",),
    "send2trash.send2trash": ("rm", "-rf"),
    "distutils.dir_util.remove_tree": ("rm", "-rf"),
}
_NETWORK_CALLS: Final = (
    "requests.",
    "httpx.",
    "urllib.request.",
    "urllib2.",
    "urllib.",
    "urllib3.",
    "aiohttp.",
    "http.client.",
    "wget.",
    "pycurl.",
)
_LOADERS: Final = frozenset(
    (
        "pickle.loads",
        "marshal.loads",
        "dill.loads",
        "cloudpickle.loads",
        "pickle.load",
        "joblib.load",
        "yaml.unsafe_load",
    )
)


@lru_cache(maxsize=1024)
def acts_of_python(code: str) -> tuple[Act, ...] | None:
    """List what a piece of Python does to processes and files, in order; None where it is no Python."""
    tree = _parsed(code)
    if tree is None:
        return None
    reader = _Reader()
    try:
        reader.read(tree.body)
    except RecursionError:
        reader.acts.append(Deed("unreadable", "medium", "", "nests too deep to be followed"))
    return tuple(reader.finished())


@lru_cache(maxsize=256)
def printed(code: str) -> str | None:
    """Give what a piece of Python prints as far as it is constant; None where it prints nothing."""
    tree = _parsed(code)
    if tree is None:
        return None
    reader = _Reader()
    reader.read(tree.body)
    return "".join(reader.printed) if reader.printed else None


def is_python(code: str) -> bool:
    """Tell whether a text can only be Python: it parses and has more than names and operators."""
    tree = _parsed(code)
    if tree is None:
        return False
    telling = (
        ast.Import,
        ast.ImportFrom,
        ast.FunctionDef,
        ast.ClassDef,
        ast.Call,
        ast.With,
        ast.For,
        ast.Try,
        ast.Assign,
        ast.While,
        ast.If,
    )
    return any(isinstance(node, telling) for node in ast.walk(tree))


@lru_cache(maxsize=512)
def _parsed(code: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(_without_magics(code.strip("\r\n ")))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _without_magics(code: str) -> str:
    """Turn a notebook's shell lines into calls that mean the same."""
    if not any(line.lstrip()[:1] in ("!", "%") for line in code.splitlines()):
        return code
    lines = code.splitlines()
    if lines and lines[0].startswith(("%%bash", "%%sh", "%%script", "%%!")):
        body = "\n".join(lines[1:])
        return f"__import__('os').system({body!r})"
    return "\n".join(_magic(line) for line in lines)


def _magic(line: str) -> str:
    stripped = line.lstrip()
    indent = line[: len(line) - len(stripped)]
    if stripped[:1] == "!":
        return f"{indent}__import__('os').system({stripped.lstrip('!')!r})"
    if stripped.startswith(("%sx ", "%system ", "%sc ")):
        return f"{indent}__import__('os').system({stripped.partition(' ')[2]!r})"
    return f"{indent}pass" if stripped[:1] == "%" else line


class _Reader:
    """Reads statements in order and collects what they do."""

    def __init__(self) -> None:
        self.acts: list[Act] = []
        self.printed: list[str] = []
        self.scope = Scope()
        self.folder = Folder(self.scope, self._called)
        self._names: set[str] = set()
        self._functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
        self._depth = 0

    def finished(self) -> Iterator[Act]:
        """Give what was found, and what only shows in the whole."""
        yield from self.acts[:_MOST]
        if len(self.acts) > _MOST:
            yield Deed("unreadable", "medium", "", "does too much to be followed")
        connects = (
            any(name.startswith("socket.") or name.endswith(".connect") for name in self._names)
            and "socket" in self.scope.imports.values()
        )
        starts_shell = any(
            isinstance(act, Argv) and act.words and act.words[0].rpartition("/")[2] in _SHELLS for act in self.acts
        ) or any(
            isinstance(act, Text) and act.text.strip().rpartition("/")[2].split(" ")[0] in _SHELLS for act in self.acts
        )
        if connects and (self._names & {"os.dup2", "pty.spawn"} or starts_shell):
            yield Deed("reverse_shell", "critical", "", "hands a shell to another machine")

    def read(self, body: list[ast.stmt]) -> None:
        """Read statements."""
        for statement in body:
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Import | ast.ImportFrom):
            self.scope.import_names(node)
        elif isinstance(node, ast.Assign):
            value = self.folder.value(node.value)
            for target in node.targets:
                self.scope.bind(target, value)
        elif isinstance(node, ast.AnnAssign | ast.AugAssign) and node.value is not None:
            self._augmented(node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            self._functions[node.name] = node
            self._function(node, [])
        elif isinstance(node, ast.ClassDef):
            self.read(node.body)
        elif isinstance(node, ast.For | ast.AsyncFor):
            self._loop(node)
        else:
            self._other(node)

    def _augmented(self, node: ast.AnnAssign | ast.AugAssign) -> None:
        assert node.value is not None
        value = self.folder.value(node.value)
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
            value = self.folder.added(self.folder.value(_loaded(node.target)), value)
        self.scope.bind(node.target, value)

    def _loop(self, node: ast.For | ast.AsyncFor) -> None:
        items = self.folder.value(node.iter)
        choices = list(items[:8]) if isinstance(items, list | tuple) and items else [unknown("item")]
        for choice in choices:
            self.scope.bind(node.target, choice)
            self.read(node.body)
        self.read(node.orelse)

    def _other(self, node: ast.stmt) -> None:
        if isinstance(node, ast.While) and _forks(node):
            self.acts.append(
                Deed("process_kill", "critical", "", "starts processes without end until the machine stalls")
            )
        for _, field in ast.iter_fields(node):
            for item in field if isinstance(field, list) else [field]:
                if isinstance(item, ast.stmt):
                    self._statement(item)
                elif isinstance(item, ast.expr):
                    self.folder.value(item)
                elif isinstance(item, ast.withitem):
                    value = self.folder.value(item.context_expr)
                    if item.optional_vars is not None:
                        self.scope.bind(item.optional_vars, value)
                elif isinstance(item, ast.ExceptHandler | ast.match_case):
                    self.read(item.body)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, given: list[Any]) -> None:
        if self._depth > 4:
            return
        self._depth += 1
        names = [each.arg for each in (*node.args.posonlyargs, *node.args.args)]
        for place, name in enumerate(names):
            self.scope.values[name] = given[place] if place < len(given) else unknown(name)
        if given or not names:
            self.read(node.body)
        else:
            before = len(self.acts)
            self.read(node.body)
            self.acts[before:] = [act for act in self.acts[before:] if not _hangs_on_parameters(act)]
        self._depth -= 1

    def _called(self, name: str, call: ast.Call, args: list[Any], keywords: dict[str, Any]) -> Any:
        """Take notice of one call; give its value, None where it is the folder's to say."""
        self._names.add(name)
        if name in self._functions and args:
            self._function(self._functions[name], args)
            return unknown("result")
        for matches, act in _CALLS:
            if matches(name):
                return act(self, name, args, keywords)
        method = name.rpartition(".")[2]
        if method in _METHODS_THAT_RUN and args and isinstance(args[0], str):
            return self.run_text(name, args, keywords)
        if method in ("execute", "executescript", "executemany", "text") and args and isinstance(args[0], str):
            self.acts += sql_deeds(args[0])
        return None

    def run_text(self, name: str, args: list[Any], keywords: dict[str, Any]) -> Any:
        """Note that a text is run by a shell."""
        text = _text(args[0] if args else keywords.get("cmd", keywords.get("command", "")))
        self._note_decoding()
        self.acts.append(Text(text))
        return unknown("output")

    def run_argv(self, name: str, args: list[Any], keywords: dict[str, Any]) -> Any:
        """Note that a program is started."""
        given = args[0] if args else keywords.get("args", "")
        self._note_decoding()
        if name.endswith("create_subprocess_exec"):
            given = [_text(arg) for arg in args]
        if isinstance(given, list | tuple):
            words = [_text(word) for word in given]
            text = keywords.get("input")
            if isinstance(text, str | bytes) and words and words[0].rpartition("/")[2] in _SHELLS:
                self.acts.append(Text(_text(text)))
            self.acts.append(Text(words[0]) if keywords.get("shell") and len(words) == 1 else Argv(words))
        else:
            self.acts.append(Text(_text(given)))
        return unknown("output")

    def run_exec(self, name: str, args: list[Any], keywords: dict[str, Any]) -> Any:
        """Note ``os.exec...`` and ``os.spawn...``: the program's path, then its words."""
        words = args[1:] if ".spawn" in name or (False) else args
        if len(words) > 1 and isinstance(words[1], list | tuple):
            self.acts.append(Argv([_text(words[0]), *[_text(word) for word in words[1][1:]]]))
        elif words:
            self.acts.append(Argv([_text(words[0]), *[_text(word) for word in words[2:]]]))
        return None

    def file_command(self, name: str, args: list[Any], keywords: dict[str, Any]) -> Any:
        """Note a change to files as the command that does the same."""
        if name == "os.chmod" or name == "os.lchmod":
            mode = args[1] if len(args) > 1 else keywords.get("mode")
            self.acts.append(
                Argv(["chmod", f"{mode:o}" if isinstance(mode, int) else "644", _text(args[0] if args else "")])
            )
        elif name == "os.kill" or name == "os.killpg":
            self.acts.append(Argv(["kill", f"-{_number(args[1:2])}", _text(args[0] if args else "")]))
        elif name == "os.chown":
            self.acts.append(Argv(["chown", ":".join(_text(arg) for arg in args[1:3]), _text(args[0] if args else "")]))
        elif name == "os.truncate":
            self.acts.append(
                Argv(["truncate", "-s", _text(args[1] if len(args) > 1 else "0"), _text(args[0] if args else "")])
            )
        else:
            given = args or [keywords.get("path", keywords.get("src", ""))]
            self.acts.append(Argv([*_FILE_COMMANDS[name], *[_text(arg) for arg in given[:2]]]))
        return None

    def evaluated(self, name: str, args: list[Any], keywords: dict[str, Any]) -> Any:
        """Follow ``exec``, ``eval`` and ``compile``."""
        code = args[0] if args else ""
        if name == "compile":
            return code
        text = _text(code)
        if NETWORK in text:
            self.acts.append(Deed("interpreter_from_network", "critical", "", "downloads code and runs it unseen"))
        elif DECODED in text:
            self.acts.append(Deed("obfuscation", "high", "", "decodes code and runs it unseen"))
        elif text and is_known(text) and self._depth < 4:
            self._depth += 1
            self._note_decoding()
            inner = _parsed(text)
            if inner is not None:
                self.read(inner.body)
            self._depth -= 1
        return unknown("value")

    def _note_decoding(self) -> None:
        if self.folder.decoded:
            self.folder.decoded = False
            self.acts.append(Deed("obfuscation", "high", "", "hides in an encoding what it runs"))

    def loaded(self, name: str, args: list[Any], keywords: dict[str, Any]) -> Any:
        """Note what loaders that run code are given."""
        text = _text(args[0]) if args else ""
        if NETWORK in text:
            self.acts.append(
                Deed("interpreter_from_network", "high", "", f"hands what it downloads to {name}, which runs code")
            )
        elif DECODED in text or self.folder.decoded:
            self.acts.append(Deed("obfuscation", "high", "", f"hands what it decodes to {name}, which runs code"))
        return unknown("value", DECODED)

    def opened(self, name: str, args: list[Any], keywords: dict[str, Any]) -> Any:
        """Note a file that is opened: for writing as a redirection, for reading as unknown text that names it."""
        path = _text(args[0] if args else keywords.get("file", ""))
        mode = args[1] if len(args) > 1 else keywords.get("mode", "r")
        if isinstance(mode, str) and any(letter in mode for letter in "wax+"):
            self.write(path, unknown("text"), append="a" in mode)
            return _File(path)
        return unknown("file:" + path.replace(END, ""))

    def write(self, path: str, content: str, *, append: bool = False) -> None:
        """Note a file that is written."""
        self.acts.append(Text(f"cat {'>>' if append else '>'} {shlex.quote(path)} <<< {shlex.quote(content)}"))

    def fetched(self, name: str, args: list[Any], keywords: dict[str, Any]) -> Any:
        """Note a request as the ``curl`` that does the same."""
        texts = [_text(arg) for arg in args]
        if name.endswith("urlretrieve") or name == "wget.download":
            target = texts[1] if len(texts) > 1 else _text(keywords.get("filename", "downloaded"))
            self.acts.append(Argv(["curl", "-o", target, *texts[:1]]))
            return unknown("path")
        method = name.rpartition(".")[2].upper()
        words = ["curl", "-X", method] if method in ("POST", "PUT", "PATCH", "DELETE") else ["curl"]
        for value in (
            *args[1:],
            *[keywords[key] for key in ("data", "json", "files", "params", "content", "body") if key in keywords],
        ):
            text = _text(value)
            if "file:" in text:
                words += ["-d", "@" + text.partition("file:")[2].partition(END)[0]]
            elif text:
                words += ["-d", text]
        self.acts.append(Argv([*words, *texts[:1]]))
        return unknown("", NETWORK)

    def told(self, name: str, args: list[Any], keywords: dict[str, Any]) -> Any:
        """Keep what is printed."""
        if not keywords.get("file"):
            end = keywords.get("end", "\n")
            self.printed.append(" ".join(_text(arg) for arg in args) + ("" if name.endswith("write") else _text(end)))
        return unknown("none")

    def privileged(self, name: str, args: list[Any], keywords: dict[str, Any]) -> Any:
        """Note a change of the user to root."""
        if args[:1] == [0]:
            self.acts.append(Deed("privilege", "high", "root", f"becomes root by {name}"))
        return None

    def of_path(self, name: str, args: list[Any], keywords: dict[str, Any]) -> Any:
        """Note what methods of ``pathlib.Path`` do; the folder puts the path first."""
        method = name.rpartition(".")[2]
        path = _text(args[0])
        if method == "unlink":
            self.acts.append(Argv(["rm", path]))
        elif method == "rmdir":
            self.acts.append(Argv(["rmdir", path]))
        elif method == "rmtree":
            self.acts.append(Argv(["rm", "-rf", path]))
        elif method in ("write_text", "write_bytes"):
            self.write(path, _text(args[1]) if len(args) > 1 else "")
        elif method == "open":
            return self.opened(name, args, keywords)
        elif method == "chmod":
            return self.file_command("os.chmod", args, keywords)
        elif method in ("rename", "replace", "move"):
            self.acts.append(Argv(["mv", path, _text(args[1] if len(args) > 1 else "")]))
        elif method in ("read_text", "read_bytes"):
            return unknown("file:" + path.replace(END, ""))
        elif method == "symlink_to":
            self.acts.append(Argv(["ln", "-s", _text(args[1] if len(args) > 1 else ""), path]))
        return unknown("value")

    def written(self, name: str, args: list[Any], keywords: dict[str, Any]) -> Any:
        """Note what is written to an open file."""
        file = args[0]
        if isinstance(file, _File):
            self.write(file.path, _text(args[1]) if len(args) > 1 else "", append=True)  # type: ignore[attr-defined]
        return None


class _File(str):
    """An open file."""

    __slots__ = ("path",)

    def __new__(cls, path: str) -> _File:
        made = super().__new__(cls, unknown("file"))
        made.path = path  # type: ignore[attr-defined]
        return made


_Handler = Callable[[_Reader, str, list[Any], dict[str, Any]], Any]
_CALLS: Final[tuple[tuple[Callable[[str], bool], _Handler], ...]] = (
    (_RUNS_TEXT.__contains__, _Reader.run_text),
    (_RUNS_ARGV.__contains__, _Reader.run_argv),
    (lambda name: name.startswith(("os.exec", "os.spawn", "os.posix_spawn")), _Reader.run_exec),
    (
        lambda name: (
            name in _FILE_COMMANDS
            or name in ("os.chmod", "os.lchmod", "os.kill", "os.killpg", "os.chown", "os.truncate")
        ),
        _Reader.file_command,
    ),
    (
        lambda name: (
            name in ("exec", "eval", "compile", "execfile", "runpy.run_path", "builtins.exec", "builtins.eval")
        ),
        _Reader.evaluated,
    ),
    (_LOADERS.__contains__, _Reader.loaded),
    (lambda name: name in ("open", "io.open", "builtins.open", "codecs.open", "os.open"), _Reader.opened),
    (lambda name: name.startswith("Path()."), _Reader.of_path),
    (lambda name: name in ("File().write", "File().writelines"), _Reader.written),
    (
        lambda name: (
            name.startswith(_NETWORK_CALLS)
            and not name.startswith(("urllib.parse", "urllib.error", "requests.exceptions"))
        ),
        _Reader.fetched,
    ),
    (lambda name: name in ("print", "sys.stdout.write", "sys.stdout.buffer.write"), _Reader.told),
    (lambda name: name in ("os.setuid", "os.seteuid", "os.setresuid", "os.setgid"), _Reader.privileged),
)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, dict):
        return " ".join(f"{_text(key)}={_text(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return " ".join(_text(item) for item in value)
    return str(value)


def _number(values: list[Any]) -> str:
    return str(values[0]) if values and isinstance(values[0], int) else "TERM"


def _hangs_on_parameters(act: Act) -> bool:
    """Tell whether an act is unknown only because nobody has called its function yet."""
    return (
        isinstance(act, Argv)
        and act.words[:1] in (["rm"], ["rmdir"], ["mv"])
        and any(END in word for word in act.words)
    )


def _forks(node: ast.While) -> bool:
    constant = isinstance(node.test, ast.Constant) and bool(node.test.value)
    return constant and any(
        isinstance(each, ast.Attribute) and each.attr == "fork" for part in node.body for each in ast.walk(part)
    )


def _loaded(target: ast.expr) -> ast.expr:
    return ast.Name(target.id, ast.Load()) if isinstance(target, ast.Name) else target
