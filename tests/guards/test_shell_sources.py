"""Which arguments the shell pack takes for commands, and what it makes of ones that are broken."""

from __future__ import annotations

import pytest
from shell_report import POLICY

from pytest_agentreplay.guards.analysis.shell import facts_of, shell_facts
from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.guards.document import parse_policy
from pytest_agentreplay.guards.history import History


def _decision(tool, args):
    return POLICY.judge(tool, args).decision


@pytest.mark.parametrize("tool", ["batch_fetch", "powershell_docs", "node_reader", "open_page", "ruby_gems"])
def test_an_address_is_no_code(tool):
    """A lone address, path or word is none of any language, whatever the tool is called."""
    arguments = {"address": "https://example.com/a?b=c", "where": "/srv/x.ps1", "what": "package-name"}

    assert list(shell_facts(DecisionContext(tool, arguments, effect="write", history=History()))) == []


@pytest.mark.parametrize(
    "args",
    [
        {"command": "rm -rf /"},
        {"command": ["rm", "-rf", "/"]},
        {"command": ["bash", "-c", "rm -rf /"]},
        {"command": "bash", "args": ["-c", "rm -rf /"]},
        {"program": "rm", "argv": ["-rf", "/"]},
        {"commands": ["ls", "rm -rf /"]},
        {"steps": [{"run_command": "rm -rf /"}]},
        {"code": "import shutil\nshutil.rmtree('/')"},
        {"language": "node", "code": "require('fs').rmSync('/', {recursive: true})"},
        {"language": "bash", "code": "rm -rf /"},
        {"sql": "DROP TABLE users"},
        {"keystrokes": "rm -rf /\n"},
    ],
)
def test_commands_are_found_in_any_shape(args):
    """As a text, as words, as a program beside its arguments, in lists, in mappings, as code."""
    assert _decision("some_tool", args) == "block"


@pytest.mark.parametrize(
    "text",
    [
        "if [ -f x ]; then",
        "for f in *.py; do",
        "echo 'unfinished",
        "while (x > 0) {",
        "git log [--oneline] (<path>)",
        "fi",
    ],
)
def test_a_broken_line_without_harm_is_let_through(text):
    """It is opaque, and tells so; nothing in it would do harm even if it were read otherwise."""
    facts = facts_of(text, "args.command")

    assert facts.opaque and not facts.may_harm
    assert _decision("bash", {"command": text}) == "allow"


@pytest.mark.parametrize(
    "text", ["bash -c 'rm -rf /", 'echo "$(rm -rf /', "if true; then rm -rf /", "cat <<'EOF'; rm -rf /x\n"]
)
def test_a_broken_line_with_harm_is_not(text):
    """What is broken hides nothing."""
    assert _decision("bash", {"command": text}) != "allow"


def test_the_user_decides_about_what_is_opaque():
    """Only where it may harm."""
    strict = parse_policy(
        "format: agentreplay.policy/1\nname: p\nuse: [shell]\npacks: {shell: {treat_opaque: block}}\n"
    )

    assert strict.judge("bash", {"command": "echo 'kill -9 -1"}).decision == "block"
    assert strict.judge("bash", {"command": "echo 'hello"}).decision == "allow"
