"""Reading JSON: every JSON document is a document of this format, also where PyYAML refuses it."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_agentreplay.yaml_codec import YamlError, events, parse

ODD = [
    "\r",
    "\t",
    "\n",
    "\x7f",
    "\x85",
    "\u2028",
    "\ufeff",
    "\ufffe",
    "\x00",
    "😀",
    " ",
    ": ",
    " #",
    "/",
    "\\",
    '"',
    "é",
]
TEXTS = st.lists(st.sampled_from(ODD + list(string.ascii_letters)), max_size=8).map("".join)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=10,
)


@pytest.fixture(params=["libyaml", "pure"], autouse=True)
def parser(request, monkeypatch):
    """Run every test with libyaml's parser and with PyYAML's own."""
    if request.param == "pure":
        monkeypatch.setattr(events, "CParser", None)


@pytest.mark.parametrize("indent", [None, 2, "\t"])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_any_json_document_is_read_exactly(indent, ascii_only):
    """Whatever a JSON writer writes reads back as the same value, types included."""

    @settings(max_examples=60, deadline=None)
    @given(VALUES)
    def check(value):
        written = json.dumps(value, indent=indent, ensure_ascii=ascii_only)

        assert repr(parse(written)) == repr(value)

    check()


@pytest.mark.parametrize(
    "text",
    [
        '{"a"\t:\t1}',
        '{"a": "\x7f"}',
        '{"' + "k" * 1100 + '": 1}',
        '["\\ud83d\\ude00", "\\ud83d", "\\/"]',
        '"\\ud83d\\ude00"',
        '["\u2028", "\x85"]',
        '{"a"\n:\n1}',
        "\n  [1,\r\n\t2]\n",
    ],
)
def test_json_that_yaml_readers_refuse_is_read(text):
    """Tabs, raw DEL, long keys, surrogate escapes, escaped slashes."""
    assert parse(text) == json.loads(text)


@pytest.mark.parametrize(
    ("text", "problem", "path"),
    [
        ('{"a": "\x7f", "b": {"c": 1, "c": 2}}', "the key 'c' twice", ("b", "c")),
        ('["\x7f", 1e999]', "the number 1e999 is too large", (1,)),
        ('["\x7f", ' + "[" * 150 + "]" * 150 + "]", "nested deeper than 150 levels", (1, *[0] * 149)),
    ],
)
def test_what_is_refused_in_yaml_is_refused_in_json(text, problem, path):
    """The same limits hold on the second way."""
    with pytest.raises(YamlError) as caught:
        parse(text)

    assert (caught.value.problem, caught.value.path) == (problem, path)


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_constants_that_json_lacks_are_text(constant):
    """They are plain scalars like any other, and no numbers by the back door."""
    assert parse(f"[{constant}]") == [constant]


def test_what_is_neither_yaml_nor_json_is_refused_as_yaml():
    """The first fault is the one that is told."""
    with pytest.raises(YamlError, match="U\\+007F"):
        parse('["\x7f", NaN]')
    with pytest.raises(YamlError, match="U\\+007F"):
        parse('["\x7f"')
