"""vcrpy made safe for threads: real connections are made without taking the stubs away.

Under each stub is a real connection. To make one, and to send over it, vcrpy puts
the real classes back for a moment, for every thread: requests of other threads then
go to the network, and the classes stay mixed up once two such moments overlap. All
that it is needed for is that `http.client` names a class by its global name, so that
one function gets globals of its own here. httplib2, which does so throughout, keeps
vcrpy's way.
"""

from __future__ import annotations

import http.client
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import FunctionType
from typing import Any, Final
from unittest import mock

from pytest_agentreplay.cassettes.door import vcrpy

_OF_HTTPLIB2: Final = "vcr.stubs.httplib2_stubs"


@contextmanager
def stubs_kept() -> Iterator[None]:
    """Keep vcrpy's stubs in place for all threads while the code inside runs; to be entered before them."""
    patch = vcrpy("patch")
    connection = http.client.HTTPSConnection
    initialise = _with_globals(connection.__init__, HTTPSConnection=connection)
    with (
        mock.patch.object(connection, "__init__", initialise),
        mock.patch.object(patch, "force_reset", _resetting_for_httplib2(patch.force_reset)),
    ):
        yield


def _with_globals(function: Any, **names: Any) -> FunctionType:
    """Copy a function, with some of its module's names bound for good."""
    bound = {**function.__globals__, **names}
    copy = FunctionType(function.__code__, bound, function.__name__, function.__defaults__, function.__closure__)
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


def _resetting_for_httplib2(
    reset: Callable[[], AbstractContextManager[None]],
) -> Callable[[], AbstractContextManager[None]]:
    def force_reset() -> AbstractContextManager[None]:
        stub = sys._getframe(1).f_locals.get("self")
        is_httplib2 = any(base.__module__ == _OF_HTTPLIB2 for base in type(stub).__mro__)
        return reset() if is_httplib2 else nullcontext()

    return force_reset
