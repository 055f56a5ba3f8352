"""Reads words: quotes, escapes, variables and substitutions, as bash has them.

What is broken, an open quote say, is told and then read on as plain text, so
that nothing behind it is overlooked. Nothing here knows what a command is.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Final

from pytest_agentreplay.guards.analysis.shell.syntax import (
    Arithmetic,
    Escaped,
    Parameter,
    Part,
    ProcessSubstitution,
    Quoted,
    Script,
    Substitution,
    Word,
)

DEEPEST: Final = 40
LEAST_EFFORT: Final = 100_000  # characters that may be read again, beside some times the text
ENDS_WORD: Final = frozenset(" \t\r\n;|&<>()")
_LITERAL: Final = re.compile(r"[^\s;|&<>()'\"`\\$]+")
_IN_QUOTES: Final = re.compile(r"[^\"`\\$]+")
_IN_DOCUMENT: Final = re.compile(r"[^`\\$]+")
_NAME: Final = re.compile(r"[A-Za-z_]\w*|[0-9]|[@*#?$!-]")
_BRACED: Final = re.compile(r"\{([!#]?)([A-Za-z_]\w*|[0-9]+|[@*#?$!-])(?:\[([^\]]*)\])?")
_SINGLE: Final = re.compile(r"((?:[^'\\]|\\.)*)'", re.DOTALL)
_ESCAPE: Final = re.compile(
    r"\\(?:([abeEfnrtv\\'\"?])|x([0-9A-Fa-f]{1,2})|([0-7]{1,3})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|c(.))",
    re.DOTALL,
)
_COMMANDS: Final = re.compile(r"\s*+(?=[./~\d-]*+[A-Za-z_])[\w./~-]++[ \t]++[-A-Za-z/~.'\"$]")
"""Two words side by side: no arithmetic, whatever brackets it stands in."""
_LETTERS: Final = dict(zip("abeEfnrtv\\'\"?", "\a\b\x1b\x1b\f\n\r\t\v\\'\"?", strict=True))


class TooDeepError(Exception):
    """A script nests deeper than anything that people write."""


def decode_escapes(text: str) -> str:
    """Undo the escapes of ``$'...'`` (and of ``printf`` and ``echo -e``)."""
    return _ESCAPE.sub(_unescape, text) if "\\" in text else text


def _unescape(found: re.Match[str]) -> str:
    letter, two, octal, four, eight, control = found.groups()
    if letter:
        return _LETTERS[letter]
    if control:
        return chr(ord(control) & 0x1F)
    code = int(octal, 8) & 0xFF if octal else int(two or four or eight, 16)
    return chr(code) if 3 < code < 0x110000 else ""


class WordReader(ABC):
    """Reads the words of one text, from a place that moves on.

    Attributes:
        problems: what was broken in the text, in the order in which it was met.
    """

    def __init__(self, text: str, depth: int = 0, effort: list[int] | None = None) -> None:
        self.text = text
        self.effort = [LEAST_EFFORT + 4 * len(text)] if effort is None else effort
        self.place = 0
        self.depth = depth
        self.problems: list[str] = []
        if depth > DEEPEST:
            raise TooDeepError

    @abstractmethod
    def script(self, closing: str) -> Script:
        """Read commands up to a closing character; a parser of commands says how."""

    @abstractmethod
    def inner(self, text: str) -> WordReader:
        """Make a reader for a text inside this one."""

    def tire(self, characters: int) -> None:
        """Count what was looked at in vain: brackets that never close would be searched again and again.

        Raises:
            TooDeepError: when it gets too much.
        """
        self.effort[0] -= characters
        if self.effort[0] < 0:
            raise TooDeepError

    def peek(self, offset: int = 0) -> str:
        """Give one character, the empty text at the end."""
        place = self.place + offset
        return self.text[place : place + 1]

    def word(self) -> Word:
        """Read one word; the place stands at its first character."""
        text, end = self.text, len(self.text)
        found = _LITERAL.match(text, self.place)
        if found:
            self.place = found.end()
            literal = found[0]
            if self.place >= end or (text[self.place] in ENDS_WORD and text[self.place] not in "(<>"):
                return literal
        parts: list[Part] = [found[0]] if found else []
        while self.place < end:
            char = text[self.place]
            if char in ENDS_WORD:
                if char in "<>" and self.peek(1) == "(":
                    parts.append(self._process(char))
                elif char == "(" and parts and isinstance(parts[-1], str) and parts[-1][-1:] in "?*+@!" and parts[-1]:
                    parts.append(self.balanced("(", ")"))
                else:
                    break
            else:
                self._part(char, parts)
        return parts[0] if len(parts) == 1 and type(parts[0]) is str else tuple(parts)

    def _part(self, char: str, parts: list[Part]) -> None:
        if char == "'":
            parts.append(self._single())
        elif char == '"':
            self._double(parts)
        elif char == "\\":
            escaped = self.peek(1)
            self.place += 2
            if escaped not in ("", "\n"):
                parts.append(Quoted(escaped))
        elif char == "$":
            self._dollar(parts, quoted=False)
        elif char == "`":
            parts.append(self._backticks(quoted=False))
        else:
            found = _LITERAL.match(self.text, self.place)
            piece = found[0] if found else char
            parts.append(piece)
            self.place += len(piece)

    def _single(self) -> Part:
        closing = self.text.find("'", self.place + 1)
        if closing < 0:
            self.problems.append("a single quote is not closed")
            self.tire(len(self.text) - self.place)
            self.place += 1
            return Quoted("")
        inside = self.text[self.place + 1 : closing]
        self.place = closing + 1
        return Quoted(inside)

    def _double(self, parts: list[Part]) -> None:
        start, before = self.place, len(parts)
        self.place += 1
        parts.append(Quoted(""))
        if self._quoted_text(parts, _IN_QUOTES, '"'):
            return
        self.problems.append("a double quote is not closed")
        self.tire(len(self.text) - start)
        del parts[before:]
        self.place = start + 1

    def _quoted_text(self, parts: list[Part], literal: re.Pattern[str], closing: str) -> bool:
        """Read text in which only variables, substitutions and some escapes count; false if it never closes."""
        text, end = self.text, len(self.text)
        escapable = '$`"\\' if closing else "$`\\"
        while self.place < end:
            found = literal.match(text, self.place)
            if found:
                parts.append(Quoted(found[0]))
                self.place = found.end()
                continue
            char = text[self.place]
            if char == "\\":
                escaped = self.peek(1)
                self.place += 2
                if escaped != "\n":
                    parts.append(Quoted(escaped if escaped in escapable else char + escaped))
            elif char == "$":
                self._dollar(parts, quoted=True)
            elif char == "`":
                parts.append(self._backticks(quoted=True))
            elif char == closing:
                self.place += 1
                return True
            else:
                parts.append(Quoted(char))
                self.place += 1
        return not closing

    def document(self) -> tuple[Part, ...]:
        """Read the whole text as that of a here-document whose delimiter stood bare."""
        parts: list[Part] = []
        self._quoted_text(parts, _IN_DOCUMENT, "")
        return tuple(parts)

    def _backticks(self, *, quoted: bool) -> Part:
        place, text = self.place + 1, self.text
        while place < len(text) and text[place] != "`":
            place += 2 if text[place] == "\\" else 1
        if place >= len(text):
            self.problems.append("a backtick is not closed")
            self.tire(len(self.text) - self.place)
            self.place += 1
            return Quoted("")
        inside = re.sub(r"\\([`$\\])", r"\1", text[self.place + 1 : place])
        self.place = place + 1
        return Substitution(self._script_of(inside), quoted)

    def _script_of(self, text: str) -> Script:
        reader = self.inner(text)
        script = reader.script("")
        self.problems += reader.problems
        return script

    def parts_of(self, text: str, *, quoted: bool) -> tuple[Part, ...]:
        """Read a text inside this one as one word."""
        reader = self.inner(text)
        if quoted:
            parts = reader.document()
        else:
            found: list[Part] = []
            while reader.place < len(reader.text):
                if reader.peek() in ENDS_WORD:
                    found.append(reader.peek())
                    reader.place += 1
                else:
                    reader._part(reader.peek(), found)
            parts = tuple(found)
        self.problems += reader.problems
        return parts

    def _process(self, direction: str) -> Part:
        self.place += 2
        script = self.script(")")
        return ProcessSubstitution(script, direction)

    def _dollar(self, parts: list[Part], *, quoted: bool) -> None:
        following = self.peek(1)
        if following == "(":
            parts.append(self._arithmetic() or self._substitution(quoted=quoted))
        elif following == "{":
            parts.append(self._braced(quoted=quoted))
        elif following == "'" and not quoted and (found := _SINGLE.match(self.text, self.place + 2)):
            self.place = found.end()
            parts.append((Escaped if "\\" in found[1] else Quoted)(decode_escapes(found[1])))
        elif following == '"' and not quoted:
            self.place += 1
            self._double(parts)
        elif found := _NAME.match(self.text, self.place + 1):
            self.place = found.end()
            parts.append(Parameter(found[0], quoted=quoted))
        else:
            self.place += 1
            parts.append(Quoted("$"))

    def _substitution(self, *, quoted: bool) -> Part:
        self.place += 2
        return Substitution(self.script(")"), quoted)

    def _arithmetic(self) -> Part | None:
        if self.peek(2) != "(" or _COMMANDS.match(self.text, self.place + 3):
            return None
        start = self.place
        self.place += 1
        before = len(self.problems)
        inside = self.balanced("(", ")")
        if len(self.problems) > before or not inside.endswith("))"):
            del self.problems[before:]
            self.place = start
            return None
        return Arithmetic(self.parts_of(inside[2:-2], quoted=True))

    def _braced(self, *, quoted: bool) -> Part:
        if self.peek(2) in (" ", "\t", "\n", "|"):  # ${ command; }
            self.place += 3
            return Substitution(self.script("}"), quoted)
        found = _BRACED.match(self.text, self.place + 1)
        if not found:
            self.problems.append("${...} holds no name")
            self.place += 2
            return Quoted("")
        prefix, name, index = found.groups()
        self.place += 1
        start = self.place
        inside = self.balanced("{", "}")
        rest = inside[found.end() - start : -1] if inside.endswith("}") else inside[found.end() - start :]
        if prefix:
            return Parameter(name, prefix + "name", index=index or "", quoted=quoted)
        operator = re.match(r":?[-=?+]|##?|%%?|//?[#%]?|\^\^?|,,?|:|@", rest)
        sign = operator[0] if operator else ""
        operand = self.parts_of(rest[len(sign) :], quoted=quoted) if len(rest) > len(sign) else ()
        return Parameter(name, sign, operand, index or "", quoted)

    def _past_brackets(self, place: int) -> int:
        """Give the place behind a substitution, whose own braces and quotes count for nothing here."""
        outer, before = self.place, len(self.problems)
        self.place = place
        self.balanced("(", ")")
        found, self.place = self.place, outer
        if len(self.problems) > before:
            del self.problems[before:]
            return place
        return found

    def balanced(self, opening: str, closing: str) -> str:
        """Take a text in brackets, the brackets included; quotes inside are skipped."""
        text, start, place, level = self.text, self.place, self.place, 0
        while place < len(text):
            char = text[place]
            if char == "\\":
                place += 1
            elif char == "'" and opening == "(":
                place = max(text.find("'", place + 1), place)
            elif char == "$" and opening == "{" and text.startswith("(", place + 1):
                place = self._past_brackets(place + 1) - 1
            elif char == opening:
                level += 1
            elif char == closing:
                level -= 1
                if not level:
                    self.place = place + 1
                    return text[start : place + 1]
            place += 1
        self.problems.append(f"{opening} is not closed")
        self.tire(len(text) - start)
        self.place = start + 1
        return opening
