"""The call phase of a test that replays: what the agent swallowed still fails it.

Registered with the first replay of a session, so that a session without one
pays nothing.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, ClassVar
from unittest import SkipTest

import pytest

from pytest_agentreplay.errors import SettingsError
from pytest_agentreplay.plugin.facts import cleaned, facts_of, sections_of
from pytest_agentreplay.plugin.settings import settings_of

if TYPE_CHECKING:
    from pytest_agentreplay.plugin.scopes import ReplayingTest


_EXCUSES = (pytest.skip.Exception, pytest.xfail.Exception, SkipTest)
"""What a test is excused by; it excuses no divergence that the test was not told of."""


class CallPhase:
    """Settles every test that used the fixture, and adds what it did to its report."""

    KEY: ClassVar[pytest.StashKey[ReplayingTest]] = pytest.StashKey()
    _NAME = "agent_replay_call_phase"

    @classmethod
    def watch(cls, config: pytest.Config) -> None:
        """Register once."""
        if not config.pluginmanager.has_plugin(cls._NAME):
            config.pluginmanager.register(cls(), cls._NAME)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Fail the test for what it was not told."""
        __tracebackhide__ = True
        fixture = item.stash.get(self.KEY, None)
        if fixture is None:
            return (yield)
        try:
            outcome = yield
        except (Exception, *_EXCUSES) as error:
            settle(fixture, error)
            raise
        settle(fixture, None)
        fixture.keep()
        return outcome

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add facts, sections and properties to the report of the call."""
        report = yield
        fixture = item.stash.get(self.KEY, None)
        if fixture is not None and call.when == "call":
            redactor = settings_of(item.config).redactor if item.config.option.agent_replay_report else None
            facts = [facts_of(result, report.outcome, redactor) for result in fixture.results]
            facts += [cleaned(streamed, redactor) for streamed in fixture.streamed]
            report.agent_replay = facts  # type: ignore[attr-defined]
            told = [("agent_replay", f"{fact['trace']}: {fact['failure'] or fact['outcome']}") for fact in facts]
            report.user_properties.extend(told)
            item.user_properties.extend(told)  # JUnit's reporter takes those of the teardown's report
            report.sections.extend(sections_of(fixture.results, verbose=item.config.get_verbosity() > 0))
        return report


def is_in_section(item: pytest.Item, error: BaseException) -> bool:
    """Tell whether a report section of the test shows an error in full."""
    fixture = item.stash.get(CallPhase.KEY, None)
    return fixture is not None and any(result.failure is error for result in fixture.results)


def settle(fixture: ReplayingTest, raised: BaseException | None) -> None:
    """Raise what the agent hid from the test, or the test from us."""
    __tracebackhide__ = True
    for result in fixture.results:
        result.failure = result.failure or result.active.left_open() or result.active.late_survivors()
    untold = [result for result in fixture.results if result.failure is not None and not result.told]
    for result in untold:
        result.told = True
    if untold and (raised is None or isinstance(raised, _EXCUSES)):
        failure = untold[0].failure
        assert failure is not None
        raise failure
    unentered = [scope.name for scope in fixture.unentered]
    fixture.unentered.clear()
    if raised is None and unentered:
        raise SettingsError(
            f"agent_replay({unentered[0]!r}) ran nothing: it was given no agent and never entered, or never awaited",
            next="write `with agent_replay(...) as run:`, hand it the agent, or await what arun gives",
        )
