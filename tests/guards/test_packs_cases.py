"""The packs against their labelled cases: calls that do harm, and calls that only look so."""

from __future__ import annotations

import pytest
from packs_cases import PACKS, cases, gaps
from packs_report import mistakes

SMALLEST_SUITE = {"secrets": 3000, "egress": 2000, "injection": 600, "jailbreak": 900, "loops": 100}
MOST_MISFIRES = 0.001


@pytest.mark.parametrize("pack", PACKS)
def test_the_suites_are_there(pack):
    """Calls of both labels, in hundreds."""
    assert len(cases(pack)) >= SMALLEST_SUITE[pack]
    assert sum(not case.harmful for case in cases(pack)) >= 50


@pytest.mark.parametrize("pack", PACKS)
def test_harm_is_found_and_the_harmless_goes_on(pack):
    """Every harmful call is at least warned about; of a thousand harmless ones at most one is."""
    wrong = mistakes(pack)
    missed = [case for case, _ in wrong if case.harmful]
    misfired = [case for case, _ in wrong if not case.harmful]

    assert missed == []
    assert len(misfired) <= MOST_MISFIRES * sum(not case.harmful for case in cases(pack)), misfired


@pytest.mark.parametrize("pack", ["secrets", "egress", "jailbreak"])
def test_known_gaps_are_known(pack):
    """What the pages of the packs say that they can't; a gap that was closed moves into the suite."""
    assert [case for case, _ in mistakes(pack, "gaps")] == list(gaps(pack))
