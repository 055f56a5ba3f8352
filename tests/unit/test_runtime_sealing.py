"""What a sealed run reaches for around its tools is stopped and told; what is harmless is not."""

from __future__ import annotations

import _posixsubprocess
import _socket
import asyncio
import builtins
import importlib
import logging
import multiprocessing
import os
import pickle
import pty
import random
import shutil
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

import pytest

from pytest_agentreplay.errors import EscapeError
from pytest_agentreplay.runtime import propagation, sealing
from pytest_agentreplay.runtime.lineage import Lineage, outside
from pytest_agentreplay.runtime.sealing import Escape, Seal, sealed

PROGRAM = sys.executable


@pytest.fixture(autouse=True)
def installed() -> Iterator[None]:
    """Lineages are handed on during each test."""
    propagation.install()
    yield
    propagation.uninstall()


@pytest.fixture
def world() -> Iterator[Path]:
    """A folder that no sealed run may touch: made before it, and not one of its temporary folders."""
    folder = Path(tempfile.mkdtemp()).resolve()
    (folder / "there").write_text("before")
    yield folder
    shutil.rmtree(folder)


class Sealed:
    """A run that can be sealed, with what was reported of it."""

    def __init__(self, temporary: Path) -> None:
        self.temporary = temporary
        self.lineage = Lineage()
        self.escapes: list[Escape] = []

    @contextmanager
    def __call__(self, **options: Any) -> Iterator[None]:
        seal = Seal(report=self.escapes.append, temporary=lambda: [self.temporary], **options)
        with self.lineage.entered(), sealed(self.lineage, seal):
            yield

    @property
    def told(self) -> list[str]:
        return [escape.what for escape in self.escapes]


@pytest.fixture
def run(tmp_path: Path) -> Sealed:
    """A run whose one temporary folder is the test's."""
    return Sealed(tmp_path)


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """A server on the loopback that takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def nothing() -> None:
    """Do nothing, in a process of its own."""


# files

FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "open": (lambda there: open(there, "w"), "write"),  # noqa: SIM115
    "append": (lambda there: there.open("ab"), "write"),
    "update": (lambda there: there.open("r+"), "write"),
    "exclusive": (lambda there: (there.parent / "new").open("x"), "write"),
    "bytes path": (lambda there: open(os.fsencode(there), "w"), "write"),  # noqa: SIM115
    "os.open": (lambda there: os.open(there, os.O_WRONLY), "write"),
    "os.open create": (lambda there: os.open(there.parent / "new", os.O_CREAT), "write"),
    "write_text": (lambda there: there.write_text("x"), "write"),
    "remove": (lambda there: there.unlink(), "remove"),
    "rmdir": (lambda there: there.parent.rmdir(), "remove"),
    "rmtree": (lambda there: shutil.rmtree(there.parent), "remove"),
    "rename": (lambda there: there.rename(there.parent / "other"), "rename"),
    "replace": (lambda there: os.replace(os.fsencode(there), os.fsencode(there) + b"2"), "rename"),
    "move out": (lambda there: shutil.move(there, tempfile.mkdtemp()), "rename"),
    "copy": (lambda there: shutil.copyfile(__file__, there), "write"),
    "truncate": (lambda there: os.truncate(there, 0), "truncate"),
    "link": (lambda there: os.link(there, there.parent / "other"), "link"),
    "symlink": (lambda there: os.symlink(there, there.parent / "other"), "link"),
    "chmod": (lambda there: there.chmod(0o600), "change the mode of"),
    "chown": (lambda there: os.chown(there, -1, -1), "change the owner of"),
    "sqlite": (lambda there: sqlite3.connect(there), "write the database"),
    "sqlite uri": (lambda there: sqlite3.connect(f"file:{there}?cache=private", uri=True), "write the database"),
}


@pytest.mark.parametrize("way", FILES)
def test_changing_a_file_is_an_escape(run: Sealed, world: Path, way: str) -> None:
    """Every way to change a file is stopped, before it happened, and told with its place."""
    reach, verb = FILES[way]

    with run(), pytest.raises(EscapeError) as caught:
        reach(world / "there")

    assert [escape.kind for escape in run.escapes] == ["file"]
    assert run.told[0].startswith(f"{verb} {world}")
    assert Path(__file__).name in run.escapes[0].place
    assert "allow_paths" in caught.value.details["next"]
    assert (world / "there").read_text() == "before"
    assert [path.name for path in world.iterdir()] == ["there"]


def test_a_relative_path_is_taken_from_the_working_directory(
    run: Sealed, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the agent stands decides, not how it writes the path."""
    monkeypatch.chdir(world)
    with run(), pytest.raises(EscapeError):
        open("there", "w")  # noqa: SIM115
    monkeypatch.chdir(tmp_path)
    with run():
        Path("there").write_text("fine")

    assert run.told == ["write there"]
    assert run.escapes[0].target == str(world / "there")


def test_a_path_from_a_folder_s_descriptor_is_resolved(run: Sealed, world: Path, tmp_path: Path) -> None:
    """dir_fd names the folder."""
    (tmp_path / "there").touch()
    inner, outer = os.open(tmp_path, os.O_RDONLY), os.open(world, os.O_RDONLY)
    with run():
        os.remove("there", dir_fd=inner)
        with pytest.raises(EscapeError):
            os.remove("there", dir_fd=outer)
    os.close(inner)
    os.close(outer)

    assert run.told == [f"remove {world / 'there'}"]


def test_writing_through_a_link_reaches_what_it_points_to(run: Sealed, world: Path, tmp_path: Path) -> None:
    """A link in a temporary folder opens nothing; the link itself may go."""
    link = tmp_path / "link"
    link.symlink_to(world / "there")

    with run():
        with pytest.raises(EscapeError):
            link.write_text("x")
        link.unlink()

    assert run.told == [f"write {world / 'there'}"]


def test_both_ends_of_a_rename_count(run: Sealed, world: Path, tmp_path: Path) -> None:
    """Moving a file out of a temporary folder is an escape too."""
    (tmp_path / "mine").touch()

    with run(), pytest.raises(EscapeError):
        (tmp_path / "mine").rename(world / "mine")

    assert run.told == [f"rename {tmp_path / 'mine'} to {world / 'mine'}"]


def test_temporary_and_allowed_folders_are_free(run: Sealed, world: Path, tmp_path: Path) -> None:
    """A folder that is allowed is allowed with all that is in it, and nothing beside it."""
    with run(allow_paths=(world / "there", world / "open")):
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "b").write_text("x")
        (tmp_path / "a" / "b").rename(tmp_path / "c")
        shutil.rmtree(tmp_path / "a")
        (world / "there").write_text("x")
        (world / "open").mkdir()
        (world / "open" / "x").write_text("x")
        with suppress(EscapeError):
            (world / "opened").write_text("x")

    assert run.told == [f"write {world / 'opened'}"]


def test_temporary_folders_are_asked_for_once_and_may_write_to_make_them(tmp_path: Path, world: Path) -> None:
    """Pytest makes its folder when first asked, which is no escape of the agent."""
    lineage, escapes, asked = Lineage(), [], []  # type: ignore[var-annotated]

    def temporary() -> list[Path]:
        asked.append(1)
        (world / "lock").write_text("pytest's own")
        return [tmp_path]

    with lineage.entered(), sealed(lineage, Seal(report=escapes.append, temporary=temporary)):
        before = len(asked)
        (tmp_path / "a").write_text("x")
        (tmp_path / "b").write_text("x")

    assert (before, len(asked), escapes) == (0, 1, [])


def test_files_that_tempfile_makes_are_free(run: Sealed) -> None:
    """Those and what is in them, wherever they are, and their removal."""
    with run():
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "inner").mkdir()
            Path(folder, "inner", "x").write_text("x")
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("x")
        with tempfile.TemporaryFile() as unnamed, tempfile.SpooledTemporaryFile(1) as spooled:
            unnamed.write(b"x")
            spooled.write(b"xx")
        handle, name = tempfile.mkstemp()
        os.write(handle, b"x")
        os.ftruncate(handle, 0)
        os.close(handle)
        os.unlink(name)

    assert run.told == []


def test_the_first_use_of_tempfile_is_no_escape(run: Sealed, monkeypatch: pytest.MonkeyPatch) -> None:
    """It tries the system's folders by writing to them."""
    monkeypatch.setattr(tempfile, "tempdir", None)

    with run():
        tempfile.mkdtemp()

    assert run.told == []


@pytest.mark.parametrize("device", ["/dev/null", "/dev/tty", "/dev/stdout", "/dev/stderr", "/dev/fd/1"])
def test_devices_are_free(run: Sealed, device: str) -> None:
    """Writing to them changes no file, whether or not they can be opened here."""
    with run(), suppress(OSError):
        os.close(os.open(device, os.O_WRONLY))

    assert run.told == []


def test_what_touches_nothing_is_no_escape(run: Sealed, world: Path) -> None:
    """Reading, databases in memory and read-only ones, and folders made."""
    sqlite3.connect(world / "db").close()
    before = sorted(path.name for path in world.iterdir())

    with run():
        (world / "there").read_text()
        os.close(os.open(world / "there", os.O_RDONLY))
        list(world.iterdir())
        os.mkdir(world / "folder")
        for name in (":memory:", f"file:{world}/db?mode=ro", "file::memory:?mode=memory"):
            sqlite3.connect(name, uri=True).close()
        random.random(), uuid.uuid1(), uuid.uuid4(), uuid.getnode()
        ssl.create_default_context()

    assert run.told == []
    assert sorted(path.name for path in world.iterdir()) == sorted([*before, "folder"])


def test_importing_a_fresh_module_is_no_escape(run: Sealed, world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its bytecode may be cached, beside it or under the prefix."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    monkeypatch.syspath_prepend(world)
    for name in ("fresh_one", "fresh_two"):
        (world / f"{name}.py").write_text("import json\n")
    importlib.invalidate_caches()

    with run():
        importlib.import_module("fresh_one")
        monkeypatch.setattr(sys, "pycache_prefix", str(world / "prefix"))
        importlib.import_module("fresh_two")

    assert run.told == []
    assert list((world / "__pycache__").glob("fresh_one*.pyc"))
    assert list((world / "prefix").rglob("fresh_two*.pyc"))


def test_a_file_that_only_looks_like_bytecode_is_an_escape(run: Sealed, world: Path) -> None:
    """The name alone opens nothing."""
    with run(), pytest.raises(EscapeError):
        (world / "data.pyc").write_text("x")


# connections


def _connect(server: socket.socket) -> None:
    with socket.socket() as client:  # create_connection would leave it open: it closes on an OSError only
        client.connect(server.getsockname())


def _connect_ex(server: socket.socket) -> None:
    with socket.socket() as client:
        client.connect_ex(server.getsockname())


def _connect_in_loop(server: socket.socket) -> None:
    async def main() -> None:
        _, writer = await asyncio.open_connection(*server.getsockname())
        writer.close()

    asyncio.run(main())


def _send_to(server: socket.socket) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.sendto(b"x", server.getsockname())


def _send_message(server: socket.socket) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.sendmsg([b"x"], [], 0, server.getsockname())


CONNECTIONS = [_connect, _connect_ex, _connect_in_loop, _send_to, _send_message]


@pytest.mark.parametrize("reach", CONNECTIONS)
def test_a_connection_is_an_escape(run: Sealed, server: socket.socket, reach: Callable[[socket.socket], None]) -> None:
    """Loopback included; the remedy names the option and the host."""
    with run(), pytest.raises(EscapeError) as caught:
        reach(server)

    port = server.getsockname()[1]
    assert set(run.told) == {f"connect to 127.0.0.1:{port}"}
    assert "allow_hosts=['127.0.0.1']" in caught.value.details["next"]


@pytest.mark.parametrize("reach", CONNECTIONS)
@pytest.mark.parametrize("allowed", ["127.0.0.1", "localhost", "127.0.0.1:{port}", "localhost:{port}"])
def test_an_allowed_host_is_reached(
    run: Sealed, server: socket.socket, reach: Callable[[socket.socket], None], allowed: str
) -> None:
    """By its address, its name, with or without the port; localhost is the loopback."""
    host = allowed.format(port=server.getsockname()[1])

    with run(allow_hosts=frozenset({host})):
        reach(server)

    assert run.told == []


def test_an_allowed_name_allows_the_addresses_it_resolves_to(
    run: Sealed, server: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name was looked up by the agent; the connection that follows goes to the address."""
    address = server.getsockname()

    def resolve(host: str, *_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address)]

    monkeypatch.setattr(_socket, "getaddrinfo", resolve)
    with run(allow_hosts=frozenset({"*.example.com"})):
        with suppress(EscapeError):
            _connect(server)
        sys.audit("socket.getaddrinfo", "api.example.com", 443, 0, 0, 0)
        socket.create_connection(("api.example.com", address[1]), timeout=5).close()

    assert run.told == [f"connect to 127.0.0.1:{address[1]}"]
    assert _socket.getaddrinfo is resolve


def test_another_port_or_a_lookalike_of_an_allowed_host_is_an_escape(run: Sealed, server: socket.socket) -> None:
    """A permission is as narrow as it is written."""
    lookups = ["evilexample.com", "example.com.evil.org", "example.com"]

    with run(allow_hosts=frozenset({"127.0.0.1:1", "*.example.com"})):
        with suppress(EscapeError):
            _connect(server)
        for host in lookups:
            with suppress(EscapeError):
                socket.getaddrinfo(host, 443)

    assert run.told[1:] == [f"look up {host}" for host in lookups]
    assert run.told[0].startswith("connect to 127.0.0.1:")


@pytest.mark.parametrize("look_up", [lambda host: socket.getaddrinfo(host, 443), socket.gethostbyname])
def test_looking_up_a_foreign_name_is_an_escape(run: Sealed, look_up: Callable[[str], object]) -> None:
    """Names leak through the resolver."""
    with run(), pytest.raises(EscapeError):
        look_up("api.stripe.invalid")

    assert run.told == ["look up api.stripe.invalid"]


def test_looking_up_the_own_host_or_a_number_is_no_escape(run: Sealed) -> None:
    """Nobody else learns of it."""
    with run():
        socket.getfqdn()
        for host in ("localhost", "127.0.0.1", "::1", "93.184.216.34", None, b"127.0.0.1"):
            with suppress(OSError):
                socket.getaddrinfo(host, 80)

    assert run.told == []


def test_a_unix_socket_is_judged_by_its_path(run: Sealed, world: Path, tmp_path: Path) -> None:
    """Free in temporary and allowed folders, or by its own path among the hosts."""
    paths = [folder / "s" for folder in (tmp_path, world)]

    def reach(path: Path) -> None:
        os.chdir(path.parent)  # a socket's path is at most some hundred bytes
        with socket.socket(socket.AF_UNIX) as client, suppress(OSError):
            client.connect(path.name)

    here = os.getcwd()
    try:
        with run(), suppress(EscapeError):
            reach(paths[0])
            reach(paths[1])
        with run(allow_hosts=frozenset({str(paths[1])})):
            reach(paths[1])
        with run(allow_paths=(world,)):
            reach(paths[1])
    finally:
        os.chdir(here)

    assert run.told == [f"connect to the socket {str(paths[1])!r}"]


def test_what_loops_pools_and_logs_need_is_no_escape(run: Sealed, caplog: pytest.LogCaptureFixture) -> None:
    """Pairs of sockets, semaphores, queues and threads stay inside the process."""
    with run():
        asyncio.run(asyncio.sleep(0))
        one, other = socket.socketpair()
        one.sendmsg([b"x"])
        one.close()
        other.close()
        if hasattr(socket, "_fallback_socketpair"):
            for end in socket._fallback_socketpair():
                end.close()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(int).result()
        multiprocessing.Lock()
        multiprocessing.get_context("fork").Queue().close()
        logging.getLogger("agent").warning("said")

    assert run.told == []
    assert caplog.messages == ["said"]


# processes


def _spawn_process(method: str) -> None:
    process = multiprocessing.get_context(method).Process(target=nothing)
    process.start()
    process.join()


async def _subprocess() -> None:
    process = await asyncio.create_subprocess_exec(PROGRAM, "-c", "")
    await process.wait()


PROCESSES: dict[str, Callable[[], object]] = {
    "run": lambda: subprocess.run([PROGRAM, "-c", ""]),
    "path": lambda: subprocess.run([Path(PROGRAM), "-c", ""]),
    "bytes": lambda: subprocess.run([os.fsencode(PROGRAM), b"-c", b""]),
    "asyncio": lambda: asyncio.run(_subprocess()),
    "system": lambda: os.system(f"{PROGRAM} -c ''"),
    "posix_spawn": lambda: os.waitpid(os.posix_spawn(PROGRAM, [PROGRAM, "-c", ""], {}), 0),
    "posix_spawnp": lambda: os.waitpid(os.posix_spawnp(PROGRAM, [PROGRAM, "-c", ""], {}), 0),
    "spawnv": lambda: os.spawnv(os.P_WAIT, PROGRAM, [PROGRAM, "-c", ""]),
    "pty": lambda: pty.spawn([PROGRAM, "-c", ""], lambda fd: os.read(fd, 1)),
    "fork": lambda: _spawn_process("fork"),
    "spawn": lambda: _spawn_process("spawn"),
}


@pytest.mark.parametrize("way", PROCESSES)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_new_process_is_an_escape(run: Sealed, way: str) -> None:
    """Every way to start one, those of multiprocessing too."""
    with run(), pytest.raises(EscapeError) as caught:
        PROCESSES[way]()

    assert [escape.kind for escape in run.escapes] == ["process"]
    assert run.told[0].startswith("fork" if way in ("fork", "spawnv") else "run ")
    assert "allow_processes=['" in caught.value.details["next"]


@pytest.mark.parametrize("way", PROCESSES)
@pytest.mark.parametrize("allowed", [(os.path.basename(PROGRAM),), (PROGRAM,), True])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_allowed_program_runs(run: Sealed, way: str, allowed: tuple[str, ...] | bool) -> None:
    """By its name, its path, or since all are."""
    with run(allow_processes=allowed):
        PROCESSES[way]()

    assert run.told == []


def test_a_program_is_judged_by_what_is_executed(run: Sealed) -> None:
    """The first word of the arguments can say anything; a shell is a shell."""
    with run(allow_processes=("git",)):
        with suppress(EscapeError):
            subprocess.run(["git"], executable=PROGRAM)
        with suppress(EscapeError):
            subprocess.run("git status", shell=True)
        with suppress(EscapeError):
            os.execv("/nowhere/program", ["git"])

    assert run.told == ["run ['git']", "run ['/bin/sh', '-c', 'git status']", "run ['git']"]


def test_a_program_that_the_path_finds_is_allowed_by_its_path(run: Sealed) -> None:
    """Its bare name stands for it; the terminal that it gets needs a fork of its own, which is no second escape."""
    path = shutil.which("true")
    assert path is not None

    with run(allow_processes=(path,)):
        subprocess.run(["true"])
    with run(allow_processes=("true",)):
        status = pty.spawn(["true"], lambda fd: os.read(fd, 1))

    assert (run.told, status) == ([], 0)


def test_the_tracker_that_multiprocessing_starts_for_itself_is_no_escape(
    run: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock of the spawn method needs it."""
    started: list[Any] = []
    monkeypatch.setattr(_posixsubprocess, "fork_exec", lambda args, *_: started.append(args))
    tracker = [PROGRAM, "-c", "from multiprocessing.resource_tracker import main;main(3)"]

    with run():
        _posixsubprocess.fork_exec(tracker, [PROGRAM])

    assert (started, run.told) == ([tracker], [])


# whose it is


def test_an_escape_is_told_even_if_the_agent_swallows_it(run: Sealed, world: Path) -> None:
    """The report does not depend on the exception."""
    with run():
        for _ in range(2):
            with suppress(Exception):
                (world / "there").write_text("x")

    assert len(run.escapes) == 2


def test_the_report_may_itself_write(world: Path, tmp_path: Path) -> None:
    """It is no act of the agent."""
    lineage = Lineage()
    seal = Seal(report=lambda escape: (world / "log").write_text(escape.what) and None)

    with lineage.entered(), sealed(lineage, seal), suppress(EscapeError):
        (world / "there").write_text("x")

    assert (world / "log").read_text() == f"write {world / 'there'}"


@pytest.mark.parametrize("way", ["thread", "pool", "warm pool", "thread pool", "to_thread", "task", "grandchild"])
def test_what_the_run_started_is_sealed_with_it(run: Sealed, world: Path, way: str) -> None:
    """Threads, pool jobs and tasks of the run, and their children."""

    def reach() -> None:
        with suppress(EscapeError):
            (world / "there").write_text("x")

    def in_thread(target: Callable[[], object]) -> None:
        thread = threading.Thread(target=target)
        thread.start()
        thread.join()

    async def in_task() -> None:
        async def step() -> None:
            reach()

        await asyncio.create_task(step())

    with ThreadPoolExecutor(1) as warm, ThreadPool(1) as jobs:
        warm.submit(int).result()
        ways: dict[str, Callable[[], object]] = {
            "thread": lambda: in_thread(reach),
            "pool": lambda: ThreadPoolExecutor(1).submit(reach).result(),
            "warm pool": lambda: warm.submit(reach).result(),
            "thread pool": lambda: jobs.map(lambda _: reach(), [1]),
            "to_thread": lambda: asyncio.run(asyncio.to_thread(reach)),
            "task": lambda: asyncio.run(in_task()),
            "grandchild": lambda: in_thread(lambda: in_thread(reach)),
        }
        with run():
            ways[way]()

    assert run.told == [f"write {world / 'there'}"]
    assert "in reach" in run.escapes[0].place


def test_what_the_run_did_not_start_is_free(run: Sealed, world: Path, server: socket.socket) -> None:
    """A live server's thread takes connections and writes while a run is sealed."""
    go, done = threading.Event(), threading.Event()

    def serve() -> None:
        go.wait(5)
        (world / "there").write_text("served")
        _connect(server)
        done.set()

    fixture = threading.Thread(target=serve)
    fixture.start()
    with run():
        go.set()
        assert done.wait(5)
    fixture.join()

    assert run.told == []


def test_two_sealed_runs_keep_to_their_own_permits(run: Sealed, world: Path, tmp_path: Path) -> None:
    """Each run's work is judged by that run's seal."""
    other = Sealed(tmp_path)

    with run(allow_paths=(world,)):
        (world / "there").write_text("x")
        with other(), suppress(EscapeError):
            (world / "there").write_text("y")
        (world / "there").write_text("z")

    assert (run.told, len(other.told)) == ([], 1)


def test_the_boundary_and_real_tool_bodies_are_free(run: Sealed, world: Path) -> None:
    """With what they start; files that tempfile made for them stay free for the agent."""
    with run():
        with outside(), ThreadPoolExecutor(1) as pool:
            (world / "there").write_text("tool")
            pool.submit((world / "other").write_text, "tool").result()
            made = Path(tempfile.mkdtemp())
        (made / "x").write_text("agent")
        with suppress(EscapeError):
            (world / "there").write_text("agent")

    assert run.told == [f"write {world / 'there'}"]
    assert (world / "other").read_text() == "tool"


def test_a_run_that_is_not_sealed_is_free(run: Sealed, world: Path) -> None:
    """Entered alone seals nothing, and a lifted seal is gone."""
    with run():
        pass
    with run.lineage.entered():
        (world / "there").write_text("x")

    assert run.told == []


def test_what_was_replaced_is_put_back(run: Sealed, tmp_path: Path) -> None:
    """The functions that raise no telling event are themselves again, by identity, when the last seal is lifted."""
    other = Sealed(tmp_path)
    before = (_posixsubprocess.fork_exec, _socket.getaddrinfo)

    with run():
        with other():
            pass
        during = (_posixsubprocess.fork_exec, _socket.getaddrinfo)
    after = (_posixsubprocess.fork_exec, _socket.getaddrinfo)

    assert all(ours is not theirs for ours, theirs in zip(during, before, strict=True))
    assert all(now is original for now, original in zip(after, before, strict=True))


def test_the_hook_is_added_by_the_first_sealed_run_only(run: Sealed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing adds none, and there is never a second one."""
    added: list[object] = []
    monkeypatch.setattr(sys, "addaudithook", added.append)
    monkeypatch.setattr(sealing, "_hooked", False)

    for _ in range(2):
        with run():
            pass

    assert added == [sealing._hook]


def test_an_escape_s_error_says_where_and_what_to_do() -> None:
    """Fact, place, one remedy; it pickles as errors do."""
    error = Escape("process", "run ['git', 'push']", "shop/api.py:41 in charge", "git").error()

    assert str(pickle.loads(pickle.dumps(error))).splitlines() == [
        "the agent left its sealed run: run ['git', 'push']",
        "  at       shop/api.py:41 in charge",
        "  next     make it a tool, or permit it: @pytest.mark.agent_replay(allow_processes=['git'])",
    ]


def test_a_place_is_the_user_s_innermost_frame(run: Sealed, world: Path) -> None:
    """Neither the standard library's nor ours, though they are nearer to the event."""

    def charge() -> None:
        with suppress(EscapeError):
            shutil.copytree(Path(__file__).parent, world / "copy")
            shutil.copyfile(__file__, world / "there")

    with run():
        charge()

    assert run.escapes[0].place.endswith(" in charge")


def test_an_opener_can_not_hide_a_file(run: Sealed, world: Path) -> None:
    """Opening a folder with an opener is judged by what the opener opens."""
    with run(), pytest.raises(EscapeError):
        builtins.open(world, "w", opener=lambda folder, flags: os.open(f"{folder}/there", flags))  # noqa: SIM115
