"""Findings in policies: rules that fail their own tests, exceptions that want a look.

Also the policies that a trace names. Rules are tried on their tests and on nothing
else. Nothing here knows of terminals.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from pytest_agentreplay.api.policies import load_policy
from pytest_agentreplay.cli.findings import Finding
from pytest_agentreplay.errors import PolicyFormatError
from pytest_agentreplay.guards.notes import policy_notes
from pytest_agentreplay.guards.policy import Policy
from pytest_agentreplay.guards.selftest import CaseRun, failures
from pytest_agentreplay.trace import Trace


def policy_findings(policy: Policy, today: date) -> Iterator[Finding]:
    """Try the rules of a policy on their tests, and look its exceptions over."""
    for failure in _failures(policy):
        yield Finding("error", failure.path, failure.fact, "correct the rule, or its test")
    for note in policy_notes(policy, today):
        yield Finding("warning", note.path, note.fact, note.remedy)
    if not policy.rules:
        yield Finding("warning", (), "no rule and no pack: it objects to nothing", "add `rules`, or `use` a pack")


def _failures(policy: Policy) -> list[CaseRun]:
    with contextlib.redirect_stdout(sys.stderr):  # what rules in Python print is no problem of the file
        return failures(policy)


def named_policies(trace: Trace, base: Path) -> Iterator[Finding]:
    """Look for the policies that a trace names, relative to where it lies."""
    for index, name in enumerate(trace.policies):
        try:
            load_policy(os.path.normpath(base / name))
        except PolicyFormatError as error:
            remedy = (
                "correct the path: it is relative to this file" if not (base / name).exists() else "correct the policy"
            )
            yield Finding("error", ("policies", index), f"the policy {name} can't be used: {error.fact}", remedy)
