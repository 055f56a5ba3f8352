"""What one call of a tool costs; run by pytest in a project of its own, since a replay needs a test session."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from measuring import best
from shop import agent

from pytest_agentreplay import load_trace, tool

FOUND = Path(__file__).with_name("found.json")
STEPS = (10, 100, 1000)


def plain(order, page):
    """Do what a small function does."""
    return page


async def aplain(order, page):
    """Do the same, as a coroutine."""
    return page


decorated, adecorated = tool(plain), tool(aplain)


def _note(**figures):
    known = json.loads(FOUND.read_text()) if FOUND.exists() else {}
    FOUND.write_text(json.dumps(known | figures))


def _calls(function):
    return best(lambda: [function("o-1", page=1) for _ in range(1000)]) / 1000


def _awaits(function):
    async def loop():
        for _ in range(1000):
            await function("o-1", page=1)

    return best(lambda: asyncio.run(loop())) / 1000


def test_before_any_run():
    """A decorated tool outside a session."""
    _note(plain=_calls(plain), outside=_calls(decorated), aplain=_awaits(aplain), aoutside=_awaits(adecorated))


def test_replays(agent_replay):
    """Whole runs, of ever more calls."""
    for calls in STEPS:
        trace = load_trace(Path(__file__).with_name(f"calls{calls}.yaml"))

        def replay(trace=trace):
            agent_replay(trace, agent)
            agent_replay.results.clear()

        _note(**{f"run{calls}": best(replay)})


def test_after_a_run():
    """A decorated tool once a run is over, when what outlived it would be withheld."""
    _note(after=_calls(decorated), aafter=_awaits(adecorated))
