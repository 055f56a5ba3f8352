"""Suggested file names are safe, unique and stable."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_agentreplay.interop.names import UniqueNames, file_name, stem_of


@given(st.lists(st.text(max_size=150), max_size=4))
def test_any_parts_make_a_safe_name(parts: list[str]) -> None:
    """A name holds nothing that a file system, a shell or a path could read as anything else."""
    name = file_name(*parts)

    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}", name)


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("airline", "task0", "trial1"), "airline-task0-trial1"),
        (("../../etc/passwd",), "etc-passwd"),
        (("a.http",), "a-http"),
        (("", "."), "trace"),
        (("NUL",), "trace-NUL"),
    ],
)
def test_names(parts: tuple[str, ...], name: str) -> None:
    """Readable where they can be."""
    assert file_name(*parts) == name


def test_long_names_that_differ_late_stay_different() -> None:
    """A cut name ends in a digest of the whole."""
    first, second = file_name("x" * 200 + "a"), file_name("x" * 200 + "b")

    assert first != second
    assert len(first) == len(second) == 100


def test_taken_names_are_numbered() -> None:
    """The same name, in any case, is handed out once."""
    names = UniqueNames()

    assert [names.take(name) for name in ("run", "Run", "run", "run-2", "other")] == [
        "run",
        "Run-2",
        "run-3",
        "run-2-2",
        "other",
    ]


@pytest.mark.parametrize(
    ("source", "stem"),
    [
        ("a/b/run.traj.json", "run"),
        ("C:\\logs\\run.JSONL", "run"),
        ("x.traj", "x"),
        ("gpt-4.1.json", "gpt-4.1"),
        ("", ""),
    ],
)
def test_stems(source: str, stem: str) -> None:
    """A source is named by its last part, without transcript endings."""
    assert stem_of(source) == stem
