"""Paths into JSON values: what they select, how they are written, what they refuse."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_agentreplay.checks import CheckError, find, parse_path, remove_paths, render_path

VALUE = {"docs": [{"id": 1, "tags": ["a"]}, {"id": 2}], "meta": {"a.b": 3, "": 4}}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def values(path, value=VALUE):
    """Return what a path selects, without where."""
    return [item for _, item in find(value, path)]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("docs[0].id", [1]),
        ("docs[-1].id", [2]),
        ("docs[*].id", [1, 2]),
        ("docs[7].id", []),
        ("docs.id", []),
        ("docs.*", []),
        ("meta[*]", []),
        ("meta.*", [3, 4]),
        ('meta["a.b"]', [3]),
        ("meta['a.b']", [3]),
        ('meta[""]', [4]),
        ("**.id", [1, 2]),
        ("**.**.id", [1, 2]),
        ("docs.**.tags[0]", ["a"]),
        ("nothing.at.all", []),
    ],
)
def test_a_path_selects_what_it_says(path, expected):
    """Each kind of segment selects its places, in the order of the value, each place once."""
    assert values(path) == expected


def test_text_that_is_json_is_seen_parsed_along_a_path():
    """A path leads into JSON inside a string, at any depth; other text stays text."""
    value = {"result": '{"user": {"card": "[1, 2]"}}', "note": "{not json"}

    assert values("result.user.card[1]", value) == [2]
    assert values("**.card", value) == ["[1, 2]"]
    assert values("note", value) == ["{not json"]
    assert values("note.x", value) == []
    assert values("result", value) == ['{"user": {"card": "[1, 2]"}}']


@pytest.mark.parametrize("path", ["", ".a", "a.", "a..b", "a[", "a[x]", "a[0", "a]", "x*", 'a."b"[', "a.[0]", "[0]b"])
def test_what_is_no_path_is_refused(path):
    """A text that is no path raises, and says how paths are written."""
    with pytest.raises(CheckError) as caught:
        parse_path(path)

    assert caught.value.remedy


def test_hostile_values_and_paths_stay_cheap():
    """Depth, breadth and many wildcards end in time and without a recursion error."""
    deep: object = "bottom"
    for _ in range(600):
        deep = {"a": deep}
    wide = {"items": [{"id": index} for index in range(5_000)]}

    assert len(find(deep, "**.**.**")) == 601
    assert len(find(wide, "**.**.id")) == 5_000
    assert find({"text": "[" * 100_000}, "text[0]") == []


@given(VALUES)
def test_every_place_has_a_path_that_leads_back_to_it(value):
    """`render_path` and `find` are each other's inverse, odd keys included."""
    for location, item in find(value, "**"):
        if location:
            assert (location, item) in find(value, render_path(location))


def test_removing_paths_copies_and_leaves_the_rest():
    """The value itself is untouched, containers stay, items that go close up."""
    value = {"id": 1, "meta": {"sent_at": 2, "to": 3}, "items": [{"k": 1, "t": 2}, {"t": 3}, 4]}
    before = repr(value)

    assert remove_paths(value, ["id", "meta.sent_at", "**.t", "items[2]", "nothing"]) == {
        "meta": {"to": 3},
        "items": [{"k": 1}, {}],
    }
    assert remove_paths(value, ["items", "items[0].k"]) == {"id": 1, "meta": {"sent_at": 2, "to": 3}}
    assert repr(value) == before


@given(VALUES)
def test_nothing_is_left_where_a_path_was_removed(value):
    """After removing a path, it selects nothing."""
    assert find(remove_paths({"v": value}, ["v"]), "v") == []
