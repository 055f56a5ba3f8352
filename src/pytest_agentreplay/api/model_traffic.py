"""The model's traffic in one run: recorded, answered or let through, and always told to the session.

Joins cassettes, which know HTTP and no run, with a session, which knows runs and
no HTTP. Traffic that is not the run's own, or that a real tool makes, passes
untouched.
"""

from __future__ import annotations

import json
import platform
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Protocol

from pytest_agentreplay.errors import AgentReplayError, RunStopped, SettingsError
from pytest_agentreplay.jsonable import MISSING, Missing, Value, decode, encode
from pytest_agentreplay.runtime import lineage
from pytest_agentreplay.runtime.failure import relative
from pytest_agentreplay.runtime.observed_calls import ObservedModel
from pytest_agentreplay.runtime.session import SWALLOWED_STOPS, Session

if TYPE_CHECKING:
    from pytest_agentreplay.cassettes import HttpRequest, HttpResponse, Interaction, UnrecordedModelCallError
    from pytest_agentreplay.redaction import Redaction, Redactor
    from pytest_agentreplay.trace import Trace
    from pytest_agentreplay.wire import ModelReply

ModelSource = Literal["recorded", "live"]
ENDING: Final = ".http.yaml"


class ToolBypassedError(AgentReplayError):
    """A tool ran without passing the boundary: the model was told an output that no call produced."""


class Answers(Protocol):
    """What answers requests: a cassette's tape, or the model steps of a trace."""

    def answer(self, request: HttpRequest) -> tuple[HttpResponse, ModelReply | None] | None:
        """Give an answer, and what the model says in it; None for what is no business of the model's."""


class ModelTraffic:
    """The model's traffic of one run.

    Args:
        session: told of every exchange.
        answers: what answers; None to let requests through to the model.
        ignore_tools: patterns of tools that need not pass the boundary.
    """

    def __init__(self, session: Session, answers: Answers | None, ignore_tools: tuple[str, ...] = ()) -> None:
        self._session = session
        self._answers = answers
        self._ignore_tools = ignore_tools
        self._handed_over: list[str] = []
        self._kept: list[Interaction] = []
        self._lineage: lineage.Lineage | None = None
        self._permit: Callable[[str], None] | None = None
        self._lock = threading.Lock()
        self._swallowed = 0

    @contextmanager
    def in_force(self, run: lineage.Lineage, permit: Callable[[str], None] | None) -> Iterator[None]:
        """Stand between a run and the network while the code inside runs.

        Args:
            run: whose traffic it is.
            permit: opens a sealed run to a host; None where nothing is sealed.
        """
        from pytest_agentreplay.cassettes import intercepted

        self._lineage, self._permit = run, permit
        with ExitStack() as scope:
            with lineage.outside():  # what libraries do as they load is nothing that the agent does
                platform.processor()  # starts `uname` once a process, which clients do for their user agent
                scope.enter_context(intercepted(self))
            yield

    # -- the traffic's side --------------------------------------------------------------------

    def answer(self, request: HttpRequest) -> HttpResponse | None:
        """Answer a request of the run; what has no answer ends the run, whatever the agent catches."""
        if not self._is_ours():
            return None
        with lineage.outside():  # reading an answer is nothing that the agent does
            if self._answers is None:
                if self._permit is not None and request.asked is not None:
                    self._permit(request.host)
                return None
            return self._answered(self._answers, request)

    def _answered(self, answers: Answers, request: HttpRequest) -> HttpResponse | None:
        from pytest_agentreplay.cassettes import UnrecordedModelCallError

        if self._session.stopped and request.asked is not None:
            self._refuse_to_go_on()
        try:
            found = answers.answer(request)
        except UnrecordedModelCallError as error:
            self._end_run(error.with_traceback(None))
            raise RunStopped(error.fact) from None
        if found is None:
            return None
        response, reply = found
        if request.asked is not None and reply is not None:
            self._session.note_model(request.asked, reply)
        return response

    def observe(self, interaction: Interaction) -> None:
        """Note an exchange that went to the network."""
        if not self._is_ours():
            return
        with lineage.outside():
            with self._lock:
                self._kept.append(interaction)
            if interaction.request.asked is not None:
                self._session.note_model(interaction.request.asked, interaction.reply())

    def _is_ours(self) -> bool:
        mark = lineage.current_mark()
        return mark is not None and mark.lineage is self._lineage and not mark.is_aside and not mark.lineage.closed

    def _end_run(self, error: UnrecordedModelCallError) -> None:
        golden = self._session.golden
        if golden is not None and golden.path is not None:
            error.details = {"trace": relative(golden.path), **error.details}
        self._session.note_problem("model", error)
        self._session.stop(error.fact)

    def _refuse_to_go_on(self) -> None:
        self._swallowed += 1
        if self._swallowed > SWALLOWED_STOPS and self._session.options.abandon is not None:
            self._session.options.abandon(self._session.stopped)
        raise RunStopped(self._session.stopped)

    # -- the adapters' side --------------------------------------------------------------------

    def recall(self, place: str, question: Value) -> Value | Missing:
        """Give what an adapter noted of an exchange that went over no HTTP; `MISSING` where nothing was."""
        if self._answers is None:
            return MISSING
        found = self._answers.answer(_aside(place, question))
        return MISSING if found is None else decode(json.loads(found[0].body))

    def keep(self, place: str, question: Value, answer: Value) -> None:
        """Note an exchange that went over no HTTP, if it is the run's."""
        from pytest_agentreplay.cassettes import HttpResponse, Interaction

        if self._is_ours():
            with self._lock:
                self._kept.append(
                    Interaction(_aside(place, question), HttpResponse(200, json.dumps(encode(answer)).encode()))
                )

    def object(self, error: Exception) -> None:
        """Let the run fail with an error, whatever the agent makes of it."""
        self._session.note_problem("model", error)

    def hand_over(self, tool: str) -> None:
        """Note that a tool which the model called is an agent, whose own calls pass the boundary in its place."""
        with self._lock:
            self._handed_over.append(tool)

    # -- the run's side ------------------------------------------------------------------------

    def note_bypassed(self) -> None:
        """Tell the session of tools that ran without passing the boundary."""
        exchanges = [(one.request, one.reply) for one in self._session.notes if isinstance(one, ObservedModel)]
        if not exchanges:
            return
        from pytest_agentreplay.compare.unseen_tools import unseen_tools

        passed = [*(call.tool for call in self._session.calls), *self._handed_over]
        for tool in unseen_tools(exchanges, passed, self._ignore_tools):
            times = "once" if tool.outputs == 1 else f"{tool.outputs} times"
            error = ToolBypassedError(
                f"{tool.name} ran without passing the boundary",
                seen=f"the model was told its result {times}; {tool.calls or 'none'} of its calls passed the boundary",
                next=f"decorate it with @tool, or agent_replay.swap it; "
                f"if it is none of your tools: agent_replay_ignore_tools = {tool.name}",
            )
            self._session.note_problem("bypassed", error)

    def unplayed(self) -> UnrecordedModelCallError | None:
        """Tell of recorded requests to the model that the run never made."""
        from pytest_agentreplay.cassettes import Tape

        return self._answers.unplayed_error() if isinstance(self._answers, Tape) else None

    @property
    def asked_model(self) -> bool:
        """Whether a request went to a model, or a server of tools was asked what is no call."""
        return any(one.request.asked is not None or one.request.is_beside_calls for one in self._kept)

    def cassette(self, trace: Path, redaction: Redaction) -> bytes:
        """Render what went to the model and came back, redacted, as the cassette of a trace."""
        from pytest_agentreplay.cassettes import cleaned, provider_traffic, render_cassette

        kept = provider_traffic(self._kept)
        return render_cassette([cleaned(one, redaction) for one in kept], trace.name)


def _aside(place: str, question: Value) -> HttpRequest:
    from pytest_agentreplay.cassettes import HttpRequest
    from pytest_agentreplay.cassettes.interactions import ASIDE

    return HttpRequest("POST", f"{ASIDE}://{place}", encode(question))


def traffic_of(
    session: Session,
    path: Path | None,
    *,
    model: ModelSource,
    redactor: Redactor,
    ignore_body: tuple[str, ...] = (),
    ignore_tools: tuple[str, ...] = (),
) -> ModelTraffic | None:
    """Decide how a run's model is answered; None where nothing stands between a replay and its sealed network.

    Raises:
        CassetteError: when the trace names a cassette that can't be used.
    """
    golden = session.golden
    if session.options.mode == "record" or model == "live":
        return ModelTraffic(session, None, ignore_tools)
    if golden is None:
        return None
    answers = _answers_of(golden, path, redactor, ignore_body)
    return None if answers is None else ModelTraffic(session, answers, ignore_tools)


def _answers_of(golden: Trace, path: Path | None, redactor: Redactor, ignore_body: tuple[str, ...]) -> Answers | None:
    from pytest_agentreplay.cassettes import StepAnswers, Tape, load_cassette

    name = golden.run.cassette if golden.run is not None else None
    if name is not None and path is not None:
        return Tape(load_cassette(path.parent / name, trace=path), redactor, ignore_body)
    return StepAnswers(golden) if any(step.kind == "model" for step in golden.steps) else None


def cassette_name(golden: Trace | None, path: Path) -> str:
    """Name the cassette that a trace is recorded with: its own, else the one beside it; never somebody else's."""
    named = golden.run.cassette if golden is not None and golden.run is not None else None
    return named if named is not None and named.endswith(ENDING) else path.stem + ENDING


def own_cassette(golden: Trace | None, path: Path) -> Path | None:
    """Find the cassette that was recorded with a trace and belongs to no other; None where there is none."""
    from pytest_agentreplay.cassettes import CassetteError, load_cassette

    named = golden.run.cassette if golden is not None and golden.run is not None else None
    if named is None:
        return None
    try:
        cassette = load_cassette(path.parent / named)
    except CassetteError:  # what can't be read is nobody's to remove
        return None
    return cassette.path if cassette.trace == path.name else None


def keep_both(cassette: tuple[Path, bytes] | None, keep_trace: Callable[[], None]) -> None:
    """Write a trace and the cassette that goes with it: both, or neither where one of them can't be written.

    Raises:
        SettingsError: when the cassette can't be written; both files are as they were.
    """
    if cassette is None:
        keep_trace()
        return
    place, data = cassette
    with _written(place, data):
        keep_trace()


@contextmanager
def _written(place: Path, data: bytes) -> Iterator[None]:
    from pytest_agentreplay.storage.atomic import replace_file

    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        before = place.read_bytes() if place.exists() else None
        if data != before:
            replace_file(place, data)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SettingsError(f"can't write a cassette: {reason}", at=str(place), next="make it writable") from error
    try:
        yield
    except BaseException:
        if before is None:
            place.unlink(missing_ok=True)
        else:
            replace_file(place, before)
        raise
