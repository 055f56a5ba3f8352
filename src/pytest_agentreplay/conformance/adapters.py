"""The conformance suite of adapters: what every framework's adapter has to keep.

A test file subclasses `AdapterConformance` and builds agents of its framework
from plain functions and a script of what the model decides. What the framework
can't do is named in `lacks`, with the reason, and shown as skipped.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal, TypeAlias

import pytest

from pytest_agentreplay.adapters import Adapter
from pytest_agentreplay.conformance.rehearsal import Rehearsal
from pytest_agentreplay.errors import AgentReplayError
from pytest_agentreplay.trace import Trace

Mode: TypeAlias = Literal["sync", "async", "streaming"]
Ability: TypeAlias = Literal["sync", "async", "streaming", "parallel", "thread", "retry", "block", "error"]
Decision: TypeAlias = tuple[str, dict[str, Any]]
"""A call that the scripted model decides on: a tool's name and its arguments."""

POLICY = """\
format: agentreplay.policy/1
name: conformance
version: 1
rules:
  - id: no-mail-to-mallory
    severity: critical
    tools: [send]
    match: {args.to: mallory}
    reason: nothing is sent to mallory
"""


class Tools:
    """The tools of every agent of the suite; what really runs is noted in `ran`."""

    def __init__(self) -> None:
        self.ran: list[tuple[str, str]] = []
        self.failures = 0
        self._meeting = threading.Barrier(2)

    def lookup(self, key: str) -> str:
        """Look a key up."""
        self.ran.append(("lookup", key))
        return f"value of {key}, read {len(self.ran)}"

    def send(self, to: str, text: str) -> str:
        """Send a text to somebody."""
        self.ran.append(("send", to))
        return f"sent to {to}"

    def meet(self, who: str) -> str:
        """Wait until two calls of it are made at once."""
        self._meeting.wait(timeout=20)
        self.ran.append(("meet", who))
        return f"met {who}"

    def fail(self, reason: str) -> str:
        """Fail."""
        self.ran.append(("fail", reason))
        raise ValueError(reason)

    def flaky(self, key: str) -> str:
        """Fail the first time, answer the second."""
        self.ran.append(("flaky", key))
        self.failures += 1
        if self.failures == 1:
            raise ValueError("not yet")
        return f"{key} at last"


@dataclass(frozen=True)
class Script:
    """What the model decides: its calls, turn by turn, and then its last words.

    Attributes:
        retry: the framework is to retry a failed tool by itself, or by asking the model again with the next turn.
    """

    turns: Sequence[Sequence[Decision]]
    says: str = "done"
    tools: Sequence[str] = ("lookup", "send", "meet", "fail", "flaky")
    retry: bool = False


@dataclass
class BuiltAgent:
    """An agent of the framework under test.

    Attributes:
        run: runs it once from the beginning, by mode; gives its last words, for ``async`` a coroutine of them.
        heard: what the model was told of its tools' results, as texts in order; over all runs.
    """

    run: Callable[[Mode], Any]
    heard: list[str] = field(default_factory=list)


class AdapterConformance(ABC):
    """Subclass it in a test file, name the adapter, and say how an agent is built.

    Attributes:
        adapter: the adapter under test.
        lacks: abilities that the framework has not, with the reason.
        modes: how the framework's agents can be run.
    """

    adapter: ClassVar[Adapter]
    lacks: ClassVar[Mapping[Ability, str]] = MappingProxyType({})

    @abstractmethod
    def build(self, tools: Tools, script: Script) -> BuiltAgent:
        """Build an agent with the tools that the script names, whose model decides what the script says."""

    def seams(self) -> Sequence[Any]:
        """Give what the adapter replaces, to be compared before and after: functions of the framework's classes."""
        return ()

    @pytest.fixture
    def rehearsal(self, tmp_path: Path) -> Rehearsal:
        """Records and replays in a folder of the test."""
        return Rehearsal(tmp_path, [self.adapter])

    @pytest.fixture
    def policy(self, tmp_path: Path) -> Path:
        """A policy that blocks one call."""
        path = tmp_path / "policy-of-the-suite.yaml"
        path.write_text(POLICY, encoding="utf-8")
        return path

    def _need(self, *abilities: Ability) -> None:
        for ability in abilities:
            if ability in self.lacks:
                pytest.skip(f"{self.adapter.name}: {self.lacks[ability]}")

    @pytest.mark.parametrize("mode", ["sync", "async", "streaming"])
    def test_a_recording_replays_equal(self, rehearsal: Rehearsal, mode: Mode) -> None:
        """What was recorded is answered again: same calls, same words, no tool runs."""
        self._need(mode)
        tools = Tools()
        script = Script([[("lookup", {"key": "a"})], [("send", {"to": "bob", "text": "hi"})]])
        agent = self.build(tools, script)
        trace = rehearsal.record(lambda: agent.run(mode))
        ran = list(tools.ran)
        recorded = list(agent.heard)
        run = rehearsal.replay(trace, lambda: agent.run(mode))

        assert ran == [("lookup", "a"), ("send", "bob")] and tools.ran == ran
        assert _calls(trace) == [("lookup", {"key": "a"}), ("send", {"to": "bob", "text": "hi"})]
        assert run.tools == ["lookup", "send"]
        assert run.output == trace.output == "done"
        assert agent.heard[len(recorded) :] == recorded
        assert any("value of a, read 1" in text for text in recorded)

    def test_an_agent_built_in_another_run_replays(self, rehearsal: Rehearsal) -> None:
        """The seams are the framework's, so an agent built later or elsewhere is answered too."""
        script = Script([[("send", {"to": "bob", "text": "hi"})]])
        trace = rehearsal.record(lambda: self._run(self.build(Tools(), script)))
        late = Tools()
        run = rehearsal.replay(trace, lambda: self._run(self.build(late, script)))

        assert run.tools == ["send"] and late.ran == []

    def test_a_write_that_was_not_recorded_does_not_run(self, rehearsal: Rehearsal) -> None:
        """An unmatched write is withheld, whatever the framework makes of the error; the run fails and names it."""
        recorded = self.build(Tools(), Script([[("lookup", {"key": "a"})]]))
        trace = rehearsal.record(lambda: self._run(recorded))
        tools = Tools()
        other = self.build(tools, Script([[("send", {"to": "eve", "text": "secret"})]]))
        with pytest.raises(AgentReplayError, match="send"):
            rehearsal.replay(trace, lambda: self._run(other))

        assert tools.ran == []

    def test_other_arguments_diverge(self, rehearsal: Rehearsal) -> None:
        """The failure names the call whose argument changed."""
        trace = rehearsal.record(
            lambda: self._run(self.build(Tools(), Script([[("send", {"to": "bob", "text": "hi"})]])))
        )
        tools = Tools()
        changed = self.build(tools, Script([[("send", {"to": "eve", "text": "hi"})]]))
        with pytest.raises(AgentReplayError, match="eve"):
            rehearsal.replay(trace, lambda: self._run(changed))

        assert tools.ran == []

    def test_a_blocked_call_does_not_run(self, rehearsal: Rehearsal, policy: Path) -> None:
        """The guard's block reaches the agent as the framework refuses a call; replay blocks again."""
        self._need("block")
        tools = Tools()
        agent = self.build(tools, Script([[("send", {"to": "mallory", "text": "hi"})], [("lookup", {"key": "a"})]]))
        trace = rehearsal.record(lambda: self._run(agent), policy=policy)
        run = rehearsal.replay(trace, lambda: self._run(agent), policy=policy)

        assert ("send", "mallory") not in tools.ran
        assert trace.tool_steps[0].verdict is not None and trace.tool_steps[0].verdict.decision == "block"
        assert run.verdict("send#1").decision == "block"

    def test_an_error_is_replayed(self, rehearsal: Rehearsal) -> None:
        """What the framework makes of a tool's exception is the same in replay, and the tool doesn't run."""
        self._need("error")
        tools = Tools()
        agent = self.build(tools, Script([[("fail", {"reason": "no such order"})], [("lookup", {"key": "a"})]]))
        trace = rehearsal.record(lambda: self._run(agent))
        ran, heard = list(tools.ran), list(agent.heard)
        run = rehearsal.replay(trace, lambda: self._run(agent))

        assert ran[0] == ("fail", "no such order") and tools.ran == ran
        assert agent.heard[len(heard) :] == heard
        assert run.tools[0] == "fail"

    def test_parallel_calls_are_one_group(self, rehearsal: Rehearsal) -> None:
        """Calls that overlap are recorded as a group, and each gets its own answer in replay."""
        self._need("parallel")
        tools = Tools()
        agent = self.build(tools, Script([[("meet", {"who": "a"}), ("meet", {"who": "b"})]]))
        trace = rehearsal.record(lambda: self._run(agent, parallel=True))
        heard = list(agent.heard)
        run = rehearsal.replay(trace, lambda: self._run(agent, parallel=True))

        assert len({step.group for step in trace.tool_steps}) == 1 and trace.tool_steps[0].group is not None
        assert sorted(who for _, who in tools.ran) == ["a", "b"]
        assert sorted(agent.heard[len(heard) :]) == sorted(heard)
        assert run.tools == ["meet", "meet"]

    def test_an_agent_in_a_thread_is_answered(self, rehearsal: Rehearsal) -> None:
        """A run that the agent makes in a thread of its own is answered like any other."""
        self._need("thread")
        tools = Tools()
        agent = self.build(tools, Script([[("send", {"to": "bob", "text": "hi"})]]))
        trace = rehearsal.record(lambda: _in_thread(lambda: self._run(agent)))
        ran = list(tools.ran)
        run = rehearsal.replay(trace, lambda: _in_thread(lambda: self._run(agent)))

        assert run.tools == ["send"] and tools.ran == ran == [("send", "bob")]

    def test_a_retry_is_two_calls(self, rehearsal: Rehearsal) -> None:
        """A tool that failed and was called again was called twice; replay gives the error, then the result."""
        self._need("retry")
        tools = Tools()
        script = Script([[("flaky", {"key": "a"})], [("flaky", {"key": "a"})]], retry=True)
        agent = self.build(tools, script)
        trace = rehearsal.record(lambda: self._run(agent))
        heard = list(agent.heard)
        rehearsal.replay(trace, lambda: self._run(agent))

        assert [step.tool for step in trace.tool_steps] == ["flaky", "flaky"]
        assert tools.ran == [("flaky", "a"), ("flaky", "a")]
        assert agent.heard[len(heard) :] == heard

    def test_nothing_is_left_behind(self, rehearsal: Rehearsal) -> None:
        """After the run the framework's classes are as they were, and tools run for real."""
        before = list(self.seams())
        tools = Tools()
        agent = self.build(tools, Script([[("send", {"to": "bob", "text": "hi"})]]))
        trace = rehearsal.record(lambda: self._run(agent))
        rehearsal.replay(trace, lambda: self._run(agent))
        self._run(agent)

        assert before and list(self.seams()) == before
        assert tools.ran == [("send", "bob"), ("send", "bob")]

    def _run(self, agent: BuiltAgent, *, parallel: bool = False) -> Any:
        import asyncio

        mode: Mode = "async" if "sync" in self.lacks or (parallel and "async" not in self.lacks) else "sync"
        result = agent.run(mode)
        return asyncio.run(_awaited(result)) if mode == "async" else result


def _calls(trace: Trace) -> list[tuple[str, Any]]:
    return [(step.tool, step.args) for step in trace.tool_steps]


async def _awaited(result: Any) -> Any:
    return await result


def _in_thread(work: Callable[[], Any]) -> Any:
    results: list[Any] = []
    errors: list[BaseException] = []

    def do() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=do)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
