"""The CrewAI adapter keeps what every adapter keeps."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from crewai import Agent, BaseLLM, Crew, Task
from crewai.tools import tool
from crewai.tools.base_tool import BaseTool, Tool
from crewai.tools.structured_tool import CrewStructuredTool

from pytest_agentreplay.adapters.built_in import BUILT_IN
from pytest_agentreplay.conformance.adapters import AdapterConformance, BuiltAgent, Script, Tools

CREWAI = next(adapter for adapter in BUILT_IN if adapter.name == "crewai")


class Scripted(BaseLLM):
    """Decides what a script says, by how many tool results the conversation holds."""

    script: Any = None
    heard: Any = None

    def call(self, messages, tools=None, **options):
        told = [message for message in messages if message.get("role") == "tool"]
        turn, left = 0, len(told)
        while turn < len(self.script.turns) and left >= len(self.script.turns[turn]):
            left -= len(self.script.turns[turn])
            turn += 1
        if told:
            self.heard.extend(str(message["content"]) for message in told[-len(self.script.turns[turn - 1]) :])
        if turn == len(self.script.turns):
            return self.script.says
        return [
            {"id": f"call-{turn}-{index}", "function": {"name": name, "arguments": json.dumps(args)}}
            for index, (name, args) in enumerate(self.script.turns[turn])
        ]

    def supports_function_calling(self):
        return True


class TestCrewAI(AdapterConformance):
    adapter = CREWAI
    lacks: ClassVar = {"streaming": "a crew's stream is of the model's words, which the script has not"}

    def build(self, tools, script):
        heard = []
        made = [tool(name)(getattr(tools, name)) for name in script.tools]

        def crew():
            agent = Agent(
                role="r",
                goal="g",
                backstory="b",
                llm=Scripted(model="scripted", script=script, heard=heard),
                tools=made,
            )
            return Crew(agents=[agent], tasks=[Task(description="do", expected_output="x", agent=agent)])

        def run(mode):
            if mode == "async":
                return _aword(crew())
            return crew().kickoff().raw

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
        return [BaseTool.run, BaseTool.arun, Tool.run, Tool.arun, CrewStructuredTool.invoke, CrewStructuredTool.ainvoke]


async def _aword(crew):
    return (await crew.akickoff()).raw
