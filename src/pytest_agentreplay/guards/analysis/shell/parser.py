"""Reads scripts: commands, pipelines, redirections, here-documents and what keywords build of them.

Made for judging rather than for running: what bash would refuse is told and
read on, so that a broken script hides nothing. Nothing here knows what any
program does.
"""

from __future__ import annotations

import re
from typing import Final

from pytest_agentreplay.guards.analysis.shell.commands import BLANK, CommandReader
from pytest_agentreplay.guards.analysis.shell.syntax import (
    Command,
    Compound,
    Pipeline,
    Script,
    Simple,
    Word,
)
from pytest_agentreplay.guards.analysis.shell.words import DEEPEST, ENDS_WORD, TooDeepError, WordReader

_FUNCTION: Final = re.compile(r"([^\s;|&<>()'\"`\\$=]+)[ \t]*\([ \t]*\)")
_OPENERS: Final = frozenset(("{", "if", "while", "until", "for", "select", "case", "function", "[[", "coproc", "time"))
_CLOSERS: Final = frozenset(("}", "then", "elif", "else", "fi", "do", "done", "esac", "in"))
KEYWORDS: Final = _OPENERS | _CLOSERS
"""Words that are no programs where a command begins."""


def parse_script(text: str, depth: int = 0) -> tuple[Script, list[str]]:
    """Read a script; beside it what was broken, in words, empty where bash would take the text as it is.

    Raises:
        TooDeepError: when it nests deeper than anybody writes.
    """
    parser = Parser(text, depth)
    return parser.script(""), parser.problems


class Parser(CommandReader):
    """Reads the commands of one text."""

    def inner(self, text: str) -> WordReader:
        """Make a parser for a text inside this one."""
        return Parser(text, self.depth + 1, self.effort)

    def script(self, closing: str) -> Script:
        """Read commands up to a closing character, which is taken too; the empty text means up to the end."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise TooDeepError
        pipelines: Script = []
        while not self._list(pipelines, frozenset(), closing):
            pass
        self.depth -= 1
        return pipelines

    def _list(self, pipelines: Script, until: frozenset[str], closing: str = "") -> bool:
        """Read commands up to a keyword or a closing character; false at something that has no business here."""
        while True:
            self._separators()
            if self.place >= len(self.text):
                if closing or until:
                    self.problems.append(f"{closing or '/'.join(sorted(until))} is missing")
                return True
            char = self.text[self.place]
            if char == closing and closing:
                self.place += 1
                return True
            if char == ")" or self.text.startswith(";;", self.place):
                if until:
                    return True
                self.problems.append(f"{char} has no business here")
                self.place += 1
                return False
            keyword = self._keyword()
            if keyword in until:
                return True
            if keyword in _CLOSERS and keyword != "in":
                self.problems.append(f"{keyword} has no business here")
                self.place += len(keyword)
                continue
            pipelines.append(self._pipeline())

    def _separators(self) -> None:
        text = self.text
        while self.place < len(text):
            char = text[self.place]
            if char == "\n":
                self.place += 1
                self._read_documents()
            elif char in " \t\r&|" or (char == ";" and not text.startswith(";;", self.place)):
                self.place += 1
            elif char == "#":
                self._comment()
            elif char == "\\" and (found := BLANK.match(text, self.place)):
                self.place = found.end()
            else:
                return

    def _pipeline(self) -> Pipeline:
        commands: list[Command] = []
        while True:
            self._blanks()
            while self.peek() == "!" and self.peek(1) in (" ", "\t", "\n"):
                self.place += 1
                self._blanks()
            commands.append(self._command())
            self._blanks()
            if self.peek() != "|" or self.peek(1) == "|":
                return Pipeline(commands, self.peek() == "&" and self.peek(1) != "&")
            self.place += 2 if self.peek(1) == "&" else 1
            self._line_ends()

    def _command(self) -> Command:
        char = self.peek()
        if char == "(":
            return self._bracketed()
        if char == "{" or "a" <= char <= "z" or char == "[":
            keyword = self._keyword()
            if keyword in _OPENERS:
                return self._opened(keyword)
        found = _FUNCTION.match(self.text, self.place)
        if found:
            self.place = found.end()
            return self._function(found[1])
        return self._simple()

    def _bracketed(self) -> Command:
        start = self.place
        if self.peek(1) == "(":
            before = len(self.problems)
            inside = self.balanced("(", ")")
            if inside.endswith("))") and len(self.problems) == before:
                parts = self.parts_of(inside[2:-2], quoted=True)
                return self._redirected(Compound("test", [], words=[parts]))
            del self.problems[before:]
            self.place = start
        self.place += 1
        return self._redirected(Compound("subshell", self.script(")")))

    def _opened(self, keyword: str) -> Command:
        self.place += len(keyword)
        if keyword == "{":
            return self._redirected(Compound("group", self._body("}")))
        if keyword == "if":
            return self._redirected(Compound("branch", self._body("fi", between=("then", "elif", "else"))))
        if keyword in ("while", "until"):
            return self._redirected(Compound("loop", self._body("done", between=("do",))))
        if keyword in ("for", "select"):
            return self._for()
        if keyword == "case":
            return self._case()
        if keyword == "[[":
            return self._redirected(Compound("test", [], words=self._test()))
        if keyword == "function":
            self._blanks()
            word = self.word() if self.peek() not in ENDS_WORD else ""
            self._blanks()
            if self.text.startswith("()", self.place):
                self.place += 2
            return self._function(word if isinstance(word, str) else "")
        self._blanks()
        return self._timed(keyword)

    def _timed(self, keyword: str) -> Command:
        if keyword == "time" and self.text.startswith("-p ", self.place):
            self.place += 3
            self._blanks()
        named = re.match(r"[A-Za-z_]\w*[ \t]+(?=[{(])", self.text[self.place : self.place + 80])
        if keyword == "coproc" and named:
            self.place += named.end()
        if self.peek() and self.peek() not in "\n;|&)":
            return self._command()
        return Simple(words=[keyword])

    def _body(self, last: str, between: tuple[str, ...] = ()) -> Script:
        body: Script = []
        until = frozenset((last, *between))
        while True:
            self._list(body, until)
            keyword = self._keyword()
            if keyword in between:
                self.place += len(keyword)
                continue
            if keyword == last:
                self.place += len(keyword)
            elif self.peek() in (")", ";") and self.place < len(self.text):
                self.problems.append(f"{last} is missing")
            return body

    def _for(self) -> Command:
        self._blanks()
        if self.text.startswith("((", self.place):
            self.balanced("(", ")")
            name, words = "", []
        else:
            name = str(self.word()) if self.peek() not in ENDS_WORD else ""
            words = self._for_words()
        self._separators()
        if self._keyword() == "{":
            self.place += 1
            return self._redirected(Compound("for", self._body("}"), name, words))
        return self._redirected(Compound("for", self._body("done", between=("do",)), name, words))

    def _for_words(self) -> list[Word]:
        self._line_ends()
        if self._keyword() != "in":
            return [()]
        self.place += 2
        words: list[Word] = []
        while True:
            self._blanks()
            if self.peek() in ("", ";", "\n", "|", "&", ")", "(", "<", ">") and not self.text.startswith(
                "<(", self.place
            ):
                return words
            words.append(self.word())

    def _case(self) -> Command:
        self._blanks()
        words: list[Word] = [self.word()] if self.peek() and self.peek() not in ENDS_WORD else []
        self._line_ends()
        if self._keyword() == "in":
            self.place += 2
        body: Script = []
        esac = frozenset(("esac",))
        while True:
            self._separators()
            while self.text.startswith(";;", self.place):
                self.place += 3 if self.text.startswith(";;&", self.place) else 2
                self._separators()
            if self._keyword() == "esac":
                self.place += 4
                return self._redirected(Compound("case", body, words=words))
            if self.place >= len(self.text):
                self.problems.append("esac is missing")
                return Compound("case", body, words=words)
            self._pattern()
            self._list(body, esac)
            if self.peek() == ")":
                self.place += 1

    def _pattern(self) -> None:
        if self.peek() == "(":
            self.place += 1
        while self.place < len(self.text):
            self._blanks()
            char = self.peek()
            if char == ")":
                self.place += 1
                return
            if char == "\n" or char == ";":
                self.problems.append("a pattern of case has no )")
                return
            if char and char in "|&<>(":
                self.place += 1
            elif char:
                self.word()

    def _test(self) -> list[Word]:
        words: list[Word] = []
        while self.place < len(self.text):
            self._line_ends()
            if self._at_end_of_test():
                self.place += 2
                return words
            char = self.peek()
            if char and char in ENDS_WORD:
                self.place += 1
            elif char:
                words.append(self.word())
        self.problems.append("]] is missing")
        return words

    def _at_end_of_test(self) -> bool:
        return self.text.startswith("]]", self.place) and (
            self.peek(2) == "" or self.peek(2) in ENDS_WORD or self.peek(2) == "\n"
        )

    def _function(self, name: str) -> Command:
        self._line_ends()
        body = [Pipeline([self._command()])] if self.peek() and self.peek() not in ")|&;" else []
        return Compound("function", body, name)

    def _redirected(self, compound: Compound) -> Command:
        while True:
            self._blanks()
            redirection = self._redirection()
            if redirection is None:
                return compound
            compound.redirections.append(redirection)
