"""Follows a script as a shell would, without running any of it.

Variables, functions, aliases, the directory and the texts of files that the
script itself writes are kept track of; what one command prints reaches the
next. Every command that would run is judged once, under all its wrappers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pytest_agentreplay.guards.analysis.shell.call import Call, Frame, Redirect
from pytest_agentreplay.guards.analysis.shell.naming import look_at_spelling
from pytest_agentreplay.guards.analysis.shell.outputs import output_of
from pytest_agentreplay.guards.analysis.shell.parser import parse_script
from pytest_agentreplay.guards.analysis.shell.places import resolve
from pytest_agentreplay.guards.analysis.shell.running import DEEPEST, Runner
from pytest_agentreplay.guards.analysis.shell.shapes import first_program, is_choice, is_fed, multiplies
from pytest_agentreplay.guards.analysis.shell.syntax import (
    Assignment,
    Command,
    Compound,
    Pipeline,
    Redirection,
    Script,
    Simple,
)
from pytest_agentreplay.guards.analysis.shell.unknown import (
    DECODED,
    NETWORK,
    is_known,
    marks_of,
    unknown,
)
from pytest_agentreplay.guards.analysis.shell.words import TooDeepError

if TYPE_CHECKING:
    pass

_ASSIGNED: Final = re.compile(r"([A-Za-z_][\w.-]*)=(.*)", re.DOTALL)
_DECLARES: Final = frozenset(("export", "declare", "local", "readonly", "typeset"))


_MOST_WORDS: Final = 4096
_DAILY: Final = frozenset(("ls", "cd", "cat", "echo", "grep", "git", "pwd", "vim", "clear", "ll", "man"))
_NEVER_MEANT: Final = frozenset(("rm", "curl", "wget", "sh", "bash", "nc", "dd", "shutdown", "reboot", "kill"))


class Walk(Runner):
    """One pass over a script."""

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
        self.note_decoding(text)
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
        for name in [name for name in self.functions if name not in self.called]:
            with self.inside((name,)):
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
        self.captured += 1
        for place, command in enumerate(commands):
            self.after = first_program(commands[place + 1]) if place + 1 < len(commands) else outer[2]
            seen = len(self.programs)
            output = self._command(command)
            self.before = (*self.before, *self.programs[seen:][-4:])
            self.stdin = output
            self.directory = outer[3]
        self.captured -= 1
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
        redirects = self._redirects(command.redirections, [])
        self.captured += bool(redirects)
        self.stdin = self._read_by(redirects)
        if command.kind in ("for", "test", "case"):
            fields = [field for word in command.words for field in self.variables.fields(word)]
            if command.kind == "for" and command.name:
                self.variables.values[command.name] = fields[:16] or [unknown(command.name)]
        output = self.script(command.body)
        self.captured -= bool(redirects)
        self.stdin = outer[0]
        if command.kind == "subshell":
            self.directory = outer[1]
        if redirects:
            frame = self._frame(redirects)
            self.judge(Call("", [], frame))
            self.store(redirects, output)
        return output

    def _define(self, name: str, body: Script) -> None:
        self.functions[name] = body
        if multiplies(name, body):
            self.tell("process_kill", "critical", name, "starts itself over and over until the machine stalls")

    def _simple(self, command: Simple) -> str:
        words = command.words
        fields: list[str] = []
        if words:
            first = self.variables.fields(words[0])
            if not isinstance(words[0], str):
                look_at_spelling(self, words[0], first)
            if len(first) > 1 and isinstance(words[0], tuple) and is_choice(words[0], self.variables):
                return self._each(first, command)
            fields = first
            for word in words[1:]:
                if type(word) is str and ("{" not in word or len(fields) > _MOST_WORDS):
                    fields.append(word)
                elif len(fields) <= _MOST_WORDS:
                    fields += self.variables.fields(word)
                else:
                    self.problems.append("it has too many words to be expanded")
        redirects = self._redirects(command.redirections, fields) if command.redirections else ()
        if not fields:
            return self._assigned(command.assignments, redirects)
        declares = fields[0] in _DECLARES
        assignments = (self._kept if declares else self._assignments)(command.assignments)
        if fields == ["exec"]:
            self._open(redirects)
        if declares:
            self._declared(fields)
        elif fields[0] == "alias":
            self._aliased([*fields[1:], *(f"{name}={value}" for name, value in assignments)])
        return self.execute(fields, self._frame(redirects, assignments))

    def _each(self, programs: list[str], command: Simple) -> str:
        redirects = self._redirects(command.redirections, programs[:1])
        rest = [field for word in command.words[1:] for field in self.variables.fields(word)]
        outputs = [self.execute([program, *rest], self._frame(redirects)) for program in programs]
        return "".join(outputs)

    def _frame(self, redirects: tuple[Redirect, ...] = (), assignments: tuple[tuple[str, str], ...] = ()) -> Frame:
        return Frame(
            self._read_by(redirects), self.before, self.after, self.through, redirects, assignments, self.directory
        )

    def _open(self, redirects: tuple[Redirect, ...]) -> None:
        for each in redirects:
            if each.operator in ("<", "<<<", "<<", "<>") and each.descriptor.isdigit():
                self.descriptors[each.descriptor] = self._read_by((each._replace(descriptor=""),)) or ""

    def _read_by(self, redirects: tuple[Redirect, ...]) -> str | None:
        for each in reversed(redirects):
            if each.operator in ("<<", "<<-", "<<<"):
                return each.target
            if each.operator == "<&" and each.target in self.descriptors:
                return self.descriptors[each.target]
            if each.operator == "<" and each.descriptor in ("", "0"):
                if marks_of(each.target) in (NETWORK, DECODED):
                    return unknown("", marks_of(each.target))
                path = resolve(each.target, self.directory)
                return self.files.get(path, unknown("file:" + path if is_known(path) else ""))
        return self.stdin

    def _redirects(self, redirections: list[Redirection], fields: list[str]) -> tuple[Redirect, ...]:
        if not redirections:
            return ()
        outer = self.stdin
        if any(is_fed(each.word) for each in redirections):
            self.stdin = (
                output_of(Call(fields[0].rpartition("/")[2], fields[1:], self._frame()), self.files) if fields else None
            )
        done = []
        for each in redirections:
            text = (
                self.variables.text(each.word)
                if each.operator in ("<<", "<<-", "<<<")
                else (self.variables.fields(each.word) or [""])[0]
            )
            done.append(Redirect(each.operator, text, each.descriptor))
        self.stdin = outer
        return tuple(done)

    def _assignments(self, assignments: list[Assignment]) -> tuple[tuple[str, str], ...]:
        if not assignments:
            return ()
        return tuple([(each.name, self.variables.text(each.word)) for each in assignments if each.items is None])

    def _kept(self, assignments: list[Assignment]) -> tuple[tuple[str, str], ...]:
        """Set variables for good, each word expanded once: what is nested would double at every level."""
        for each in assignments:
            self.variables.assign(each)
        values = self.variables.values
        return tuple([(each.name, " ".join(values[each.name])) for each in assignments if each.items is None])

    def _assigned(self, assignments: list[Assignment], redirects: tuple[Redirect, ...]) -> str:
        if self.is_spent():
            return ""
        values = self._kept(assignments)
        if redirects or values:
            self.judge(Call("", [], self._frame(redirects, values)))
            self.store(redirects, "")
        return ""

    def _declared(self, fields: list[str]) -> None:
        for word in fields[1:]:
            if found := _ASSIGNED.fullmatch(word):
                self.variables.values[found[1]] = [found[2]]

    def _aliased(self, words: list[str]) -> None:
        for word in words:
            if found := _ASSIGNED.fullmatch(word):
                name, text = found[1], found[2]
                self.aliases[name] = text
                with self.inside(("alias",)):
                    self.text(text)
                turned = name in _DAILY and text.lstrip().split(" ")[0] in _NEVER_MEANT
                if turned or name in ("sudo", "su", "ssh", "passwd", "doas"):
                    self.tell("obfuscation", "high", name, f"puts another command in the place of {name}")

    def substituted(self, script: Script, direction: str) -> str:
        """Follow a substitution; what stands in ``>(...)`` reads what the command around it prints."""
        outer = self.before, self.after, self.directory, self.stdin
        if direction == ">":
            self.stdin = unknown() if self.stdin is None else self.stdin
        else:
            self.before, self.after, self.stdin = (), "", None
        self.captured += 1
        output = self.script(script)
        self.captured -= 1
        self.before, self.after, self.directory, self.stdin = outer
        return output
