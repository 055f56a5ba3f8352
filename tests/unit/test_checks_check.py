"""Checks: what each name of the vocabulary means, and what is no check."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_agentreplay.checks import (
    CHECK_NAMES,
    CheckError,
    brief,
    check_at,
    compile_check,
    validate_check,
)
from pytest_agentreplay.jsonable import MISSING

NAN = float("nan")
SAMPLES = {
    "equals": 1, "not": 1, "in": [1], "not_in": [2], "contains": "a", "not_contains": "a", "matches": "a",
    "starts_with": "a", "ends_with": "a", "gt": 0, "ge": 0, "lt": 9, "le": 9, "length": 1, "type": "string",
    "exists": True, "any": [1], "all": [1], "none": [2],
}  # fmt: skip


def holds(spec, value):
    """Tell whether a value meets a check."""
    return compile_check(spec).test(value) is None


@pytest.mark.parametrize(
    ("spec", "right", "wrong"),
    [
        (5, [5, 5.0], [True, "5", 6, None, [5]]),
        (True, [True], [1, "true"]),
        ({}, [{}], [[], None, {"a": 1}]),
        ([1, 2], [[1, 2.0]], [[2, 1], [1]]),
        ({"equals": {"a": 1}}, [{"a": 1.0}], [{"a": True}, {"a": 1, "b": 2}]),
        ({"equals": NAN}, [NAN], [0.0]),
        ({"not": 1}, [True, 2, None], [1, 1.0]),
        ({"not": {"contains": "x"}}, ["abc", 5], ["axc"]),
        ({"in": [1, "a"]}, [1, 1.0, "a"], [True, "b"]),
        ({"not_in": [1, "a"]}, [2, True], [1, "a"]),
        ({"contains": "bc"}, ["abcd", ["bc"], {"bc": 1}], ["ab", ["abc"], {"a": "bc"}, 5, None]),
        ({"contains": 1}, [[1.0, 2]], [[True], "1"]),
        ({"not_contains": "bc"}, ["ab", ["abc"], {}], ["abc", ["bc"], 5, None]),
        ({"not_contains": 5}, [[4]], [[5], "4"]),
        ({"matches": r"@example\.com$"}, ["a@example.com"], ["a@example.com.evil", 5, None]),
        ({"starts_with": "ab"}, ["abc"], ["cab", ["ab"], 5]),
        ({"ends_with": "bc"}, ["abc"], ["bca", ["bc"]]),
        ({"gt": 3}, [4, 3.5], [3, True, "4", NAN, None]),
        ({"ge": 3, "lt": 5}, [3, 4.9], [2, 5]),
        ({"le": "2026-05-04"}, ["2026-05-03"], ["2026-05-05", 1]),
        ({"length": 2}, ["ab", [1, 2], {"a": 1, "b": 2}], ["a", 2, None]),
        ({"length": {"gt": 2}}, ["abc"], ["ab"]),
        ({"type": "integer"}, [1, 1.0], [1.5, True, "1"]),
        ({"type": "number"}, [1, 1.5], [True]),
        ({"type": ["null", "array"]}, [None, []], [{}, ""]),
        ({"type": "object"}, [{}], [[]]),
        ({"type": "boolean"}, [True], [1]),
        ({"exists": True}, [None, 0, ""], [MISSING]),
        ({"exists": False}, [MISSING], [None, 0]),
        ({"any": [1, {"gt": 5}]}, [1, 6, [0, 7]], [2, [2, 3]]),
        ({"any": [{"length": 0}, {"contains": "a"}]}, [[], ["a"]], [["b"]]),
        ({"none": [{"contains": "card"}]}, ["fine", ["fine"], []], ["a card", ["fine", "a card"]]),
        ({"all": [{"contains": "a"}, {"contains": "b"}]}, ["ab", ["a", "b"], ["ab", "ba"]], ["a", ["a"]]),
        ({"all": [{"gt": 0}]}, [1, [1, 2]], [0, [1, -1]]),
    ],
)
def test_a_check_holds_for_what_it_says_and_nothing_else(spec, right, wrong):
    """Every name holds where it should, and is false for values it isn't about."""
    assert [value for value in right if not holds(spec, value)] == []
    assert [value for value in wrong if holds(spec, value)] == []


@pytest.mark.parametrize("name", sorted(CHECK_NAMES))
def test_a_path_that_leads_nowhere_meets_only_exists_false(name):
    """MISSING is false for every check."""
    assert not holds({name: SAMPLES[name]}, MISSING)


def test_any_may_ask_whether_something_is_absent():
    """`any` and `all` hand MISSING to their checks."""
    check = {"any": [{"exists": False}, 0]}

    assert holds(check, MISSING) and holds(check, 0) and not holds(check, 1)


@pytest.mark.parametrize(
    ("spec", "path", "hint"),
    [
        ({"a": 1}, "a", "equals: {...}"),
        ({"contians": "x"}, "contians", "did you mean contains?"),
        ({"gt": 1, "foo": 2}, "foo", "the checks are"),
        ({"gt": None}, "gt", "a number or a text"),
        ({"gt": True}, "gt", "a number or a text"),
        ({"in": "abc"}, "in", "a list of values"),
        ({"length": -1}, "length", "a count or a check"),
        ({"type": "str"}, "type", "string"),
        ({"exists": 1}, "exists", "true or false"),
        ({"any": []}, "any", "a list of checks"),
        ({"not": {"a": 1}}, "not.a", "equals: {...}"),
        ({"any": [1, {"matches": "("}]}, "any[1].matches", "RE2"),
        ({"matches": r"(?=look)"}, "matches", "RE2"),
        ({"matches": r"(a)\1"}, "matches", "RE2"),
        ({"starts_with": 5}, "starts_with", "a text"),
    ],
)
def test_what_is_no_check_is_refused_with_its_place_and_a_remedy(spec, path, hint):
    """A bad spec names the problem, the path inside it and what to write."""
    with pytest.raises(CheckError) as caught:
        validate_check(spec)

    assert caught.value.path == path
    assert hint in caught.value.remedy
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_hostile_checks_end():
    """Checks nested without end are refused; a regular expression takes linear time; long lists are walked once."""
    spec: object = 1
    for _ in range(500):
        spec = {"not": spec}

    with pytest.raises(CheckError, match="nested"):
        validate_check(spec)
    assert not holds({"matches": "(a+)+$"}, "a" * 100_000 + "b")
    assert not holds({"contains": "x"}, [{"a": 1}] * 100_000)
    assert holds({"matches": "a"}, "a \ud800")


def test_references_are_resolved_at_each_test():
    """`$path` is what the caller's context holds now, `$$` a literal; without a context both are text."""
    context = {"plan.limit": 5, "plan.allowed": ["a"]}
    resolving = compile_check({"gt": "$plan.limit"}, resolve=context.__getitem__)

    assert resolving.test(6) is None and resolving.test(5) is not None
    assert resolving.test(6, resolve={"plan.limit": 7}.__getitem__) is not None
    assert compile_check({"in": "$plan.allowed"}, resolve=context.__getitem__).test("a") is None
    assert compile_check({"equals": {"a": ["$plan.limit"]}}, resolve=context.__getitem__).test({"a": [5]}) is None
    assert compile_check("$$5", resolve=context.__getitem__).test("$5") is None
    assert compile_check("$$5").test("$$5") is None
    with pytest.raises(KeyError):
        compile_check("$plan.unknown", resolve=context.__getitem__).test(1)
    with pytest.raises(CheckError):
        validate_check({"in": "$plan.allowed"})
    validate_check({"in": "$plan.allowed"}, references=True)


def test_a_mismatch_says_what_was_expected_where():
    """One place that meets the check is enough; else the first place is told."""
    value = {"docs": [{"id": 1}, {"id": 2}]}

    assert check_at(compile_check(2), value, "docs[*].id") is None
    assert str(check_at(compile_check({"gt": 5}), value, "docs[*].id")) == "docs[0].id: expected more than 5, got 1"
    assert str(check_at(compile_check(2), value, "docs[9].id")) == "docs[9].id: expected 2, got nothing"
    assert check_at(compile_check({"exists": False}), value, "docs[9].id") is None
    assert check_at(compile_check({"exists": False}), value, "docs[*].id") is not None


@given(st.text(), st.integers(5, 60))
def test_brief_text_is_short_and_safe_for_a_terminal(text, limit):
    """Any value fits the limit and holds no control characters."""
    shown = brief({text: [text]}, limit)

    assert len(shown) <= limit and shown.isprintable()


def test_only_a_check_that_matches_loads_re2():
    """Importing and using the vocabulary costs no regular expressions."""
    code = (
        "import sys; from pytest_agentreplay.checks import compile_check; compile_check({'gt': 1}).test(2);"
        "assert 're2' not in sys.modules; compile_check({'matches': 'x'}); assert 're2' in sys.modules"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
