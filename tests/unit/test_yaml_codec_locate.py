"""Locating: where in the text a part of a document stands."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_agentreplay.yaml_codec import locate, parse, render

TEXT = """\
# a trace
format: x
steps:
  - tool: search
    args: {q: refund, limit: [1, 2]}
  # the second
  - tool: pay
    note: |
      one
      two
"quoted key": &a
  inner: 1
alias: *a
"""


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((), (2, 1)),
        (("format",), (2, 1)),
        (("steps",), (3, 1)),
        (("steps", 0), (4, 5)),
        (("steps", 0, "args"), (5, 5)),
        (("steps", 0, "args", "q"), (5, 12)),
        (("steps", 0, "args", "limit", 1), (5, 34)),
        (("steps", 1), (7, 5)),
        (("steps", 1, "note"), (8, 5)),
        (("quoted key", "inner"), (12, 3)),
    ],
)
def test_a_part_is_found_at_its_key_or_item(path, place):
    """Entries of mappings are at their key, items of lists at their start."""
    assert locate(TEXT, path) == place


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("missing",), (2, 1)),
        (("steps", 7), (3, 1)),
        (("steps", 0, "result", "deep"), (4, 5)),
        (("format", "deeper"), (2, 1)),
        (("steps", "tool"), (3, 1)),
        (("format", 0), (2, 1)),
        (("alias", "inner"), (13, 1)),
    ],
)
def test_the_deepest_existing_part_stands_for_a_missing_one(path, place):
    """What isn't there is where it would have to be."""
    assert locate(TEXT, path) == place


def test_a_byte_order_mark_takes_no_column():
    """Editors don't show it."""
    assert locate("\ufeffa: 1", ("a",)) == (1, 1)


def test_a_broken_text_is_read_as_far_as_it_goes():
    """The best answer is the last part before the fault."""
    assert locate("a:\n  b: [1, @]\nc: 1", ("a", "b", 0)) == (2, 7)
    assert locate("a: 1\nb: @", ("c",)) == (1, 1)


def test_surrogate_escapes_do_not_end_the_search():
    """A document that can be read can be searched."""
    assert locate('a: "\\ud83d\\ude00"\nb: 1', ("b",)) == (2, 1)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=30), st.lists(st.text(max_size=2) | st.integers(-1, 3), max_size=4).map(tuple))
def test_no_text_and_no_path_makes_it_raise(text, path):
    """It serves messages, so it always answers."""
    line, column = locate(text, path)

    assert line >= 1 and column >= 1


LEAVES = st.recursive(
    st.integers() | st.text("ab :#\n", max_size=5),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3) | st.dictionaries(st.text("ab", min_size=1), inner, min_size=1)
    ),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(LEAVES, st.randoms(use_true_random=False))
def test_what_stands_at_the_place_is_the_part(document, random):
    """The text from the place on starts with the key, or can be read as the item."""
    text, path, part = render(document), (), document
    while isinstance(part, dict | list):
        key = random.choice(list(part) if isinstance(part, dict) else range(len(part)))
        path, parent, part = (*path, key), part, part[key]
    line, column = locate(text, path)
    rest = text.splitlines()[line - 1][column - 1 :]

    if not path:
        assert parse(text) == document
    elif isinstance(parent, dict):
        assert rest.lstrip('"').startswith(path[-1])
    elif isinstance(part, int):
        assert rest.startswith(str(part))
