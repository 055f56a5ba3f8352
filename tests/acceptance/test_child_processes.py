"""Processes that a run starts withhold writes, however they are started, and however long they live."""

from __future__ import annotations

import pytest

CHILDREN = """
import multiprocessing
import os
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor

import pytest
import shop

pytestmark = pytest.mark.agent_replay(allow_processes=True)
WRITE = "import shop; shop.refund('o-1', 39)"
LATE = "import time, shop; time.sleep(1.5); shop.refund('o-1', 39)"


def write():
    shop.refund("o-1", 39)


def started(method):
    process = multiprocessing.get_context(method).Process(target=write)
    process.start()
    process.join(20)
    assert process.exitcode != 0


def forked():
    child = os.fork()
    if child == 0:
        try:
            shop.refund("o-1", 39)
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def pooled():
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool:
        try:
            pool.submit(write).result(20)
        except BaseException:
            pass


def nested():
    subprocess.run([sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {WRITE!r}])"])


WAYS = {
    "spawn": lambda: started("spawn"),
    "fork": lambda: started("fork"),
    "forkserver": lambda: started("forkserver"),
    "os_fork": forked,
    "pool": pooled,
    "command": lambda: subprocess.run([sys.executable, "-c", WRITE]),
    "command_with_own_environment": lambda: subprocess.run([sys.executable, "-c", WRITE], env={"PATH": "/bin"}),
    "grandchild": nested,
    "outliving": lambda: subprocess.Popen([sys.executable, "-c", LATE], stderr=subprocess.DEVNULL),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_child(agent_replay, way):
    with agent_replay("refund", check=False):
        WAYS[way]()
    writes = shop.WRITES.exists()
    shop.WRITES.unlink(missing_ok=True)
    assert not writes


def test_last_waits_for_the_outliving():
    time.sleep(2.5)
    assert not shop.WRITES.exists()
"""


@pytest.fixture(scope="module")
def children(make_shop):
    """One session of agents that start processes, as their tests allow."""
    shop = make_shop("children")
    shop.test(CHILDREN, "test_children")
    return shop.outcomes("test_children.py")


@pytest.mark.parametrize(
    "way",
    [
        "spawn",
        "fork",
        "forkserver",
        "os_fork",
        "pool",
        "command",
        "command_with_own_environment",
        "grandchild",
        "outliving",
    ],
)
def test_a_child_process_withholds_writes(children, way):
    """However a run starts a process, its writes don't run, not even later."""
    found = children[f"test_child[{way}]"]

    assert found.outcome == "passed", found.shown
    assert children["test_last_waits_for_the_outliving"].outcome == "passed"
