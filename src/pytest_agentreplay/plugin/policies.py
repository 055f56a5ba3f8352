"""Policies as tests: every call that a rule is tried on in its policy file is one test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_agentreplay.errors import AgentReplayError, PolicyFormatError
from pytest_agentreplay.yaml_codec import locate

if TYPE_CHECKING:
    from pytest_agentreplay.guards.policy import Policy


class RuleTestFailure(AgentReplayError):  # noqa: N818 - a failed test, told as such
    """A rule decides a call otherwise than its test says."""


class PolicyFile(pytest.File):
    """One policy file."""

    def collect(self) -> Iterable[pytest.Item]:
        """Make a test of every case of every rule; one that fails where the policy can't be read."""
        from pytest_agentreplay.api.policies import load_policy
        from pytest_agentreplay.plugin.settings import settings_of

        settings_of(self.config)  # which registers the plugins that may add packs
        try:
            policy = load_policy(self.path)
        except PolicyFormatError as error:
            return [BrokenPolicyItem.from_parent(self, name="policy", error=error)]
        return list(self._cases(policy))

    def _cases(self, policy: Policy) -> Iterator[pytest.Item]:
        from pytest_agentreplay.guards.selftest import cases_of

        for index, spec in enumerate(policy.spec.rules):
            for expected, number, _ in cases_of(spec):
                name = f"{spec.id}[{expected}-{number + 1}]"
                yield RuleCaseItem.from_parent(self, name=name, policy=policy, place=(index, expected, number))


class _PolicyItem(pytest.Item):
    """A test of a policy, shown without frames: nobody needs ours to mend a rule."""

    def reportinfo(self) -> tuple[Path, int, str]:
        """Say where the test is: in its policy."""
        return self.path, 0, self.name

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show our own errors as text."""
        if isinstance(excinfo.value, AgentReplayError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)


class BrokenPolicyItem(_PolicyItem):
    """The one test of a policy that can't be read."""

    def __init__(self, *, error: PolicyFormatError, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._error = error

    def runtest(self) -> None:
        """Fail with what is wrong."""
        raise self._error


class RuleCaseItem(_PolicyItem):
    """One call that a rule is tried on."""

    def __init__(self, *, policy: Policy, place: tuple[int, str, int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._policy = policy
        self._place = place

    def runtest(self) -> None:
        """Try the rule on the call."""
        from pytest_agentreplay.guards.selftest import cases_of, run_case

        index, expected, number = self._place
        spec = self._policy.spec.rules[index]
        rule = next(rule for rule in self._policy.rules if rule.id == spec.id)
        path = ("rules", index, "tests", expected, number)
        case = next(case for kind, at, case in cases_of(spec) if (kind, at) == (expected, number))
        run = run_case(self._policy, rule, spec, expected, case, path)  # type: ignore[arg-type]
        if not run.passed:
            line, column = locate(self.path.read_text(encoding="utf-8"), path)
            raise RuleTestFailure(run.fact, at=f"{self.path}:{line}:{column}", next="mend the rule, or its test")
