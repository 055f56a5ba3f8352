"""Reads simple commands: their words, assignments, redirections, arrays and here-documents.

What bash would refuse is told and read on. Nothing here knows how commands are
joined or what a program does.
"""

from __future__ import annotations

import re
from typing import Final

from pytest_agentreplay.guards.analysis.shell.syntax import Assignment, Quoted, Redirection, Simple, Word
from pytest_agentreplay.guards.analysis.shell.words import ENDS_WORD, WordReader

BLANK: Final = re.compile(r"(?:[ \t\r]|\\\r?\n)+")
_REDIRECTION: Final = re.compile(r"(\d+|\{\w+\})?(<<<|<<-|<<|<>|<&|>>|>\||>&|&>>|&>|<(?!\()|>(?!\())")
_ASSIGNMENT: Final = re.compile(r"([A-Za-z_]\w*)(?:\[([^\]]{0,500})\])?(\+?)=")
_KEYWORD: Final = re.compile(r"(?:\{|\}|\[\[|[a-z]+)(?=[\s;|&<>()]|$)")
_BLANKS: Final = frozenset(" \t\r\\")
_ENDS_COMMAND: Final = frozenset(("", *"\n;)"))
_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-./~$'\"\\")
"""With these a word begins, and nothing else; an assignment may."""
_DECLARES: Final = frozenset(("export", "declare", "local", "readonly", "typeset", "alias"))


def _declares(words: list[Word]) -> bool:
    return bool(words) and type(words[0]) is str and words[0] in _DECLARES


class CommandReader(WordReader):
    """Reads the simple commands of one text."""

    def __init__(self, text: str, depth: int = 0, effort: list[int] | None = None) -> None:
        super().__init__(text, depth, effort)
        self._documents: list[tuple[Redirection, bool, str]] = []

    def _comment(self) -> None:
        end = self.text.find("\n", self.place)
        self.place = len(self.text) if end < 0 else end

    def _blanks(self) -> None:
        place = self.place
        if self.text[place : place + 1] in _BLANKS and (found := BLANK.match(self.text, place)):
            self.place = found.end()

    def _keyword(self) -> str:
        found = _KEYWORD.match(self.text, self.place)
        return found[0] if found else ""

    def _line_ends(self) -> None:
        while self.peek() and self.peek() in " \t\r\n#\\":
            before = self.place
            if self.peek() == "\n":
                self.place += 1
                self._read_documents()
            elif self.peek() == "#":
                self._comment()
            else:
                self._blanks()
                if self.place == before:
                    return

    def _redirection(self) -> Redirection | None:
        char = self.peek()
        if char == "" or not (char in "<>&{" or char.isdigit()):
            return None
        found = _REDIRECTION.match(self.text, self.place)
        if not found:
            return None
        self.place = found.end()
        operator = found[2]
        self._blanks()
        redirection = Redirection(operator, "", (found[1] or "").strip("{}"))
        if self.peek() == "" or (self.peek() in "\n;|&)" or (self.peek() in "<>" and self.peek(1) != "(")):
            return (
                redirection  # `cherry-pick <commit>`, a placeholder of a manual: bash refuses it, nothing hides in it
            )
        if operator in ("<<", "<<-"):
            start = self.place
            self.word()
            self._documents.append((redirection, operator == "<<-", self.text[start : self.place]))
        else:
            redirection.word = self.word()
        return redirection

    def _read_documents(self) -> None:
        documents, self._documents = self._documents, []
        for redirection, strip_tabs, raw in documents:
            delimiter = re.sub(r"['\"\\]|^\$(?=['\"])", "", raw)
            tabs = "\t*" if strip_tabs else ""
            end = re.compile(rf"^{tabs}{re.escape(delimiter)}\r?$", re.MULTILINE).search(self.text, self.place)
            body = self.text[self.place : end.start()] if end else self.text[self.place :]
            self.place = end.end() if end else len(self.text)
            if strip_tabs:
                body = re.sub(r"^\t+", "", body, flags=re.MULTILINE)
            bare = delimiter == raw
            redirection.word = (
                self.parts_of(body, quoted=True) if bare and re.search(r"[$`\\]", body) else (Quoted(body),)
            )

    def _simple(self) -> Simple:
        command = Simple()
        words, text = command.words, self.text
        while True:
            self._blanks()
            char = text[self.place : self.place + 1]
            if char in _ENDS_COMMAND:
                break
            if char in _LETTERS and (words or not _ASSIGNMENT.match(text, self.place)) and not _declares(words):
                words.append(self.word())
                continue
            if char in "<>&" or char.isdigit() or char == "{":
                redirection = self._redirection()
                if redirection is not None:
                    command.redirections.append(redirection)
                    continue
            if char in "|&" or (char == "#"):
                if char == "#":
                    self._comment()
                break
            if char == "(":
                self.problems.append("( has no business here")
                break
            if char in "<>" and self.peek(1) != "(":
                self.place += 1
                continue
            found = _ASSIGNMENT.match(text, self.place) if not words or _declares(words) else None
            if found:
                self._assign(command, found)
            else:
                words.append(self.word())
        return command

    def _assign(self, command: Simple, found: re.Match[str]) -> None:
        self.place = found.end()
        assignment = Assignment(found[1], append=bool(found[3]), index=found[2] or "")
        if self.peek() == "(":
            assignment.items = self._array()
        elif (self.peek() not in ENDS_WORD and self.peek() != "") or self.text.startswith(("<(", ">("), self.place):
            assignment.word = self.word()
        command.assignments.append(assignment)

    def _array(self) -> list[Word]:
        self.place += 1
        items: list[Word] = []
        while self.place < len(self.text):
            self._line_ends()
            char = self.peek()
            if char == ")":
                self.place += 1
                return items
            if char and char in ENDS_WORD and not self.text.startswith(("<(", ">("), self.place):
                self.place += 1
            elif char:
                items.append(self.word())
        self.problems.append("an array is not closed")
        return items
