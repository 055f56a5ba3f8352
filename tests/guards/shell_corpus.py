"""Collect the command lines of the manual pages on this machine: ``python tests/guards/shell_corpus.py OUT [ROOT...]``.

Examples and literal blocks of manual pages whose first word is a program with
a page of its own become lines of ``OUT``, the page's name before a tab. They
are for `shell_report.py` and are not kept here: each page has a licence of its own.
"""

from __future__ import annotations

import gzip
import re
import sys
from collections.abc import Iterator
from pathlib import Path

SECTIONS = ("man1", "man5", "man7", "man8")
_FONTS = re.compile(r"\\f(?:\[\w*\]|\(..|.)|\\s[-+]?\d|\\[&|^/,%]|\\m\[\w*\]|\\c\b")
_SIGNS = {
    **{r"\-": "-", r"\(aq": "'", r"\(dq": '"', r"\e": "\\", r"\(rs": "\\", r"\[aq]": "'", r"\(ga": "`", r"\(ha": "^"},
    **{r"\(ti": "~", r"\~": " ", r"\ ": " ", r"\.": ".", r"\'": "'", r"\`": "`", r"\(cq": "'", r"\*(Aq": "'"},
}
_SECTION = re.compile(r"\.S[Hh]\s*(.*)")
_LITERAL = re.compile(r"\.(nf|EX|Vb|Bd -literal)")
_LITERAL_END = re.compile(r"\.(fi|EE|Ve|Ed)")
_PROMPT = re.compile(r"(?:\S*[\w~\]/:]?[$#%>]\s+|\[\w+@[^\]]*\]\s*[$#]\s+)(?=\S)")
_PROSE = re.compile(
    r"\b(?:the|is|are|of|and|this|that|will|be|an|with|you|may|can|which|has|was|from)\b", re.IGNORECASE
)


def pages(roots: list[Path]) -> Iterator[Path]:
    """List the manual pages below some directories."""
    for root in roots:
        for section in SECTIONS:
            yield from sorted(path for path in (root / section).glob("*") if path.is_file())


def text_of(path: Path) -> str:
    """Read a page, compressed or not."""
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8", "replace")


def plain(line: str) -> str:
    """Take the marks of the formatter off a line."""
    line = _FONTS.sub("", line)
    for sign, text in _SIGNS.items():
        line = line.replace(sign, text)
    return line


def example_lines(text: str) -> Iterator[str]:
    """Give the lines of a page's examples and literal blocks, continued ones joined."""
    in_examples = literal = False
    before = ""
    for raw in text.splitlines():
        if found := _SECTION.match(raw):
            in_examples, literal = "EXAMPLE" in found[1].upper(), False
        elif _LITERAL.match(raw):
            literal = True
        elif _LITERAL_END.match(raw):
            literal = False
        elif not raw.startswith(".") and (literal or in_examples):
            line = before + plain(raw).strip()
            before = line[:-1].rstrip() + " " if line.endswith("\\") else ""
            if not before:
                yield line


def command_of(line: str, programs: set[str]) -> str | None:
    """Give the command that a line is; None where it is prose."""
    bare = _PROMPT.sub("", line, count=1)
    prompted = bare != line and bare.split(" ")[0] in programs
    command = bare if prompted else line
    words = command.split()
    if not 4 <= len(command) <= 400 or len(words) < 2 or words[0].rpartition("/")[2] not in programs:
        return None
    prose = command[-1] in ".:,;" or len(_PROSE.findall(re.sub(r"'[^']*'|\"[^\"]*\"", "", command))) > 1
    return command if prompted or not prose else None


def main() -> None:
    """Write the corpus."""
    out, *given = (Path(word) for word in sys.argv[1:])
    found = list(pages(given or [Path("/usr/share/man")]))
    programs = {path.name.split(".")[0] for path in found if path.parent.name in ("man1", "man8")}
    programs |= {"cd", "echo", "export", "sudo"}
    commands: dict[str, str] = {}
    for path in found:
        for line in example_lines(text_of(path)):
            if (command := command_of(line, programs)) is not None:
                commands.setdefault(command, path.name.split(".")[0])
    out.write_text("".join(f"{page}\t{command}\n" for command, page in commands.items()), encoding="utf-8")
    print(f"{len(commands)} command lines of {len(found)} pages")


if __name__ == "__main__":
    main()
