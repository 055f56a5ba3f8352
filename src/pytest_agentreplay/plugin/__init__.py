"""pytest's entry point: options, fixtures and hooks that delegate.

Loaded into every test session of the environment, so it imports nothing of this
package and nothing that pytest hasn't imported; what a hook needs it imports
when it is needed. (PYTEST_DONT_REWRITE)
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_agentreplay.plugin.fixture import AgentReplay
    from pytest_agentreplay.snapshots.assertion import StateSnapshot

_MARKER = (
    "agent_replay(allow_hosts=[], allow_paths=[], allow_processes=[], env=None, freeze=[], model=None, traces=None, "
    "tags=None): "
    "what a replay in this test may reach around its tools, and which golden traces `golden_trace` stands for"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flags and ini keys."""
    group = parser.getgroup("agent replay", "golden traces of agents, replayed with every tool stubbed")
    add = group.addoption
    add("--agent-replay", dest="agent_replay", action="store_true", help="collect golden traces, print the summary")
    add(
        "--agent-record",
        dest="agent_replay_record",
        choices=("none", "once", "rewrite"),
        default="none",
        help="run real tools: never (none), for traces that have no file yet (once), again (rewrite)",
    )
    add(
        "--agent-update",
        dest="agent_replay_update",
        action="store_true",
        help="accept what the run under test did: rewrite the baselines that diverged",
    )
    add(
        "--agent-replay-live-reads",
        dest="agent_replay_live_reads",
        action="store_true",
        help="run read tools for real and report drift; writes stay withheld",
    )
    add(
        "--agent-report",
        dest="agent_replay_report",
        action="append",
        metavar="FILE",
        help="write a report, .html or .json by its ending; repeatable",
    )
    add("--agent-policy", dest="agent_replay_policy", action="append", metavar="FILE", help="add a policy; repeatable")
    add("--agent-env", dest="agent_replay_environment", metavar="NAME", help="environment that policies are judged in")
    add(
        "--agent-guard",
        dest="agent_replay_guard",
        choices=("enforce", "audit", "off"),
        help="raise on block, only report, or don't evaluate",
    )
    add(
        "--agent-model",
        dest="agent_replay_model",
        choices=("recorded", "live"),
        default="recorded",
        help="answer the model from its recording, or ask it for real with every tool stubbed (recorded)",
    )
    ini = parser.addini
    ini("agent_replay_dirs", "directories of golden traces (golden_traces)", "linelist")
    ini("agent_replay_policies", "policies of every session", "linelist")
    ini("agent_replay_env", "environment that policies are judged in (production)")
    ini("agent_replay_agent", "agent of golden traces that name none, as module:callable")
    ini("agent_replay_tools", "effects, `name = read`, and swaps, `module:function = write`", "linelist")
    ini("agent_replay_ignore_args", "argument paths left out of answering and comparing", "linelist")
    ini("agent_replay_ignore_body", "fields of requests to the model that are left out of matching", "linelist")
    ini("agent_replay_ignore_tools", "tools, by pattern, that need not pass the boundary", "linelist")
    ini("agent_replay_redact", "more to redact, or kinds that stay", "linelist")
    ini("agent_replay_freeze", "freeze what agents depend on to their recordings: time, random, ids, or all", "args")
    ini("agent_replay_mask", "more to mask in snapshots of state, or kinds that stay", "linelist")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker; with one of our flags, check what it needs."""
    config.addinivalue_line("markers", _MARKER)
    option = config.option
    if (
        option.agent_replay
        or option.agent_replay_report
        or option.agent_replay_policy
        or option.agent_replay_environment
        or option.agent_replay_guard
    ):
        from pytest_agentreplay.plugin.start import start

        start(config)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect golden traces: with the flag, and those named on the command line."""
    if file_path.suffix != ".yaml":
        return None
    named = parent.session.isinitpath(file_path)
    if not named and not parent.config.option.agent_replay:
        return None
    from pytest_agentreplay.plugin.collection import collect_file

    return collect_file(file_path, parent)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize tests that ask for `golden_trace`."""
    if "golden_trace" in metafunc.fixturenames:
        from pytest_agentreplay.plugin.collection import parametrize_golden_trace

        parametrize_golden_trace(metafunc)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print what the golden traces did, and write reports."""
    if config.option.agent_replay or config.option.agent_replay_report or config.option.agent_replay_update:
        from pytest_agentreplay.plugin.summary import summarize

        summarize(terminalreporter, config)


@pytest.fixture
def agent_replay(request: pytest.FixtureRequest) -> Iterator[AgentReplay]:
    """Give the test what replays golden traces; see `plugin.fixture.AgentReplay`."""
    from pytest_agentreplay.plugin.fixture import replaying

    with replaying(request) as fixture:
        yield fixture


@pytest.fixture
def golden_trace(request: pytest.FixtureRequest) -> Path:
    """Give the path of a golden trace: each under ``agent_replay_dirs``, or the one that is being replayed."""
    path: Path = getattr(request, "param", None) or request.path
    return path


@pytest.fixture
def state_snapshot(request: pytest.FixtureRequest) -> StateSnapshot:
    """Give the test snapshots of an agent's state: `assert run.state_after("end") == state_snapshot`; needs syrupy."""
    from pytest_agentreplay.plugin.state_snapshots import state_snapshot_of

    return state_snapshot_of(request)
