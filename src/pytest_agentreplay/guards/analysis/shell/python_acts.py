"""What calls in Python code do to processes and files, told as the commands that would do the same.

Nothing here reads code; who does says which call is made and with which values.
"""

from __future__ import annotations

import ast
import re
import shlex
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from pytest_agentreplay.guards.analysis.shell.facts import Deed
from pytest_agentreplay.guards.analysis.shell.inner import Argv, Text
from pytest_agentreplay.guards.analysis.shell.python_builtins import PathText
from pytest_agentreplay.guards.analysis.shell.python_values import Folder, Scope
from pytest_agentreplay.guards.analysis.shell.sql_text import sql_deeds
from pytest_agentreplay.guards.analysis.shell.unknown import ANY_DEPTH, DECODED, END, NETWORK, is_known, unknown
from pytest_agentreplay.redaction.keys import words

Act: TypeAlias = Argv | Text | Deed

SHELLS: Final = frozenset(("sh", "bash", "zsh", "dash", "ksh", "cmd.exe", "cmd", "powershell.exe", "powershell"))
_RUNS_TEXT: Final = words(
    "os.system os.popen subprocess.getoutput subprocess.getstatusoutput commands.getoutput"
    " commands.getstatusoutput pexpect.run pexpect.spawn asyncio.create_subprocess_shell"
    " posix.system nt.system os.startfile get_ipython.system get_ipython.getoutput popen2.popen2"
    " os.popen2 fabric.run invoke.run fabric.api.run fabric.api.local invoke.task.run"
)
_RUNS_ARGV: Final = words(
    "subprocess.run subprocess.call subprocess.check_call subprocess.check_output"
    " subprocess.Popen asyncio.create_subprocess_exec pty.spawn posix.spawn trio.run_process"
    " anyio.run_process anyio.open_process"
)
_METHODS_THAT_RUN: Final = frozenset(
    ("system", "popen", "exec_command", "run_command", "run_cell", "getoutput", "sudo")
)
_CLIENTS: Final = words(
    "boto3 botocore aioboto3 google azure kubernetes docker pymongo motor redis elasticsearch opensearchpy cassandra"
    " hvac digitalocean openstack libcloud sqlalchemy psycopg psycopg2 pymysql influxdb consul etcd3 github"
)
_DESTROYS: Final = re.compile(
    r"delete_(?:bucket|table|db_\w+|cluster|stack|instances?|volume|user|function|secret|repository|domain|snapshot"
    r"|image|collection|database|index|topic|hosted_zone|project|namespaced_\w+|namespace|vpc|file_system|key_pair)"
    r"|terminate(?:_instances)?|flushall|flushdb|drop_database|drop_collection|drop_all|prune"
    r"|schedule_key_deletion|delete_many"
)
_METHODS_THAT_SEND: Final = words(
    "send sendall sendto sendmsg request sendmail send_message storbinary storlines post put upload_file upload_fileobj"
    " send_file gethostbyname"
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
_LOADERS: Final = words(
    "pickle.loads marshal.loads dill.loads cloudpickle.loads pickle.load joblib.load yaml.unsafe_load"
)


class Acts(ABC):
    """Collects what calls do.

    Attributes:
        acts: what was found, in order.
        printed: what was printed.
    """

    def __init__(self) -> None:
        self.acts: list[Act] = []
        self.printed: list[str] = []
        self.scope = Scope()
        self.folder = Folder(self.scope, self.act)

    @abstractmethod
    def read_code(self, text: str) -> None:
        """Read code inside this code; who reads code says how."""

    def act(self, name: str, call: ast.Call, args: list[Any], keywords: dict[str, Any]) -> Any:
        """Take notice of one call; give its value, None where it is the folder's to say."""
        for matches, act in _CALLS:
            if matches(name):
                return act(self, name, args, keywords)
        method = name.rpartition(".")[2]
        if method in _METHODS_THAT_SEND and "\x00file:" in (text := _text([*args, *keywords.values()])):
            self.acts.append(Argv(["curl", "-d", "@" + text.partition("file:")[2].partition(END)[0], unknown("host")]))
        if method in _METHODS_THAT_RUN and args and isinstance(args[0], str | bytes):
            return self.run_text(name, args, keywords)
        if _DESTROYS.fullmatch(method) and not _CLIENTS.isdisjoint(
            module.partition(".")[0] for module in self.scope.imports.values()
        ):
            self.acts.append(Deed("infra_destroy", "high", method, f"{method} destroys what a service keeps"))
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
            if isinstance(text, str | bytes) and words and words[0].rpartition("/")[2] in SHELLS:
                self.acts.append(Text(_text(text)))
            self.acts.append(Text(words[0]) if keywords.get("shell") and len(words) == 1 else Argv(words))
        else:
            self.acts.append(Text(_text(given)))
        return unknown("output")

    def run_exec(self, name: str, args: list[Any], keywords: dict[str, Any]) -> Any:
        """Note ``os.exec...`` and ``os.spawn...``: the program's path, then its words."""
        words = args[1:] if ".spawn" in name else args
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
        elif text and is_known(text):
            self._note_decoding()
            self.read_code(text)
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
        path = _text(args[0]) if args else ""
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
        elif method in ("glob", "rglob", "iterdir"):
            pattern = _text(args[1]) if len(args) > 1 else "*"
            ending = "" if pattern in ("*", "**", "**/*", ".*") else "/" + pattern
            return [PathText(f"{path.rstrip('/')}/{unknown(ANY_DEPTH)}{ending}")]
        elif method == "symlink_to":
            self.acts.append(Argv(["ln", "-s", _text(args[1] if len(args) > 1 else ""), path]))
        return unknown("value")

    def written(self, name: str, args: list[Any], keywords: dict[str, Any]) -> Any:
        """Note what is written to an open file."""
        file = args[0] if args else None
        if isinstance(file, _File):
            self.write(file.path, _text(args[1]) if len(args) > 1 else "", append=True)
        return None


class _File(str):
    """An open file."""

    __slots__ = ("path",)
    path: str

    def __new__(cls, path: str) -> _File:
        made = super().__new__(cls, unknown("file"))
        made.path = path
        return made


_Handler = Callable[[Acts, str, list[Any], dict[str, Any]], Any]
_CALLS: Final[tuple[tuple[Callable[[str], bool], _Handler], ...]] = (
    (_RUNS_TEXT.__contains__, Acts.run_text),
    (_RUNS_ARGV.__contains__, Acts.run_argv),
    (lambda name: name.startswith(("os.exec", "os.spawn", "os.posix_spawn")), Acts.run_exec),
    (
        lambda name: (
            name in _FILE_COMMANDS
            or name in ("os.chmod", "os.lchmod", "os.kill", "os.killpg", "os.chown", "os.truncate")
        ),
        Acts.file_command,
    ),
    (
        lambda name: (
            name in ("exec", "eval", "compile", "execfile", "runpy.run_path", "builtins.exec", "builtins.eval")
        ),
        Acts.evaluated,
    ),
    (_LOADERS.__contains__, Acts.loaded),
    (lambda name: name in ("open", "io.open", "builtins.open", "codecs.open", "os.open"), Acts.opened),
    (lambda name: name.startswith("Path()."), Acts.of_path),
    (lambda name: name in ("File().write", "File().writelines"), Acts.written),
    (
        lambda name: (
            name.startswith(_NETWORK_CALLS)
            and not name.startswith(("urllib.parse", "urllib.error", "requests.exceptions"))
        ),
        Acts.fetched,
    ),
    (lambda name: name in ("print", "sys.stdout.write", "sys.stdout.buffer.write"), Acts.told),
    (lambda name: name in ("os.setuid", "os.seteuid", "os.setresuid", "os.setgid"), Acts.privileged),
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
