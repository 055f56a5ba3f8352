"""Comparison: where a run parts from its golden trace, and why.

Engines over plain data. Nothing here knows of pytest, sessions or files.
"""

from pytest_agentreplay.compare.alignment import Alignment, align
from pytest_agentreplay.compare.calls import Call, calls_of
from pytest_agentreplay.compare.differences import Difference, differences
from pytest_agentreplay.compare.divergence import Divergence
from pytest_agentreplay.compare.expectations import judge, judge_verdicts_of
from pytest_agentreplay.compare.judgement import trajectories
from pytest_agentreplay.compare.observed import Observed
from pytest_agentreplay.compare.side_by_side import side_by_side

__all__ = [
    "Alignment",
    "Call",
    "Difference",
    "Divergence",
    "Observed",
    "align",
    "calls_of",
    "differences",
    "judge",
    "judge_verdicts_of",
    "side_by_side",
    "trajectories",
]
