"""Splicing: what changed is written, every other byte stays."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_agentreplay.yaml_codec import YamlError, events, parse, render, splice

ORDER = ("format", "title", "kind", "tags", "input", "run", "steps", "output", "error", "expect")

TEXT = """\
# modeline
format: x   # required

# what it is
title: "Old"  # shown

input: {query: [refund,   policy]}   # odd blanks
steps:   # in order
  # the user asks
  - message: user
    content: |   # kept
      one

      two

  # the search
  - tool: search     # twice
    args: {q: a}

  -
    tool: pay
# what it says
output: nothing
# the end
"""


@pytest.fixture(params=["libyaml", "pure"], autouse=True)
def parser(request, monkeypatch):
    """Run every test with libyaml's parser and with PyYAML's own."""
    if request.param == "pure":
        monkeypatch.setattr(events, "CParser", None)


def steps():
    """The steps of TEXT."""
    return parse(TEXT)["steps"]


def test_a_value_is_replaced_in_its_place():
    """Comments above and behind it stay."""
    assert splice(TEXT, {"title": "New"}) == TEXT.replace('"Old"', "New")


def test_a_value_that_is_equal_is_not_written_again():
    """However it was written."""
    assert splice(TEXT, parse(TEXT)) == TEXT


@pytest.mark.parametrize(("old", "new"), [(1, True), (1, 1.0), (0, False), ("1", 1)])
def test_values_that_only_python_calls_equal_are_different(old, new):
    """Types count."""
    assert repr(parse(splice(render({"a": old}), {"a": new}))) == repr({"a": new})


def test_a_new_key_comes_where_the_order_has_it():
    """After the nearest key that comes before it; what the order doesn't have comes last."""
    spliced = splice(TEXT, {"kind": "incident", "extra": 1, "expect": {}, "error": {"type": "E"}}, order=ORDER)

    assert list(parse(spliced)) == ["format", "title", "kind", "input", "steps", "output", "error", "expect", "extra"]
    assert [line for line in spliced.splitlines() if line not in TEXT.splitlines()] == [
        "kind: incident",
        "error: {type: E}",
        "expect: {}",
        "extra: 1",
    ]


def test_a_key_that_comes_before_all_others_stays_below_the_head():
    """The comment at the top of a file is about the file, one below a blank line about its key."""
    assert splice("# modeline\ntitle: x\n", {"format": 1}, order=ORDER) == "# modeline\nformat: 1\ntitle: x\n"
    assert splice("# head\n\n# own\ntitle: x\n", {"format": 1}, order=ORDER) == "# head\n\nformat: 1\n# own\ntitle: x\n"


def test_a_removed_key_takes_its_comment_along():
    """What stands directly above a key is about that key."""
    spliced = splice(TEXT, {"error": {"type": "E"}}, removals=["output", "missing"], order=ORDER)

    assert spliced == TEXT.replace("# what it says\noutput: nothing\n", "error: {type: E}\n")


def test_items_that_stay_keep_their_lines():
    """Only the item that changed is written; the comment above it stays."""
    new = steps()
    new[1] = {"tool": "search", "args": {"q": "b"}}

    assert splice(TEXT, {"steps": new}) == TEXT.replace("search     # twice", "search").replace("q: a", "q: b")


def test_inserted_and_deleted_items_leave_the_others():
    """A list is aligned by what its items hold, not by position."""
    first, second, third = steps()

    assert splice(TEXT, {"steps": [first, {"tool": "x"}, second, third]}) == TEXT.replace(
        "      two\n", "      two\n  - tool: x\n"
    )
    assert splice(TEXT, {"steps": [first, third]}) == TEXT.replace(
        "\n  # the search\n  - tool: search     # twice\n    args: {q: a}\n", ""
    )


def test_a_long_loop_of_equal_steps_is_aligned_at_once():
    """Thousands of equal items with changes among them take no noticeable time."""
    text = render({"steps": [{"tool": "t"}] * 3000})
    new = [{"tool": "t"} if number % 7 else {"tool": "z"} for number in range(3000)]
    started = time.process_time()

    assert parse(splice(text, {"steps": new})) == {"steps": new}
    assert time.process_time() - started < 10


def test_a_list_at_the_column_of_its_key_stays_there():
    """Both indentations of lists are common."""
    text = "steps:\n- a  # one\n- b\noutput: 1\n"

    assert splice(text, {"steps": ["a", {"x": "1\n2"}]}) == "steps:\n- a  # one\n- x: |-\n    1\n    2\noutput: 1\n"


@pytest.mark.parametrize("text", ["steps: []  # none\nb: 1\n", "steps: [a]  # none\nb: 1\n"])
def test_a_list_in_flow_style_is_written_anew(text):
    """With its comment."""
    assert splice(text, {"steps": [{"a": 1}]}) == "steps:  # none\n  - a: 1\nb: 1\n"


def test_blank_lines_that_follow_do_not_join_a_text():
    """A text that ends in blank lines is quoted where blank lines follow."""
    text = "a: 1\n\nb: 2\n"

    assert splice(text, {"a": "x\n\n"}) == 'a: "x\\n\\n"\n\nb: 2\n'


def test_blank_lines_of_a_text_are_replaced_with_it():
    """They are its content, where the block says so."""
    assert splice("a: |+\n  x\n\n\nb: 2\n", {"a": 1}) == "a: 1\nb: 2\n"
    assert splice("a: |\n  x\n\n\nb: 2\n", {"a": 1}) == "a: 1\n\n\nb: 2\n"


def test_crlf_stays_crlf():
    """In what is kept and in what is new."""
    text = TEXT.replace("\n", "\r\n")
    spliced = splice(text, {"title": "New", "output": "one\ntwo", "run": {"id": "r"}}, order=ORDER)

    assert parse(spliced) == {**parse(TEXT), "title": "New", "output": "one\ntwo", "run": {"id": "r"}}
    assert spliced.count("\n") == spliced.count("\r\n")
    assert "# the search\r\n  - tool: search     # twice\r\n" in spliced


def test_a_byte_order_mark_stays():
    """It is a byte like any other that didn't change."""
    assert splice("\ufeffa: 1\nb: 2", {"b": 3}) == "\ufeffa: 1\nb: 3\n"


def test_a_last_line_without_an_end_gets_one_before_the_next():
    """What is added starts on a line of its own."""
    assert splice("a: 1", {"b": 2}) == "a: 1\nb: 2\n"
    assert splice("a:\n- 1\n- 2", {"a": [1, 2, 3]}) == "a:\n- 1\n- 2\n- 3\n"


def test_a_value_over_several_lines_has_no_comment_on_its_first():
    """A comment behind its end goes with it."""
    assert splice("a: [1,\n  2]  # c\nb: 1\n", {"a": 2}) == "a: 2\nb: 1\n"


def test_document_markers_stay():
    """New keys come inside of them."""
    assert splice("---\na: 1\n...\n", {"b": 2}) == "---\na: 1\nb: 2\n...\n"


@pytest.mark.parametrize(
    "text",
    [
        '{"format": "x", "steps": []}',
        "  format: x\n  steps: []\n",
        "",
        "# only\n",
        "? format\n: x\n",
        "{format: x}",
        '{"format": "\x7f"}',
    ],
)
def test_a_document_that_has_no_lines_to_keep_is_written_anew(text):
    """In the canonical order."""
    old = parse(text) or {}
    spliced = splice(text, {"output": 1, "title": "t", "extra": 2}, order=ORDER)

    assert parse(spliced) == {**old, "output": 1, "title": "t", "extra": 2}
    assert list(parse(spliced)) == [key for key in [*ORDER, "extra"] if key in parse(spliced)]


def test_an_anchor_that_is_used_elsewhere_is_not_lost():
    """Replacing its definition would break the alias or change it."""
    text = "a: &x {b: 1}\nc: *x\n"

    assert parse(splice(text, {"a": 2})) == {"a": 2, "c": {"b": 1}}
    assert splice(text, {"c": 3}) == "a: &x {b: 1}\nc: 3\n"


def test_an_anchor_in_a_replaced_step_is_not_lost():
    """The same inside of a list."""
    text = "steps:\n  - &x {b: 1}\n  - *x\n  - &x 5\noutput: *x\n"
    new = [{"b": 2}, {"b": 1}, 6]

    assert parse(splice(text, {"steps": new})) == {"steps": new, "output": 5}


def test_surrogate_escapes_in_what_stays_do_not_matter():
    """They are read by the other parser, and kept as they are."""
    assert splice('a: "\\ud83d\\ude00"  # x\nb: 1\n', {"b": 2}) == 'a: "\\ud83d\\ude00"  # x\nb: 2\n'


def test_removing_everything_leaves_an_empty_mapping():
    """And not null."""
    assert splice("# x\na: 1\n", {}, removals=["a"]) == "{}\n"


@pytest.mark.parametrize(
    ("text", "changes"), [("- a\n", {"b": 1}), ("a: 1\na: 2\n", {"b": 1}), ("a: 1\n", {"b": float("nan")})]
)
def test_what_can_not_be_spliced_is_refused(text, changes):
    """A document that is no mapping or can't be read, a value that is no JSON."""
    with pytest.raises(YamlError):
        splice(text, changes)


TEXTS = st.text("ab \n:#-'\"\\\t\r1", max_size=12) | st.sampled_from(["yes", "a\nb\n", "a\n\n", "  a\nb", "é😀"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
STEPS = st.lists(st.dictionaries(st.sampled_from(["tool", "args", "result"]), VALUES, min_size=1), max_size=5)
KEYS = st.sampled_from(["format", "title", "input", "output", "extra"])


def decorated(document, indented):
    """Write a document with a comment above each key and each step; return the blocks by key."""
    blocks = {}
    for key, value in document.items():
        block = render({key: value})
        if key == "steps" and value:
            pad = "  " if indented else ""
            items = [f"# step {number}\n" + render([item]) for number, item in enumerate(value)]
            block = "steps:  # all\n" + "".join(pad + line if line.strip() else line for line in lines_of(items))
        blocks[key] = f"# about {key}\n{block}"
    return blocks


def lines_of(texts):
    """Split at line feeds alone."""
    return [f"{line}\n" for text in texts for line in text.split("\n")[:-1]]


@settings(max_examples=250, deadline=None)
@given(st.data(), st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_any_splice_reads_as_the_merged_document_and_leaves_the_rest(data, indented, newline):
    """The value is what was asked for, and every block that didn't change is there byte for byte."""
    document = {"format": 1, **data.draw(st.dictionaries(KEYS, VALUES)), "steps": data.draw(STEPS)}
    blocks = decorated(document, indented)
    text = "".join(blocks.values()).replace("\n", newline)
    changes = data.draw(st.dictionaries(KEYS, VALUES, max_size=2))
    removals = data.draw(st.lists(KEYS, max_size=1))
    if data.draw(st.booleans()):
        changes["steps"] = data.draw(st.permutations(document["steps"] + data.draw(STEPS)))
    merged = {key: value for key, value in {**document, **changes}.items() if key not in removals}

    spliced = splice(text, changes, removals=removals, order=ORDER)

    assert parse(text) == document
    assert canonical(parse(spliced)) == canonical(merged)
    for key in [key for key in document if key in merged and repr(document[key]) == repr(merged[key])]:
        assert blocks[key].replace("\n", newline) in spliced


def canonical(document):
    """Make documents comparable, types included, without the order of keys."""
    return {key: repr(value) for key, value in document.items()}
