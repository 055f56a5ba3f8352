"""Which files become tests, under which flags, and that they are tests like any other."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

EMPTY = "format: agentreplay.trace/1\nagent: shop:agent\n"
FAILING = "format: agentreplay.trace/1\nagent: shop:agent\ninput: {order: o-2}\nsteps: []\n"


@pytest.fixture
def busy(shop):
    """A project with YAML files of every sort in every place."""
    text = (shop.path / "golden_traces" / "refund.yaml").read_text()
    shop.trace("deep/er/again", text)
    shop.trace("refund.http", "interactions: []\nversion: 1\n")
    shop.trace(".hidden", "nothing: 1\n")
    (shop.path / "docker-compose.yaml").write_text("services: {}\n")
    (shop.path / "tests").mkdir()
    (shop.path / "tests" / "data.yaml").write_text("# format: agentreplay.trace/1\nformat: csv\n")
    (shop.path / "tests" / "beside.yaml").write_text(text)
    (shop.path / "tests" / "test_python.py").write_text("def test_python(): pass\n")
    return shop


def names(shop, *args):
    """The tests that a session runs, and that all of them passed."""
    found = shop.outcomes(*args)
    assert all(test.outcome == "passed" for test in found.values()), found.stdout
    return sorted(found)


def test_without_the_flag_only_python_tests_run(busy):
    """The plugin changes nothing in a session that doesn't ask for it."""
    assert names(busy) == ["test_python"]


def test_the_flag_adds_the_trace_directories(busy):
    """Traces run beside Python tests: those of the directories, and those under what pytest collects."""
    assert names(busy, "--agent-replay") == ["beside", "deep/er/again", "refund", "test_python"]


def test_with_paths_only_they_are_collected(busy):
    """The directories are not added to paths that were named."""
    assert names(busy, "--agent-replay", "tests") == ["beside", "test_python"]
    assert names(busy, "--agent-replay", "golden_traces/deep") == ["deep/er/again"]


@pytest.mark.parametrize("flag", [[], ["--agent-replay"]])
def test_a_named_trace_runs_with_or_without_the_flag(busy, flag):
    """Named on the command line, it is collected; alone."""
    assert names(busy, *flag, "golden_traces/deep/er/again.yaml") == ["deep/er/again"]
    assert names(busy, *flag, "golden_traces/refund.yaml::refund") == ["refund"]
    assert names(busy, *flag, "tests/beside.yaml") == ["beside"]


def test_a_path_without_a_trace_is_fine_with_the_flag(busy):
    """Paths say what is wanted; with the flag in addopts they still do."""
    assert names(busy, "--agent-replay", "tests/test_python.py") == ["test_python"]

    (busy.path / "pytest.ini").write_text("[pytest]\npythonpath = .\naddopts = --agent-replay tests/test_python.py\n")

    assert names(busy) == ["test_python"]


def test_a_directory_that_is_configured_must_exist(shop):
    """A typo in the ini file is no empty, green gate."""
    shop.ini("agent_replay_dirs = golden_trace\n")
    result = shop.run("--agent-replay")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*golden_trace*no directory*"])


@pytest.mark.parametrize("args", [[], ["-n", "2"]])
def test_no_golden_trace_at_all_is_a_usage_error(shop, args):
    """Also where there are Python tests, and under workers."""
    (shop.path / "golden_traces" / "refund.yaml").unlink()
    shop.trace("policy", "format: agentreplay.policy/1\nname: p\nversion: 1\n")
    shop.test("def test_python(): pass")
    result = shop.run("--agent-replay", *args)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*no golden trace*"])
    result.stderr.no_fnmatch_line("*INTERNALERROR*")


def test_other_directories_take_the_place_of_the_default(shop):
    """`agent_replay_dirs` may name several; names are relative to each."""
    text = (shop.path / "golden_traces" / "refund.yaml").read_text()
    for name in ("one", "two"):
        (shop.path / name).mkdir()
        (shop.path / name / f"in_{name}.yaml").write_text(text)
    (shop.path / "golden_traces" / "refund.yaml").write_text("not: a trace\n")
    shop.ini("norecursedirs = golden_traces\nagent_replay_dirs =\n    one\n    two\n")

    assert names(shop, "--agent-replay") == ["in_one", "in_two"]


def test_a_yaml_file_without_a_format_fails_under_the_trace_directory_only(busy):
    """There it is one failing item; elsewhere it is somebody else's."""
    busy.trace("forgotten", "steps: []\n")
    found = busy.outcomes("--agent-replay")

    assert found["forgotten"].outcome == "failed" and "format" in found["forgotten"].shown
    assert [name for name, test in found.items() if test.outcome != "passed"] == ["forgotten"]


def test_tags_are_marks(shop):
    """`-m` selects by them, and `--strict-markers` knows them."""
    text = (shop.path / "golden_traces" / "refund.yaml").read_text()
    shop.trace("tagged", text.replace("steps:", "tags: [money, slow-one]\nsteps:", 1))
    shop.trace("other", text.replace("steps:", "tags: [other]\nsteps:", 1))

    assert names(shop, "--agent-replay", "--strict-markers", "-W", "error", "-m", "money") == ["tagged"]
    assert names(shop, "--agent-replay", "-m", "not money and not other") == ["refund"]


@pytest.mark.parametrize("tag", ["skip", "xfail", "parametrize", "usefixtures", "skipif", "filterwarnings"])
def test_pytests_own_marks_are_refused_as_tags(shop, tag):
    """A trace can't skip itself."""
    text = (shop.path / "golden_traces" / "refund.yaml").read_text()
    shop.trace("refund", text.replace("steps:", f"tags: [{tag}]\nsteps:", 1))
    found = shop.outcomes("--agent-replay")

    assert found["refund"].outcome == "failed"
    assert tag in found["refund"].shown and "mark" in found["refund"].shown


def test_keywords_select(busy):
    """`-k` works by name."""
    assert names(busy, "--agent-replay", "-k", "again") == ["deep/er/again"]


def test_last_failed_and_first_failure(shop):
    """`--lf` runs what failed; `-x` stops at it."""
    shop.trace("a_failing", FAILING)
    shop.trace("z_last", FAILING)
    assert shop.pytester.runpytest_subprocess("--agent-replay", "-x").parseoutcomes() == {"failed": 1}
    first = shop.pytester.runpytest_subprocess("--agent-replay")
    again = shop.pytester.runpytest_subprocess("--agent-replay", "--lf")

    assert first.parseoutcomes() == {"failed": 2, "passed": 1}
    assert again.parseoutcomes()["failed"] == 2 and "passed" not in again.parseoutcomes()


def test_under_workers(busy):
    """`-n 2` gives the same outcomes and one summary."""
    busy.trace("failing", FAILING)
    alone, spread = busy.outcomes("--agent-replay"), busy.outcomes("--agent-replay", "-n", "2")

    assert {name: test.outcome for name, test in alone.items()} == {name: test.outcome for name, test in spread.items()}
    for outcomes in (alone, spread):
        assert "4 run, 1 diverged, 0 not checked" in outcomes.stdout


CONFTEST = """
import pytest

@pytest.fixture{parametrized}
def agent_under_test(request):
    import shop
    return {agent}
"""


def nameless(shop, name="refund"):
    text = (shop.path / "golden_traces" / "refund.yaml").read_text()
    shop.trace(name, text.replace("agent: shop:agent\n", ""))


@pytest.mark.parametrize("place", [".", "golden_traces"])
def test_the_agent_may_come_from_a_conftest(shop, place):
    """At the root or beside the traces."""
    nameless(shop)
    (shop.path / place / "conftest.py").write_text(CONFTEST.format(parametrized="", agent="shop.agent"))

    assert names(shop, "--agent-replay") == ["refund"]


def test_the_nearest_conftest_wins(shop):
    """As for every fixture."""
    nameless(shop)
    (shop.path / "conftest.py").write_text(CONFTEST.format(parametrized="", agent="None"))
    (shop.path / "golden_traces" / "conftest.py").write_text(CONFTEST.format(parametrized="", agent="shop.agent"))

    assert names(shop, "--agent-replay") == ["refund"]


def test_a_parametrized_agent_makes_a_test_of_each(shop):
    """Two agents, two tests; the bad one fails."""
    nameless(shop)
    agent = "{'good': shop.agent, 'bad': lambda order: 'nothing'}[request.param]"
    (shop.path / "conftest.py").write_text(CONFTEST.format(parametrized="(params=['good', 'bad'])", agent=agent))
    found = shop.outcomes("--agent-replay")

    assert {name: test.outcome for name, test in found.items()} == {"refund[good]": "passed", "refund[bad]": "failed"}


def test_the_ini_file_may_name_the_agent(shop):
    """For traces that name none; the trace's own comes first."""
    nameless(shop)
    shop.ini("agent_replay_agent = shop:agent\n")

    assert names(shop, "--agent-replay") == ["refund"]


FIXTURES = """
import pytest

SEEN = []

@pytest.fixture(scope="session", autouse=True)
def a_session():
    SEEN.append("session")
    yield
    print("FIXTURES", " ".join(SEEN))

@pytest.fixture(scope="package", autouse=True)
def a_package(): SEEN.append("package")

@pytest.fixture(scope="module", autouse=True)
def a_module(): SEEN.append("module")

@pytest.fixture(scope="class", autouse=True)
def a_class(): SEEN.append("class")

@pytest.fixture(autouse=True)
def a_function(tmp_path, monkeypatch, request): SEEN.append("function:" + request.node.name)
"""


def test_autouse_fixtures_of_every_scope_run(shop):
    """A golden trace is a real pytest function in a real module."""
    (shop.path / "conftest.py").write_text(FIXTURES)
    found = shop.outcomes("--agent-replay", "-s", "-W", "error")

    assert found["refund"].outcome == "passed", found["refund"].shown
    assert "FIXTURES session package module class function:refund" in found.stdout


def test_properties_and_sections(shop):
    """What happened is in JUnit's properties and in the report's sections, readable without color."""
    shop.trace("failing", FAILING)
    found = shop.outcomes("--agent-replay", "--junitxml=junit.xml", "--color=no", "-W", "error")
    cases = {case.get("name"): case for case in ElementTree.parse(shop.path / "junit.xml").iter("testcase")}
    properties = {name: [one.get("value") for one in case.iter("property")] for name, case in cases.items()}

    assert any("passed" in value for value in properties["refund"])
    assert any("lookup#1" in value for value in properties["failing"])
    assert any("failing" in title and "golden_traces/failing.yaml" in text for title, text in found["failing"].sections)
    assert "\x1b" not in found.stdout


def test_listing_runs_nothing(busy):
    """`--collect-only` shows the traces by name."""
    result = busy.run("--agent-replay", "--collect-only", "-q")

    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["golden_traces/deep/er/again.yaml::deep/er/again", "golden_traces/refund.yaml::refund"]
    )


def test_an_unused_plugin_leaves_tests_alone(busy):
    """A test without our fixtures runs its tools for real, in a session with the flag too."""
    busy.test(
        """
        import pytest
        import shop

        def test_real():
            with pytest.raises(AssertionError, match="a real read"):
                shop.lookup("o-1")
        """
    )

    assert "test_real" in names(busy, "--agent-replay")
