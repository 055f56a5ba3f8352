"""Two trajectories side by side."""

from __future__ import annotations

import unicodedata

import pytest

from pytest_agentreplay.compare import align, calls_of, side_by_side
from pytest_agentreplay.trace import ToolStep


def calls(*tools):
    """Make calls of one argument each."""
    return calls_of([ToolStep(tool=tool, args={"q": tool * 3}) for tool in tools])


def shown(golden, run, **options):
    """Show two trajectories around their first divergence."""
    return side_by_side(golden, run, align(golden, run).divergence, **options)


def test_the_row_where_they_part_is_marked():
    """Golden left, run right, a mark before the row where they part."""
    text = shown(calls("a", "b", "c"), calls("a", "x", "b", "c"), width=60)

    assert text.splitlines() == [
        "  golden                      | run",
        "  a(q='aaa')                  | a(q='aaa')",
        "> b(q='bbb')                  | x(q='xxx')",
        "  c(q='ccc')                  | b(q='bbb')",
        "                              | c(q='ccc')",
    ]


def test_an_end_is_shown_and_long_stretches_are_cut():
    """A run that stops early shows its end; only a few rows are shown around it."""
    golden, run = calls(*"abcdefghijk"), calls(*"abcdef")
    lines = shown(golden, run, width=80).splitlines()

    assert [line for line in lines if line.startswith(">")] == [f"> g(q='ggg'){'':27} | (end)"]
    assert lines[1].split() == ["...", "|", "..."]
    assert lines[-1].split() == ["...", "1", "more", "|"]
    assert len(lines) == 10


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_row_is_wider_than_asked(width):
    """Long arguments and wide characters are cut to fit, and columns stay aligned."""
    wide = calls_of([ToolStep(tool="検索ツール", args={"問い合わせ": "返金" * 100, "\x1b[31m": 1})])
    text = shown(wide, calls("a" * 300), width=width)

    for line in text.splitlines():
        columns = sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in line)
        assert columns <= width
    assert "\x1b" not in text
