"""The command itself: exit codes, errors, and what it costs to ask for help."""

from __future__ import annotations

import json

import pytest

from pytest_agentreplay.cli import main, terminal
from pytest_agentreplay.cli import schema as schema_verb
from pytest_agentreplay.errors import TraceFormatError


def _failing(error):
    def run(options):
        raise error

    return run


@pytest.mark.parametrize("verb", ["export", "runs", "rules", "report", "lnt", ""])
def test_verbs_that_are_not_there_are_wrong_usage(verb, capsys):
    """What this version lacks is not accepted half-way."""
    code = main([verb])

    assert code == 2
    assert "invalid choice" in capsys.readouterr().err


def test_no_verb_is_wrong_usage(capsys):
    """The command alone says what is missing."""
    assert main([]) == 2
    assert "VERB" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [["--help"], ["lint", "--help"], ["import", "-h"], ["--version"]])
def test_help_is_fine(argv, capsys):
    """Asking for help returns, with 0, and goes to standard output."""
    assert main(argv) == 0
    assert "agent-replay" in capsys.readouterr().out


def test_options_can_not_be_abbreviated(capsys):
    """A new option never changes what an old command line means."""
    assert main(["schema", "trace", "--js"]) == 2
    assert "--js" in capsys.readouterr().err


def test_errors_of_the_tree_are_told_with_their_details(monkeypatch, capsys):
    """The fact and the labelled lines go to standard error."""
    monkeypatch.setattr(schema_verb, "run", _failing(TraceFormatError("it is broken", at="a.yaml:3:1", next="mend it")))

    code = main(["schema", "trace"])

    assert code == 1
    assert capsys.readouterr() == ("", "agent-replay: it is broken\n  at       a.yaml:3:1\n  next     mend it\n")


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (OSError(28, "No space left on device"), 1, "no space left on device"),
        (ZeroDivisionError("division by zero"), 1, "internal error: ZeroDivisionError: division by zero"),
        (RecursionError("too deep"), 1, "internal error: RecursionError"),
    ],
)
def test_whatever_happens_no_traceback_is_shown(error, code, told, monkeypatch, capsys):
    """A mistake of ours is told in a line too, with the place to report."""
    monkeypatch.setattr(schema_verb, "run", _failing(error))

    assert main(["schema", "trace"]) == code
    err = capsys.readouterr().err
    assert told in err
    assert "Traceback" not in err


def test_schema_of_a_trace_is_json(capsys):
    """Editors get the schema of what the package reads."""
    assert main(["schema", "trace"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "golden trace"


def test_schema_of_a_policy_is_json(capsys):
    """Likewise for policies."""
    assert main(["schema", "policy"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "policy"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\u202eb", "a\\u202eb"),
        ("lone \ud800", "lone \\ud800"),
        ("\r\n", "\\r\n"),
        ("naïve 日本\n  text", "naïve 日本\n  text"),
    ],
)
def test_control_characters_are_shown_and_never_sent(text, shown):
    """A tool's result can't move the cursor, change colours or turn text around."""
    assert terminal.visible(text) == shown
