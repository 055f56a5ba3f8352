"""Deeds: what a command would do to the world, by program; a file for each kind of thing that is at stake."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from pytest_agentreplay.guards.analysis.shell.call import Call
from pytest_agentreplay.guards.analysis.shell.deeds import (
    clouds,
    containers,
    databases,
    disks,
    files,
    kubernetes,
    machines,
    networks,
    permissions,
    publishing,
    users,
    versions,
    writing,
)
from pytest_agentreplay.guards.analysis.shell.facts import Deed

Judge = Callable[[Call], Iterator[Deed]]

JUDGES: Final[dict[str, Judge]] = {
    **files.JUDGES,
    **disks.JUDGES,
    **writing.JUDGES,
    **versions.JUDGES,
    **clouds.JUDGES,
    **kubernetes.JUDGES,
    **containers.JUDGES,
    **databases.JUDGES,
    **machines.JUDGES,
    **users.JUDGES,
    **permissions.JUDGES,
    **networks.JUDGES,
    **publishing.JUDGES,
}
KNOWN: Final = frozenset(JUDGES) | networks.TALKERS
"""The programs whose arguments are looked at."""
_ASKS_FOR_HELP: Final = frozenset(("--help", "--usage", "-help"))
_IGNORES_HELP: Final = frozenset(("", "redis-cli", "nc", "sqlite3", "mongo"))


def judge(call: Call) -> list[Deed]:
    """List what one command would do."""
    program = call.program
    deeds: list[Deed] = []
    if program in JUDGES and not _only_explains(call):
        deeds += JUDGES[program](call)
    elif program.startswith("mkfs"):
        deeds += disks.makes_file_system(call)
    if call.frame.redirects:
        deeds += writing.redirected(call)
        deeds += networks.redirected(call)
    if call.frame.assignments:
        deeds += writing.assigned(call)
    if program in networks.TALKERS:
        deeds += networks.leaks(call)
    if not deeds and not _only_explains(call):
        deeds += networks.mines(call)
    return deeds


def _only_explains(call: Call) -> bool:
    args = call.args
    if not args or call.program in _IGNORES_HELP:
        return False
    before = args[: args.index("--")] if "--" in args else args
    return (
        not _ASKS_FOR_HELP.isdisjoint(before)
        or args[0] in ("help", "--version", "-V")
        or args == ["-h"]
        or args[-1] == "help"
    )
