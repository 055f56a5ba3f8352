"""Follows a script as a shell would, without running any of it.

Variables, functions, aliases, the directory and the texts of files that the
script itself writes are kept track of; what one command prints reaches the
next. Every command that would run is judged once, under all its wrappers.
"""

from __future__ import annotations

import re
import unicodedata
from contextlib import contextmanager
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from pytest_agentreplay.guards.analysis.shell.call import Call, Frame, Redirect
from pytest_agentreplay.guards.analysis.shell.deeds import KNOWN, judge
from pytest_agentreplay.guards.analysis.shell.expansion import Variables
from pytest_agentreplay.guards.analysis.shell.facts import Deed, Effect
from pytest_agentreplay.guards.analysis.shell.hidden import hidden_commands
from pytest_agentreplay.guards.analysis.shell.interpreters import INTERPRETERS
from pytest_agentreplay.guards.analysis.shell.outputs import DECODING, output_of, saved_files
from pytest_agentreplay.guards.analysis.shell.parser import parse_script
from pytest_agentreplay.guards.analysis.shell.places import resolve
from pytest_agentreplay.guards.analysis.shell.state import BUILTINS
from pytest_agentreplay.guards.analysis.shell.syntax import (
    Assignment,
    Command,
    Compound,
    Escaped,
    Parameter,
    Pipeline,
    ProcessSubstitution,
    Quoted,
    Redirection,
    Script,
    Simple,
    Word,
)
from pytest_agentreplay.guards.analysis.shell.unknown import (
    DECODED,
    NETWORK,
    is_known,
    marks_of,
    shown,
    unknown,
    without_unknown,
)
from pytest_agentreplay.guards.analysis.shell.words import TooDeepError
from pytest_agentreplay.guards.analysis.shell.wrappers import LOADER, WRAPPERS, Argv, Inner
from pytest_agentreplay.guards.analysis.spelling import is_disguised, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_agentreplay.trace import Severity

MOST_COMMANDS: Final = 1000
DEEPEST: Final = 12
_DECLARES: Final = frozenset(("export", "declare", "local", "readonly", "typeset"))
_LIKELY: Final = ("rm", "sh", "bash", "dd", "nc", "cat", "curl", "wget", "chmod", "mkfs", "python3", "perl")
_FEEDS: Final = frozenset(("tee", "sponge", "cp", "mv", "install", "ln"))
_ASSIGNED: Final = re.compile(r"([A-Za-z_][\w.-]*)=(.*)", re.DOTALL)


class Walk:
    """One pass over a script.

    Attributes:
        calls: the commands that would run, in order.
        deeds: what they would do.
        programs: the programs' names in order, wrappers included.
        problems: what could not be read or was not followed to its end.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.deeds: list[Deed] = []
        self.programs: list[str] = []
        self.problems: list[str] = []
        self.variables = Variables(self._substituted)
        self.functions: dict[str, Script] = {}
        self.aliases: dict[str, str] = {}
        self.files: dict[str, str] = {}
        self.directory = ""
        self.through: tuple[str, ...] = ()
        self.stdin: str | None = None
        self.before: tuple[str, ...] = ()
        self.after = ""
        self.depth = 0
        self._captured = 0
        self._called: set[str] = set()
        self._decoded: list[str] = []
        self._outputs: dict[tuple[str, ...], str] = {}
        self._steps = 0

    def text(self, text: str, positional: tuple[str, ...] | None = None) -> str:
        """Follow a script given as text; give what it prints."""
        if self.depth >= DEEPEST:
            self.problems.append("it nests too deep")
            return unknown()
        try:
            script, problems = parse_script(text)
        except (TooDeepError, RecursionError):
            self.problems.append("it nests too deep")
            return unknown()
        if is_known(text):  # what is unknown may well close a quote
            self.problems += problems
        if self._decoded and any(decoded in text for decoded in self._decoded):
            self._tell("obfuscation", "medium", "", "runs what it decodes first")
        outer = self.variables.positional
        if positional is not None:
            self.variables.positional = list(positional)
        self.depth += 1
        output = self.script(script)
        self.depth -= 1
        self.variables.positional = outer
        return output

    def finish(self) -> None:
        """Follow the functions that were defined and never called."""
        for name in [name for name in self.functions if name not in self._called]:
            with self._inside((name,)):
                self.script(self.functions[name])

    def script(self, script: Script) -> str:
        """Follow commands one after the other; give what they print."""
        outputs = [self.pipeline(pipeline) for pipeline in script]
        return outputs[0] if len(outputs) == 1 else "".join(outputs)[:65_536]

    def pipeline(self, pipeline: Pipeline) -> str:
        """Follow commands of which each reads what the one before it prints."""
        commands = pipeline.commands
        if len(commands) == 1:
            return self._command(commands[0])
        outer = self.stdin, self.before, self.after, self.directory
        output = ""
        self._captured += 1
        for place, command in enumerate(commands):
            self.after = _first_program(commands[place + 1]) if place + 1 < len(commands) else outer[2]
            seen = len(self.programs)
            output = self._command(command)
            self.before = (*self.before, *self.programs[seen:][-4:])
            self.stdin = output
            self.directory = outer[3]
        self._captured -= 1
        self.stdin, self.before, self.after, self.directory = outer
        return output

    def _command(self, command: Command) -> str:
        if isinstance(command, Simple):
            return self._simple(command)
        return self._compound(command)

    def _compound(self, command: Compound) -> str:
        if command.kind == "function":
            self._define(command.name, command.body)
            return ""
        outer = self.stdin, self.directory
        redirects = self._redirects(command.redirections)
        self._captured += bool(redirects)
        self.stdin = self._read_by(redirects)
        if command.kind in ("for", "test", "case"):
            fields = [field for word in command.words for field in self.variables.fields(word)]
            if command.kind == "for" and command.name:
                self.variables.values[command.name] = fields[:16] or [unknown(command.name)]
        output = self.script(command.body)
        self._captured -= bool(redirects)
        self.stdin = outer[0]
        if command.kind == "subshell":
            self.directory = outer[1]
        if redirects:
            frame = self._frame(redirects)
            self._judge(Call("", [], frame))
            self._store(redirects, output)
        return output

    def _define(self, name: str, body: Script) -> None:
        self.functions[name] = body
        if _bombs(name, body):
            self._tell("process_kill", "critical", name, "starts itself over and over until the machine stalls")

    def _simple(self, command: Simple) -> str:
        words = command.words
        redirects = self._redirects(command.redirections)
        fields: list[str] = []
        if words:
            first = self.variables.fields(words[0])
            if not isinstance(words[0], str):
                self._look_at_spelling(words[0], first)
            if len(first) > 1 and isinstance(words[0], tuple) and _alternatives(words[0], self.variables):
                return self._each(first, command, redirects)
            fields = first
            for word in words[1:]:
                fields += self.variables.fields(word) if type(word) is not str or "{" in word else (word,)
        assignments = self._assignments(command.assignments)
        if not fields:
            return self._assigned(command.assignments, assignments, redirects)
        if fields[0] in _DECLARES:
            self._declared(fields, command.assignments)
        elif fields[0] == "alias":
            self._aliased([*fields[1:], *(f"{name}={value}" for name, value in assignments)])
        return self.execute(fields, self._frame(redirects, assignments))

    def _each(self, programs: list[str], command: Simple, redirects: tuple[Redirect, ...]) -> str:
        rest = [field for word in command.words[1:] for field in self.variables.fields(word)]
        outputs = [self.execute([program, *rest], self._frame(redirects)) for program in programs]
        return "".join(outputs)

    def _look_at_spelling(self, word: tuple[object, ...], fields: list[str]) -> None:
        name = (fields[0] if fields else "").rpartition("/")[2]
        if name not in KNOWN and name not in WRAPPERS and name not in INTERPRETERS:
            return
        pieces = [part for part in word if part != ""]
        if any(isinstance(part, Escaped) for part in pieces):
            self._tell("obfuscation", "medium", name, f"spells the program {name} in character codes")
        elif len(pieces) > 1 and all(isinstance(part, str) for part in pieces) and not _is_plain_escape(pieces):
            self._tell("obfuscation", "medium", name, f"breaks up the name of the program {name} by quotes")

    def _frame(self, redirects: tuple[Redirect, ...] = (), assignments: tuple[tuple[str, str], ...] = ()) -> Frame:
        return Frame(
            self._read_by(redirects), self.before, self.after, self.through, redirects, assignments, self.directory
        )

    def _read_by(self, redirects: tuple[Redirect, ...]) -> str | None:
        for each in reversed(redirects):
            if each.operator in ("<<", "<<-", "<<<"):
                return each.target
            if each.operator == "<" and each.descriptor in ("", "0"):
                if marks_of(each.target) in (NETWORK, DECODED):
                    return unknown("", marks_of(each.target))
                return self.files.get(resolve(each.target, self.directory), unknown())
        return self.stdin

    def _redirects(self, redirections: list[Redirection]) -> tuple[Redirect, ...]:
        if not redirections:
            return ()
        done = []
        for each in redirections:
            text = (
                self.variables.text(each.word)
                if each.operator in ("<<", "<<-", "<<<")
                else (self.variables.fields(each.word) or [""])[0]
            )
            done.append(Redirect(each.operator, text, each.descriptor))
            if isinstance(each.word, tuple):
                self._feed(each.word)
        return tuple(done)

    def _feed(self, word: tuple[object, ...]) -> None:
        """Hand what a command prints to the commands in ``>(...)``: nobody knows it yet, so they get unknown text."""
        for part in word:
            if isinstance(part, ProcessSubstitution) and part.direction == ">":
                outer, self.stdin = self.stdin, unknown()
                self.script(part.script)
                self.stdin = outer

    def _assignments(self, assignments: list[Assignment]) -> tuple[tuple[str, str], ...]:
        if not assignments:
            return ()
        return tuple([(each.name, self.variables.text(each.word)) for each in assignments if each.items is None])

    def _assigned(
        self, assignments: list[Assignment], values: tuple[tuple[str, str], ...], redirects: tuple[Redirect, ...]
    ) -> str:
        for each in assignments:
            self._assign(each)
        if redirects or values:
            self._judge(Call("", [], self._frame(redirects, values)))
            self._store(redirects, "")
        return ""

    def _assign(self, each: Assignment) -> None:
        values = self.variables.values
        if each.items is not None:
            fields = [field for item in each.items for field in self.variables.fields(item)]
            values[each.name] = (values.get(each.name, []) + fields if each.append else fields)[:256]
            return
        texts = self.variables.texts(each.word)
        if each.index.isdigit() and int(each.index) < 256:
            items = values.setdefault(each.name, [])
            items += [""] * (int(each.index) + 1 - len(items))
            items[int(each.index)] = texts[0]
        elif each.append:
            values[each.name] = [before + text for before in values.get(each.name, [""]) for text in texts][:16]
        else:
            values[each.name] = texts

    def _declared(self, fields: list[str], assignments: list[Assignment]) -> None:
        for each in assignments:
            self._assign(each)
        for word in fields[1:]:
            if found := _ASSIGNED.fullmatch(word):
                self.variables.values[found[1]] = [found[2]]

    def _aliased(self, words: list[str]) -> None:
        for word in words:
            if found := _ASSIGNED.fullmatch(word):
                name, text = found[1], found[2]
                self.aliases[name] = text
                with self._inside(("alias",)):
                    self.text(text)
                if name in ("sudo", "su", "ssh", "passwd", "doas"):
                    self._tell("obfuscation", "high", name, f"puts another command in the place of {name}")

    def execute(self, words: list[str], frame: Frame) -> str:
        """Run one command in thought: its words are expanded; give what it prints."""
        self._steps += 1
        if self._steps > MOST_COMMANDS:
            if "it has too many commands" not in self.problems:
                self.problems.append("it has too many commands")
            return unknown()
        name = self._program(words, frame)
        call = Call(name, words[1:], frame)
        if name in self.aliases and words[0] == name:
            return self._expanded_alias(name, call)
        if name in self.functions and words[0] == name:
            return self._called_function(name, call)
        self.programs.append(name if is_known(name) else "")
        builtin = BUILTINS.get(name)
        if builtin is not None:
            output = builtin(self, call)
            if output is not None:
                self.calls.append(call)
                self._judge(call)
                return output
        for hidden in list(hidden_commands(call)):
            self.inner(hidden, call)
        ran, output = self._unwrapped(call, words[0])
        self._finish_call(call, output)
        return output if ran else self._stored(call, self._output(call))

    def _output(self, call: Call) -> str:
        if not (self._captured or call.frame.redirects or call.frame.after or call.program in _FEEDS):
            return ""  # nobody reads it
        output = output_of(call, self.files)
        if call.program in DECODING and is_known(output) and len(output.strip()) > 1:
            self._decoded.append(output.strip())
        return output

    def _finish_call(self, call: Call, output: str) -> None:
        if call.program not in WRAPPERS or call.program in KNOWN or not output:
            self.calls.append(call)
        self._judge(call)
        for name in saved_files(call):
            self.files[call.path(name)] = unknown("", NETWORK)

    def _stored(self, call: Call, output: str) -> str:
        self._store(call.frame.redirects, output)
        if call.program in ("tee", "sponge"):
            for name in call.operands:
                self.files[call.path(name)] = output
        elif call.program in ("cp", "mv", "install", "ln") and len(call.operands) > 1:
            source = self.files.get(call.path(call.operands[-2]))
            if source is not None:
                self.files[call.path(call.operands[-1])] = source
        return output

    def _store(self, redirects: tuple[Redirect, ...], output: str) -> None:
        for each in redirects:
            if each.operator in (">", ">>", ">|", "&>", "&>>") and each.descriptor in ("", "1"):
                path = resolve(each.target, self.directory)
                self.files[path] = (self.files.get(path, "") + output)[:65_536] if ">>" in each.operator else output

    def _unwrapped(self, call: Call, written: str) -> tuple[bool, str]:
        """Follow what a wrapper or an interpreter runs; tell whether there was anything, and what it prints."""
        path = call.path(written)
        content = self.files.get(path) if "/" in written else None
        if content is not None:
            return True, self._ran_file(call, content, path)
        interpreter = INTERPRETERS.get(call.program)
        if interpreter is not None:
            return True, interpreter(self, call)
        unwrap = WRAPPERS.get(call.program)
        if unwrap is None:
            return False, ""
        outputs = [self.inner(inner, call) for inner in list(unwrap(call))]
        return bool(outputs), "".join(outputs)

    def _ran_file(self, call: Call, content: str, path: str) -> str:
        if marks_of(content) in (NETWORK, DECODED):
            self.runs_unknown(content, shown(path), call)
            return unknown()
        with self._inside((call.program,), call.frame):
            return self.text(content, (path, *call.args))

    def inner(self, inner: Inner, call: Call) -> str:
        """Follow what a wrapper runs."""
        frame = call.frame
        if isinstance(inner, Argv):
            through = (*frame.through, call.program)
            assignments = (*frame.assignments, *inner.assignments)
            if not inner.words:
                return ""
            return self.execute(list(inner.words), replace(frame, through=through, assignments=assignments))
        with self._inside((call.program,), frame):
            return self.text(inner.text, inner.positional)

    @contextmanager
    def _inside(self, through: tuple[str, ...], frame: Frame | None = None) -> Iterator[None]:
        outer = self.through, self.stdin, self.before, self.after
        self.through = (*(frame.through if frame else self.through), *through)
        if frame is not None:
            self.stdin, self.before, self.after = frame.stdin, frame.before, frame.after
        yield
        self.through, self.stdin, self.before, self.after = outer

    def _expanded_alias(self, name: str, call: Call) -> str:
        text = self.aliases.pop(name)
        with self._inside((name,), call.frame):
            output = self.text(" ".join((text, *call.args)))
        self.aliases[name] = text
        return output

    def _called_function(self, name: str, call: Call) -> str:
        self._called.add(name)
        key = (name, *call.args, call.frame.stdin or "", self.directory)
        if key in self._outputs:
            return self._outputs[key]
        if self.depth >= DEEPEST or name in call.frame.through:
            return unknown()
        outer, self.variables.positional = self.variables.positional, [name, *call.args]
        self.depth += 1
        with self._inside((name,), call.frame):
            output = self.script(self.functions[name])
        self.depth -= 1
        self.variables.positional = outer
        self._outputs[key] = output
        return output

    def _substituted(self, script: Script) -> str:
        outer = self.before, self.after, self.directory, self.stdin
        self.before, self.after, self.stdin = (), "", None
        self._captured += 1
        output = self.script(script)
        self._captured -= 1
        self.before, self.after, self.directory, self.stdin = outer
        return output

    def _program(self, words: list[str], frame: Frame) -> str:
        """Name the program of a command, its disguises off."""
        word = words[0]
        if not is_known(word):
            word = self._guessed(words, frame)
        name = word.rstrip("/").rpartition("/")[2] if "/" in word else word
        if not name.isascii():
            told = plain(unicodedata.normalize("NFKC", name))
            if told != name or is_disguised(name):
                self._tell("obfuscation", "high", told, f"writes the program {told} in other letters")
            name = told
        if any(char in name for char in "*?[") and name not in ("[", "[["):
            name = self._matched(name, word)
        if "\\" in name:
            name = name.rpartition("\\")[2]
        return "ld.so" if LOADER.search(name) else name

    def _guessed(self, words: list[str], frame: Frame) -> str:
        """Name a program of which some is unknown: as it reads if that is empty, where this gives a known one."""
        word = words[0]
        mark = marks_of(word)
        if mark in (NETWORK, DECODED):
            self.runs_unknown(word, "", Call("", words, frame))
            return ""
        left = without_unknown(word).rpartition("/")[2]
        if left:
            return left
        if len(words) > 1 and (words[1] in KNOWN or words[1] in WRAPPERS):
            self.execute(words[1:], replace(frame, through=(*frame.through, shown(word))))
        elif len(words) > 2 and any(arg[:1] == "-" and "r" in arg and "f" in arg for arg in words[1:]):
            return "rm"
        return ""

    def _matched(self, pattern: str, written: str) -> str:
        names = (
            (*_LIKELY, *sorted(KNOWN))
            if any(char.isalpha() or char == "?" for char in pattern) and (written[0] == "/" or pattern != "?")
            else ()
        )
        found = next((name for name in names if fnmatchcase(name, pattern)), None)
        if found is None:
            return pattern
        self._tell("obfuscation", "high", found, f"writes the program {found} as the pattern {pattern}")
        return found

    def runs_unknown(self, text: str, name: str, call: Call) -> None:
        """Tell that a command runs text which nobody has seen."""
        what = name or "it"
        if NETWORK in text:
            self.deeds.append(
                call.deed("interpreter_from_network", "critical", name, f"downloads code and runs {what} unseen")
            )
        elif DECODED in text:
            self.deeds.append(call.deed("obfuscation", "high", name, f"decodes code and runs {what} unseen"))
        else:
            self.deeds.append(call.deed("unreadable", "low", name, "runs code that nobody can know before"))

    def _tell(self, effect: Effect, severity: Severity, target: str, reason: str) -> None:
        self.deeds.append(Deed(effect, severity, shown(target), reason))

    def _judge(self, call: Call) -> None:
        self.deeds += judge(call)


def _first_program(command: Command) -> str:
    if isinstance(command, Simple) and command.words and isinstance(command.words[0], str):
        return command.words[0].rpartition("/")[2]
    return ""


def _is_plain_escape(pieces: list[object]) -> bool:
    r"""Tell whether a name is only kept from being an alias (``\\rm``), or quoted as a whole or by directory."""
    texts = [str(piece) for piece in pieces]
    if (
        isinstance(pieces[0], Quoted)
        and len(texts[0]) == 1
        and not any(isinstance(piece, Quoted) for piece in pieces[1:])
    ):
        return True
    return any("/" in text for text in texts)


def _alternatives(word: Word, variables: Variables) -> bool:
    """Tell whether a program's name is one of several that a variable may hold, rather than a name with its arguments."""
    names = [part.name for part in word if isinstance(part, Parameter)] if isinstance(word, tuple) else []
    return any(len(variables.values.get(name, ())) > 1 for name in names) and not any(
        isinstance(part, Parameter) and part.index in ("@", "*") for part in word
    )


def _bombs(name: str, body: Script) -> bool:
    """Tell whether a function starts two of itself, or itself in the background."""
    count, background = 0, False
    waiting = list(body)
    while waiting:
        pipeline = waiting.pop()
        for command in pipeline.commands:
            if isinstance(command, Compound):
                waiting += command.body
            elif _first_program(command) == name:
                count += 1
                background = background or pipeline.background
    return count > 1 or (count > 0 and background)
