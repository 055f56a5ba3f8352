"""Which run started a thread, a pool job or a task, and what of it is still at work."""

from __future__ import annotations

import _thread
import asyncio
import contextvars
import functools
import gc
import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.pool import Pool, ThreadPool
from typing import Any

import anyio.to_thread
import pytest

from pytest_agentreplay.runtime import propagation
from pytest_agentreplay.runtime.children import RUN_ENVIRONMENT, in_child_of_run, run_marker
from pytest_agentreplay.runtime.lineage import Lineage, Work, current, current_mark, is_forked_child, outside


@pytest.fixture(autouse=True)
def installed() -> Iterator[None]:
    """Lineages are handed on during each test."""
    propagation.install()
    yield
    propagation.uninstall()


@pytest.fixture
def run() -> Lineage:
    """A run that nothing belongs to yet."""
    return Lineage()


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """What work waits for; set at the end of the test, so that nothing outlives it."""
    event = threading.Event()
    yield event
    event.set()


class Seen:
    """A callable that notes which run it was called in, and can be waited for."""

    def __init__(self) -> None:
        self.runs: list[Lineage | None] = []
        self.called = threading.Event()

    def __call__(self, *_: object) -> None:
        self.runs.append(current())
        self.called.set()

    def wait(self) -> Lineage | None:
        assert self.called.wait(5)
        return self.runs[-1]


def _starters(seen: Seen) -> dict[str, Callable[[], object]]:
    """Ways to start work that is joined before the function returns."""

    def thread() -> None:
        thread = threading.Thread(target=seen)
        thread.start()
        thread.join(5)

    def subclass() -> None:
        class Runs(threading.Thread):
            def run(self) -> None:
                seen()

        own = Runs(daemon=True)
        own.start()
        own.join(5)

    def timer() -> None:
        timer = threading.Timer(0.01, seen)
        timer.start()
        timer.join(5)

    def raw() -> None:
        _thread.start_new_thread(seen, ())

    def pool() -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(seen)

    def callback() -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(time.sleep, 0.02).add_done_callback(seen)

    def initializer() -> None:
        with ThreadPoolExecutor(1, initializer=seen) as pool:
            pool.submit(int).result(5)

    def grandchild() -> None:
        child = threading.Thread(target=thread)
        child.start()
        child.join(5)

    def grandchild_of_pool() -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(thread).result(5)

    def in_executor() -> None:
        async def main() -> None:
            await asyncio.get_running_loop().run_in_executor(None, seen)

        asyncio.run(main())

    def to_thread() -> None:
        asyncio.run(asyncio.to_thread(seen))  # type: ignore[arg-type]

    def in_anyio() -> None:
        anyio.run(anyio.to_thread.run_sync, seen)

    def task() -> None:
        async def main() -> None:
            await asyncio.create_task(asyncio.to_thread(seen))

        asyncio.run(main())

    return {name: start for name, start in locals().items() if callable(start) and name != "seen"}


@pytest.mark.parametrize("way", sorted(_starters(Seen())))
def test_work_belongs_to_the_run_that_started_it(run: Lineage, way: str) -> None:
    """Whatever starts the work, it carries the starter's lineage."""
    seen = Seen()

    with run.entered():
        _starters(seen)[way]()

    assert seen.wait() is run


@pytest.mark.parametrize("way", sorted(_starters(Seen())))
def test_work_that_no_run_started_belongs_to_none(way: str) -> None:
    """Outside a run nothing is carried."""
    seen = Seen()

    _starters(seen)[way]()

    assert seen.wait() is None


@pytest.mark.parametrize(
    "submit",
    [
        lambda pool, seen: pool.apply_async(seen),
        lambda pool, seen: pool.apply_async(int, callback=seen),
        lambda pool, seen: pool.apply_async(int, ("x",), error_callback=seen),
        lambda pool, seen: pool.map(seen, [1]),
        lambda pool, seen: pool.starmap_async(seen, [(1,)]),
        lambda pool, seen: pool.map_async(int, [1], callback=seen),
        lambda pool, seen: list(pool.imap(seen, [1])),
        lambda pool, seen: list(pool.imap_unordered(seen, [1, 2, 3], chunksize=2)),
        lambda pool, seen: list(pool.imap(int, (seen() or 1 for _ in range(1)))),
    ],
    ids=["apply", "callback", "error callback", "map", "starmap", "map callback", "imap", "unordered", "items"],
)
def test_jobs_of_a_warmed_up_thread_pool_belong_to_their_submitter(
    run: Lineage, submit: Callable[[Any, Seen], object]
) -> None:
    """A pool of multiprocessing made before the run runs the run's jobs, callbacks and items as the run's."""
    seen = Seen()

    with ThreadPool(1) as pool:
        pool.apply(int)
        with run.entered():
            submit(pool, seen)
        within = seen.wait()
        seen.called.clear()
        submit(pool, seen)
        after = seen.wait()

    assert (within, after) == (run, None)


def test_jobs_of_a_warmed_up_executor_belong_to_their_submitter(run: Lineage) -> None:
    """A worker that was started before the run, or by it, has no lineage of its own."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()
        with run.entered():
            within = pool.submit(current).result()
        after = pool.submit(current).result()

    assert (within, after) == (run, None)


def test_a_worker_started_by_a_run_has_no_lineage_of_its_own(run: Lineage) -> None:
    """A later job from elsewhere is not taken for the run's."""
    with ThreadPoolExecutor(1) as pool:
        with run.entered():
            pool.submit(int).result()

        assert pool.submit(current).result() is None


def test_the_initializer_of_a_thread_pool_belongs_to_the_run(run: Lineage) -> None:
    """The worker is nobody's, its initializer is the run's."""
    seen = Seen()

    with run.entered():
        pool = ThreadPool(1, initializer=seen)
    pool.terminate()

    assert seen.wait() is run


def test_entering_is_undone(run: Lineage) -> None:
    """After the block the code belongs to what it belonged to before."""
    outer = Lineage()

    with outer.entered():
        with run.entered():
            inside = current()
        between = current()

    assert (inside, between, current()) == (run, outer, None)


def test_a_thread_s_body_is_in_flight_from_start_to_end(run: Lineage, release: threading.Event) -> None:
    """Daemon threads count too; the name says what runs and where."""
    with run.entered():
        thread = threading.Thread(target=release.wait, args=(5,), name="worker-3", daemon=True)
        thread.start()
        (work,) = _eventually(run.in_flight)
        release.set()
        thread.join(5)

    assert work.kind == "thread"
    assert work.name.startswith("thread 'worker-3' running threading:Event.wait (")
    assert 0 <= work.age < 5
    assert run.in_flight() == []


def test_a_pool_job_counts_while_it_runs_only(run: Lineage, release: threading.Event) -> None:
    """A queued job has not begun, and an idle worker is no work."""
    with run.entered(), ThreadPoolExecutor(1) as pool:
        blocking = pool.submit(functools.partial(release.wait, 5))
        queued = pool.submit(int)
        (work,) = _eventually(run.in_flight)
        queued_counts = len(run.in_flight()) > 1
        release.set()
        blocking.result(5), queued.result(5)
        left = run.wait_idle(1)

    assert work.kind == "pool job"
    assert "threading:Event.wait" in work.name
    assert (queued_counts, left) == (False, [])


@pytest.mark.parametrize("make", [lambda: ThreadPool(2), lambda: ThreadPoolExecutor(2), lambda: Pool(1)])
def test_idle_workers_and_pool_machinery_are_no_work(run: Lineage, make: Callable[[], Any]) -> None:
    """A run that leaves an idle pool behind leaves nothing in flight."""
    with run.entered():
        pool = make()
        (pool.submit(int) if isinstance(pool, ThreadPoolExecutor) else pool.apply_async(int))
        left = run.wait_idle(2)
    pool.shutdown() if isinstance(pool, ThreadPoolExecutor) else pool.terminate()

    assert left == []


def test_idle_anyio_workers_are_no_work(run: Lineage) -> None:
    """An anyio worker that waits for its next job is not in flight."""

    async def main() -> list[Work]:
        await anyio.to_thread.run_sync(int)
        return run.in_flight()

    with run.entered():
        left = asyncio.run(main())

    assert left == []


def test_a_timer_counts_once_it_fires(run: Lineage, release: threading.Event) -> None:
    """A timer that has not fired has not begun, but what it will call belongs to the run."""
    with run.entered():
        waiting = threading.Timer(60, release.wait)
        waiting.start()
        before = run.in_flight()
        function = waiting.function
        waiting.cancel()
        fired = threading.Timer(0, release.wait, (5,))
        fired.start()
        (work,) = _eventually(run.in_flight)

    waiting.join(5)
    assert before == []
    assert work.name == f"thread running {work.name.partition('running ')[2]}"
    assert "Event.wait" in work.name
    assert function is not None
    assert waiting.function == release.wait


def test_what_a_generator_of_items_does_is_in_flight(run: Lineage, release: threading.Event) -> None:
    """A pool draws items in its own thread; drawing is the run's work."""

    def items() -> Iterator[int]:
        release.wait(5)
        yield 1

    with ThreadPool(1) as pool, run.entered():
        results = pool.imap(int, items())
        (work,) = _eventually(run.in_flight)
        release.set()

        assert "items" in work.name
        assert list(results) == [1]


def test_a_task_is_in_flight_until_it_is_done(run: Lineage) -> None:
    """Tasks are named by their coroutine; the current one is not in the list."""

    async def poll(gate: asyncio.Event) -> None:
        await gate.wait()

    async def main() -> tuple[list[Work], list[Work]]:
        gate = asyncio.Event()
        task = asyncio.create_task(poll(gate), name="poller")
        during = run.in_flight()
        gate.set()
        await task
        return during, run.in_flight()

    with run.entered():
        during, after = asyncio.run(main())

    assert [work.kind for work in during] == ["task"]
    assert during[0].name.startswith("task 'poller' running ")
    assert "poll (" in during[0].name
    assert after == []


def test_a_task_is_not_kept_alive(run: Lineage) -> None:
    """Done tasks and what they hold are collected."""

    class Held:
        pass

    async def use(held: Held) -> None:
        await asyncio.sleep(0)

    async def main() -> weakref.ref[Held]:
        held = Held()
        await asyncio.create_task(use(held))
        return weakref.ref(held)

    with run.entered():
        ref = asyncio.run(main())
    gc.collect()

    assert ref() is None


def test_a_task_of_a_closed_loop_is_not_in_flight(run: Lineage) -> None:
    """What can never go on is no work."""

    async def forever() -> None:
        await asyncio.Event().wait()

    loop = asyncio.new_event_loop()
    with run.entered():
        coroutine = forever()
        task = loop.create_task(coroutine)
        stopped = run.in_flight()
        begun = time.monotonic()
        run.wait_idle(5)
        waited = time.monotonic() - begun
        task.cancel()
        loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
        pending = loop.create_task(asyncio.sleep(0))
        loop.close()

    assert [work.kind for work in stopped] == ["task"]
    assert waited < 1, "a loop that does not run is not waited for"
    assert run.in_flight() == []
    pending.get_coro().close()  # type: ignore[union-attr]
    pending._log_destroy_pending = False  # type: ignore[attr-defined]


def test_a_task_in_a_context_made_before_the_run_belongs_to_it(run: Lineage) -> None:
    """A Runner keeps the context it was made in; the lineage is lent to it for the length of a task."""

    async def main() -> Lineage | None:
        return current()

    with asyncio.Runner() as runner:
        before = runner.run(main())
        with run.entered():
            within = runner.run(main())
        after = runner.run(main())

    assert (before, within, after) == (None, run, None)


def test_waiting_ends_as_soon_as_nothing_is_in_flight(run: Lineage, release: threading.Event) -> None:
    """A second is the limit, not the price."""
    with run.entered():
        threading.Thread(target=release.wait, args=(0.05,)).start()
        begun = time.monotonic()
        left = run.wait_idle(5)

    assert left == []
    assert time.monotonic() - begun < 2


def test_waiting_gives_up_after_its_time(run: Lineage, release: threading.Event) -> None:
    """Survivors are listed, the oldest first."""
    with run.entered():
        for name in ("first", "second"):
            threading.Thread(target=release.wait, args=(5,), name=name).start()
        left = run.wait_idle(0.05)

    assert [work.name.split("'")[1] for work in left] == ["first", "second"]


def test_waiting_is_immune_to_replaced_clocks(run: Lineage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests replace sleep and the clock; a run's end must still wait."""
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setattr(time, "monotonic", lambda: 0.0)
    done = threading.Event()

    with run.entered():
        threading.Thread(target=lambda: threading.Event().wait(0.1) or done.set()).start()
        left = run.wait_idle(2)

    assert (left, done.is_set()) == ([], True)


def test_waiting_inside_a_loop_lets_its_tasks_go_on(run: Lineage) -> None:
    """Tasks that end in time are no survivors; the waiting task is not waited for."""

    async def soon() -> None:
        await asyncio.sleep(0.02)

    async def never() -> None:
        await asyncio.Event().wait()

    async def main() -> tuple[list[Work], list[Work]]:
        quick = asyncio.create_task(soon())
        first = await run.wait_idle_async(2)
        stuck = asyncio.create_task(never())
        second = await run.wait_idle_async(0.05)
        assert quick.done()
        stuck.cancel()
        return first, second

    with run.entered():
        first, second = asyncio.run(main())

    assert first == []
    assert [work.kind for work in second] == ["task"]


def test_an_exception_in_a_thread_goes_where_it_always_goes(run: Lineage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exception hook sees it, and the work is over."""
    caught: list[BaseException | None] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: caught.append(args.exc_value))

    def fail() -> None:
        raise LookupError("lost")

    with run.entered():
        thread = threading.Thread(target=fail)
        thread.start()
        thread.join(5)

    assert [str(error) for error in caught] == ["lost"]
    assert run.in_flight() == []


def test_a_thread_shows_its_own_run_while_it_runs(run: Lineage) -> None:
    """Nothing of ours stays on the thread object, whether it began or could not."""
    seen: list[dict[str, Any]] = []

    class Own(threading.Thread):
        def run(self) -> None:
            seen.append({**vars(self)})

    with run.entered():
        thread = Own()
        thread.start()
        thread.join(5)
        with pytest.raises(RuntimeError):
            thread.start()

    assert "run" not in seen[0]
    assert "run" not in vars(thread)


def test_a_job_keeps_its_arguments_its_result_and_its_error(run: Lineage) -> None:
    """Carrying changes nothing that the submitter sees."""
    with run.entered(), ThreadPoolExecutor(1) as pool:
        assert pool.submit(divmod, 7, 2).result() == (3, 1)
        assert pool.submit(dict, fn=1).result() == {"fn": 1}
        assert isinstance(pool.submit(int, "x").exception(), ValueError)
        assert list(pool.map(str, [1, 2])) == ["1", "2"]


def test_outside_is_inherited_by_what_it_starts(run: Lineage) -> None:
    """A real tool's threads are as free as the tool."""

    def is_aside() -> bool:
        mark = current_mark()
        return mark is not None and mark.is_aside

    with run.entered(), ThreadPoolExecutor(1) as pool:
        before = is_aside()
        with outside():
            inside = [is_aside(), pool.submit(is_aside).result()]
            belongs = current()
        after = is_aside()

    assert (before, inside, after) == (False, [True, True], False)
    assert belongs is run


def _places() -> list[Any]:
    return [
        threading.Thread.start,
        _thread.start_new_thread,
        ThreadPoolExecutor.submit,
        Future.add_done_callback,
        Pool.apply_async,
        Pool._map_async,  # type: ignore[attr-defined]
        Pool._guarded_task_generation,  # type: ignore[attr-defined]
        asyncio.BaseEventLoop.create_task,
    ]


def test_everything_replaced_is_put_back_by_identity() -> None:
    """After the last uninstall the originals are back, and not before."""
    propagation.uninstall()
    gc.collect()  # tracebacks of earlier tests may still hold a run's context
    originals = _places()
    propagation.install()
    propagation.install()
    propagation.uninstall()
    during = _places()
    propagation.uninstall()
    after = _places()
    propagation.install()

    assert all(ours is not original for ours, original in zip(during, originals, strict=True))
    assert all(now is original for now, original in zip(after, originals, strict=True))


def test_a_patch_on_top_of_ours_is_left_alone(run: Lineage) -> None:
    """Ours stays beneath it and lets everything through; installing again counts work once."""
    ours = threading.Thread.start

    def theirs(self: threading.Thread) -> None:
        ours(self)

    threading.Thread.start = theirs  # type: ignore[method-assign]
    try:
        propagation.uninstall()
        kept = threading.Thread.start is theirs
        propagation.install()
        begun = threading.Event()
        with run.entered():
            threading.Thread(target=begun.wait, args=(5,)).start()
            works = run.in_flight()
            begun.set()
            run.wait_idle(1)
        propagation.uninstall()
        still = threading.Thread.start is theirs
    finally:
        threading.Thread.start = ours.__wrapped__  # type: ignore[attr-defined,method-assign]
        propagation.install()

    assert (kept, still) == (True, True)
    assert len(works) == 1


def test_a_survivor_s_children_are_known_after_the_last_uninstall(run: Lineage, release: threading.Event) -> None:
    """While anything carries a lineage, lineages are handed on: a late grandchild must not write for real."""
    seen = Seen()
    original = threading.Thread.start.__wrapped__  # type: ignore[attr-defined]

    def survive() -> None:
        release.wait(5)
        threading.Thread(target=seen).start()

    with run.entered():
        survivor = threading.Thread(target=survive)
        survivor.start()
    propagation.uninstall()
    release.set()
    grandchild = seen.wait()
    survivor.join(5)
    _eventually(lambda: threading.Thread.start is original)
    undone = threading.Thread.start is original
    propagation.install()

    assert grandchild is run
    assert undone, "once the last carrier is gone, the originals are back"


def test_uninstalling_more_than_was_installed_is_an_error() -> None:
    """The count can't go wrong unnoticed."""
    propagation.uninstall()
    with pytest.raises(RuntimeError):
        propagation.uninstall()
    propagation.install()


def test_closing_a_run_is_seen_by_what_outlived_it(run: Lineage, release: threading.Event) -> None:
    """A survivor's lineage tells that its run is over."""
    with run.entered(), ThreadPoolExecutor(1) as pool:
        late = pool.submit(lambda: release.wait(5) and current())
        run.close()
        release.set()
        lineage = late.result(5)

    assert lineage is run
    assert run.closed


def test_a_context_copied_in_a_run_belongs_to_it(run: Lineage) -> None:
    """What frameworks copy and run elsewhere stays the run's."""
    with run.entered():
        context = contextvars.copy_context()

    assert context.run(current) is run
    assert current() is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_knows_that_it_is_one(run: Lineage) -> None:
    """By its process id, for the run it was forked from and by the marker."""
    with run_marker():
        child = os.fork()
        if child == 0:
            os._exit(0 if is_forked_child(run) and in_child_of_run() else 1)
        _, status = os.waitpid(child, 0)

    assert status == 0
    assert not is_forked_child(run)


def test_a_spawned_child_finds_the_marker() -> None:
    """It inherits the environment; the run's own process is no child of it."""
    code = "from pytest_agentreplay.runtime.children import in_child_of_run; print(in_child_of_run())"

    with run_marker():
        own = in_child_of_run()
        within = subprocess.check_output([sys.executable, "-c", code], text=True)
    after = subprocess.check_output([sys.executable, "-c", code], text=True)

    assert (own, within.strip(), after.strip()) == (False, "True", "False")


def test_overlapping_runs_leave_the_environment_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last one out puts back what the first one found."""
    monkeypatch.setenv(RUN_ENVIRONMENT, "1")
    first, second = run_marker(), run_marker()

    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    between = os.environ[RUN_ENVIRONMENT]
    second.__exit__(None, None, None)

    assert between == str(os.getpid())
    assert os.environ[RUN_ENVIRONMENT] == "1"


def _eventually(look: Callable[[], Any]) -> Any:
    """Look until there is something to see, at most two seconds."""
    for _ in range(200):
        if found := look():
            return found
        threading.Event().wait(0.01)
    return look()
