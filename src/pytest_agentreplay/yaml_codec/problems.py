"""What is wrong with a document, where, and what would be right.

Faults are found while parsing, where only an index into the text is known; they
become a `YamlError` with line, column and path once somebody has to read them.
Nothing here parses.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import yaml

Path: TypeAlias = tuple[str | int, ...]


class YamlError(ValueError):
    """A document is no YAML of JSON values, or a value can't be written as one.

    Attributes:
        problem: what is wrong, one line.
        line: 1-based.
        column: 1-based, in characters.
        path: where inside the document, as keys and indices.
        remedy: what would be right, one line.
    """

    def __init__(self, problem: str, remedy: str, line: int = 1, column: int = 1, path: Path = ()) -> None:
        super().__init__(problem, remedy, line, column, path)
        self.problem = problem
        self.remedy = remedy
        self.line = line
        self.column = column
        self.path = path

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.problem}; {self.remedy}"


class Refusal(Exception):  # noqa: N818 - never leaves the room: parse turns it into a YamlError
    """Valid YAML that this room refuses.

    Attributes:
        index: the place in the text; None where only the path is known.
        doubled: the path is that of a key that occurs twice.
    """

    def __init__(self, problem: str, remedy: str, index: int | None = None, *, doubled: bool = False) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy
        self.index = index
        self.doubled = doubled


def place_of(text: str, index: int) -> tuple[int, int]:
    """Turn an index into line and column, as editors count them."""
    before = text[:index].replace("\r\n", "\n").replace("\r", "\n")
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def syntax_error(error: yaml.YAMLError, text: str, path: Path) -> YamlError:
    """Say in a user's words what the YAML parser didn't like."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    index = min(mark.index, len(text)) if mark else 0
    known = str(getattr(error, "problem", None) or error).splitlines()[0]
    problem, remedy = _explain(known, text[index : index + 1])
    line, column = place_of(text, index)
    opened: Any = getattr(error, "context_mark", None)
    if opened and opened.index < index and (first := place_of(text, opened.index)[0]) != line:
        problem = f"{problem}, {error.context} that starts on line {first}"  # type: ignore[attr-defined]
    return YamlError(problem, remedy, line, column, path)


_EXPLANATIONS = (
    ("tab character", "a tab where YAML wants spaces", "indent with spaces"),
    ("mapping values are not allowed", "`: ` where no key can be", "put text that holds `: ` in quotes"),
    ("expected key", "this line fits neither the mapping above it nor one around it", "indent it as its siblings"),
    ("'-' indicator", "this line fits neither the list above it nor one around it", "indent it as its siblings"),
    ("expected <block end>", "this line fits nothing above it", "indent it as its siblings"),
    ("could not find expected ':'", "a key without `:`", "write `key: value`, or put the text in quotes"),
    ("unexpected end of stream", "the text ends inside quotes", "close the quotes"),
    ("unexpected document indicator", "the document ends inside quotes", "close the quotes"),
    ("expected ','", "a comma or a closing bracket is missing", "add it, or put text that holds `,[]{}` in quotes"),
    ("expected node content", "a value is missing, or a bracket isn't closed", "write it"),
    ("unknown escape character", "an unknown escape", "double the backslash, or use single quotes"),
    ("escape sequence of", "an escape without its hexadecimal digits", "double the backslash, or use single quotes"),
    ("Unicode character escape", "an escape that is no Unicode character", "write the character itself"),
    ("undefined tag handle", "a tag", "leave it out: values are JSON"),
    ("block entries are not allowed", "`- ` where no list can start", "start the list on a line of its own"),
    ("sequence entries are not allowed", "`- ` where no list can start", "start the list on a line of its own"),
)


def _explain(problem: str, char: str) -> tuple[str, str]:
    if "cannot start any token" in problem:
        if char == "\t":
            return "a tab where YAML wants spaces", "indent with spaces"
        return f"text can't start with {char or 'nothing'}", "put the text in quotes"
    for known, fact, remedy in _EXPLANATIONS:
        if known in problem:
            return fact, remedy
    return problem, "check the indentation and the quotes here"
