"""The limits of reading: nothing that a file holds hangs, exhausts or crashes the reader."""

from __future__ import annotations

import inspect
import json
import sys
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pytest_agentreplay.yaml_codec import YamlError, events, parse

PIECES = st.one_of(
    st.sampled_from(["a", "1", ":", ": ", "- ", "? ", "\n", "  ", "\t", "{", "}", "[", "]", ",", '"', "'", "|", ">"]),
    st.sampled_from(["&a ", "*a", "!x ", "#", "%TAG ! b\n", "---\n", "...\n", "null", "<<", "@", "`", "1e999", "\\"]),
    st.sampled_from(["\\ud800", "\\U00110000", "\x00", "\x7f", "\x85", "\u2028", "\ufeff", "😀", "\r"]),
)


def outcome(source):
    """Read a source, and return its value or the error that refuses it."""
    try:
        return parse(source)
    except YamlError as error:
        return error


def is_sound(outcome):
    """Tell whether it is a JSON value, or an error that says what and where."""
    if isinstance(outcome, YamlError):
        return outcome.line >= 1 and outcome.column >= 1 and bool(outcome.problem and outcome.remedy)
    return bool(json.dumps(outcome, allow_nan=False))


def problem_of(text):
    """Read a text that must be refused, and say what for."""
    with pytest.raises(YamlError) as caught:
        parse(text)
    return caught.value.problem


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | st.lists(PIECES, max_size=25).map("".join))
@example(b"\xfe\xff\x00a")
@example('"\\ud800\\U00110000"')
def test_any_input_is_read_or_refused(source):
    """Whatever the bytes are: a JSON value, or a YamlError with a place."""
    assert is_sound(outcome(source))


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join))
def test_any_input_is_read_or_refused_without_libyaml(source):
    """PyYAML's own parser raises more kinds of errors; none gets out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(events, "CParser", None)

        assert is_sound(outcome(source))


@pytest.mark.parametrize("opening", ["[", '{"a":', "- ", "{a: ", "[{a: "])
def test_bottomless_nesting_is_refused(opening):
    """Depth ends at 150 levels, in every style."""
    assert problem_of(opening * 10_000) == "nested deeper than 150 levels"


def test_150_levels_are_read():
    """The limit itself is still fine."""
    assert parse("[" * 150 + "]" * 150) == json.loads("[" * 150 + "]" * 150)
    assert problem_of("[" * 151 + "]" * 151) == "nested deeper than 150 levels"


def test_an_alias_can_not_nest_deeper_than_the_limit():
    """Depth counts after expansion."""
    text = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 160))

    assert problem_of(text) == "nested deeper than 150 levels"


def test_an_alias_bomb_is_refused():
    """Nine levels of nine aliases would be 400 million nodes."""
    names = "abcdefghij"
    text = "a: &a [x]\n" + "".join(f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in pairwise(names))

    assert problem_of(text) == "aliases that make the document too large"


def test_an_alias_bomb_of_long_text_is_refused():
    """Few nodes with much text count as well."""
    assert "aliases" in problem_of("a: &a " + "x" * 1_000_000 + "\nb:\n" + "- *a\n" * 100)


def test_too_much_text_is_refused(monkeypatch):
    """The limit is on the text, before any of it is read."""
    monkeypatch.setattr(events, "MAX_TEXT", 1 << 20)

    assert problem_of("x" * ((1 << 20) + 1)) == "more than 1 MiB of text"


def test_integers_longer_than_python_reads_are_refused():
    """4,300 digits are read, one more is not."""
    assert parse("-" + "1" * 4300) == -int("1" * 4300)
    assert problem_of("a: " + "1" * 4301) == "an integer of more than 4300 digits"
    assert problem_of("[" + "1" * 4301 + ',"\x7f"]') == "an integer of more than 4300 digits"


def test_a_flood_of_tag_directives_is_refused():
    """The parser would compare each with all before it."""
    assert "%TAG" in problem_of("".join(f"%TAG !a{n}! b\n" for n in range(100_000)) + "---\na\n")


def test_surrogate_escapes_in_a_huge_text_are_refused(monkeypatch):
    """Only the slow parser can read them."""
    monkeypatch.setattr(events, "_MAX_PURE", 100)
    if events.CParser is None:
        pytest.skip("without libyaml there is only the slow parser")

    assert "surrogate escapes" in problem_of('a: "\\ud83d\\ude00"\nb: ' + "x" * 100)


def test_a_caller_deep_in_its_stack_gets_no_recursion_error():
    """The stack may be nearly used up where the reader is called."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 120)
    try:
        problem = problem_of("[" * 140 + "]" * 140)
    finally:
        sys.setrecursionlimit(limit)

    assert problem == "nested deeper than there is stack to read it with"
