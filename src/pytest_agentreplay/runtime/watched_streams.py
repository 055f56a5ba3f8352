"""Watched streams: generators that are given on as they are, with note taken of what they yield.

What is sent or thrown in goes through (PEP 380). Nothing here knows why a stream is watched.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, TypeAlias

from pytest_agentreplay.runtime.values import lenient

Watch: TypeAlias = Callable[[], AbstractContextManager[dict[str, Any]]]
"""Entered when the first item is asked for; what it gives gets the items, as ``result``."""

Running: TypeAlias = Callable[[], AbstractContextManager[None]]
"""Entered whenever the stream's own code runs."""


def watched(stream: Any, watch: Watch, running: Running) -> Generator[Any, Any, Any]:
    """Give a generator on."""
    __tracebackhide__ = True
    with watch() as outcome:
        items: list[Any] = []
        outcome["result"] = items
        step: Callable[[], Any] = partial(next, stream)
        while True:
            try:
                with running():
                    item = step()
            except StopIteration as end:
                return end.value
            items.append(lenient(item))
            try:
                sent = yield item
            except GeneratorExit:
                with running():
                    stream.close()
                raise
            except BaseException as error:
                step = partial(stream.throw, error)
            else:
                step = partial(next, stream) if sent is None else partial(stream.send, sent)


async def awatched(stream: Any, watch: Watch, running: Running) -> AsyncGenerator[Any, Any]:
    """Give an async generator on."""
    __tracebackhide__ = True
    with watch() as outcome:
        items: list[Any] = []
        outcome["result"] = items
        step: Callable[[], Any] = stream.__anext__
        while True:
            try:
                with running():
                    item = await step()
            except StopAsyncIteration:
                return
            items.append(lenient(item))
            try:
                sent = yield item
            except GeneratorExit:
                with running():
                    await stream.aclose()
                raise
            except BaseException as error:
                step = partial(stream.athrow, error)
            else:
                step = stream.__anext__ if sent is None else partial(stream.asend, sent)
