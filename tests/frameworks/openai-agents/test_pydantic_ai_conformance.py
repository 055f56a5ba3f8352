"""The Pydantic AI adapter keeps what every adapter keeps."""

from __future__ import annotations

from pydantic_ai import Agent, ModelRetry
from pydantic_ai.messages import ModelResponse, RetryPromptPart, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import DeltaToolCall, FunctionModel
from pydantic_ai.tool_manager import ToolManager

from pytest_agentreplay.adapters.built_in import BUILT_IN
from pytest_agentreplay.conformance.adapters import AdapterConformance, BuiltAgent

PYDANTIC_AI = next(adapter for adapter in BUILT_IN if adapter.name == "pydantic-ai")


def _answers(messages):
    kinds = (ToolReturnPart, RetryPromptPart)
    return [part for message in messages for part in message.parts if isinstance(part, kinds)]


class TestPydanticAI(AdapterConformance):
    adapter = PYDANTIC_AI

    def build(self, tools, script):
        heard = []

        def decide(messages):
            turn = sum(isinstance(message, ModelResponse) for message in messages)
            if turn:
                heard.extend(
                    part.model_response() if isinstance(part, RetryPromptPart) else part.model_response_str()
                    for part in _answers(messages[-1:])
                )
            return script.turns[turn] if turn < len(script.turns) else None

        def answer(messages, info):
            calls = decide(messages)
            if calls is None:
                return ModelResponse([TextPart(script.says)])
            return ModelResponse([ToolCallPart(name, args) for name, args in calls])

        async def stream(messages, info):
            calls = decide(messages)
            if calls is None:
                yield script.says
                return
            import json

            for index, (name, args) in enumerate(calls):
                yield {index: DeltaToolCall(name=name, json_args=json.dumps(args))}

        agent = Agent(FunctionModel(answer, stream_function=stream), retries=3)
        for name in script.tools:
            agent.tool_plain(_retrying(getattr(tools, name)) if name in ("fail", "flaky") else getattr(tools, name))

        def run(mode):
            if mode == "async":
                return _aword(agent)
            if mode == "streaming":
                return _stream(agent)
            return agent.run_sync("do it").output

        return BuiltAgent(run, heard)

    def seams(self):
        return [ToolManager._raw_execute]


def _retrying(function):
    """As users of the framework do: an error that the model may mend is a ModelRetry."""
    import functools

    @functools.wraps(function)
    def retrying(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except ValueError as error:
            raise ModelRetry(str(error)) from error

    return retrying


async def _aword(agent):
    return (await agent.run("do it")).output


async def _stream(agent):
    async with agent.run_stream("do it") as result:
        return await result.get_output()
