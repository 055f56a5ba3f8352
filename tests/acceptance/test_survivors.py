"""Work that outlives its run fails the test, and whatever it still does, its writes stay withheld."""

from __future__ import annotations

import pytest

TESTS = '''
import asyncio
import contextvars
import multiprocessing.pool
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import shop

LATE = 3.0
UNCHECKED = {"check": False}


def late_write(after=LATE):
    time.sleep(after)
    shop.refund("o-1", 39)


def thread(target, *args, join=False):
    made = threading.Thread(target=target, args=args, daemon=True, name="worker-" + target.__name__)
    made.start()
    if join:
        made.join()


def child():
    thread(late_write)


def grandchild():
    thread(child, join=True)


class Subclass(threading.Thread):
    def run(self):
        late_write()


def in_subclass():
    Subclass(daemon=True).start()


def in_pool():
    ThreadPoolExecutor(1).submit(late_write)


def in_other_pool():
    multiprocessing.pool.ThreadPool(1).apply_async(late_write)


def without_context():
    contextvars.Context().run(thread, late_write)


async def in_executor():
    asyncio.get_running_loop().run_in_executor(ThreadPoolExecutor(1), late_write)


SURVIVORS = [child, grandchild, in_subclass, in_pool, in_other_pool, in_executor]


@pytest.mark.parametrize("start", SURVIVORS, ids=lambda start: start.__name__)
def test_survivor(agent_replay, start):
    agent_replay("refund", lambda order: start(), check=False)


def test_survivor_in_warmed_up_pool(agent_replay, request):
    pool = ThreadPoolExecutor(2)
    pool.submit(int).result()
    agent_replay("refund", lambda order: pool.submit(late_write) and None, check=False)


def test_survivor_in_with_form(agent_replay):
    with agent_replay("refund", check=False):
        child()


@pytest.mark.asyncio
async def test_survivor_as_task(agent_replay):
    async def late():
        await asyncio.sleep(LATE)
        shop.refund("o-1", 39)

    async def agent(order):
        agent.task = asyncio.create_task(late())

    try:
        await agent_replay.arun("refund", agent, check=False)
    finally:
        with pytest.raises(BaseException):
            await agent.task
        assert not agent.task.cancelled() and not shop.WRITES.exists()


def test_later_timer(agent_replay):
    def agent(order):
        threading.Timer(LATE, shop.refund, ("o-1", 39)).start()
    agent_replay("refund", agent, check=False)


def test_survivor_and_later_queued(agent_replay):
    pool = ThreadPoolExecutor(1)

    def agent(order):
        pool.submit(time.sleep, 1.6)
        pool.submit(late_write, 0)
    agent_replay("refund", agent, check=False)


@pytest.mark.asyncio
async def test_later_call(agent_replay):
    loop = asyncio.get_running_loop()
    stops = []
    loop.set_exception_handler(lambda _, context: stops.append(context))

    def write():
        try:
            shop.refund("o-1", 39)
        except BaseException as error:
            stops.append(type(error).__name__)

    async def agent(order):
        loop.call_later(1.5, write)
    await agent_replay.arun("refund", agent, check=False)
    await asyncio.sleep(2)
    assert stops == ["RunStopped"]


def test_done_in_time(agent_replay):
    def agent(order):
        thread(time.sleep, 0.3)
        pool = ThreadPoolExecutor(2)
        pool.submit(time.sleep, 0.1)
        pool.shutdown(wait=False)
    agent_replay("refund", agent, check=False)


def test_idle_workers(agent_replay):
    def agent(order):
        agent.pools = ThreadPoolExecutor(2), multiprocessing.pool.ThreadPool(2)
        agent.pools[0].submit(int).result()
        agent.pools[1].apply(int)
    started = time.monotonic()
    agent_replay("refund", agent, check=False)
    assert time.monotonic() - started < 0.9


def test_late_but_in_time(agent_replay):
    """A thread that is done within the second belongs to the run: its calls count."""
    def agent(order):
        order = shop.lookup(order)
        def rest():
            time.sleep(0.3)
            shop.refund("o-1", 39)
            shop.notify("refunded 39")
        thread(rest)
        return "done"
    run = agent_replay("refund", agent)
    assert run.tools == ["lookup", "refund", "notify"]


def test_next(agent_replay):
    with pytest.raises(Exception, match="still at work"):
        agent_replay("refund", lambda order: thread(late_write, 1.6), check=False)

    def agent(order):
        time.sleep(1.2)
        return shop.agent(order)
    run = agent_replay("refund", agent)
    assert run.tools == ["lookup", "refund", "notify"]


def test_last():
    time.sleep(LATE + 0.5)
    assert not shop.WRITES.exists()
'''


@pytest.fixture(scope="module")
def found(make_shop):
    """One session of agents that leave work behind."""
    shop = make_shop("survivors")
    shop.test(TESTS)
    return shop.outcomes("-n", "3", "test_it.py")  # they mostly wait


WORK = {
    "[child]": "thread 'worker-late_write' running test_it:late_write",
    "[grandchild]": "thread 'worker-late_write' running test_it:late_write",
    "[in_subclass]": "Subclass",
    "[in_pool]": "pool job running test_it:late_write",
    "[in_other_pool]": "pool job running",
    "[in_executor]": "pool job running test_it:late_write",
    "_in_warmed_up_pool": "pool job running test_it:late_write",
    "_in_with_form": "worker-late_write",
    "_as_task": "late",
    "_and_later_queued": "sleep",
}


@pytest.mark.parametrize("name", WORK)
def test_unfinished_work_fails_the_test(found, name):
    """Threads, their threads, pool jobs, jobs of pools that were there before, tasks: named, expected or not."""
    survivor = found[f"test_survivor{name}"]

    assert survivor.outcome == "failed", survivor.shown
    assert "still at work" in survivor.shown and WORK[name] in survivor.shown


@pytest.mark.parametrize("name", ["test_later_timer", "test_later_call"])
def test_what_has_not_begun_is_no_survivor(found, name):
    """A timer and a scheduled call have not begun; their writes are withheld when they do."""
    assert found[name].outcome == "passed", found[name].shown


@pytest.mark.parametrize("name", ["test_done_in_time", "test_idle_workers", "test_late_but_in_time"])
def test_work_that_is_done_within_a_second_is_fine(found, name):
    """So are idle pool workers, and nobody waits for them."""
    assert found[name].outcome == "passed", found[name].shown


def test_a_survivor_does_not_disturb_the_next_run(found):
    """Its calls are withheld, and count in no other run."""
    assert found["test_next"].outcome == "passed", found["test_next"].shown


def test_no_write_runs_later(found):
    """Seconds after the run, whatever it left behind has written nothing."""
    assert found["test_last"].outcome == "passed", found["test_last"].shown
