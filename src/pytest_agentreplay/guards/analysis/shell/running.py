"""Runs single commands in thought: names the program, takes wrappers off, judges, and keeps what it leaves behind.

Nothing here knows how commands are joined to scripts.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from pytest_agentreplay.guards.analysis.shell.call import Call, Frame, Redirect
from pytest_agentreplay.guards.analysis.shell.decoding import DECODING
from pytest_agentreplay.guards.analysis.shell.deeds import KNOWN, judge
from pytest_agentreplay.guards.analysis.shell.deeds.versions import pushed_elsewhere
from pytest_agentreplay.guards.analysis.shell.expansion import Variables
from pytest_agentreplay.guards.analysis.shell.facts import Deed, Effect
from pytest_agentreplay.guards.analysis.shell.hidden import hidden_commands
from pytest_agentreplay.guards.analysis.shell.inner import Argv, Inner
from pytest_agentreplay.guards.analysis.shell.interpreters import INTERPRETERS
from pytest_agentreplay.guards.analysis.shell.naming import program_of
from pytest_agentreplay.guards.analysis.shell.outputs import output_of
from pytest_agentreplay.guards.analysis.shell.places import resolve
from pytest_agentreplay.guards.analysis.shell.provenance import saved_files
from pytest_agentreplay.guards.analysis.shell.state import BUILTINS
from pytest_agentreplay.guards.analysis.shell.syntax import Script
from pytest_agentreplay.guards.analysis.shell.unknown import DECODED, NETWORK, is_known, marks_of, shown, unknown
from pytest_agentreplay.guards.analysis.shell.wrappers import WRAPPERS
from pytest_agentreplay.trace import Severity

MOST_COMMANDS: Final = 1000
DEEPEST: Final = 12
_FEEDS: Final = frozenset(("tee", "sponge", "cp", "mv", "install", "ln"))


class Runner(ABC):
    """Runs commands in thought.

    Attributes:
        calls: the commands that would run, in order.
        deeds: what they would do.
        programs: the programs' names in order, wrappers included.
        problems: what could not be read or was not followed to its end.
        files: the texts of the files that the script itself writes.
        copies: the programs that the script itself copied or linked, by path.
        directory: where commands run; the empty text for the working tree.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.deeds: list[Deed] = []
        self.programs: list[str] = []
        self.problems: list[str] = []
        self.files: dict[str, str] = {}
        self.copies: dict[str, str] = {}
        self.variables = Variables(self.substituted, self.files)
        self.functions: dict[str, Script] = {}
        self.aliases: dict[str, str] = {}
        self.directory = ""
        self.through: tuple[str, ...] = ()
        self.stdin: str | None = None
        self.before: tuple[str, ...] = ()
        self.after = ""
        self.depth = 0
        self.captured = 0
        self.called: set[str] = set()
        self._decoded: list[str] = []
        self._outputs: dict[tuple[str, ...], str] = {}
        self.descriptors: dict[str, str] = {}
        self._active: list[Script] = []
        self._steps = 0

    @abstractmethod
    def text(self, text: str, positional: tuple[str, ...] | None = None) -> str:
        """Follow a script given as text; who follows scripts says how."""

    @abstractmethod
    def script(self, script: Script) -> str:
        """Follow commands one after the other; who follows scripts says how."""

    @abstractmethod
    def substituted(self, script: Script, direction: str) -> str:
        """Follow a substitution; who follows scripts says how."""

    def note_decoding(self, text: str) -> None:
        """Tell that a text which is about to run was decoded before."""
        if self._decoded and any(decoded in text for decoded in self._decoded):
            self.tell("obfuscation", "medium", "", "runs what it decodes first")

    def is_spent(self) -> bool:
        """Count one more command; tell whether there were too many."""
        self._steps += 1
        if self._steps <= MOST_COMMANDS:
            return False
        if "it has too many commands" not in self.problems:
            self.problems.append("it has too many commands")
        return True

    def execute(self, words: list[str], frame: Frame) -> str:
        """Run one command in thought: its words are expanded; give what it prints."""
        if self.is_spent():
            return unknown()
        name = program_of(self, words, frame)
        if self.copies and (copy := self.copies.get(resolve(words[0], frame.directory))):
            self.tell("obfuscation", "medium", copy, f"runs {copy} under another name")
            name = copy
        call = Call(name, words[1:], frame)
        if words[0] == name and len(frame.through) <= len(self.through):  # what a wrapper runs is no function
            if name in self.aliases:
                return self._expanded_alias(name, call)
            if name in self.functions and not any(body is self.functions[name] for body in self._active):
                return self._called_function(name, call)
        self.programs.append(name if is_known(name) else "")
        builtin = BUILTINS.get(name)
        if builtin is not None:
            output = builtin(self, call)
            if output is not None:
                self.calls.append(call)
                self.judge(call)
                return output
        for hidden in list(hidden_commands(call)):
            self.inner(hidden, call)
        ran, output = self._unwrapped(call, words[0])
        self._finish_call(call, output)
        if ran and call.program in ("ssh", "mosh"):
            return unknown("", NETWORK)
        return output if ran else self._stored(call, self._output(call))

    def _output(self, call: Call) -> str:
        if not (self.captured or call.frame.redirects or call.frame.after or call.program in _FEEDS):
            return ""  # nobody reads it
        output = output_of(call, self.files)
        if call.program in DECODING and is_known(output) and len(output.strip()) > 1:
            self._decoded.append(output.strip())
        return output

    def _finish_call(self, call: Call, output: str) -> None:
        if call.program not in WRAPPERS or call.program in KNOWN or not output:
            self.calls.append(call)
        self.judge(call)
        for name in saved_files(call):
            self.files[call.path(name)] = unknown("", NETWORK)

    def _stored(self, call: Call, output: str) -> str:
        self.store(call.frame.redirects, output)
        if call.program in ("tee", "sponge"):
            for name in call.operands:
                self.files[call.path(name)] = output
        elif call.program in ("cp", "mv", "install", "ln") and len(call.operands) > 1:
            source, target = call.path(call.operands[-2]), call.path(call.operands[-1])
            if source in self.files:
                self.files[target] = self.files[source]
            elif (name := source.rpartition("/")[2]) in KNOWN or name in WRAPPERS or name in INTERPRETERS:
                self.copies[target] = name
        return output

    def store(self, redirects: tuple[Redirect, ...], output: str) -> None:
        """Keep what redirections write into files."""
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
        with self.inside((call.program,), call.frame):
            return self.text(content, (path, *call.args))

    def inner(self, inner: Inner, call: Call) -> str:
        """Follow what a wrapper runs."""
        frame = call.frame
        if len(frame.through) > DEEPEST:
            self.problems.append("it nests too deep")
            return unknown()
        if isinstance(inner, Argv):
            through = (*frame.through, call.program)
            assignments = (*frame.assignments, *inner.assignments)
            if not inner.words:
                return ""
            return self.execute(list(inner.words), replace(frame, through=through, assignments=assignments))
        with self.inside((call.program,), frame):
            return self.text(inner.text, inner.positional)

    @contextmanager
    def inside(self, through: tuple[str, ...], frame: Frame | None = None) -> Iterator[None]:
        """Follow something under one more wrapper, with what surrounds a command."""
        outer = self.through, self.stdin, self.before, self.after
        self.through = (*(frame.through if frame else self.through), *through)
        if frame is not None:
            self.stdin, self.before, self.after = frame.stdin, frame.before, frame.after
        yield
        self.through, self.stdin, self.before, self.after = outer

    def _expanded_alias(self, name: str, call: Call) -> str:
        text = self.aliases.pop(name)
        with self.inside((name,), call.frame):
            output = self.text(" ".join((text, *call.args)))
        self.aliases[name] = text
        return output

    def _called_function(self, name: str, call: Call) -> str:
        self.called.add(name)
        key = (name, str(id(self.functions[name])), *call.args, call.frame.stdin or "", self.directory)
        if key in self._outputs:
            return self._outputs[key]
        if self.depth >= DEEPEST:
            self.problems.append("it nests too deep")
            return unknown()
        outer, self.variables.positional = self.variables.positional, [name, *call.args]
        body = self.functions[name]
        self.depth += 1
        self._active.append(body)
        with self.inside((name,), call.frame):
            output = self.script(body)
        self._active.pop()
        self.depth -= 1
        self.variables.positional = outer
        self._outputs[key] = output
        return output

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

    def tell(self, effect: Effect, severity: Severity, target: str, reason: str) -> None:
        """Keep a deed that no single command does."""
        self.deeds.append(Deed(effect, severity, shown(target), reason))

    def judge(self, call: Call) -> None:
        """Judge one command."""
        self.deeds += judge(call)
        if call.program == "git" and "push" in call.args:
            self.deeds += pushed_elsewhere(call, self.calls)
