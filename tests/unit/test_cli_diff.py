"""`agent-replay diff`: where two traces part, and why."""

from __future__ import annotations

import json

import pytest

from pytest_agentreplay.cli import main
from pytest_agentreplay.cli.parting import part
from pytest_agentreplay.trace.document import parse_trace

CALL = "  - {{tool: {0}, args: {{q: {1}}}, result: {2}}}\n"


def _text(*calls, more="output: done\n"):
    steps = "".join(CALL.format(*call) for call in calls)
    return f"format: agentreplay.trace/1\ninput: hi\nsteps:\n{steps}{more}"


def _parted(left, right, **more):
    return part(parse_trace(_text(*left)), parse_trace(_text(*right, **more)))


A, B, C = ("a", 1, "x"), ("b", 2, "y"), ("c", 3, "z")


def test_the_same_runs_are_identical():
    """What they say about themselves is no difference."""
    assert _parted([A, B], [A, B], more="output: done\ntitle: other\nrun: {id: r2}\n").identical


@pytest.mark.parametrize(
    ("left", "right", "kind", "index"),
    [
        ([A, B, C], [A, C], "missing", 1),
        ([A, C], [A, B, C], "extra", 1),
        ([A, B], [B, A], "order", 0),
        ([A, B], [A, ("b", 9, "y")], "arguments", 1),
        ([A, B], [A], "missing", 1),
        ([A], [A, B], "extra", 1),
    ],
)
def test_the_first_divergence_has_its_kind_and_its_place(left, right, kind, index):
    """On both sides the index is that of the call where they part."""
    divergence = _parted(left, right).divergence

    assert divergence.kind == kind
    assert (divergence.golden_index, divergence.run_index) == (index, index)


def test_an_answer_that_differed_before_is_the_reason():
    """The agent may only have done what another answer made it do."""
    parting = _parted([A, B], [("a", 1, "other"), C])

    assert parting.why == 'a#1 had answered differently before: result is "other", expected "x"'


def test_equal_answers_leave_the_decision_to_the_agent():
    """Nothing that it saw was different."""
    assert "decided differently" in _parted([A, B], [A, C]).why
    assert "nothing differs before it" in _parted([A], [B]).why


@pytest.mark.parametrize(
    ("more", "subject", "path"),
    [
        ("output: other\n", "end", "output"),
        ("", "end", "output"),
        ("error: {type: ValueError}\n", "end", "error"),
        ("output: done\n  - {state: 1}\n", "state#1", "state"),
    ],
)
def test_what_else_differs_is_told_on_either_side(more, subject, path):
    """Runs with the same calls may still end differently; who is A makes no difference."""
    if "state" in more:
        other = _text(A).replace("output: done\n", "") + "  - {state: 1}\noutput: done\n"
    else:
        other = _text(A, more=more)
    for pair in ((_text(A), other), (other, _text(A))):
        parting = part(*map(parse_trace, pair))

        assert parting.divergence is None and not parting.identical
        assert path in {one.path for contrast in parting.contrasts for one in contrast.differences}
        assert {contrast.subject for contrast in parting.contrasts} == {subject}


def test_null_and_nothing_are_different_answers():
    """A call that has no result is not one whose result is null."""
    null, none = _text(("a", 1, "null")), _text(A).replace(", result: x", "")

    assert not part(parse_trace(null), parse_trace(none)).identical


def test_ignored_arguments_are_ignored():
    """What the golden trace leaves out of comparing is left out here too."""
    ignoring = _text(A, more="output: done\nreplay: {ignore_args: [q]}\n")

    assert part(parse_trace(ignoring), parse_trace(_text(("a", 9, "x")))).identical


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    tmp_path.joinpath("a.yaml").write_text(_text(A, B), "utf-8")
    tmp_path.joinpath("b.yaml").write_text(_text(A, ("b", 9, "y"), more="output: other\n"), "utf-8")


def test_differing_traces_give_one_and_identical_ones_zero(files, capsys):
    """The exit code is what a script asks."""
    assert main(["diff", "a.yaml", "a.yaml"]) == 0
    assert "no difference" in capsys.readouterr().out
    assert main(["diff", "a.yaml", "b.yaml"]) == 1


def test_text_tells_the_whole_story(files, capsys):
    """Headline, cause, why, both sides, the differences, and what else is different."""
    main(["diff", "a.yaml", "b.yaml"])

    assert capsys.readouterr().out == (
        "golden  a.yaml, 2 calls\n"
        "run     b.yaml, 2 calls\n"
        "\n"
        "other arguments at b#1\n"
        "  cause    b was called with q 9 where 2 was recorded\n"
        "  why      every call before it is the same and had the same answer: the agent decided differently\n"
        "\n"
        f"  {'golden':<37} | run\n"
        f"  {'a(q=1)':<37} | a(q=1)\n"
        f"> {'b(q=2)':<37} | b(q=9)\n"
        "\n"
        "differences\n"
        "  args.q is 9, expected 2\n"
        "\n"
        "what differs beside the calls\n"
        '  end: output is "other", expected "done"\n'
    )


def test_json_has_indices_of_both_sides(files, capsys):
    """A program gets the place as numbers."""
    main(["diff", "--json", "a.yaml", "b.yaml"])
    found = json.loads(capsys.readouterr().out)

    assert found["identical"] is False
    assert found["first_divergence"]["kind"] == "arguments"
    assert found["first_divergence"]["index"] == {"a": 1, "b": 1}
    assert found["a"] == {"trace": "a.yaml", "calls": 2}
    assert found["other_differences"][0]["at"] == "end"


def test_json_of_identical_traces_has_no_divergence(files, capsys):
    """The key is there all the same."""
    main(["diff", "--json", "a.yaml", "a.yaml"])

    assert json.loads(capsys.readouterr().out)["first_divergence"] is None
