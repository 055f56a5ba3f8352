"""Writing: what is written reads back exactly, here and elsewhere, and is made for review."""

from __future__ import annotations

import enum
import json
import math

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_agentreplay.yaml_codec import YamlError, parse, render

CHARS = [
    "\r",
    "\n",
    "\t",
    " ",
    "\x00",
    "\x1b",
    "\x7f",
    "\x85",
    "\xa0",
    "\u2028",
    "\u2029",
    "\ufeff",
    "\ufffe",
    "\uffff",
]
SYNTAX = [
    "- ",
    "-",
    "# ",
    " #",
    ": ",
    ":",
    "'",
    '"',
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    "?",
    "&a",
    "*a",
    "!",
    "|",
    ">",
    "%",
]
WORDS = ["@", "`", "---", "...", "=", "<<", "~", "yes", "y", "null", "true", "1", "1e5", "0o17", "1_000", ".5", "12:30"]
LONGER = ["2026-05-04", ".inf", "0x1F", "+1", "a", "b c", "x" * 1100, "\n\n", "  \n", "😀", "é"]
ODD = [*CHARS, *SYNTAX, *WORDS, *LONGER]
TEXTS = st.lists(st.sampled_from(ODD), max_size=6).map("".join) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=15
)
NUMBERS = st.integers() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=15,
)


@settings(max_examples=400, deadline=None)
@given(VALUES)
def test_any_value_reads_back_exactly(value):
    """Types, order of keys and every character survive."""
    written = render(value)

    assert repr(parse(written)) == repr(value)


@settings(max_examples=150, deadline=None)
@given(VALUES)
def test_a_reader_of_yaml_1_1_reads_the_same(value):
    """PyYAML's own loader stands for the readers of other tools."""
    written = render(value)

    assert repr(yaml.safe_load(written)) == repr(value)


@settings(max_examples=150, deadline=None)
@given(VALUES)
def test_no_line_ends_in_blanks(value):
    """What editors strip isn't there to be stripped."""
    lines = render(value).split("\n")

    assert not any(line.endswith((" ", "\t", "\r")) for line in lines)


@pytest.mark.parametrize("text", ["a", "x y", "a:b", "call_1", "../p.yaml", "$plan.x", "8c1f2ab", "1.4.0", "a#b"])
def test_safe_texts_are_plain(text):
    """Quotes only where they are needed."""
    assert render({"k": text}) == f"k: {text}\n"


@pytest.mark.parametrize(
    "text",
    [
        *[
            "yes",
            "No",
            "on",
            "OFF",
            "y",
            "n",
            "~",
            "Null",
            "null",
            "true",
            "1",
            "-1",
            "1.5",
            "1e5",
            "0o17",
            "0x1f",
            "012",
        ],
        *[
            "1_000",
            "12:30",
            "2026-05-04",
            "2026-05-04T02:11:09Z",
            ".inf",
            ".NaN",
            ".5",
            "1.",
            "=",
            "<<",
            "-",
            "-x",
            "?",
        ],
        *[
            "a:",
            "---",
            "...",
            "@a",
            "`a",
            "%a",
            "&a",
            "*a",
            "!a",
            "|",
            ">",
            "[a]",
            "{a}",
            "",
            " a",
            "a ",
            "a: b",
            "a #b",
        ],
    ],
)
def test_texts_that_could_mean_something_else_are_quoted(text):
    """To a reader of YAML 1.1 or of 1.2's core schema."""
    assert render({"k": text}) == f'k: "{text}"\n'


def test_single_quotes_save_escapes():
    """JSON inside a text and patterns stay readable."""
    assert render({"k": '{"a": 1}'}) == "k: '{\"a\": 1}'\n"
    assert render({"k": r"'\d' is: a"}) == "k: \"'\\\\d' is: a\"\n"


@pytest.mark.parametrize(
    ("text", "block"),
    [
        ("one\ntwo", "|-\n  one\n  two\n"),
        ("one\n\ntwo\n", "|\n  one\n\n  two\n"),
        ("one\n\n\n", "|+\n  one\n\n\n"),
        ("  one\ntwo", "|2-\n    one\n  two\n"),
        ("\none", "|2-\n\n  one\n"),
        ("\tone\n", "|2\n  \tone\n"),
        ("# one\n- two: 'x'\n", "|\n  # one\n  - two: 'x'\n"),
    ],
)
def test_texts_of_several_lines_are_literal_blocks(text, block):
    """With the chomping and the indentation that keep them exact."""
    assert render({"k": text}) == f"k: {block}"


@pytest.mark.parametrize("text", ["one \ntwo", "one\r\ntwo", "a\x1b[0m\nb", "\n", "\n\n", "a\n \n", "a\x85\nb"])
def test_texts_that_a_block_would_not_hold_are_quoted_on_one_line(text):
    """Trailing blanks, carriage returns, control characters, nothing but line breaks."""
    written = render({"k": text})

    assert written.startswith('k: "') and written.count("\n") == 1


def test_floats_are_numbers_to_every_reader():
    """JSON's grammar, and the dot that YAML 1.1 wants."""
    assert render([1e16, 1e-7, 2.0, -0.5]) == "- 1.0e+16\n- 1.0e-07\n- 2.0\n- -0.5\n"


def test_a_trace_is_laid_out_for_review():
    """Block style, keys in their order, small leaves in flow style, lists indented under their key."""
    trace = {
        "format": "agentreplay.trace/1",
        "input": {"query": "refund policy"},
        "steps": [
            {"message": "user", "content": "What is\nthe policy?"},
            {"tool": "search", "args": {"q": "a, b", "tags": []}, "result": {"docs": [{"id": 1}, {"id": 2}]}},
        ],
        "output": None,
        "expect": {"calls": {"search": {"max": 3}}, "order": [["a", "b"]], "none": []},
    }

    assert (
        render(trace)
        == """\
format: agentreplay.trace/1
input: {query: refund policy}
steps:
  - message: user
    content: |-
      What is
      the policy?
  - tool: search
    args: {q: "a, b", tags: []}
    result:
      docs:
        - id: 1
        - id: 2
output: null
expect:
  calls: {search: {max: 3}}
  order: [[a, b]]
  none: []
"""
    )


def test_flow_style_ends_at_100_columns():
    """A collection that would be longer gets a line for each entry."""
    fits, longer = {"k": {"a": "x" * 92}}, {"k": {"a": "x" * 93}}

    assert render(fits) == "k: {a: " + "x" * 92 + "}\n"
    assert render(longer) == "k:\n  a: " + "x" * 93 + "\n"


def test_long_keys_are_explicit():
    """Readers look 1,024 characters ahead for a colon; in a list, too."""
    key = "k " * 600

    assert render({key: 1}).startswith('? "')
    assert parse(render([{key: {"a": [{key: 1}]}}])) == [{key: {"a": [{key: 1}]}}]


class Color(enum.StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"a": [1, math.nan]}, ("a", 1)),
        ([math.inf], (0,)),
        ({"a": "x\ud800"}, ("a",)),
        ({"a": {"\ud800": 1}}, ("a", "\ud800")),
        ({1: 2}, (1,)),
        ({"a": (1,)}, ("a",)),
        ([b"x"], (0,)),
        ([Color.RED], (0,)),
        ([10**4300], (0,)),
    ],
)
def test_what_is_no_json_is_refused_with_its_path(value, path):
    """Nothing is written that would read back as something else."""
    with pytest.raises(YamlError) as caught:
        render(value)

    assert caught.value.path == path


def test_nothing_is_written_that_is_too_deep_to_read():
    """150 levels are written, 151 are not."""
    deep = json.loads("[" * 150 + "]" * 150)

    assert parse(render(deep)) == deep
    with pytest.raises(YamlError, match="nested deeper than 150 levels"):
        render([deep])


def test_question_marks_are_quoted_in_flow_style():
    """PyYAML's own parser takes them for an explicit key there."""
    assert yaml.load(render({"a": {"b": "x? y"}}), Loader=yaml.SafeLoader) == {"a": {"b": "x? y"}}
    assert render({"a": "x? y"}) == "a: x? y\n"
