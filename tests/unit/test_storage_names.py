"""Names: which files are traces, and which one a name means."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pytest_agentreplay.errors import SettingsError
from pytest_agentreplay.storage import find_name, find_traces, format_of, is_trace_text, resolve_name, trace_name

TRACE = "format: agentreplay.trace/1\n"
POLICY = "format: agentreplay.policy/1\n"


@pytest.fixture
def root(tmp_path):
    """Two traces called refund, one of them also a policy's stem, and what is no trace."""
    for name, text in {
        "loop.yaml": TRACE,
        "a/refund.yaml": TRACE,
        "b/refund.yaml": TRACE,
        "policies/loop.yaml": POLICY,
        "policies/support.yaml": POLICY,
        "c/support.yaml": TRACE,
        "loop.http.yaml": "",
        "note.yml": "",
        ".hidden.yaml": TRACE,
        ".git/x.yaml": TRACE,
        "__pycache__/y.yaml": TRACE,
        "loop.blobs/z.json": "",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_every_yaml_file_but_cassettes_and_hidden_ones_is_found_in_order(root):
    """What is listed is what must have a format line, the same order on every machine."""
    assert [trace_name(path, root) for path in find_traces(root)] == [
        "a/refund",
        "b/refund",
        "c/support",
        "loop",
        "policies/loop",
        "policies/support",
    ]


def test_a_directory_that_is_not_there_is_an_error(root):
    """A misspelt directory isn't one without traces."""
    with pytest.raises(SettingsError, match="no such file or directory") as caught:
        find_traces(root / "golden")

    assert caught.value.details["at"] == str(root / "golden")


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("loop", "loop.yaml"),
        ("a/refund", "a/refund.yaml"),
        ("support", "c/support.yaml"),
        ("policies/loop", "policies/loop.yaml"),
    ],
)
def test_a_name_is_a_path_or_a_stem_that_one_trace_has(root, name, file):
    """The path comes first; of several files with one stem a policy is not meant."""
    assert resolve_name(name, [root]) == root / file
    assert find_name(name, [root]) == root / file


def test_a_directory_given_twice_makes_nothing_ambiguous(root):
    """One file that is found on two ways is one file."""
    assert resolve_name("loop", [root, root]) == root / "loop.yaml"
    assert resolve_name("support", [root, root / "c"]).name == "support.yaml"


def test_an_ambiguous_stem_names_its_candidates(root):
    """The error shows what to write instead."""
    with pytest.raises(SettingsError, match="2 golden traces are called refund") as caught:
        resolve_name("refund", [root])

    assert caught.value.details["found"].splitlines() == [str(root / "a/refund.yaml"), str(root / "b/refund.yaml")]


def test_an_unknown_name_names_the_nearest(root):
    """A typo is answered with what was likely meant."""
    with pytest.raises(SettingsError, match="no golden trace is called lop") as caught:
        resolve_name("lop", [root])

    assert caught.value.details["closest"].split(", ")[0] == "loop"
    assert caught.value.details["in"] == str(root)
    assert find_name("lop", [root]) is None


@pytest.mark.parametrize("name", ["../x", "a/../loop", "/etc/passwd", "", "..", "a\\..\\b", "a\0b"])
def test_a_name_never_leads_out_of_its_directories(root, name):
    """A name is no path into the file system."""
    with pytest.raises(SettingsError, match="no name of a golden trace"):
        resolve_name(name, [root])
    with pytest.raises(SettingsError, match="no name of a golden trace"):
        find_name(name, [root])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (TRACE, "agentreplay.trace/1"),
        ("# c\n\ntitle: x\nformat: 'agentreplay.trace/2' # newer\n", "agentreplay.trace/2"),
        ('\ufeffformat: "agentreplay.trace/1"\r\n', "agentreplay.trace/1"),
        (b"\xff\xfe\nformat: agentreplay.trace/1\n", "agentreplay.trace/1"),
        (POLICY, "agentreplay.policy/1"),
        ("  format: agentreplay.trace/1\n", None),
        ("# format: agentreplay.trace/1\n", None),
        ("reformat: agentreplay.trace/1\n", None),
        ("format:\n  agentreplay.trace/1\n", None),
        ("", None),
    ],
)
def test_the_format_is_found_without_parsing(text, found):
    """Only a line that starts so counts, in whatever else the file holds."""
    assert format_of(text) == found
    assert is_trace_text(text) == (found is not None and "trace" in found)


def test_looking_for_traces_loads_no_parser():
    """Every YAML file of a test suite is looked at: that must stay cheap."""
    code = "import sys, pytest_agentreplay.storage; print(sorted({'yaml', 'pydantic'} & set(sys.modules)))"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
