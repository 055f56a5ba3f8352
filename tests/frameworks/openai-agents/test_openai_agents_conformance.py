"""The OpenAI Agents adapter keeps what every adapter keeps."""

from __future__ import annotations

import json

from agents import Agent, ModelSettings, Runner, function_tool
from agents import tool as agents_tool
from agents.run import AgentRunner
from agents.run_internal import tool_execution
from agents.testing import ScriptedModel
from agents.testing.model import ModelStep, assistant_message, function_call

from pytest_agentreplay.adapters.built_in import BUILT_IN
from pytest_agentreplay.conformance.adapters import AdapterConformance, BuiltAgent

OPENAI_AGENTS = next(adapter for adapter in BUILT_IN if adapter.name == "openai-agents")


class TestOpenAIAgents(AdapterConformance):
    adapter = OPENAI_AGENTS

    def build(self, tools, script):
        heard = []
        made = [function_tool(getattr(tools, name)) for name in script.tools]

        def decide(call):
            told = [item["output"] for item in call.input if isinstance(item, dict) and "output" in item]
            turns = len(groups(call.input))
            if told and turns <= len(script.turns):
                heard.extend(str(text) for text in told[-len(script.turns[turns - 1]) :])
            if turns < len(script.turns):
                return [
                    function_call(name, json.dumps(args), call_id=f"call-{turns}-{index}")
                    for index, (name, args) in enumerate(script.turns[turns])
                ]
            return [assistant_message(script.says)]

        def groups(items):
            return {item["call_id"].split("-")[1] for item in items if isinstance(item, dict) and "output" in item}

        def run(mode):
            model = ScriptedModel([ModelStep.respond(decide)] * (len(script.turns) + 1))
            agent = Agent("support", tools=made, model=model, model_settings=ModelSettings())
            if mode == "async":
                return _aword(agent)
            if mode == "streaming":
                return _stream(agent)
            return Runner.run_sync(agent, "do it").final_output

        return BuiltAgent(run, heard)

    def seams(self):
        return [
            agents_tool._invoke_function_tool_with_metadata,
            tool_execution._invoke_function_tool_with_metadata,
            AgentRunner.run,
            AgentRunner.run_streamed,
        ]


async def _aword(agent):
    return (await Runner.run(agent, "do it")).final_output


async def _stream(agent):
    result = Runner.run_streamed(agent, "do it")
    async for _ in result.stream_events():
        pass
    return result.final_output
