"""Isolation: work whose end, whatever it is, can't become the end of this process.

A parser in C that crashes, a rule in Python that calls ``os._exit``, memory that runs
out, a loop without end: all of them are one error here. Nothing here knows the work.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable
from typing import Final, NoReturn

from pytest_agentreplay.cli.failures import told
from pytest_agentreplay.errors import SettingsError

_ANSWER: Final = b"+"
_FAILURE: Final = b"-"
_END: Final = b"\0"  # neither JSON nor an error holds one
_PIECE: Final = 1 << 16


def isolated(work: Callable[[], str], seconds: float) -> str:
    """Do the work in a process of its own, and give the text that it makes.

    What it prints goes to standard error. Without ``os.fork`` it is done in this process,
    and for as long as it takes.

    Raises:
        SettingsError: when it raises, ends otherwise, or takes longer than `seconds`.
    """
    if not hasattr(os, "fork"):
        return work()
    _fill_standard_streams()
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        _do(work, sending)
    os.close(sending)
    try:
        received = _received(receiving, time.monotonic() + seconds)
    finally:
        os.kill(child, signal.SIGKILL)  # it has said all that counts; until it is waited for, the id is its own
        os.waitpid(child, 0)
        os.close(receiving)
    text = received[1:-1].decode("utf-8", "replace")
    if received[:1] == _ANSWER and received[-1:] == _END:
        return text
    if received[:1] == _FAILURE and received[-1:] == _END:
        raise SettingsError(text)
    raise SettingsError("the call could not be judged: the work ended, or took too long", next="try a smaller call")


def _fill_standard_streams() -> None:
    """Open what whoever started us has closed, or the pipe would take its number."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        continue
    os.close(descriptor)


def _do(work: Callable[[], str], sending: int) -> NoReturn:
    try:
        os.dup2(2, 1)
        said = _ANSWER + work().encode("utf-8")
    except BaseException as error:
        said = _FAILURE + told(error).encode("utf-8", "backslashreplace").replace(_END, b"?")
    try:
        with open(sending, "wb") as pipe:
            pipe.write(said + _END)
    finally:
        os._exit(0)


def _received(receiving: int, deadline: float) -> bytes:
    received = b""
    while not received.endswith(_END):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([receiving], [], [], left)[0]:
            break
        piece = os.read(receiving, _PIECE)
        if not piece:
            break
        received += piece
    return received
