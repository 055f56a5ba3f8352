"""The command line of ``agent-replay``: its verbs and their options.

Nothing here runs a verb, or imports what one needs.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

_EXIT_CODES = "exit codes: 0 fine; 1 something differs, is blocked or is invalid; 2 wrong usage"
_TRACE = "a trace file, the name of a trace under golden_traces, or - for standard input"


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Say the version of the distribution; looked up only when asked for."""
        from importlib.metadata import PackageNotFoundError, version

        try:
            number = version("pytest-agentreplay-guard")
        except PackageNotFoundError:
            number = "(not installed)"
        print(f"agent-replay {number}")
        parser.exit()


def parser() -> argparse.ArgumentParser:
    """Make the parser; what it returns names the ``module`` of the verb."""
    top = argparse.ArgumentParser(
        "agent-replay",
        description="Golden traces and policies of agents: lint, show, compare, import, check.",
        epilog=_EXIT_CODES,
        allow_abbrev=False,
    )
    top.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    verbs = top.add_subparsers(title="verbs", metavar="VERB", required=True)
    _add_lint(verbs)
    _add_show(verbs)
    _add_diff(verbs)
    _add_import(verbs)
    _add_check(verbs)
    _add_schema(verbs)
    return top


def _verb(verbs: Any, name: str, module: str, does: str, more: str = "") -> argparse.ArgumentParser:
    description = f"{does[0].upper()}{does[1:]}. {more}".strip()
    verb: argparse.ArgumentParser = verbs.add_parser(
        name, help=does, description=description, epilog=_EXIT_CODES, allow_abbrev=False
    )
    verb.add_argument("--json", action="store_true", help="print JSON")
    verb.set_defaults(module=module)
    return verb


def _add_lint(verbs: Any) -> None:
    verb = _verb(verbs, "lint", "lint", "check golden traces and policies without running an agent")
    verb.add_argument(
        "paths", nargs="*", metavar="PATH", help="trace and policy files, directories, or - (default: golden_traces)"
    )


def _add_show(verbs: Any) -> None:
    verb = _verb(verbs, "show", "show", "step through a trace", "Long values are cut; --step shows one step in full.")
    verb.add_argument("trace", metavar="TRACE", help=_TRACE)
    verb.add_argument("--step", metavar="ADDRESS", help="show this step alone and in full, as search_docs#2 or end")


def _add_diff(verbs: Any) -> None:
    verb = _verb(
        verbs,
        "diff",
        "diff",
        "say where two traces part, and why",
        "A stands for the golden trace and B for the run that is held against it.",
    )
    verb.add_argument("a", metavar="A", help=_TRACE)
    verb.add_argument("b", metavar="B", help="likewise")


def _add_import(verbs: Any) -> None:
    verb = _verb(
        verbs,
        "import",
        "importing",
        "turn foreign transcripts into golden traces, redacted",
        "A file that is already there and says something else is not written over.",
    )
    verb.add_argument("format", metavar="FORMAT", help="chat, or a format that an installed plugin adds")
    verb.add_argument("files", nargs="+", metavar="FILE", help="transcripts, or - for standard input")
    verb.add_argument("-o", "--output", default="golden_traces", metavar="DIR", help="default: golden_traces")
    verb.add_argument(
        "--reads", type=_names, default=(), metavar="NAME,NAME", help="tools that only read; all others count as writes"
    )
    verb.add_argument(
        "--redact",
        action="append",
        default=[],
        metavar="RULE",
        help="a line as agent_replay_redact takes it: more to redact, or a kind that stays; repeatable",
    )
    verb.add_argument("--force", action="store_true", help="write over files that say something else")


def _add_check(verbs: Any) -> None:
    verb = _verb(
        verbs,
        "check",
        "check",
        "give a verdict for a call",
        "The call is JSON on standard input: tool, args, and what is known: effect, input, plan, state, retrieved,"
        " steps, external. The verdict is JSON on standard output. Exit code 2 means that no verdict could be made:"
        " take it for a block.",
    )
    verb.add_argument("--policy", action="append", required=True, metavar="FILE", help="a policy; repeatable")
    verb.add_argument(
        "--env", default="production", metavar="NAME", help="where the decisions apply (default: production)"
    )
    verb.add_argument(
        "--mode", choices=["enforce", "audit"], default="enforce", help="audit blocks nothing (default: enforce)"
    )
    form = verb.add_mutually_exclusive_group()
    form.add_argument("--jsonl", action="store_true", help="one call a line, one verdict a line")
    form.add_argument("--hook", choices=["claude-code"], help="speak the protocol of a coding agent's hook instead")


def _add_schema(verbs: Any) -> None:
    verb = _verb(verbs, "schema", "schema", "print the JSON Schema of a format")
    verb.add_argument("of", choices=["trace", "policy"], help="the format")


def _names(text: str) -> Sequence[str]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
