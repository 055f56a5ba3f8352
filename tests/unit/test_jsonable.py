"""JSON values: every value that a trace can hold survives being written."""

from __future__ import annotations

import json
import math
import pickle
from copy import deepcopy
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_agentreplay.jsonable import (
    MARKS,
    MISSING,
    BlobRef,
    MarkError,
    NotJsonError,
    Opaque,
    canonical,
    decode,
    encode,
    equal,
    snapshot,
)

_TEXT = st.text(st.characters(), max_size=8)  # lone surrogates included
_KEYS = _TEXT | st.sampled_from([*sorted(MARKS), "$pairs"])
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | _TEXT
    | st.binary(max_size=8)
    | st.builds(Opaque, st.from_regex(r"[a-zé_]\w*\.[A-Z]\w*", fullmatch=True))
)
VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3), max_leaves=12
)


def exact(value):
    """Write a value so that 1, 1.0 and true differ, and surrogate pairs are one character."""
    if isinstance(value, dict):
        return {"dict": [[exact(key), exact(item)] for key, item in value.items()]}
    if isinstance(value, list):
        return [exact(item) for item in value]
    if isinstance(value, str):
        return value.encode("utf-16-be", "surrogatepass")
    return f"{type(value).__name__} {value!r}"


@given(VALUES)
def test_every_value_survives_encoding_and_plain_json(value):
    """What encode gives is strict JSON in UTF-8, and decode makes the same value of it."""
    text = json.dumps(encode(value), ensure_ascii=False, allow_nan=False)

    assert exact(decode(json.loads(text.encode()))) == exact(value)


@pytest.mark.parametrize("mark", sorted(MARKS))
def test_a_mapping_that_looks_like_a_mark_stays_a_mapping(mark):
    """A tool that really returned {"$base64": "eA=="} gets that back, not bytes."""
    value = {mark: "eA=="}

    assert encode(value) == {"$literal": value}
    assert decode(encode(value)) == value


@pytest.mark.parametrize(
    ("document", "path", "says"),
    [
        ({"a": [{"$base64": "=="}]}, ("a", 0, "$base64"), "can't be decoded"),
        ({"$float": 1}, ("$float",), "nan, inf or -inf"),
        ({"$float": []}, ("$float",), "nan, inf or -inf"),
        ({"$utf16": "zz"}, ("$utf16",), "can't be decoded"),
        ({"$utf16": None}, ("$utf16",), "hexadecimal"),
        ({"$blob": 3}, ("$blob",), "a text"),
        ({"$literal": 3}, ("$literal",), "a mapping"),
        ({"$literal": {"$pairs": [["a"]]}}, ("$literal", "$pairs", 0), "a text and a value"),
        ({"$literal": {"$pairs": [[1, 2]]}}, ("$literal", "$pairs", 0), "a text and a value"),
        ({"$literal": {"$pairs": [3]}}, ("$literal", "$pairs", 0), "a text and a value"),
    ],
)
def test_a_mark_that_holds_nonsense_is_told_with_its_path(document, path, says):
    """A hand-written mark with a slip in it is an error with a place, never a crash."""
    with pytest.raises(MarkError, match=says) as caught:
        decode(document)

    assert caught.value.path == path


@pytest.mark.parametrize(
    ("value", "path"),
    [({"a": [0, date(2026, 1, 1)]}, ("a", 1)), ({"a": {3: 4}}, ("a",)), ([(1, 2)], (0,)), ({"a": {1}}, ("a",))],
)
@pytest.mark.parametrize("copy", [encode, snapshot])
def test_what_is_not_json_is_refused_with_its_path(copy, value, path):
    """Nothing is turned into text behind the user's back."""
    with pytest.raises(NotJsonError) as caught:
        copy(value)

    assert caught.value.path == path


@given(VALUES)
def test_a_snapshot_equals_its_value_and_shares_nothing(value):
    """What was recorded doesn't change when the agent changes its own object."""
    copy = snapshot(value)

    assert equal(copy, value)
    if isinstance(copy, (list, dict)):
        assert copy is not value


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (2, 2.0, True),
        (1, True, False),
        (0, False, False),
        (10**20, 1e20, True),
        (-0.0, 0, True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ([1, 2], [2, 1], False),
        (math.nan, math.nan, True),
        (None, MISSING, False),
        ("", None, False),
        (b"x", "x", False),
        (Opaque("a.B"), Opaque("a.B"), True),
        ("1", 1, False),
    ],
)
def test_equality_is_jsons_and_type_strict(left, right, same):
    """Numbers by value, booleans no numbers, keys in any order."""
    assert equal({"x": [left]}, {"x": [right]}) is same
    assert (canonical(left) == canonical(right)) is same


def test_two_decodings_of_nan_are_equal_inside_containers():
    """Two loads of one trace compare equal, NaN or not."""
    assert decode({"a": [{"$float": "nan"}]}) == decode({"a": [{"$float": "nan"}]})


def test_missing_is_one_object_in_copies_and_pickles():
    """`is MISSING` holds after everything that copies a trace."""
    assert deepcopy([MISSING])[0] is MISSING
    assert pickle.loads(pickle.dumps(MISSING)) is MISSING
    assert not MISSING


def test_a_reference_to_a_payload_is_kept_as_one():
    """A trace parsed without its payloads still writes their references."""
    assert decode({"$blob": "sha256:00"}) == BlobRef("sha256:00")
    assert encode(BlobRef("sha256:00")) == {"$blob": "sha256:00"}
