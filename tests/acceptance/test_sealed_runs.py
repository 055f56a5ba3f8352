"""While a run is sealed nothing escapes: connections, processes and files around the tools are stopped and told."""

from __future__ import annotations

import pytest

TESTS = '''
import asyncio
import multiprocessing
import os
import shutil
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest
import shop

HERE = Path(__file__).parent
KEEP = HERE / "keep.txt"
ANY = {"trajectory": "subset"}


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        (HERE / "server_log.txt").open("a").write("served")
        self.request.sendall(self.request.recv(100))


@pytest.fixture(scope="module")
def server():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def run(agent_replay):
    """Run code as the agent; what it makes of exceptions is its own."""
    return lambda body: agent_replay("refund", lambda order: body(), expect=ANY)


def talk(port, host="127.0.0.1"):
    with socket.create_connection((host, port), timeout=5) as connection:
        connection.sendall(b"x")
        return connection.recv(100)


def in_thread(body):
    thread = threading.Thread(target=body)
    thread.start()
    thread.join()


def swallowing(body):
    def agent():
        try:
            body()
        except Exception:
            pass
    return agent


async def arun_python():
    await asyncio.create_subprocess_exec(sys.executable, "-c", "")


ESCAPES = {
    "connect": lambda: socket.create_connection(("127.0.0.1", 9), timeout=1),
    "connect_udp": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 9)),
    "connect_unix": lambda: socket.socket(socket.AF_UNIX).connect(str(HERE / "none.sock")),
    "look_up": lambda: socket.getaddrinfo("example.com", 80),
    "run": lambda: subprocess.run(["true"]),
    "run_shell": lambda: subprocess.run("true", shell=True),
    "run_system": lambda: os.system("true"),
    "run_async": lambda: asyncio.run(arun_python()),
    "run_fork": lambda: os.fork() or os._exit(0),
    "run_multiprocessing": lambda: multiprocessing.get_context("spawn").Process(target=print).start(),
    "run_pool": lambda: ProcessPoolExecutor(1).submit(int).result(5),
    "write": lambda: (HERE / "escaped.txt").write_text("x"),
    "write_append": lambda: KEEP.open("a").write("x"),
    "write_os": lambda: os.write(os.open(HERE / "escaped.txt", os.O_CREAT | os.O_WRONLY), b"x"),
    "write_copy": lambda: shutil.copy(KEEP, HERE / "escaped.txt"),
    "write_link": lambda: os.symlink(KEEP, HERE / "escaped.txt"),
    "write_database": lambda: __import__("sqlite3").connect(HERE / "escaped.txt").execute("create table t (a)"),
    "remove": lambda: KEEP.unlink(),
    "remove_tree": lambda: shutil.rmtree(HERE / "kept"),
    "remove_folder": lambda: (HERE / "empty").rmdir(),
    "rename": lambda: KEEP.rename(HERE / "escaped.txt"),
    "truncate": lambda: os.truncate(KEEP, 0),
    "mode": lambda: KEEP.chmod(0o600),
}


@pytest.mark.parametrize("kind", ESCAPES)
def test_plain(run, kind):
    run(ESCAPES[kind])


@pytest.mark.parametrize("kind", ESCAPES)
def test_swallowed(run, kind):
    run(swallowing(ESCAPES[kind]))


@pytest.mark.parametrize("kind", ["connect", "run", "write"])
def test_in_thread(run, kind):
    run(lambda: in_thread(swallowing(ESCAPES[kind])))


@pytest.mark.parametrize("kind", ["connect", "run", "write"])
def test_in_pool(run, kind):
    with ThreadPoolExecutor() as pool:
        pool.submit(int).result()  # warmed up before the run
        run(lambda: pool.submit(swallowing(ESCAPES[kind])).result())


@pytest.mark.parametrize("kind", ["connect", "run", "write"])
def test_unchecked(agent_replay, kind):
    agent_replay("refund", lambda order: swallowing(ESCAPES[kind])(), check=False)


@pytest.mark.parametrize("kind", ["connect", "run", "write"])
def test_with_form(agent_replay, kind):
    with agent_replay("refund", expect=ANY):
        swallowing(ESCAPES[kind])()


def test_open_outside_the_run(run, server, tmp_path):
    KEEP.write_text("kept")
    talk(server)
    subprocess.run(["true"], check=True)
    run(lambda: None)
    KEEP.write_text("kept")
    talk(server)
    subprocess.run(["true"], check=True)


def test_open_temporary(run, tmp_path):
    def agent():
        (tmp_path / "a").write_text("x")
        (tmp_path / "a").rename(tmp_path / "b")
        (tmp_path / "b").unlink()
        (tmp_path / "c").mkdir()
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("x")
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "x").write_text("x")
        handle, name = tempfile.mkstemp()
        os.close(handle)
        Path(name).write_text("x")
        os.unlink(name)
        open(os.devnull, "w").write("x")
        KEEP.read_text()
        import never_imported_before
        asyncio.run(asyncio.sleep(0))
    run(agent)


@pytest.mark.agent_replay(allow_hosts=["localhost"])
def test_open_host_and_live_server(run, server):
    run(lambda: talk(server))
    assert (HERE / "server_log.txt").exists()


@pytest.mark.agent_replay(allow_hosts=["127.0.0.1"])
def test_open_address(run, server):
    run(lambda: talk(server))


@pytest.mark.agent_replay(allow_hosts=["example.com"])
def test_other_host(run, server):
    run(lambda: talk(server))


@pytest.mark.agent_replay(allow_paths=["allowed"])
def test_open_path(run):
    def agent():
        (HERE / "allowed").mkdir()
        (HERE / "allowed" / "x").write_text("x")
    run(agent)


@pytest.mark.agent_replay(allow_paths=["allowed"])
def test_other_path(run):
    run(lambda: (HERE / "allowed_not").write_text("x"))


@pytest.mark.agent_replay(allow_paths=["allowed"])
def test_other_path_by_climbing(run):
    run(lambda: (HERE / "allowed" / ".." / "escaped.txt").write_text("x"))


@pytest.mark.agent_replay(allow_processes=["true"])
def test_open_process(run):
    run(lambda: subprocess.run(["true"], check=True))


@pytest.mark.agent_replay(allow_processes=["true"])
def test_other_process(run):
    run(lambda: subprocess.run(["false"]))
'''


@pytest.fixture(scope="module")
def sealed(make_shop):
    """One session of agents that try to leave their run."""
    shop = make_shop("sealed")
    shop.test(TESTS, "test_escapes")
    shop.test("", "never_imported_before")
    (shop.path / "keep.txt").write_text("kept")
    (shop.path / "kept").mkdir()
    (shop.path / "kept" / "x").write_text("kept")
    (shop.path / "empty").mkdir()
    before = listing(shop)
    outcomes = shop.outcomes("test_escapes.py")
    outcomes.changed = listing(shop) ^ before
    return outcomes


def listing(shop):
    files = [
        path for path in shop.path.rglob("*") if "__pycache__" not in path.parts and not path.stem.startswith("outcome")
    ]
    return {(str(path.relative_to(shop.path)), path.is_file() and path.read_bytes()) for path in files}


KINDS = {
    "connect": "connect to 127.0.0.1:9",
    "connect_udp": "connect to 127.0.0.1:9",
    "connect_unix": "none.sock",
    "look_up": "look up example.com",
    "run": "run ['true']",
    "run_shell": "true",
    "run_system": "run 'true'",
    "run_async": "run [",
    "run_fork": "fork",
    "run_multiprocessing": "run [",
    "run_pool": "",
    "write": "write escaped.txt",
    "write_append": "write keep.txt",
    "write_os": "write escaped.txt",
    "write_copy": "write escaped.txt",
    "write_link": "link escaped.txt",
    "write_database": "escaped.txt",
    "remove": "remove keep.txt",
    "remove_tree": "remove",
    "remove_folder": "remove empty",
    "rename": "rename keep.txt",
    "truncate": "truncate keep.txt",
    "mode": "keep.txt",
}


@pytest.mark.parametrize("form", ["plain", "swallowed"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_escape_is_stopped_and_fails_the_test(sealed, form, kind):
    """It fails the test even where the agent swallows it, and the text names what and where."""
    found = sealed[f"test_{form}[{kind}]"]

    assert found.outcome == "failed", found.shown
    assert "the agent left its sealed run" in found.shown and KINDS[kind] in found.shown
    assert "test_escapes.py:" in found.shown and "@pytest.mark.agent_replay(allow_" in found.shown


@pytest.mark.parametrize("form", ["in_thread", "in_pool", "unchecked", "with_form"])
@pytest.mark.parametrize("kind", ["connect", "run", "write"])
def test_no_form_and_no_thread_is_outside_the_seal(sealed, form, kind):
    """Threads, warmed-up pools, `check=False` and the context manager are sealed alike."""
    found = sealed[f"test_{form}[{kind}]"]

    assert found.outcome == "failed" and "left its sealed run" in found.shown, found.shown


def test_no_escape_changed_a_file(sealed):
    """What was stopped didn't happen."""
    names = {name for name, _ in sealed.changed}

    assert names <= {"server_log.txt", "allowed", "allowed/x"}, names


@pytest.mark.parametrize("name", ["outside_the_run", "temporary", "host_and_live_server", "address", "path", "process"])
def test_what_is_allowed_is_no_escape(sealed, name):
    """Temporary files, what the marker opens, and what fixtures' own threads do are fine."""
    found = sealed[f"test_open_{name}"]

    assert found.outcome == "passed", found.shown


@pytest.mark.parametrize("name", ["host", "path", "path_by_climbing", "process"])
def test_an_opening_opens_nothing_else(sealed, name):
    """The marker opens what it names."""
    assert sealed[f"test_other_{name}"].outcome == "failed"
