"""Command lines made by a grammar: harmful cores in every spelling and wrapping, and harmless ones that look alike.

A core is varied by the order and form of its flags, its program by the ways a
shell lets a name be written, the whole by wrappers, nesting, encodings and
compound commands. Harmless ones hold the same text as data, ask about the same
program, or do its read-only or local work. Nothing made here is ever run.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from shell_wrappings import (
    COMPOUNDS,
    ENCODINGS,
    FEEDS,
    PREFIXES,
    TAKES_TEXT,
    TRICKS,
    TRICKS_OF_WORDS,
    doubled,
    is_simple,
    quoted,
)

from pytest_agentreplay import yaml_codec

_TABLES = yaml_codec.parse((Path(__file__).parent / "shell_cases" / "grammar.yaml").read_text(encoding="utf-8"))
HARMFUL: dict[str, list[str]] = _TABLES["harmful"]
HARMLESS: dict[str, list[str]] = _TABLES["harmless"]


class Sample(NamedTuple):
    """One command line; `category` is the kind of harm, `way` how it was varied."""

    category: str
    way: str
    command: str


def varied(template: str, rng: random.Random) -> str:
    """Write a template out: ``[a|b]`` is one of several, ``<-r|-R> <-f>`` are flags in any order, bundled or not."""
    words: list[str] = []
    flags: list[str] = []
    for piece in _pieces(template):
        if piece[0] == "<" and piece[-1] == ">" and piece[1:2] == "-":
            flags.append(rng.choice(piece[1:-1].split("|")))
        else:
            words.append(piece)
    rng.shuffle(flags)
    words = [_chosen(word, rng) for word in words]
    short = [flag for flag in flags if len(flag) == 2 and flag[1].isalpha()]
    if len(short) > 1 and len(short) == len(flags) and rng.random() < 0.5:
        flags = ["-" + "".join(flag[1] for flag in short)]
    after = rng.random() < 0.25
    mark = words.index("@") if "@" in words else (len(words) if after else 1)
    words = [word for word in words if word != "@"]
    return " ".join([*words[:mark], *flags, *words[mark:]])


def _pieces(template: str) -> Iterator[str]:
    """Part a template at blanks that stand in no brackets."""
    piece, depth = "", 0
    for char in template:
        depth += (char == "[") - (char == "]")
        if char == " " and not depth:
            yield piece
            piece = ""
        else:
            piece += char
    yield piece


def _chosen(word: str, rng: random.Random) -> str:
    start = word.find("[")
    end = word.find("]", start)
    if start < 0 or end < 0 or "|" not in word[start:end]:
        return word
    return word[:start] + rng.choice(word[start + 1 : end].split("|")) + _chosen(word[end + 1 :], rng)


def _respelled(command: str, rng: random.Random) -> str:
    """Write the program's name in another way that a shell takes for the same."""
    name, blank, rest = command.partition(" ")
    if not name.replace("-", "").replace(".", "").isalnum() or len(name) < 2 or "." in name:
        return command
    ways = [
        f"/usr/bin/{name}",
        f"/bin/{name}",
        f"\\{name}",
        f'"{name}"',
        f"{name[0]}''{name[1:]}",
        f'{name[0]}"{name[1:]}"',
        f"{name[0]}\\{name[1:]}",
        f"$'\\x{ord(name[0]):02x}{name[1:]}'" if name[1] not in "0123456789abcdefABCDEF" else f"'{name}'",
        f"$(echo {name})",
        f"`echo {name}`",
        f"${{X:-{name}}}",
    ]
    if rng.random() < 0.2:
        return f"p={name}; $p{blank}{rest}"
    return rng.choice(ways) + blank + rest


def harmful(count: int, seed: int) -> Iterator[Sample]:
    """Make harmful commands, every core as often as any other."""
    rng = random.Random(seed)
    cores = [(category, template) for category, templates in HARMFUL.items() for template in templates]
    rng.shuffle(cores)
    for number in range(count):
        category, template = cores[number % len(cores)]
        command, way = varied(template, rng), "plain"
        for _ in range(rng.choice((0, 1, 1, 1, 2, 2, 3))):
            command, way = _wrapped(command, rng)
        yield Sample(category, way, command)


def _wrapped(command: str, rng: random.Random) -> tuple[str, str]:
    kind = rng.randrange(14)
    if kind == 12 and is_simple(command):
        return rng.choice(TRICKS_OF_WORDS)(command), "trick"
    if kind >= 12:
        return rng.choice(TRICKS)(command), "trick"
    if kind < 3 and is_simple(command):
        return f"{rng.choice(PREFIXES)} {command}", "prefix"
    if kind < 5 and is_simple(command):
        return _respelled(command, rng), "spelling"
    if kind < 8:
        way, wrap = rng.choice(TAKES_TEXT)
        return (command, "plain") if way == "for each" and "{}" in command else (wrap(command), way)
    if kind == 8:
        return rng.choice(ENCODINGS)(command), "encoding"
    if kind == 9:
        return rng.choice(FEEDS)(command), "fed"
    return (
        (command, "plain")
        if command.startswith("exec ") or "\n" in command
        else (rng.choice(COMPOUNDS)(command), "compound")
    )


AS_DATA: list[tuple[str, Callable[[str], str]]] = [
    ("message", lambda t: f"git commit -m {quoted(t)}"),
    ("message", lambda t: f"git commit -am {quoted('docs: explain why ' + t + ' is dangerous')}"),
    ("message", lambda t: f"git tag -a v1 -m {quoted(t)}"),
    ("message", lambda t: f"gh issue create --title bug --body {quoted(t)}"),
    ("message", lambda t: f"gh pr comment 12 --body {quoted(t)}"),
    ("message", lambda t: f"logger -t app {quoted(t)}"),
    ("message", lambda t: f"notify-send done {quoted(t)}"),
    ("pattern", lambda t: f"grep -rnF {quoted(t)} ."),
    ("pattern", lambda t: f"rg --fixed-strings {quoted(t)} src"),
    ("pattern", lambda t: f"git log --grep={quoted(t)}"),
    ("pattern", lambda t: f"git log -S {quoted(t)} --oneline"),
    ("pattern", lambda t: f"history | grep -F {quoted(t)}"),
    ("pattern", lambda t: f"ps aux | grep -F {quoted(t)}"),
    ("echo", lambda t: f"echo {quoted(t)}"),
    ("echo", lambda t: f"printf '%s\\n' {quoted(t)}"),
    ("echo", lambda t: f"echo {quoted(t)} >> TODO.md"),
    ("echo", lambda t: f"echo {quoted(t)} | tee notes.txt"),
    ("echo", lambda t: f"echo {quoted(t)} | wc -c"),
    ("comment", lambda t: f"ls # {t.splitlines()[0]}"),
    ("comment", lambda t: f"# {t.splitlines()[0]}\npytest -q"),
    ("document", lambda t: f"cat > notes.md <<'EOF'\nNever run this:\n{t}\nEOF"),
    ("document", lambda t: f"cat <<'EOF' | tee docs/danger.md\n{t}\nEOF"),
    ("document", lambda t: f"python3 - <<'EOF'\nprint({t!r})\nEOF"),
    ("variable", lambda t: f"MSG={quoted(t)}"),
    ("variable", lambda t: f'[ "$1" = {quoted(t)} ] && exit 1'),
    ("variable", lambda t: f'case "$1" in {quoted(t)}) echo no ;; esac'),
    ("code", lambda t: f"python3 -c {quoted(f'print({t!r})')}"),
    ("code", lambda t: f"python3 -c {quoted(f'assert len({t!r}) > 3')}"),
    ("code", lambda t: f"node -e {quoted(f'console.log({doubled(t)})')}"),
    ("code", lambda t: f"jq -n --arg c {quoted(t)} '{{c: $c}}'"),
]
ASKS: list[Callable[[str], str]] = [
    lambda p: f"man {p}",
    lambda p: f"which {p}",
    lambda p: f"command -v {p}",
    lambda p: f"type {p}",
    lambda p: f"{p} --help",
    lambda p: f"{p} --version",
    lambda p: f"whatis {p}",
    lambda p: f"tldr {p}",
    lambda p: f"apropos {p}",
    lambda p: f"info {p}",
    lambda p: f"dpkg -S {p}",
    lambda p: f"apt-cache show {p}",
]
QUIET_PREFIXES = ["", "", "", "sudo ", "time ", "timeout 30 ", "nice ", "env A=1 ", "command "]


def harmless(count: int, seed: int) -> Iterator[Sample]:
    """Make harmless commands that look like harmful ones."""
    rng = random.Random(seed)
    cores = [template for templates in HARMFUL.values() for template in templates]
    kin = [(category, template) for category, templates in HARMLESS.items() for template in templates]
    for _ in range(count):
        kind = rng.randrange(10)
        if kind < 5:
            way, wrap = rng.choice(AS_DATA)
            yield Sample("as data", way, wrap(varied(rng.choice(cores), rng)))
        elif kind == 5:
            program = rng.choice(cores).split(" ")[0]
            yield Sample("asked about", "asks", rng.choice(ASKS)(program if program.isalpha() else "rm"))
        else:
            category, template = rng.choice(kin)
            command = varied(template, rng)
            if is_simple(command) and rng.random() < 0.5:
                command = rng.choice(QUIET_PREFIXES) + command
            if rng.random() < 0.3:
                command = rng.choice((*COMPOUNDS[:11], TAKES_TEXT[0][1]))(command)
            yield Sample(category, "kin", command)
