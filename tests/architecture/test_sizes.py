"""Files and functions stay small enough to be read at one go."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "pytest_agentreplay"
FILES = sorted(SOURCE.rglob("*.py"))
LONGEST_FILE = 400
LONGEST_FUNCTION = 60


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_the_source_is_found():
    """The other tests of this file look at something."""
    assert SOURCE / "errors.py" in FILES


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_file_and_its_functions_are_short(path):
    """No file is over 400 lines, no function over 60."""
    text = path.read_text(encoding="utf-8")
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = {f"{node.name}, line {node.lineno}": _lines(node) for node in functions if _lines(node) > LONGEST_FUNCTION}

    assert len(text.splitlines()) <= LONGEST_FILE
    assert not long
