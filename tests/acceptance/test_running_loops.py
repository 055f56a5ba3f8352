"""Where an event loop is running, the call form names the async one, however the async agent is disguised."""

from __future__ import annotations

import functools
import gc

import pytest

from pytest_agentreplay import Trace
from pytest_agentreplay.errors import SettingsError


async def agent(value=1):
    return value


class Agent:
    async def __call__(self):
        return 1

    async def run(self):
        return 1


async def stream():
    yield 1


AGENTS = [agent, functools.partial(agent, 2), lambda: agent(), Agent(), Agent().run, stream]


@pytest.mark.asyncio
@pytest.mark.parametrize("agent", AGENTS, ids=["function", "partial", "lambda", "object", "method", "stream"])
async def test_the_call_form_names_arun(agent_replay, agent):
    """It is a misuse of the fixture and no divergence; and no coroutine is left that nobody awaited."""
    with pytest.raises(SettingsError, match="arun"):
        agent_replay(Trace(), agent)
    gc.collect()

    run = await agent_replay.arun(Trace(), agent)
    assert run.output in (1, 2, [1])


@pytest.mark.parametrize("agent", AGENTS, ids=["function", "partial", "lambda", "object", "method", "stream"])
def test_without_a_loop_the_call_form_runs_it(agent_replay, agent):
    """A coroutine is run, a stream is read."""
    assert agent_replay(Trace(), agent).output in (1, 2, [1])


def test_a_replay_inside_a_replay_is_refused(agent_replay):
    """One run is active at a time; the outer one is over then, and the next may begin."""
    with pytest.raises(SettingsError, match="still running"):
        agent_replay(Trace(), lambda: agent_replay(Trace(), agent))

    assert agent_replay(Trace(), agent).output == 1
