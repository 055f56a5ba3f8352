"""`state_snapshot` holds an agent's state to what it was, and to nothing that differs from run to run."""

from __future__ import annotations

import pytest

AGENT = """
import tempfile, time, uuid
from datetime import datetime
from pytest_agentreplay import checkpoint

class Connection:
    pass

def agent(order):
    found = lookup(order)
    run = uuid.uuid4()
    checkpoint({
        "found": found,
        "run": str(run),
        "log": f"run {run} began at {datetime.now()}",
        "call": "call_" + uuid.uuid4().hex,
        "elapsed_ms": time.perf_counter(),
        "created_at": time.time(),
        "file": tempfile.mkdtemp() + "/notes.txt",
        "tags": {"b", "a", "c"},
        "connection": Connection(),
        "shown": repr(Connection()),
        "owner": "ann@example.com",
        "note": "first line\\nsecond line\\n",
    }, at="looked up")
    refund(order, found["amount"])
    notify("refunded " + str(found["amount"]))
    return "done"
"""
STATE = """\
test_state:
  call: "<id:1>"
  connection: {$type: shop.Connection}
  created_at: "<timestamp>"
  elapsed_ms: "<duration>"
  file: "<tmp>/notes.txt"
  found: {amount: 39}
  log: run <uuid:1> began at <timestamp>
  note: |
    first line
    second line
  owner: "[redacted:email:1]"
  run: "<uuid:1>"
  shown: "<shop.Connection object at <address>>"
  tags: [a, b, c]
"""
TEST = """
import shop

def test_state(agent_replay, state_snapshot):
    run = agent_replay("refund", shop.agent)
    assert run.state_after("lookup#1") == state_snapshot
"""


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch):
    """Syrupy takes a pytest that a worker starts for a worker itself."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)


@pytest.fixture
def project(shop):
    """A shop whose agent tells a state that is full of what differs from run to run."""
    shop.agent(AGENT)
    shop.test(TEST)
    return shop


def _snapshots(shop, name="test_it"):
    return (shop.path / "__snapshots__" / f"{name}.yml").read_text(encoding="utf-8")


def test_a_state_is_kept_as_readable_yaml_without_what_is_volatile(project):
    """Times, generated ids, addresses, temporary paths and secrets are no part of it; sets and keys have one order."""
    made = project.run("--snapshot-update")
    again = project.run()

    assert _snapshots(project).partition("\n")[2] == STATE
    made.stdout.fnmatch_lines(["1 snapshot generated."])
    again.assert_outcomes(passed=1)


def test_a_changed_state_fails_and_shows_what_changed(project):
    """What is no volatile value is held to what it was."""
    project.run("--snapshot-update")
    text = _snapshots(project).replace("39", "40")
    (project.path / "__snapshots__/test_it.yml").write_text(text, encoding="utf-8")
    result = project.run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*found: {amount: 40}*", "*found: {amount: 39}*"])


def test_a_snapshot_that_is_missing_fails(project):
    """Nothing is written unasked."""
    result = project.run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*Snapshot 'test_state' does not exist!*"])
    assert not (project.path / "__snapshots__").exists()


NAMES = """
import pytest

@pytest.mark.parametrize("path", ["a: b", "c[0]", "1"])
def test_each(state_snapshot, path):
    assert {"path": path} == state_snapshot
    assert path == state_snapshot
    for step in range(3):
        assert [step] == state_snapshot(name=f"step {step}")

class TestInClass:
    def test_it(self, state_snapshot):
        assert None == state_snapshot

def test_plain(snapshot):
    assert {"beside": "amber"} == snapshot

@pytest.mark.parametrize("number", range(12))
def test_many(state_snapshot, number):
    assert {"number": number} == state_snapshot
"""


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "in workers"])
def test_several_snapshots_have_their_names(shop, workers):
    """By parameter, by class, by number and by name, in the order of their numbers; in workers too."""
    shop.test(NAMES)
    shop.run("--snapshot-update", *workers).assert_outcomes(passed=17)
    again = shop.run(*workers)
    names = [line.partition(": ")[0].rstrip(":") for line in _snapshots(shop).splitlines() if line[:1] in '"tT']

    again.assert_outcomes(passed=17)
    again.stdout.fnmatch_lines(["29 snapshots passed."])
    assert names[:2] == ["TestInClass.test_it", "test_each[1]"]
    assert [name for name in names if "many" in name] == [f"test_many[{number}]" for number in range(12)]
    assert (shop.path / "__snapshots__/test_it.ambr").exists()


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "in workers"])
def test_what_is_no_longer_used_is_told_and_removed(shop, workers):
    """Unused snapshots end a run with exit code 1, as all of syrupy's; an update takes them out of their file."""
    shop.test(NAMES)
    shop.run("--snapshot-update")
    shop.test(NAMES.replace("range(12)", "range(2)"))
    unused = shop.run(*workers)
    warned = shop.run("--snapshot-warn-unused", *workers)
    some = shop.run("-k", "test_plain", *workers)
    updated = shop.run("--snapshot-update", *workers)

    assert (unused.ret, warned.ret, some.ret, updated.ret) == (1, 0, 0, 0)
    unused.stdout.fnmatch_lines(["*10 snapshots unused*"])
    assert _snapshots(shop).count("test_many") == 2
    assert shop.run(*workers).ret == 0


def test_the_last_snapshot_takes_its_file_along(shop):
    """No empty file stays."""
    shop.test("def test_a(state_snapshot):\n    assert 1 == state_snapshot\n")
    shop.run("--snapshot-update")
    shop.test("def test_a(state_snapshot):\n    pass\n")
    shop.run("--snapshot-update")

    assert not (shop.path / "__snapshots__/test_it.yml").exists()


MASKING = """
def test_masks(state_snapshot):
    state = {"orders": [{"no": %(no)s, "ref": "ORD-%(no)s"}, {"no": %(no)s1}], "at": "2026-05-0%(no)s 10:00"}
    assert state == state_snapshot(mask=["orders[*].no"])
    assert {"kept": "2026-05-04", "no": 7} == state_snapshot
"""


def test_more_is_masked_by_path_and_by_kind(shop):
    """`mask=` and the ini key name paths and a project's own kinds; `-kind` leaves a kind as it is."""
    shop.ini("agent_replay_mask =\n  order = ORD-[0-9]+\n  **.secretly\n")
    shop.test(MASKING % {"no": 1})
    shop.run("--snapshot-update").assert_outcomes(passed=1)
    shop.test(MASKING % {"no": 2})
    masked = shop.run()
    unmasked = shop.run("-o", "agent_replay_mask=\n-timestamp\norder = ORD-[0-9]+")

    masked.assert_outcomes(passed=1)
    assert _snapshots(shop).partition("\n")[2] == (
        "test_masks:\n"
        '  at: "<timestamp>"\n'
        "  orders:\n"
        '    - "no": "<masked>"\n'
        '      ref: "<order:1>"\n'
        '    - "no": "<masked>"\n'
        'test_masks.1: {kept: "2026-05-04", "no": 7}\n'
    )
    unmasked.assert_outcomes(failed=1)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("-tiemstamp", ["*there is no kind 'tiemstamp' to leave unmasked*", "*closest*timestamp*"]),
        ("a..b", ["*'a..b' of agent_replay_mask is no path*"]),
        ("order = (", ["*is no regular expression*", "*at*order = (*"]),
    ],
)
def test_a_mask_that_is_none_is_refused(shop, line, told):
    """A line that can't be used is named."""
    shop.ini(f"agent_replay_mask = {line}\n")
    shop.test("def test_a(state_snapshot):\n    assert 1 == state_snapshot\n")

    shop.run().stdout.fnmatch_lines(told)


def test_syrupys_own_options_work(shop):
    """Filters, matchers, other extensions and differences, as with `snapshot`."""
    shop.test(
        """
        from syrupy.extensions.json import JSONSnapshotExtension
        from syrupy.filters import paths, props
        from syrupy.matchers import path_type

        STATE = {"id": 7, "items": [{"id": 1, "name": "pen"}], "when": "2026-05-04T10:00"}

        def test_options(state_snapshot):
            assert STATE == state_snapshot(exclude=props("id"))
            assert STATE == state_snapshot(include=paths("id"))
            assert STATE == state_snapshot(matcher=path_type({"id": (int,)}))
            assert STATE == state_snapshot(diff=0)
            assert STATE == state_snapshot.use_extension(JSONSnapshotExtension)
            state_snapshot.assert_match(STATE)
        """
    )
    shop.run("--snapshot-update").assert_outcomes(passed=1)
    again = shop.run()

    again.assert_outcomes(passed=1)
    assert (
        _snapshots(shop)
        .partition("\n")[2]
        .startswith(
            'test_options:\n  items:\n    - name: pen\n  when: "<timestamp>"\ntest_options.1: {id: 7}\n'
            "test_options.2:\n  id: int\n"
        )
    )
    assert '"when": "<timestamp>"' in (shop.path / "__snapshots__/test_it/test_options.json").read_text()


def test_numbers_are_compared_by_value(shop):
    """2 and 2.0 are equal, True and 1 are not: a state's equality is JSON's."""
    shop.test("def test_a(state_snapshot):\n    assert {'n': 2} == state_snapshot\n")
    shop.run("--snapshot-update")
    shop.test("def test_a(state_snapshot):\n    assert {'n': 2.0} == state_snapshot\n")
    same = shop.run()
    shop.test("def test_a(state_snapshot):\n    assert {'n': 1} == state_snapshot\n")
    shop.run("--snapshot-update")
    shop.test("def test_a(state_snapshot):\n    assert {'n': True} == state_snapshot\n")
    other = shop.run()

    same.assert_outcomes(passed=1)
    other.assert_outcomes(failed=1)


def test_a_file_that_was_broken_by_hand_is_told_with_its_place(shop):
    """It is neither overwritten nor passed over."""
    shop.test("def test_a(state_snapshot):\n    assert 1 == state_snapshot\n")
    shop.run("--snapshot-update")
    broken = "test_a: [1\n"
    (shop.path / "__snapshots__/test_it.yml").write_text(broken, encoding="utf-8")
    result, update = shop.run(), shop.run("--snapshot-update")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*the snapshots can't be read: *", "*at *test_it.yml:2:1*", "*next*delete it and update*"]
    )
    update.assert_outcomes(failed=1)
    assert _snapshots(shop) == broken


def test_snapshots_beside_golden_traces_are_no_traces(shop):
    """Python tests may live under `agent_replay_dirs`; what they keep is not collected."""
    shop.test("def test_a(state_snapshot):\n    assert {'steps': []} == state_snapshot\n", "golden_traces/test_here")
    shop.run("--snapshot-update", "golden_traces/test_here.py").assert_outcomes(passed=1)
    result = shop.replay("golden_traces")

    assert (shop.path / "golden_traces/__snapshots__/test_here.yml").exists()
    result.assert_outcomes(passed=2)


def test_syrupy_that_is_not_there_is_named(shop):
    """Whoever lacks the extra is told what to install; everybody else never loads it."""
    shop.module("import sys\nsys.modules['syrupy'] = None\n", "conftest")
    shop.test("def test_a(state_snapshot):\n    pass\n")
    result = shop.run("-p", "no:syrupy")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*state_snapshot needs syrupy*", "*next*pip install 'syrupy>=7'*"])


def test_syrupys_plugin_that_is_off_is_named(shop):
    """Syrupy without its plugin can't keep anything."""
    shop.test("def test_a(state_snapshot):\n    pass\n")
    result = shop.run("-p", "no:syrupy")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*needs syrupy's plugin, which is off*"])


def test_plain_snapshots_hold_states_too(project):
    """Syrupy's own fixture takes what `state_after` gives, whatever was in it."""
    project.agent(
        AGENT.replace("uuid.uuid4()", "uuid.UUID(int=1)")
        .replace("datetime.now()", "'now'")
        .replace("time.perf_counter()", "1.5")
        .replace("time.time()", "float('nan')")
        .replace("tempfile.mkdtemp()", "'/x'")
        .replace("repr(Connection())", "b'bytes'")
    )
    project.test(TEST.replace("state_snapshot", "snapshot"))
    project.run("--snapshot-update").assert_outcomes(passed=1)

    project.run().assert_outcomes(passed=1)
