"""The smolagents adapter keeps what every adapter keeps."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from smolagents import ChatMessage, CodeAgent, Model, ToolCallingAgent, tool
from smolagents.agents import MultiStepAgent
from smolagents.models import ChatMessageToolCall, ChatMessageToolCallFunction, MessageRole
from smolagents.tools import Tool

from pytest_agentreplay.adapters.built_in import BUILT_IN
from pytest_agentreplay.conformance.adapters import AdapterConformance, BuiltAgent, Script, Tools

SMOLAGENTS = next(adapter for adapter in BUILT_IN if adapter.name == "smolagents")


class Scripted(Model):
    """Decides what a script says, by how many of its turns were taken since the task was given."""

    def __init__(self, script, heard, code=False):
        super().__init__(model_id="scripted")
        self.script, self.heard, self.code = script, heard, code

    def generate(self, messages, **kwargs):
        told = [message for message in messages if message.role == MessageRole.TOOL_RESPONSE]
        if told:
            self.heard.append(_text(told[-1]))
        turns = [*self.script.turns, [("final_answer", {"answer": self.script.says})]]
        turn = turns[min(len(told), len(turns) - 1)]
        if self.code:
            lines = [
                f"print({name}(**{args!r}))" if name != "final_answer" else f"{name}(**{args!r})" for name, args in turn
            ]
            return ChatMessage(role=MessageRole.ASSISTANT, content="<code>\n" + "\n".join(lines) + "\n</code>")
        calls = [
            ChatMessageToolCall(
                id=f"call-{len(told)}-{index}",
                type="function",
                function=ChatMessageToolCallFunction(name=name, arguments=args),
            )
            for index, (name, args) in enumerate(turn)
        ]
        return ChatMessage(role=MessageRole.ASSISTANT, content="", tool_calls=calls)


def _text(message):
    return "".join(part["text"] for part in message.content) if isinstance(message.content, list) else message.content


def _tools(tools, names):
    @tool
    def lookup(key: str) -> str:
        """Look up.

        Args:
            key: what
        """
        return tools.lookup(key)

    @tool
    def send(to: str, text: str) -> str:
        """Send.

        Args:
            to: whom
            text: what
        """
        return tools.send(to, text)

    @tool
    def meet(who: str) -> str:
        """Meet.

        Args:
            who: whom
        """
        return tools.meet(who)

    @tool
    def fail(reason: str) -> str:
        """Fail.

        Args:
            reason: why
        """
        return tools.fail(reason)

    @tool
    def flaky(key: str) -> str:
        """Fail once.

        Args:
            key: what
        """
        return tools.flaky(key)

    made = [lookup, send, meet, fail, flaky]
    return [one for one in made if one.name in names]


class TestToolCalling(AdapterConformance):
    adapter = SMOLAGENTS
    code = False

    def build(self, tools, script):
        heard = []
        kind = CodeAgent if self.code else ToolCallingAgent
        agent = kind(tools=_tools(tools, script.tools), model=Scripted(script, heard, self.code), verbosity_level=0)

        def run(mode):
            if mode == "async":
                return asyncio.to_thread(agent.run, "do it")
            if mode == "streaming":
                *_, last = agent.run("do it", stream=True)
                return last.output
            return agent.run("do it")

        return BuiltAgent(run, heard)

    def test_calls_of_one_turn_are_one_group_without_overlapping(self, rehearsal):
        """One thread may be done before the next begins: their order is nobody's decision."""
        agent = self.build(Tools(), Script([[("lookup", {"key": "a"}), ("lookup", {"key": "b"})]]))
        trace = rehearsal.record(lambda: self._run(agent))
        alone = self.build(Tools(), Script([[("lookup", {"key": "a"})], [("lookup", {"key": "b"})]]))
        one_by_one = rehearsal.record(lambda: self._run(alone))

        assert [step.group for step in trace.tool_steps] == [1, 1]
        assert [step.group for step in one_by_one.tool_steps] == [None, None]

    def seams(self):
        return [Tool.__call__, MultiStepAgent.__call__, MultiStepAgent._finalize_step]


class TestCode(TestToolCalling):
    code = True
    lacks: ClassVar = {"parallel": "code calls one tool after the other"}
    test_calls_of_one_turn_are_one_group_without_overlapping = None
