"""Rehearsals: agents recorded and replayed in one test, without the session's flags.

Nothing here knows a framework.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

from pytest_agentreplay.adapters import Adapter, joined
from pytest_agentreplay.api.guarding import SessionGuards
from pytest_agentreplay.api.recording import record_trace
from pytest_agentreplay.api.replaying import ActiveRun
from pytest_agentreplay.api.sessions import SessionMaker
from pytest_agentreplay.jsonable import MISSING
from pytest_agentreplay.redaction import Redactor
from pytest_agentreplay.runtime.run import Run
from pytest_agentreplay.storage import load_trace, save_trace
from pytest_agentreplay.trace import Trace


class Rehearsal:
    """Records and replays agents in a folder of their own.

    Args:
        directory: where the golden traces of the rehearsal are.
        adapters: whose seams are in place while an agent runs.
    """

    def __init__(self, directory: Path, adapters: Sequence[Adapter]) -> None:
        self._directory = directory
        self._adapters = tuple(adapters)
        self._redactor = Redactor()

    def record(self, agent: Callable[[], Any], *, name: str = "rehearsed", policy: Path | None = None) -> Trace:
        """Run an agent with its real tools and give its golden trace, as it was read back from its file.

        Raises:
            AgentReplayError: for what can't be recorded.
        """
        path = self._directory / f"{name}.yaml"
        path.unlink(missing_ok=True)
        run = self._run(name, agent, "once", policy)
        save_trace(record_trace(run, MISSING, self._redactor), path)
        return load_trace(path)

    def replay(self, trace: Trace, agent: Callable[[], Any], *, policy: Path | None = None) -> Run:
        """Run an agent against a golden trace.

        Raises:
            DivergenceError: where it parts from the trace, or whatever else went wrong at the boundary.
        """
        return self._run(trace, agent, "none", policy)

    def _run(
        self, trace: Trace | str, agent: Callable[[], Any], record: Literal["none", "once"], policy: Path | None
    ) -> Run:
        prepared = self._maker(record, policy).prepare(trace)
        active = ActiveRun(prepared.session, expect=prepared.expect, check=True, seal=None)
        with ExitStack() as scope:
            scope.enter_context(joined(self._adapters))
            run = active.begin()
            try:
                result = agent()
                run.note_end(asyncio.run(_awaited(result)) if inspect.isawaitable(result) else result)
            except Exception as error:
                run.note_end(error=error)
            finally:
                active.end()
        failure = active.verdict()
        if failure is not None:
            raise failure
        return run

    def _maker(self, record: Literal["none", "once"], policy: Path | None) -> SessionMaker:
        return SessionMaker(
            dirs=(self._directory,),
            root=self._directory,
            load=load_trace,
            effects={},
            ignore_args=(),
            record=record,
            live_reads=False,
            redactor=self._redactor,
            guards=SessionGuards([policy] if policy is not None else [], "production", "enforce"),
            abandon=None,
        )


async def _awaited(result: Any) -> Any:
    return await result
