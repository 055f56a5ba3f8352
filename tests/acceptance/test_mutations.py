"""Every harmful change of an agent fails its golden trace, every harmless one passes, and no real write ever runs."""

from __future__ import annotations

from pathlib import Path

import mutation_project
import pytest
from mutation_project import HARMFUL, HARMLESS, STYLES

INI = """
pythonpath = . {here}
agent_replay_tools =
    plain_plain:charge = write
    plain_async:charge = write
"""


@pytest.fixture(scope="module")
def replayed(make_shop):
    """One session over the agents of all styles with all mutations."""
    shop = make_shop("mutations")
    (shop.path / "golden_traces" / "refund.yaml").unlink()
    for name, text in mutation_project.modules():
        shop.module(text, name)
    for name, text in mutation_project.traces():
        shop.trace(name, text)
    here = Path(mutation_project.__file__).parent
    (shop.path / "pytest.ini").write_text("[pytest]" + INI.format(here=here))
    outcomes = shop.outcomes("--agent-replay")
    assert not (shop.path / "escaped.txt").exists()
    return outcomes


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("mutation", HARMLESS)
def test_a_harmless_change_passes(replayed, style, mutation):
    """What the golden trace doesn't pin may change."""
    found = replayed[f"{style}/{mutation}"]

    assert found.outcome == "passed", found.shown


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("mutation", HARMFUL)
def test_a_harmful_change_fails(replayed, style, mutation):
    """The trace fails, and its first divergence is of the kind of the change."""
    expected = HARMFUL[mutation]
    found = replayed[f"{style}/{mutation}"]

    assert found.outcome == "failed", found.shown
    if expected.told and found.kinds:
        assert found.kinds[0] in expected.told, found.shown
    assert expected.says in found.shown
    assert bool(found.kinds) or expected.says


def test_every_trace_was_run_and_counted(replayed):
    """Nothing was skipped or left out, and what was withheld is counted."""
    assert len(replayed) == len(STYLES) * len(HARMLESS | HARMFUL)
    assert all(found.facts[0]["withheld"] >= 3 for name, found in replayed.items() if name.endswith("/same"))
    assert all(found.facts[0]["live"] == 0 for found in replayed.values())


def test_unclassified_tools_are_named(replayed):
    """A tool that nobody classified counts as a write, and the summary says so."""
    assert "notify" in replayed["plain/same"].facts[0]["unclassified"]
    assert "charge" not in replayed["plain/same"].facts[0]["unclassified"]
    assert "unclassified    notify, stray (counted as writes)" in replayed.stdout


BROKEN = {
    "not_yaml": ("format: agentreplay.trace/1\nsteps: [\n", ""),
    "tabs": ("format: agentreplay.trace/1\nsteps:\n\t- tool: x\n", ""),
    "empty": ("", "format"),
    "no_format": ("steps: []\n", "format"),
    "newer_format": ("format: agentreplay.trace/2\nsteps: []\n", "agentreplay.trace/1"),
    "foreign_format": ("format: somebody.else/1\nsteps: []\n", "somebody.else/1"),
    "a_list": ("- format: agentreplay.trace/1\n", ""),
    "typo_in_key": ("format: agentreplay.trace/1\nstep: []\n", "steps"),
    "typo_in_step": ("format: agentreplay.trace/1\nsteps:\n  - tool: x\n    arg: {}\n", "args"),
    "duplicate_key": ("format: agentreplay.trace/1\nsteps: []\nsteps: []\n", "steps"),
    "number_as_key": ("format: agentreplay.trace/1\nsteps:\n  - tool: x\n    args: {1: 2}\n", "1"),
    "tag": ("format: agentreplay.trace/1\ninput: !!python/object:os.system x\nsteps: []\n", "tag"),
    "result_and_error": (
        "format: agentreplay.trace/1\nsteps:\n  - {tool: x, args: {}, result: 1, error: {type: E, message: m}}\n",
        "error",
    ),
    "two_kinds_of_step": ("format: agentreplay.trace/1\nsteps:\n  - {tool: x, model: y}\n", "model"),
    "no_kind_of_step": ("format: agentreplay.trace/1\nsteps:\n  - {args: {}}\n", "tool"),
    "incident_without_expect": ("format: agentreplay.trace/1\nkind: incident\nsteps: []\n", "expect"),
    "unknown_kind": ("format: agentreplay.trace/1\nkind: accident\nsteps: []\n", "incident"),
    "unknown_trajectory": (
        "format: agentreplay.trace/1\nexpect: {trajectory: strictly}\nsteps: []\n",
        "strict",
    ),
    "unknown_check": ("format: agentreplay.trace/1\nexpect: {output: {contain: x}}\nsteps: []\n", "contains"),
    "bad_regex": ("format: agentreplay.trace/1\nexpect: {output: {matches: '('}}\nsteps: []\n", "("),
    "unknown_match": ("format: agentreplay.trace/1\nreplay: {match: arguments}\nsteps: []\n", "args"),
    "unknown_effect": ("format: agentreplay.trace/1\ntools: {x: delete}\nsteps: []\n", "write"),
    "args_is_a_list": ("format: agentreplay.trace/1\nsteps:\n  - {tool: x, args: [1]}\n", "args"),
    "error_without_type": (
        "format: agentreplay.trace/1\nsteps:\n  - {tool: x, args: {}, error: {message: m}}\n",
        "type",
    ),
    "args_and_raw_args": (
        "format: agentreplay.trace/1\nsteps:\n  - {tool: x, args: {}, raw_args: '{'}\n",
        "raw_args",
    ),
    "wrong_mark": ("format: agentreplay.trace/1\nsteps:\n  - {tool: x, args: {}, result: {$base64: '%'}}\n", "$base64"),
    "missing_blob": (
        "format: agentreplay.trace/1\nsteps:\n  - {tool: x, args: {}, result: {$blob: 'sha256:" + 64 * "0" + "'}}\n",
        "blob",
    ),
    "alias_bomb": (
        "format: agentreplay.trace/1\na: &a [1,1,1,1,1,1,1,1,1,1]\n"
        + "".join(
            f"{new}: &{new} [{', '.join(10 * ['*' + old])}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        "",
    ),
    "not_utf8": (b"format: agentreplay.trace/1\ninput: \xff\xfe\nsteps: []\n", ""),
    "output_and_error": (
        "format: agentreplay.trace/1\noutput: 1\nerror: {type: E, message: m}\nsteps: []\n",
        "error",
    ),
}


@pytest.fixture(scope="module")
def broken(make_shop):
    """One session over traces that are broken in every way, beside one that is whole."""
    shop = make_shop("broken")
    for name, (text, _) in BROKEN.items():
        path = shop.path / "golden_traces" / "broken" / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return shop.outcomes("--agent-replay")


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_trace_is_one_failing_item(broken, name):
    """It fails with the place and what would be right; it is no error of the session."""
    found = broken[f"broken/{name}"]

    assert found.outcome == "failed"
    assert f"{name}.yaml" in found.shown
    assert BROKEN[name][1] in found.shown
    assert "Traceback" not in found.shown and "INTERNALERROR" not in broken.stdout


def test_the_other_traces_run_beside_broken_ones(broken):
    """One bad file takes nothing else with it."""
    assert broken["refund"].outcome == "passed"
    assert len(broken) == len(BROKEN) + 1
    assert broken.ret == pytest.ExitCode.TESTS_FAILED


def test_a_missing_trace_fails_and_records_nothing(shop):
    """A test that names a trace without a file fails, whatever the agent would do; nothing is written."""
    shop.test(
        """
        import shop

        def test_name(agent_replay): agent_replay("refunds", shop.agent)
        def test_path(agent_replay): agent_replay("golden_traces/nothing.yaml", shop.agent)
        def test_with(agent_replay):
            with agent_replay("refunds"):
                shop.agent("o-1")
        """
    )

    found = shop.outcomes("--agent-replay", ".")

    assert [found[name].outcome for name in ("test_name", "test_path", "test_with")] == ["failed"] * 3
    assert all(word in found["test_name"].shown for word in ("refunds", "closest"))
    assert [path.name for path in (shop.path / "golden_traces").iterdir()] == ["refund.yaml"]
