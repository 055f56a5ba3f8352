"""What could end in a green test without anything having been checked, or in a real write: none of it does."""

from __future__ import annotations

import pytest

WRITES = """
from pathlib import Path
from pytest_agentreplay import tool

LOG = Path(__file__).with_name("real_writes.txt")

@tool(effect="read")
def read(n): raise AssertionError("a real read")

@tool(effect="write")
def write(n): LOG.open("a").write(f"write {n} ")

def plain(n): LOG.open("a").write(f"plain {n} ")
"""

TRACE = """\
format: agentreplay.trace/1
steps:
  - {tool: read, args: {n: 1}, result: 1}
  - {tool: write, args: {n: 1}, result: 1}
output: done
"""


@pytest.fixture
def project(shop):
    """A project with a read, a write, a plain function, and one trace that calls the first two."""
    shop.module(WRITES, "w")
    shop.trace("t", TRACE)
    return shop


def _wrote(project) -> bool:
    return (project.path / "real_writes.txt").exists()


def test_a_swapped_tool_stays_withheld_from_a_survivor(project):
    """The boundary is taken out of a function only when nothing of the run can reach it any more."""
    project.test(
        """
        import threading, time
        import w

        def test_one(agent_replay):
            agent_replay.swap("w:plain", effect="write")
            def agent():
                threading.Thread(target=lambda: (time.sleep(1.6), w.plain(9)), daemon=True).start()
                w.read(1); w.write(1)
                return "done"
            agent_replay("t", agent)

        def test_two():
            time.sleep(1.2)
        """
    )

    project.run().assert_outcomes(failed=1, passed=1)

    assert not _wrote(project)


def test_an_exception_that_leaves_the_scope_hides_no_divergence(project):
    """The test catches its own exception, not the call that is missing."""
    project.test(
        """
        import pytest
        import w

        def test_one(agent_replay):
            with pytest.raises(ValueError), agent_replay("t"):
                w.read(1)
                raise ValueError("boom")
        """
    )

    result = project.run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*write#1*"])


@pytest.mark.parametrize(
    "excuse", ["unittest.SkipTest('x')", "pytest.skip.Exception('x')", "pytest.xfail.Exception('x')"]
)
def test_no_excuse_hides_what_was_swallowed(project, excuse):
    """A skip or an xfail does not excuse an unmatched write."""
    project.test(
        f"""
        import pytest, unittest
        import w

        def test_one(agent_replay):
            with agent_replay("t", check=False):
                try:
                    w.write(666)
                except Exception:
                    pass
            raise {excuse}
        """
    )

    project.run().assert_outcomes(failed=1)


def test_no_trace_directory_is_passed_over(project):
    """Folders that pytest takes for builds or environments hold traces like any other."""
    for name in ("build/a", "dist/b", "venv/c", "node_modules/d"):
        project.trace(name, TRACE.replace("format:", "agent: shop:agent\ninput: {order: o}\nformat:"))

    result = project.run("--agent-replay", "golden_traces")

    result.stdout.fnmatch_lines(["*golden traces   5 run, 4 diverged*"])


def test_a_trace_with_another_ending_is_named(project):
    """A `.yml` that is never replayed is no silent gap."""
    (project.path / "golden_traces" / "x.yml").write_text(TRACE)

    result = project.run("--agent-replay")

    assert result.ret == 4
    result.stderr.fnmatch_lines(["*x.yml is never replayed*"])


def test_writes_in_set_up_and_teardown_are_withheld(project):
    """As long as the fixture is there, nothing is written outside a run."""
    project.test(
        """
        import pytest
        import w

        @pytest.fixture
        def seeded(agent_replay):
            with pytest.raises(Exception, match="outside"):
                w.write(1)
            yield
            with pytest.raises(Exception, match="outside"):
                w.write(2)

        def test_one(seeded):
            pass
        """
    )

    project.run().assert_outcomes(passed=1)

    assert not _wrote(project)


@pytest.mark.parametrize(
    "body",
    [
        "agent_replay.arun('t', w.read)",
        "agent_replay('t').__enter__()",
        "scope = agent_replay('t'); scope.__enter__(); w.read(1)",
    ],
    ids=["never awaited", "never left", "left open after a call"],
)
def test_a_replay_that_does_not_finish_fails(project, body):
    """Begun and not ended, or not even begun: nothing was checked. The next test is not touched."""
    project.test(
        f"import w\ndef test_one(agent_replay):\n    {body}\ndef test_two(tmp_path): (tmp_path / 'x').write_text('')\n"
    )

    result = project.run()

    assert result.parseoutcomes().get("failed") == 1
    assert result.parseoutcomes().get("passed") == 1


def test_a_task_that_calls_after_the_run_is_a_survivor(project):
    """Also when it is done before the test is."""
    project.test(
        """
        import asyncio
        import pytest
        import w

        @pytest.mark.asyncio
        async def test_one(agent_replay):
            async def late():
                await asyncio.sleep(0.3)
                w.write(9)
            with agent_replay("t") as run:
                task = asyncio.create_task(late())
                w.read(1); w.write(1)
                run.output = "done"
            await asyncio.wait([task])
        """
    )

    result = project.run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*called after the run's end*"])
    assert not _wrote(project)


def test_the_real_input_pins_what_was_redacted(project):
    """The test gives the address; another one passed on is another argument, though the file holds a placeholder."""
    project.module(
        WRITES + "\ndef agent(contact): write(contact)\ndef changed(contact): write('eve@evil.example')\n", "w"
    )
    project.test(
        """
        import pytest
        import w

        GIVEN = {"contact": "bob@corp.example"}

        def test_same(agent_replay):
            agent_replay("mail", w.agent, input=GIVEN)

        def test_changed(agent_replay):
            with pytest.raises(AssertionError):
                agent_replay("mail", w.changed, input=GIVEN)
        """
    )
    project.run("--agent-record=once", "-k", "test_same").assert_outcomes(passed=1, deselected=1)

    project.run().assert_outcomes(passed=2)


def test_a_secret_redacted_by_its_key_is_redacted_wherever_it_goes(project):
    """A password that is handed on under another name does not reach the file, and the recording replays."""
    project.module(
        WRITES + "\n@tool(effect='read')\ndef who(): return {'password': 'hunter22x'}\n"
        "def agent(): write(who()['password'])\n",
        "w",
    )
    project.test("import w\ndef test_it(agent_replay): agent_replay('leak', w.agent)\n")
    project.run("--agent-record=once").assert_outcomes(passed=1)

    assert "hunter22x" not in (project.path / "golden_traces" / "leak.yaml").read_text()
    project.run().assert_outcomes(passed=1)


def test_a_first_recording_is_held_to_the_tests_expectations(project):
    """What the test expects not to happen is not recorded as golden."""
    project.test(
        """
        import w

        def test_it(agent_replay):
            agent_replay("ef", lambda: w.write(1), expect={"calls": {"write": "never"}})
        """
    )

    project.run("--agent-record=once").assert_outcomes(failed=1)

    assert not (project.path / "golden_traces" / "ef.yaml").exists()


def test_one_trace_is_recorded_by_one_run(project):
    """Two recordings of one trace in a session: the second is refused, and the first stands."""
    project.test(
        """
        import pytest
        import w

        @pytest.mark.parametrize("n", [1, 2])
        def test_it(agent_replay, n):
            agent_replay("t", lambda: w.write(n) and "done")
        """
    )

    result = project.run("--agent-record=rewrite")

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*was recorded in this session already*"])


def test_the_summary_says_where_every_effect_came_from(shop):
    """By the trace, the tool's author, the ini file, the hook; what nobody classified is named apart."""
    shop.module(
        """
        from pytest_agentreplay.api.hooks import hookimpl

        @hookimpl
        def agent_replay_effect(tool, function):
            return "read" if tool == "peek" else None
        """,
        "conftest",
    )
    read = '(effect="read")'
    tools = ["declared", "authored", "listed", "peek", "unknown", *(f"many{number}" for number in range(9))]
    shop.module(
        "from pytest_agentreplay import tool\n"
        + "\n".join(
            f"@tool{read if name == 'authored' or 'many' in name else ''}\ndef {name}():\n    raise AssertionError\n"
            for name in tools
        )
        + f"def agent():\n    for one in ({', '.join(tools)}):\n        one()\n"
    )
    steps = "".join(f"  - {{tool: {name}, args: {{}}, result: 1}}\n" for name in tools)
    shop.trace("refund", f"format: agentreplay.trace/1\nagent: shop:agent\ntools: {{declared: read}}\nsteps:\n{steps}")
    shop.ini("agent_replay_tools =\n  listed = read\n")
    short, full = shop.replay(), shop.replay("-v")

    short.stdout.fnmatch_lines(
        [
            "effects         @tool: authored read, * many6 read and 2 more, see -v",
            "effects         agent_replay_tools: listed read",
            "effects         the hook: peek read",
            "effects         the trace's tools: declared read",
            "unclassified    unknown (counted as writes)",
        ]
    )
    full.stdout.fnmatch_lines(["effects         @tool: authored read, * many8 read"])
