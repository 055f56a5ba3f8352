"""The HTML report: everything that failed in sight, and nothing that a stranger wrote does anything."""

from __future__ import annotations

from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_agentreplay.reports.html import page

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'`{x}</style>&amp;\u202e\x1b[31m\x00\ud800"
VOID = {"meta"}


class _Page(HTMLParser):
    """Reads a page: its elements, its text, and whether each is closed where it should be."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.texts, self.open, self.balanced = [], [], [], [], True
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        self.balanced = self.balanced and bool(self.open) and self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


def _row(address, tool, **more):
    row = {"address": address, "tool": tool, "args": {}, "effect": "read", "effect_from": "trace"}
    return {**row, "answered_by": "recording", **more}


def _trace(name="loop", **more):
    fields = {
        "trace": name,
        "path": f"golden_traces/{name}.yaml",
        "title": None,
        "kind": "baseline",
        "outcome": "passed",
        "failure": None,
        "divergences": [],
        "answered": 1,
        "withheld": 0,
        "live": 0,
        "escapes": 0,
        "unmatched": 0,
        "unclassified": [],
        "drift": [],
        "verdicts": {"allow": 1},
        "timeline": [_row("search#1", "search", result=[])],
    }
    return fields | more


def _diverged(**more):
    parted = {
        "kind": "arguments",
        "address": "pay#1",
        "headline": "other arguments at pay#1",
        "cause": "pay was called with eur 45",
        "expected": {"tool": "pay", "args": {"eur": 4}},
        "actual": {"tool": "pay", "args": {"eur": 45}},
        "golden_index": 1,
        "run_index": 1,
        "differences": [{"path": "args.eur", "kind": "changed", "expected": 4, "actual": 45}],
    }
    rows = [
        _row("search#1", "search", result=[]),
        {"address": "state#1", "state": {"n": 1}},
        _row("pay#1", "pay", args={"eur": 45}, effect="write", answered_by="nothing", error="UnrecordedCallError: no"),
    ]
    fields = {"outcome": "diverged", "failure": "the whole story", "divergences": [parted | more], "timeline": rows}
    return _trace("refund", title="Refund", kind="incident", withheld=1, **fields)


def _report(*traces, **summary):
    totals = {"run": len(traces), "diverged": 0, "not_checked": 0, "answered": 0, "withheld": 0, "escapes": 0}
    totals["diverged"] = sum(trace["failure"] is not None for trace in traces)
    return {
        "format": "agentreplay.report/1",
        "summary": totals | {"live": 0, "unmatched": 0} | summary,
        "traces": list(traces),
    }


def test_numbers_come_first():
    """The headline is what a tired person wants to know."""
    read = _Page(page(_report(_trace(), _diverged(), withheld=3, not_checked=2)))

    assert read.text.index("1 of 2 golden traces diverged") < read.text.index("What diverged")
    assert "golden traces run 2 diverged 1 not checked 2 tool calls answered 0 writes withheld 3 escapes 0" in read.text
    assert "3 write calls of the agents under test never reached the world" in read.text


def test_nothing_replayed_is_not_told_as_success():
    """An empty report says that it is empty."""
    read = _Page(page(_report()))

    assert "No golden trace was replayed" in read.text
    assert read.balanced


def test_failures_are_open_and_passes_folded():
    """What failed is in sight, before what held."""
    text = page(_report(_trace(), _diverged()))

    assert '<details class="trace failed" open>' in text
    assert '<details class="trace held">' in text
    assert text.index("trace failed") < text.index("trace held")


def test_a_failure_tells_its_first_divergence():
    """Headline, cause, both sides and the difference as a path; the failure in full is at hand."""
    read = _Page(page(_report(_diverged())))

    assert "other arguments at pay#1 pay was called with eur 45" in read.text
    assert "args.eur was expected to be 4 and was 45" in read.text
    assert "the whole story" in read.text


def test_an_expected_check_is_told_in_its_words():
    """It comes as a text that quotes what it has to."""
    read = _Page(page(_report(_diverged(expected='"staging"', actual="production", differences=[]))))

    assert 'expected "staging" actual "production"' in read.text


def test_a_failure_without_a_divergence_is_told_in_full():
    """An escape has no divergence; its text is open at once."""
    text = page(_report(_trace(outcome="failed", failure="EscapeError: a connection")))

    assert "<details open><summary>The failure in full</summary><pre>EscapeError: a connection</pre>" in text


@pytest.mark.parametrize(
    ("more", "marked"),
    [
        ({}, "pay#1"),
        ({"run_index": 0}, "search#1"),
        ({"run_index": 2}, "end"),
        ({"run_index": None, "address": "state#1"}, "state#1"),
        ({"run_index": None, "address": "end"}, "end"),
    ],
)
def test_the_timeline_marks_where_the_run_parted(more, marked):
    """The index counts calls alone; a call that never came is marked at the end."""
    text = page(_report(_diverged(**more)))

    assert text.count('<li class="parted">') == 1
    assert f'<li class="parted"><p class="head"><code>{marked}</code>' in text


@pytest.mark.parametrize(
    ("row", "label"),
    [
        ({"effect": "write", "answered_by": "recording"}, "write withheld"),
        ({"effect": "write", "answered_by": "nothing"}, "write withheld"),
        ({"effect": "write", "effect_from": "unclassified"}, "write withheld, nobody said what it does"),
        ({"effect": "write", "answered_by": "live"}, "write ran"),
        ({"effect": "read", "answered_by": "live"}, "read"),
    ],
)
def test_each_call_says_what_became_of_it(row, label):
    """Writes that were kept from the world stand out; those that ran too."""
    read = _Page(page(_report(_trace(timeline=[_row("t#1", "t", **row)]))))

    assert f"t#1 {label} " in read.text


def test_remarks_name_unclassified_tools_drift_and_verdicts():
    """What the summary counts is told where it happened."""
    read = _Page(page(_report(_trace(unclassified=["send"], drift=["search#1"], verdicts={"allow": 1, "block": 2}))))

    assert "nobody said what they do: send" in read.text
    assert "other answers today than recorded: search#1" in read.text
    assert "Verdicts: 1 allow, 2 block." in read.text


def test_long_values_are_folded_and_kept_whole():
    """A page of tool output doesn't bury the next call, and is there all the same."""
    long = "\n".join(f"line {number}" for number in range(500))
    text = page(_report(_trace(timeline=[_row("t#1", "t", result=long)])))

    assert f"<pre>{long}</pre></details>" in text
    assert f"{len(long):,} characters" in text


def _everywhere(value):
    """Put a text into every place of a report that holds one."""
    row = _row(value, value, args={value: value}, result=value, error=value, state={value: [value]})
    raw = _row(value, value, args=value, effect=value, effect_from=value, answered_by=value)
    parted = {"headline": value, "cause": value, "address": value, "kind": value, "expected": value}
    parted |= {"actual": {"tool": value, "raw_args": value}, "differences": [{"path": value, "actual": value}]}
    named = {"trace": value, "path": value, "title": value, "kind": value, "outcome": value, "failure": value}
    return _trace(
        **named,
        divergences=[parted, parted],
        unclassified=[value],
        drift=[value],
        verdicts={value: 1},
        timeline=[row, raw],
    )


def test_hostile_values_do_nothing():
    """No tag, no attribute, no reference comes from a value; what a page can't hold is shown by its code."""
    harmless, hostile = (_Page(page(_report(_everywhere(text * 3)))) for text in ("x" * len(HOSTILE), HOSTILE))

    assert hostile.tags == harmless.tags
    assert hostile.attributes == harmless.attributes
    assert hostile.balanced
    assert "\\u202e\\x1b[31m\\x00\\ud800" in hostile.text
    page(_report(_everywhere(HOSTILE))).encode("utf-8")


@given(st.text(alphabet=st.characters(codec=None), max_size=20))
def test_no_text_changes_the_page(text):
    """Whatever a value is, the page has the same elements, and can be written."""
    made = page(_report(_everywhere(text)))

    made.encode("utf-8")
    assert _Page(made).balanced
    assert set(_Page(made).tags).isdisjoint({"script", "img", "link", "iframe", "a", "form"})


def test_the_page_loads_nothing():
    """Self-contained: no scripts, no references, and a policy that forbids them."""
    text = page(_report(_trace(), _diverged()))
    read = _Page(text)

    assert {"script", "link", "img", "iframe", "object"}.isdisjoint(read.tags)
    assert not [one for one in read.attributes if one[1] in ("src", "href", "style") or one[1].startswith("on")]
    assert "default-src 'none'; style-src 'unsafe-inline'" in text
    assert "url(" not in text and "@import" not in text and "://" not in text


def test_the_page_is_whole_and_readable_by_machines_that_read_aloud():
    """A language, a title, headings in their order, every element closed."""
    read = _Page(page(_report(_trace(), _diverged())))
    levels = [int(tag[1]) for tag in read.tags if tag in ("h1", "h2", "h3", "h4")]

    assert read.balanced and read.open == []
    assert ("html", "lang", "en") in read.attributes and "title" in read.tags
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
