"""A run that went as recorded is judged without holding its calls against the golden ones again."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pytest_agentreplay.compare import judge
from pytest_agentreplay.redaction import Redactor
from pytest_agentreplay.runtime.boundary import Raises
from pytest_agentreplay.runtime.limits import Limits
from pytest_agentreplay.runtime.run import Run
from pytest_agentreplay.runtime.session import Session, SessionOptions
from pytest_agentreplay.tools.effects import EffectResolver
from pytest_agentreplay.tools.spec import ToolSpec
from pytest_agentreplay.trace import Expect, ToolStep, Trace
from pytest_agentreplay.trace.model import ReplayOptions


def _look(x, y=0): ...
def _send(x, y=0): ...


SPECS = {
    "look": ToolSpec("look", _look, kind="function", effect="read"),
    "send": ToolSpec("send", _send, kind="function"),
}
REDACTOR = Redactor.from_settings()

arguments = st.fixed_dictionaries(
    {"x": st.sampled_from([1, 1.0, True, "a", "[redacted:email:1]", "a@b.example"])}
).flatmap(lambda args: st.sampled_from([args, {**args, "y": 0}, {**args, "y": 1}]))
calls = st.lists(st.tuples(st.sampled_from(sorted(SPECS)), arguments), max_size=5)
golden_calls = st.lists(
    st.tuples(
        st.sampled_from(sorted(SPECS)),
        arguments,
        st.sampled_from([None, None, 1]),
        st.sampled_from([None, None, "user"]),
    ),
    max_size=5,
)


def _session(golden, ignored=()):
    options = SessionOptions(mode="replay", effects=EffectResolver({}, {}), redactor=REDACTOR, ignore_args=ignored)
    return Session(golden, options, Limits(None, None))


def _golden(recorded, match="args"):
    steps = [
        ToolStep(
            tool=tool, args=args, result=1, **({"group": group} if group else {}), **({"actor": actor} if actor else {})
        )
        for tool, args, group, actor in recorded
    ]
    return Trace(steps=steps, replay=ReplayOptions(match=match))


def _made(session, made):
    for tool, args in made:
        session.admit(SPECS[tool], (), args)
    session.end()
    return Run(session).observed()


@given(golden_calls, calls, st.booleans(), st.sampled_from(["args", "order", "name"]), st.sampled_from([(), ("y",)]))
def test_what_went_as_recorded_has_no_divergence_either_way(recorded, made, follows, match, ignored):
    """The short way finds what the long way finds, in every way of comparing trajectories."""
    golden = _golden(recorded, match)
    if follows:
        made = [(tool, args) for tool, args, _, actor in recorded if actor is None]
    observed = _made(_session(golden, ignored), made)
    long_way = replace(observed, as_recorded=False)

    for expect in (
        None,
        *(Expect(trajectory=one) for one in ("strict", "in_order", "unordered", "superset", "writes")),
    ):
        assert judge(expect, golden, observed) == judge(expect, golden, long_way)


def test_the_short_way_is_taken_by_a_run_that_follows_its_recording():
    """Arguments left out equal their defaults; a number equals itself as another type; a boolean doesn't."""
    golden = _golden([("look", {"x": 1}, None, None), ("send", {"x": 2}, None, None)])

    assert _made(_session(golden), [("look", {"x": 1.0, "y": 0}), ("send", {"x": 2})]).as_recorded
    assert not _made(_session(golden), [("look", {"x": True}), ("send", {"x": 2})]).as_recorded
    assert not _made(_session(golden), [("send", {"x": 2}), ("look", {"x": 1})]).as_recorded
    assert not _made(_session(golden), [("look", {"x": 1})]).as_recorded
    assert not _made(_session(golden), [("look", {"x": 1}), ("send", {"x": 2}), ("look", {"x": 1})]).as_recorded


def test_a_value_that_stands_for_another_is_compared_the_long_way():
    """A placeholder is answered by what it stands for, and is not the same argument."""
    golden = _golden([("look", {"x": "[redacted:email:1]"}, None, None)])
    session = _session(golden)
    outcome = session.admit(SPECS["look"], (), {"x": "a@b.example"})
    session.end()
    observed = Run(session).observed()

    assert not isinstance(outcome, Raises)
    assert not observed.as_recorded
    assert judge(None, golden, observed) == []


def test_arguments_ignored_by_the_session_are_ignored_in_comparing_too():
    """The ini key does for every trace what `replay.ignore_args` does for one."""
    golden = _golden([("look", {"x": 1, "y": 5}, None, None), ("send", {"x": 1}, None, None)])
    moved = [("send", {"x": 1}), ("look", {"x": 1, "y": 7})]

    found = judge(None, golden, _made(_session(golden, ("y",)), moved))

    assert [one.kind for one in found] == ["order"]
