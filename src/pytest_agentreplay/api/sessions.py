"""From a trace's name and a session's settings to a prepared session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

from pytest_agentreplay.api.guarding import SessionGuards
from pytest_agentreplay.api.hooks import plugin_manager
from pytest_agentreplay.api.model_traffic import ModelSource, ModelTraffic, traffic_of
from pytest_agentreplay.errors import SettingsError
from pytest_agentreplay.redaction import Redactor
from pytest_agentreplay.runtime.freezing import Frozen, Subject
from pytest_agentreplay.runtime.guarding import RunGuard
from pytest_agentreplay.runtime.limits import Limits
from pytest_agentreplay.runtime.session import Session, SessionOptions
from pytest_agentreplay.storage import find_name, resolve_name
from pytest_agentreplay.tools.effects import EffectResolver
from pytest_agentreplay.tools.spec import ToolSpec
from pytest_agentreplay.trace import Effect, Expect, Trace
from pytest_agentreplay.trace.expect import parse_expect


@dataclass(frozen=True, slots=True)
class Prepared:
    """A session ready to begin.

    Attributes:
        path: where the trace is, or will be recorded; None for one that was never in a file.
        expect: what is judged in the place of the trace's own expectations.
        traffic: how the run's model is answered; None where nothing is between the run and its sealed network.
    """

    session: Session
    path: Path | None
    name: str
    expect: Expect | None
    traffic: ModelTraffic | None


@dataclass(frozen=True, slots=True)
class SessionMaker:
    """Prepares sessions under one set of settings."""

    dirs: tuple[Path, ...]
    root: Path
    load: Callable[[Path], Trace]
    effects: Mapping[str, Effect]
    ignore_args: tuple[str, ...]
    record: Literal["none", "once", "rewrite"]
    live_reads: bool
    redactor: Redactor
    guards: SessionGuards
    abandon: Callable[[str], NoReturn] | None
    model: ModelSource = "recorded"
    ignore_body: tuple[str, ...] = ()
    ignore_tools: tuple[str, ...] = ()

    def prepare(
        self,
        trace: str | Path | Trace,
        *,
        check: bool = True,
        environment: str | None = None,
        expect: Mapping[str, Any] | None = None,
        state: Callable[[], Any] | None = None,
        model: ModelSource | None = None,
        freeze: frozenset[Subject] = frozenset(),
    ) -> Prepared:
        """Find the trace and prepare a session for it.

        Raises:
            TraceFormatError: when the trace or its cassette is missing or broken.
            SettingsError: when `expect` is not well-formed, or the trace needs what this version lacks.
        """
        golden, path = self._find(trace)
        given = None if expect is None else parse_expect(expect)
        recording = golden is None or (self.record == "rewrite" and path is not None)
        held_to = given or (golden.expect if golden else None)
        name = path.stem if path is not None else golden.name if golden is not None else "trace"
        limits = Limits(
            held_to if check and not recording else None,
            None if recording or golden is None else sum(step.by_agent for step in golden.tool_steps),
        )
        options = SessionOptions(
            mode="record" if recording else "replay",
            effects=self.resolver(golden),
            ignore_args=(*self.ignore_args, *(golden.replay.ignore_args if golden else ())),
            redactor=self.redactor,
            live_reads=self.live_reads,
            guard=self._guard(golden, environment),
            state=state,
            equivalent=_same_args_by_hook if plugin_manager().hook.agent_replay_same_args.get_hookimpls() else None,
            abandon=self.abandon,
            frozen=Frozen(freeze, golden, name, recording=recording) if freeze else None,
        )
        session = Session(golden, options, limits)
        return Prepared(session, path, name, given, self._traffic(session, path, model))

    def _traffic(self, session: Session, path: Path | None, model: ModelSource | None) -> ModelTraffic | None:
        return traffic_of(
            session,
            path,
            model=model or self.model,
            redactor=self.redactor,
            ignore_body=self.ignore_body,
            ignore_tools=self.ignore_tools,
        )

    def _guard(self, golden: Trace | None, environment: str | None) -> RunGuard | None:
        late: list[str] = []
        guard = self.guards.for_trace(golden, environment, on_late=late.append)
        return None if guard is None else RunGuard(guard, late=late)

    def resolver(self, golden: Trace | None = None) -> EffectResolver:
        """Make what says of each tool whether it reads or writes."""
        return EffectResolver(golden.tools if golden else {}, self.effects, _effect_by_hook)

    def _find(self, trace: str | Path | Trace) -> tuple[Trace | None, Path | None]:
        if isinstance(trace, Trace):
            return trace, trace.path
        path = self._path_of(trace)
        if path is None:
            return None, new_trace_path(trace, self.dirs, self.root)
        return self.load(path), path

    def _path_of(self, trace: str | Path) -> Path | None:
        """Find a trace's file; None where there is none and this session may record one."""
        may_record = self.record == "once"
        if isinstance(trace, Path) or trace.endswith(".yaml"):
            path = self.root / trace  # loading says what is missing, and what is near
            return None if may_record and not path.is_file() else path
        return find_name(trace, self._present_dirs()) if may_record else resolve_name(trace, self.dirs)

    def _present_dirs(self) -> list[Path]:
        return [directory for directory in self.dirs if directory.is_dir()]


def new_trace_path(trace: str | Path, dirs: tuple[Path, ...], root: Path) -> Path:
    """Say where a trace that has no file yet is recorded.

    Raises:
        SettingsError: for a name that leaves the trace directory.
    """
    if isinstance(trace, Path) or trace.endswith(".yaml"):
        return root / trace
    path = dirs[0] / f"{trace}.yaml"
    if not path.resolve().is_relative_to(dirs[0].resolve()):
        raise SettingsError(f"the trace name {trace!r} leaves {dirs[0]}", next="name it by its path under that folder")
    return path


def _effect_by_hook(spec: ToolSpec) -> Effect | None:
    effect: Effect | None = plugin_manager().hook.agent_replay_effect(tool=spec.name, function=spec.body)
    return effect


def _same_args_by_hook(tool: str, recorded: Mapping[str, Any], incoming: Mapping[str, Any]) -> bool:
    return bool(plugin_manager().hook.agent_replay_same_args(tool=tool, recorded=recorded, incoming=incoming))
