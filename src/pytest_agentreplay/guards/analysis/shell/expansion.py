"""Expands words as far as text allows: variables that the script itself set, defaults, slices, braces.

A word becomes the fields that the program would get. What can't be known stays
in them as an unknown stretch. Where a variable may hold one of several values,
each gives a field. Nothing here knows what a program does.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable
from typing import Final

from pytest_agentreplay.guards.analysis.shell.syntax import (
    Arithmetic,
    Assignment,
    Parameter,
    Part,
    ProcessSubstitution,
    Quoted,
    Script,
    Substitution,
    Word,
)
from pytest_agentreplay.guards.analysis.shell.unknown import (
    DECODED,
    NETWORK,
    SPLIT,
    is_known,
    marks_of,
    unknown,
)

_MOST: Final = 16  # values that one variable or word is followed for
_MOST_FIELDS: Final = 256
_LONGEST: Final = 65_536
_LONGEST_TRIMMED: Final = 512  # patterns are tried at every place of a value
_WELL_KNOWN: Final = {
    "HOME": "~",
    "PWD": ".",
    **dict.fromkeys(("TMPDIR", "TMP", "TEMP"), "/tmp"),
    "IFS": " \t\n",
    "SHELL": "bash",
    "BASH": "bash",
    "0": "bash",
    "PATH": "/usr/bin:/bin",
    **dict.fromkeys(("?", "#", "UID", "EUID", "RANDOM", "SECONDS", "LINENO"), "1"),
    **dict.fromkeys(("$", "!", "PPID", "BASHPID"), "4242"),
    "-": "himBHs",
    "@": "",
    "*": "",
}
_BRACES: Final = re.compile("\x1c([^\x1c\x1e]*)\x1e")
_RANGE: Final = re.compile(r"(-?\d+|[A-Za-z])\.\.(-?\d+|[A-Za-z])(?:\.\.-?\d+)?")
_TO_BRACE_MARKS: Final = str.maketrans("{,}", "\x1c\x1d\x1e")
_FROM_BRACE_MARKS: Final = str.maketrans("\x1c\x1d\x1e", "{,}")
_SLICE: Final = re.compile(r"\s*(-?\d+)\s*(?::\s*(-?\d+))?\s*")
_SLASHED: Final = frozenset(("HOME", "PWD", "PATH", "OLDPWD", "SHELL"))


class Variables:
    """What a script has set so far.

    Attributes:
        values: the values that a variable may hold, or the items of an array.
        positional: the arguments of the script or function; None where nobody can know them.
    """

    def __init__(self, run: Callable[[Script, str], str], files: dict[str, str]) -> None:
        self.values: dict[str, list[str]] = {}
        self.positional: list[str] | None = None
        self._run = run
        self._files = files

    def forget(self) -> None:
        """Let go of whoever runs substitutions: the two hold each other otherwise, until a collector comes by."""
        self._run = lambda script, direction: ""

    def assign(self, each: Assignment) -> None:
        """Set a variable, an array or an item of one."""
        values = self.values
        if each.items is not None:
            fields = [field for item in each.items for field in self.fields(item)]
            values[each.name] = (values.get(each.name, []) + fields if each.append else fields)[:256]
            return
        texts = self.texts(each.word)
        if each.index.isdigit() and int(each.index) < 256:
            items = values.setdefault(each.name, [])
            items += [""] * (int(each.index) + 1 - len(items))
            items[int(each.index)] = texts[0]
        elif each.append:
            values[each.name] = [before + text for before in values.get(each.name, [""]) for text in texts][:16]
        else:
            values[each.name] = texts

    def fields(self, word: Word) -> list[str]:
        """Expand one word to the fields that it becomes; none where it vanishes."""
        if type(word) is str:
            if "{" in word and ("," in word or ".." in word):
                return [field.translate(_FROM_BRACE_MARKS) for field in _braced(word.translate(_TO_BRACE_MARKS))]
            return [word]
        texts = self._texts(word, split=True)
        fields: list[str] = []
        quoted = any(isinstance(part, Quoted) for part in word)
        for text in texts:
            if len(fields) >= _MOST_FIELDS:
                break
            for braced in _braced(text) if "\x1c" in text else (text,):
                pieces = braced.split(SPLIT) if SPLIT in braced else [braced]
                fields += [
                    piece.translate(_FROM_BRACE_MARKS) for piece in pieces if piece or (quoted and len(pieces) == 1)
                ]
        return fields[:_MOST_FIELDS]

    def text(self, word: Word) -> str:
        """Expand one word to one text, as the value of an assignment or a here-document is."""
        return word if type(word) is str else " ".join(self.texts(word))

    def texts(self, word: Word) -> list[str]:
        """Expand one word to each text that it may be, unsplit."""
        return [word] if type(word) is str else self._texts(word, split=False)

    def _texts(self, word: tuple[Part, ...] | str, *, split: bool) -> list[str]:
        texts = [""]
        for part in word if isinstance(word, tuple) else (word,):
            pieces = self._part(part, split=split)
            if len(pieces) == 1:
                texts = [text + pieces[0] for text in texts]
            else:
                most = (
                    _MOST_FIELDS if len(texts) == 1 else _MOST
                )  # the items of one array, or what several variables may hold
                texts = [text + piece for text in texts for piece in pieces][:most]
        return [text[:_LONGEST] for text in texts]

    def _part(self, part: Part, *, split: bool) -> list[str]:
        if isinstance(part, Quoted):
            return [str(part)]
        if isinstance(part, str):
            return [part.translate(_TO_BRACE_MARKS) if split else part]
        if isinstance(part, Parameter):
            values = self.parameter(part)
            return [self._split(value) for value in values] if split and not part.quoted else values
        if isinstance(part, Substitution):
            output = self._run(part.script, "").rstrip("\n")
            return [self._split(output)] if split and not part.quoted else [output]
        if isinstance(part, ProcessSubstitution):
            return [self._process(part)]
        self._arithmetic(part)
        return ["1"]

    def _process(self, part: ProcessSubstitution) -> str:
        output = self._run(part.script, part.direction)
        if marks_of(output) in (NETWORK, DECODED):
            return "/dev/fd/" + unknown("", marks_of(output))
        path = f"/dev/fd/{63 + len(self._files)}"
        self._files[path] = output
        return path

    def _arithmetic(self, part: Arithmetic) -> None:
        self._texts(part.parts, split=False)

    def _split(self, value: str) -> str:
        separators = self.values.get("IFS", [" \t\n"])[0]
        if not separators:
            return value
        return re.sub("[" + re.escape(separators) + "]+", SPLIT, value)

    def parameter(self, part: Parameter) -> list[str]:
        """Give the values that a variable may have, its operator applied."""
        name, operator = part.name, part.operator
        if operator == "!name":
            return [each for value in self.value(name, "") for each in self.value(value, "")][:_MOST] or [unknown(name)]
        if operator == "#name":
            return ["1"]
        values = self.value(name, part.index)
        if not operator:
            return values
        if operator in (":-", "-", ":=", "=", ":+", "+", ":?", "?"):
            return self._default(part, values)
        operand = self.text(part.operand)
        if operator == "@" and operand == "P":
            return [self._prompted(value) for value in values]
        return [_applied(operator, name, value, operand) for value in values]

    def _prompted(self, value: str) -> str:
        """Run the substitutions in a value, as ``${NAME@P}`` does."""
        from pytest_agentreplay.guards.analysis.shell.parser import parse_script

        if "$(" in value or "`" in value:
            self._run(parse_script(f'echo "{value}"')[0], "")
        return value

    def _default(self, part: Parameter, values: list[str]) -> list[str]:
        unset = len(values) == 1 and values[0] == unknown(part.name)
        empty = unset or values == [""]
        sign = part.operator[-1]
        if sign == "?":
            return [unknown(part.name + "!")] if unset else values
        operand = self._texts(part.operand, split=False)
        if sign == "+":
            return operand if unset or not empty else [""]
        if sign == "=" and empty:
            self.values[part.name] = operand
        return operand if empty else values

    def value(self, name: str, index: str) -> list[str]:
        """Give the values that a variable may have."""
        if name in self.values:
            return self._indexed(self.values[name], index)
        if self.positional is not None and (name.isdigit() or name in "@*#"):
            return self._positional(name)
        known = _WELL_KNOWN.get(name)
        if known is None:
            return [unknown(name if is_known(name) else "")]  # `${!x}` of an x that nobody knows
        return [known]

    def _positional(self, name: str) -> list[str]:
        positional = self.positional or []
        if name in ("@", "*"):
            return positional[1:] or [""]
        if name == "#":
            return [str(max(len(positional) - 1, 0))]
        return [positional[int(name)]] if int(name) < len(positional) else [""]

    def _indexed(self, values: list[str], index: str) -> list[str]:
        if index in ("", "@"):
            return values or [""]
        if index == "*":
            return [" ".join(values)]
        if re.fullmatch(r"-?\d+", index) and -len(values) <= int(index) < len(values):
            return [values[int(index)]]
        return values or [""]


def _applied(operator: str, name: str, value: str, operand: str) -> str:
    if operator == ":":
        return _sliced(name, value, operand)
    if not is_known(value) or len(value) > _LONGEST_TRIMMED:
        return value
    if operator[0] in "#%":
        return _trimmed(operator, value, operand)
    if operator[0] == "/":
        return _replaced(operator, value, operand)
    if operator == "^":
        return value[:1].upper() + value[1:]
    if operator == ",":
        return value[:1].lower() + value[1:]
    return {"^^": value.upper(), ",,": value.lower()}.get(operator, value)


def _sliced(name: str, value: str, operand: str) -> str:
    found = _SLICE.fullmatch(operand)
    if not found or not is_known(value):
        return value
    if name in _SLASHED and value[:1] in "~.b" and found[1] == "0" and found[2] == "1":
        return "/"  # an absolute path, whatever it is
    start = int(found[1])
    if found[2] is None:
        return value[start:]
    length = int(found[2])
    return value[start : start + length] if length >= 0 else value[start:length]


def _trimmed(operator: str, value: str, pattern: str) -> str:
    matches = re.compile(fnmatch.translate(pattern)).match
    cuts = range(len(value) + 1)
    longest = len(operator) == 2
    if operator[0] == "#":
        for cut in reversed(cuts) if longest else cuts:
            if matches(value[:cut]):
                return value[cut:]
        return value
    for cut in cuts if longest else reversed(cuts):
        if matches(value[cut:]):
            return value[:cut]
    return value


def _replaced(operator: str, value: str, operand: str) -> str:
    pattern, _, replacement = operand.partition("/")
    if not pattern:
        return value
    found = re.compile(fnmatch.translate(pattern).removesuffix(r"\Z").removesuffix(r"\z"))
    count = 0 if operator.startswith("//") else 1
    return found.sub(lambda _: replacement, value, count=count)


def _braced(text: str) -> list[str]:
    """Expand the braces that are marked in a text; ones that hold no comma and no range stay."""
    done = [text]
    for _ in range(8):
        expanded: list[str] = []
        for item in done:
            found = next(
                (brace for brace in _BRACES.finditer(item) if "\x1d" in brace[1] or _RANGE.fullmatch(brace[1])), None
            )
            if found is None:
                expanded.append(item)
                continue
            before, after = item[: found.start()], item[found.end() :]
            expanded += [before + choice + after for choice in _choices(found[1])]
        if expanded == done or len(expanded) > 256:
            break
        done = expanded
    return done


def _choices(inside: str) -> list[str]:
    bounds = _RANGE.fullmatch(inside)
    if not bounds:
        return inside.split("\x1d")
    first, last = bounds[1], bounds[2]
    if first.lstrip("-").isdigit() and last.lstrip("-").isdigit():
        low, high = sorted((int(first), int(last)))
        return [str(number) for number in range(low, min(high, low + 64) + 1)]
    low, high = sorted((ord(first[0]), ord(last[0])))
    return [chr(code) for code in range(low, high + 1)]
