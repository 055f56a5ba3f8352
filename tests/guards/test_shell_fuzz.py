"""The shell analysis on anything at all: it ends soon, breaks never, and what it lets through doesn't hang on luck."""

from __future__ import annotations

from itertools import islice
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shell_grammar import harmful
from shell_report import POLICY, labelled

from pytest_agentreplay.guards.analysis.shell import facts_of

LONGEST_SECONDS = 30.0  # a machine under load takes seconds; a hang takes minutes
COMMANDS = [sample.command for kind in ("hostile", "harmless") for sample in labelled(kind)]
PIECES = st.sampled_from(
    (
        *(
            "$(",
            "${",
            "$((",
            "<(",
            ">(",
            "`",
            "'",
            '"',
            "\\",
            ")",
            "}",
            "]]",
            "[[ ",
            "((",
            "|",
            "&&",
            ";;",
            "\n",
            " ",
            "<<E\n",
        ),
        *(
            "E\n",
            "<<<",
            "if ",
            "then ",
            "fi",
            "for x in ",
            "do ",
            "done",
            "case x in ",
            "esac",
            "{a,b}",
            "{1..9}",
            "${!x}",
        ),
        *(
            "eval ",
            "bash -c ",
            "python3 -c ",
            "sudo ",
            "xargs ",
            "| sh",
            "$'\\x72m'",
            "\x00",
            "\x01\x03",
            "\x1c",
            "\u200b",
            "ｒｍ",
        ),
    )
)
commands = st.sampled_from(COMMANDS)
mangled = st.lists(
    PIECES | st.text(max_size=8) | commands | st.builds(lambda text, end: text[:end], commands, st.integers(0, 40)),
    max_size=8,
).map("".join)
languages = st.sampled_from(["shell", "shell", "shell", "python", "node", "ruby", "perl", "powershell", "sql", "awk"])


@settings(max_examples=400, deadline=None)
@given(mangled, languages)
def test_any_text_is_analysed(text, language):
    """Broken quotes, brackets, keywords, control characters: facts come, no exception."""
    facts = facts_of(text, "args.command", language)

    assert facts.text == text
    assert {deed.effect for deed in facts.deeds} == set(facts.effects)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["ls; ", "echo hi\n", "true && ", "# note\n", "( ls ); ", "x=1; "]))
def test_what_stands_before_a_harmful_command_hides_nothing(seed, before):
    """A harmful command stays one behind anything that ends properly."""
    command = next(islice(harmful(1, seed), 1)).command

    assert POLICY.judge("bash", {"command": before + command}).decision != "allow"


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        "a " * 500_000,
        "ls;" * 300_000,
        'echo "' + "x" * 1_000_000,
        "$(" * 200_000,
        "(" * 200_000,
        "`" * 100_000,
        "{a,b}" * 2_000,
        "{1..99999}" * 3,
        "cat <<A\n" * 20_000,
        "if true; then " * 20_000,
        "ls|" * 100_000,
        "eval " * 5_000 + "ls",
        "env " * 5_000 + "ls",
        ";".join(f"f{n}() {{ f{n + 1}; f{n + 1}; }}" for n in range(60)) + "; f0",
        "x=$(" * 30 + "ls" + ")" * 30,
        "echo $(" * 30 + "ls" + ") > >(cat)" * 30,
        "psql -c 'DELETE FROM " + "a" * 30_000 + "'",
        "perl -e 'open" + "\t" * 19_000 + "'",
        "echo $((" + "_" * 150_000,
        "echo " + "{a,b}" * 27,
        ";".join(f"x{n}=$x{n - 1}$x{n - 1}" for n in range(1, 200)),
        'python3 -c "' + "(" * 5_000 + ")" * 5_000 + '"',
        "node -e '" + '"\\' * 20_000 + "'",
        "node -e '" + 'Buffer.from("' * 5_000 + "'",
        "perl -e '" + 'print "a" ' * 20_000 + "'",
        "psql -c '" + "DROP " * 30_000 + "'",
        "Remove-Item " + " -r" * 30_000,
        "rm -rf " + "../" * 100_000,
    ],
    ids=lambda text: text[:12],
)
def test_enormous_and_deeply_nested_texts_end_soon(text):
    """A megabyte, a hundred thousand brackets, functions that double at every step."""
    began = perf_counter()
    facts_of(text, "args.command")

    assert perf_counter() - began < LONGEST_SECONDS


@pytest.mark.parametrize(
    "text", ["rm\x00 -rf /", "r\x00m -rf /", "ｒｍ -rf /", "r\u200bm -rf /", "rm\u00a0-rf /\nrm -rf /"]
)
def test_letters_that_nobody_sees_hide_no_program(text):
    """NUL is left out by a shell; look-alikes and what has no width are read as what they look like."""
    assert POLICY.judge("bash", {"command": text}).decision == "block"


@pytest.mark.parametrize(
    "text",
    [
        "dd of=/${!x}dev/sda",
        "cp x${!x} y",
        "mount --rbind --make-unbindable /x",
        "echo ${x@P}",
        "python3 -c 'from pathlib import Path; Path.home().a.b().write_text(1)'",
    ],
)
def test_what_broke_once_is_analysed(text):
    """Found by mutation: an unknown name within an unknown name, a mount without a target."""
    assert facts_of(text, "args.command").text == text
