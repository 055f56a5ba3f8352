"""The history: steps are taken as they come, and each index reads each of them once."""

from __future__ import annotations

import pytest

from pytest_agentreplay.errors import TraceFormatError
from pytest_agentreplay.guards.history import History
from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.trace import ModelStep, StateStep, ToolStep


class Names:
    """Remembers the tools that were called, from one letter on."""

    def __init__(self, first: str = "a") -> None:
        self.first = first
        self.seen: list[str] = []

    def read(self, step):
        if type(step) is ToolStep and step.tool >= self.first:
            self.seen.append(step.tool)


def test_steps_and_mappings_are_one():
    """A step may come as a `Step` or in the trace's form, marks included."""
    history = History([ToolStep(tool="a", args={"x": b"1"}), {"tool": "b", "args": {"x": {"$base64": "MQ=="}}}])

    assert [step.args for step in history.steps] == [{"x": b"1"}, {"x": b"1"}]
    assert len(history) == 2


def test_an_index_reads_each_step_once():
    """What is asked for again goes on where it was."""
    history = History([{"tool": "a"}])
    first = history.index(Names)
    history.add({"tool": "b"})
    history.add({"message": "user", "content": "hello"})

    assert history.index(Names) is first
    assert first.seen == ["a", "b"]


def test_an_index_that_comes_late_reads_what_was_before():
    """It doesn't matter when a rule first asks."""
    history = History([{"tool": "a"}, {"tool": "b"}])

    assert history.index(Names, "b").seen == ["b"]
    assert history.index(Names).seen == ["a", "b"]


def test_a_step_that_cannot_be_read_is_not_skipped():
    """An index that failed fails again, or a rule would judge by half of the trace."""

    class Picky:
        def read(self, step):
            raise ValueError("no")

    history = History([{"tool": "a"}])

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            history.index(Picky)


def test_plan_and_state_are_the_last_that_were_told():
    """Steps that tell neither leave both as they are; null is a state."""
    history = History()
    assert history.plan is MISSING
    assert history.state is MISSING

    history.add(ModelStep(model="m", plan={"refund": False}))
    history.add(StateStep(state={"n": 1}))
    history.add({"tool": "a", "state": None})
    history.add(ModelStep(model="m"))

    assert history.plan == {"refund": False}
    assert history.state is None


@pytest.mark.parametrize(
    ("step", "fact", "path"),
    [
        ({"tol": "a"}, "a step has one of", "steps[1]"),
        ({"tool": "a", "reslt": 1}, "unknown key `reslt`", "steps[1].reslt"),
        ({"tool": "a", "args": {"x": {"$base64": 1}}}, r"\$base64 holds", "steps[1].args.x.$base64"),
        ("a", "expected a step", "steps[1]"),
    ],
)
def test_what_is_no_step_is_refused(step, fact, path):
    """The error says which step, where in it, and what would be right."""
    with pytest.raises(TraceFormatError, match=fact) as caught:
        History([{"tool": "a"}, step])

    assert caught.value.details["path"] == path
    assert caught.value.details["next"]
