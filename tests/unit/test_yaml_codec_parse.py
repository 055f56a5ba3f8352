"""Reading YAML of JSON values: what is text, what is refused, and where errors point."""

from __future__ import annotations

import pickle

import pytest

from pytest_agentreplay.yaml_codec import YamlError, events, parse


@pytest.fixture(params=["libyaml", "pure"], autouse=True)
def parser(request, monkeypatch):
    """Run every test with libyaml's parser and with PyYAML's own."""
    if request.param == "pure":
        monkeypatch.setattr(events, "CParser", None)
    return request.param


def refused(text):
    """Read a text that must be refused, and return the error."""
    with pytest.raises(YamlError) as caught:
        parse(text)
    return caught.value


@pytest.mark.parametrize(
    ("plain", "value"),
    [
        ("", None),
        ("null", None),
        ("true", True),
        ("false", False),
        ("0", 0),
        ("-0", 0),
        ("-12", -12),
        ("1.5", 1.5),
        ("1e5", 1e5),
        ("-1.0E-3", -0.001),
    ],
)
def test_json_literals_are_values(plain, value):
    """A plain scalar that is a JSON literal is that literal, and nothing is null."""
    read = parse(f"key: {plain}")["key"]

    assert read == value and type(read) is type(value)


@pytest.mark.parametrize(
    "plain",
    [
        *["~", "yes", "No", "on", "Null", "TRUE", "y", "012", "0o17", "0x1F", "1_000", "12:30:45", "2026-05-04"],
        *["2026-05-04T02:11:09Z", ".5", "1.", "+1", ".inf", ".nan", "=", "<<"],
    ],
)
def test_everything_else_is_text(plain):
    """What YAML 1.1 takes for a boolean, date or number, and JSON doesn't, is text."""
    assert parse(f"- {plain}\n- x") == [plain, "x"]


def test_an_empty_document_is_null():
    """Nothing at all, or only comments, is null."""
    assert parse("") is None and parse("# nothing\n") is None


def test_a_merge_key_is_a_key_like_any_other():
    """`<<` merges nothing."""
    assert parse("a: {<<: {b: 1}}") == {"a": {"<<": {"b": 1}}}


def test_bytes_are_utf8_with_or_without_a_byte_order_mark():
    """A byte order mark is no part of the document."""
    assert parse("\ufeffkey: é".encode()) == parse("\ufeffkey: é") == {"key": "é"}


def test_carriage_returns_end_lines():
    """A file with CRLF reads as one with LF does."""
    assert parse("a: |\r\n  one\r\n  two\r\nb: 1\r\n") == {"a": "one\ntwo\n", "b": 1}


def test_an_alias_is_a_copy_of_its_anchor():
    """Changing one place doesn't change the other."""
    document = parse("a: &x {b: [1]}\nc: *x\n")
    document["a"]["b"].append(2)

    assert document == {"a": {"b": [1, 2]}, "c": {"b": [1]}}


def test_an_alias_means_the_last_anchor_above_it():
    """An anchor may be defined again."""
    assert parse("[&x 1, *x, &x 2, *x]") == [1, 1, 2, 2]


def test_an_alias_may_be_a_key_that_is_text():
    """A key may be written as an alias."""
    assert parse("a: &x name\n*x : 1") == {"a": "name", "name": 1}


@pytest.mark.parametrize(
    ("text", "problem", "line", "column", "path"),
    [
        ("a: 1\nb: 2\na: 3", "the key 'a' twice; the first is on line 1", 3, 1, ("a",)),
        ("- x\n- b: 1\n  b: 2", "the key 'b' twice; the first is on line 2", 3, 3, (1, "b")),
        ("a: !!str 1", "the tag tag:yaml.org,2002:str", 1, 4, ("a",)),
        ("a: ! 1", "the tag !", 1, 4, ("a",)),
        ("a: [!x {}]", "the tag !x", 1, 5, ("a", 0)),
        ("a: 1\n---\nb: 2", "a second document", 2, 1, ()),
        ("a:\n  1: x", "the key 1 is no text", 2, 3, ("a",)),
        ("true: x", "the key true is no text", 1, 1, ()),
        ("? [a]\n: x", "a key that is no text", 1, 3, ()),
        ("a: &x 1\n*x : 2", "an alias of no text as a key", 2, 1, ()),
        ("a: *x", "the alias *x has no anchor above it", 1, 4, ("a",)),
        ("a: &x [1, *x]", "the alias *x stands inside its own value", 1, 11, ("a", 1)),
        ("a: [1e999]", "the number 1e999 is too large", 1, 5, ("a", 0)),
        ("a: b: c", "`: ` where no key can be", 1, 5, ()),
        ("a:\n\t- b", "a tab where YAML wants spaces", 2, 1, ("a",)),
        ("a: @b", "text can't start with @", 1, 4, ("a",)),
        ("a: \x00", "the character U+0000, which YAML doesn't allow", 1, 4, ()),
        ("a: x\x85y", "the character U+0085, which some readers of YAML take for a line break", 1, 5, ()),
        ("a: x\ny: \u2028", "the character U+2028, which some readers of YAML take for a line break", 2, 4, ()),
        ("a: '\ud800'", "half of a surrogate pair, U+D800", 1, 5, ()),
        (b"a: 1\nb: \xff", "byte 0xff is no UTF-8", 2, 4, ()),
        ('a: "\\U00110000"', "an escape that is no Unicode character", 1, 7, ("a",)),
    ],
)
def test_a_refusal_says_what_and_where(text, problem, line, column, path):
    """Line and column are 1-based, the path leads to the value, a doubled key names its first place."""
    error = refused(text)

    assert error.problem == problem
    assert (error.line, error.column, error.path) == (line, column, path)
    assert error.remedy and "\n" not in str(error)


def test_the_remedy_for_a_number_as_key_is_to_quote_it():
    """The remedy is what to type."""
    assert refused("1: x").remedy == 'put it in quotes: "1"'


def test_an_unclosed_bracket_names_the_line_where_it_was_opened():
    """The parser notices it much later."""
    error = refused("a: [1,\n2\nb: 3\n")

    assert "starts on line 1" in error.problem


def test_lines_are_counted_as_editors_count_them():
    """CRLF is one line break, wherever the error is."""
    error = refused("a: 1\r\nb: !x 1\r\n")

    assert (error.line, error.column) == (2, 4)


def test_surrogate_escapes_in_a_block_document_are_joined():
    """JSON's way of writing an emoji means that emoji in YAML's double quotes too."""
    assert parse('a: "\\ud83d\\ude00"\nb: |\n  \\ud83d\n') == {"a": "😀", "b": "\\ud83d\n"}


def test_half_of_a_surrogate_pair_stays_what_was_escaped():
    """JSON can hold it, so it is kept."""
    assert parse('a: "x\\ud83d"') == {"a": "x\ud83d"}


def test_an_error_pickles():
    """Errors cross process boundaries with all they tell."""
    error = refused("a: 1\na: 2")
    copy = pickle.loads(pickle.dumps(error))

    assert (str(copy), copy.path) == (str(error), error.path)
