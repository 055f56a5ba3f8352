"""The check vocabulary: one small language of conditions on JSON values, used everywhere.

Expectations, answers, rules and filters all say what they want in it. Nothing
here knows of traces, tools or files.
"""

from pytest_agentreplay.checks.check import Check, Mismatch, check_at, compile_check, validate_check
from pytest_agentreplay.checks.errors import CheckError
from pytest_agentreplay.checks.paths import find, parse_path, remove_paths, render_path
from pytest_agentreplay.checks.vocabulary import CHECK_NAMES, JSON_TYPES, brief

__all__ = [
    "CHECK_NAMES",
    "JSON_TYPES",
    "Check",
    "CheckError",
    "Mismatch",
    "brief",
    "check_at",
    "compile_check",
    "find",
    "parse_path",
    "remove_paths",
    "render_path",
    "validate_check",
]
