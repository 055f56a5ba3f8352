"""The replayer: finds what a call of a replayed run gets from its golden trace.

A recorded result or error, an answer of the trace's own, the real tool where
live reads are allowed, or an error that says why there is nothing. Every write
is answered or refused here; none runs. Nothing here keeps what happened: that
is the session's.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol, TypeAlias

from pytest_agentreplay.errors import GuardBlocked, RunStopped, ToolError, UnrecordedCallError
from pytest_agentreplay.jsonable import MISSING, snapshot
from pytest_agentreplay.matching import AnswerBook, Call, Equivalent, Unanswered
from pytest_agentreplay.redaction import Redactor
from pytest_agentreplay.runtime.boundary import Raises, Returns, Runs
from pytest_agentreplay.runtime.call_keys import CallKeys
from pytest_agentreplay.runtime.observed_calls import ObservedCall
from pytest_agentreplay.runtime.problems import ProblemKind
from pytest_agentreplay.runtime.recorded_errors import raise_again
from pytest_agentreplay.runtime.stand_ins import StandIns
from pytest_agentreplay.trace import Answer, ToolStep, Trace

Outcome: TypeAlias = Returns | Raises | Runs


class Keeps(Protocol):
    """The session, as the replayer needs it."""

    def note_problem(self, kind: ProblemKind, error: Exception, call: ObservedCall | None = None) -> None:
        """Keep what went wrong."""

    def stop(self, reason: str) -> None:
        """Let no further call through."""

    def run_for_real(self, call: ObservedCall) -> Outcome:
        """Let the real tool run."""


class Replayer:
    """Answers the calls of one run.

    Args:
        golden: the recording.
        keys: tells which calls are identical.
        redactor: recognises what the recording holds a placeholder for.
        equivalent: a third party's opinion whether recorded arguments stand for others.
        live_reads: run read tools for real.

    Attributes:
        expected: the recorded calls that the run should make, in order.
    """

    def __init__(
        self,
        golden: Trace,
        keys: CallKeys,
        redactor: Redactor,
        equivalent: Equivalent | None,
        *,
        live_reads: bool,
    ) -> None:
        self.expected = [step for step in golden.tool_steps if step.by_agent]
        self.stand_ins = StandIns(golden, redactor)
        self._golden = golden
        self._keys = keys
        self._live_reads = live_reads
        same = partial(_same_args, keys, self.stand_ins, equivalent)  # holds no session
        self._book = AnswerBook(self.expected, golden.replay, keys.of_step, same)

    def answer(
        self, call: ObservedCall, misfit: TypeError | None, refused: GuardBlocked | None, session: Keeps
    ) -> Outcome:
        """Find what a call gets.

        Args:
            call: the call; noted on it is what answered it.
            misfit: Python's own error where the arguments don't fit the tool.
            refused: the guard's block.
            session: keeps what goes wrong.
        """
        taken = self._book.take(Call(call.tool, call.args, call.key, repeats=call.effect == "read"))
        if isinstance(taken, Unanswered):
            return Raises(refused) if refused is not None else self._unmatched(call, taken, misfit, session)
        if isinstance(taken, Answer):
            call.answered_by = "answers"
        else:
            call.golden = taken
            call.answered_by = "recording"
            same_key = self._keys.of_step(taken) == call.key
            call.same_args = same_key and taken.raw_args == call.raw_args
            call.stands_in = not same_key and self._book.by_args
            if taken.verdict is not None and taken.blocked:
                return Raises(refused or GuardBlocked(call.tool, taken.verdict, taken.verdict.reason))
        if refused is not None:
            return Raises(refused)
        if self._live_reads and call.effect == "read":
            return session.run_for_real(call)
        return self._recorded_outcome(call, taken, misfit, session)

    def _recorded_outcome(
        self, call: ObservedCall, taken: ToolStep | Answer, misfit: TypeError | None, session: Keeps
    ) -> Outcome:
        if taken.error is not None:
            call.error = taken.error
            self._leave_state(call, session)
            self.stand_ins.serve(taken.error.message)
            return Raises(misfit or raise_again(taken.error))
        if taken.result is MISSING:
            return self._without_outcome(call, misfit, session)
        try:
            value = call.decode(taken.result)
        except ToolError as error:
            session.note_problem("tool", error, call)
            return Raises(error)
        call.result = taken.result
        self._leave_state(call, session)
        self.stand_ins.serve(taken.result)
        return Returns(value, turns=_turns(taken))

    def _leave_state(self, call: ObservedCall, session: Keeps) -> None:
        """Leave in a framework's state what the recorded call left there."""
        if call.framework is None or call.golden is None or call.golden.state is MISSING:
            return
        try:
            call.framework.write_state(snapshot(call.golden.state))
        except Exception as error:  # whatever a framework's state refuses
            told = ToolError(
                f"the recorded state after {call.tool} can't be left in the framework: {error}",
                next="record the trace again with --agent-record=rewrite",
            )
            session.note_problem("tool", told, call)

    def _without_outcome(self, call: ObservedCall, misfit: TypeError | None, session: Keeps) -> Outcome:
        """The recording holds the call but no outcome: it stopped there."""
        last = self.expected[-1] if self.expected else None
        if call.golden is last or _same_group(call.golden, last):
            reason = f"the recording ends in {call.tool}, without an outcome"
            session.stop(reason)
            return Raises(RunStopped(reason))
        return self._unmatched(call, Unanswered("used", 0, call.golden), misfit, session)

    def _unmatched(self, call: ObservedCall, why: Unanswered, misfit: TypeError | None, session: Keeps) -> Outcome:
        policy = self._golden.replay.unmatched
        if policy == "live" and self._live_reads and call.effect == "read" and misfit is None:
            return session.run_for_real(call)
        error = self._explain(call, why)
        call.unmatched = True
        if policy != "error":
            session.note_problem("unmatched", error, call)
        return Raises(misfit or error)

    def _explain(self, call: ObservedCall, why: Unanswered) -> UnrecordedCallError:
        shown = call.raw_args if call.raw_args is not None else _shown(call.args)
        details: dict[str, str] = {}
        if self._golden.path is not None:
            details["trace"] = str(self._golden.path)
        if why.reason == "used" and why.closest is not None:
            times = "once" if why.recorded == 1 else f"{why.recorded} times"
            details["closest"] = f"{why.closest.address} was made {times} in the recording, and is a {call.effect}"
        elif why.closest is not None:
            details["closest"] = f"{why.closest.address}, with {_shown(why.closest.args or {})}"
        details["next"] = "add an answer under replay.answers, or record it with --agent-record=rewrite"
        error = UnrecordedCallError(f"no recorded result answers {call.tool}({shown})", **details)
        error.tool = call.tool
        error.tool_args = call.args
        return error


def _same_args(
    keys: CallKeys,
    stand_ins: StandIns,
    equivalent: Equivalent | None,
    tool: str,
    recorded: Mapping[str, Any],
    incoming: Mapping[str, Any],
) -> bool:
    if stand_ins.any and stand_ins.stands_for(keys.compared(tool, recorded), keys.compared(tool, incoming)):
        return True
    return equivalent is not None and equivalent(tool, recorded, incoming)


def _turns(taken: ToolStep | Answer) -> int:
    return taken.finished or 0 if isinstance(taken, ToolStep) and taken.group is not None else 0


def _same_group(step: ToolStep | None, last: ToolStep | None) -> bool:
    return step is not None and last is not None and step.group is not None and step.group == last.group


def _shown(args: Mapping[str, Any], limit: int = 200) -> str:
    text = ", ".join(f"{name}={value!r}" for name, value in args.items())
    return text if len(text) <= limit else text[: limit - 3] + "..."
