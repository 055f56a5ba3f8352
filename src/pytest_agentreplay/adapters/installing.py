"""When seams are in place: as long as anybody wants them, in every framework that is imported by then.

A framework imported later gets its seams with its import. Nothing here knows
what an adapter replaces.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

from pytest_agentreplay.adapters.adapter import Adapter, Patches

_lock = threading.RLock()
_wanted: dict[Adapter, int] = {}
_in_place: dict[Adapter, Patches] = {}
_awaited: set[Adapter] = set()


@contextmanager
def joined(adapters: Iterable[Adapter]) -> Iterator[None]:
    """Keep the seams of these adapters in place for the code inside.

    Raises:
        AdapterError: when a framework is not what its adapter expects.
    """
    with ExitStack() as scope:
        for adapter in adapters:
            scope.callback(_release, adapter)
            _want(adapter)
        yield


def _want(adapter: Adapter) -> None:
    with _lock:
        _wanted[adapter] = _wanted.get(adapter, 0) + 1
        if adapter.package in sys.modules:
            _install(adapter)
        elif adapter not in _awaited:
            _awaited.add(adapter)
            _await_import(adapter)


def _release(adapter: Adapter) -> None:
    with _lock:
        left = _wanted.get(adapter, 0) - 1
        if left > 0:
            _wanted[adapter] = left
            return
        _wanted.pop(adapter, None)
        patches = _in_place.pop(adapter, None)
        if patches is not None:
            patches.undo()


def _install(adapter: Adapter) -> None:
    with _lock:
        if adapter in _in_place or adapter not in _wanted:
            return
        patches = Patches()
        try:
            adapter.install(patches)
        except BaseException:
            patches.undo()
            raise
        _in_place[adapter] = patches


def _await_import(adapter: Adapter) -> None:
    """Install once the package is imported; the hook stays, and does nothing while nobody wants the seams."""
    from wrapt import register_post_import_hook

    register_post_import_hook(lambda _: _install(adapter), adapter.package)
