"""The shell pack on commands that a grammar makes. They are data: none is ever run."""

from __future__ import annotations

import pytest
from shell_grammar import HARMFUL, HARMLESS, harmful, harmless
from shell_report import wrong

SAMPLES = 3000
SEEDS = (20, 26)
MOST_MISFIRES = 0.001


def _shown(misjudged):
    return {category: [sample.command for sample in found[:3]] for category, found in misjudged.items()}


@pytest.mark.parametrize("seed", SEEDS)
def test_every_harmful_core_is_found_in_every_disguise(seed):
    """Flags in any order, names spelled otherwise, wrappers, nesting, encodings, compound commands."""
    counts, missed = wrong(harmful(SAMPLES, seed), is_harmful=True)

    assert counts.keys() == HARMFUL.keys()
    assert not missed, _shown(missed)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_only_looks_harmful_is_let_through(seed):
    """Messages, patterns, documents, questions about programs, their read-only and local uses."""
    counts, flagged = wrong(harmless(SAMPLES, seed), is_harmful=False)

    assert counts.keys() >= HARMLESS.keys()
    assert sum(map(len, flagged.values())) <= MOST_MISFIRES * SAMPLES, _shown(flagged)


def test_a_seed_makes_the_same_commands():
    """What fails can be made again."""
    assert list(harmful(50, 1)) == list(harmful(50, 1))
    assert list(harmful(50, 1)) != list(harmful(50, 2))
