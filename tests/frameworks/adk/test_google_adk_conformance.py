"""The Google ADK adapter keeps what every adapter keeps."""

from __future__ import annotations

import asyncio
from typing import Any

from google.adk.agents import LlmAgent
from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.models import BaseLlm, LlmResponse
from google.adk.runners import InMemoryRunner
from google.adk.tools.base_tool import BaseTool
from google.adk.tools.function_tool import FunctionTool
from google.genai import types

from pytest_agentreplay.adapters.built_in import BUILT_IN
from pytest_agentreplay.conformance.adapters import AdapterConformance, BuiltAgent

GOOGLE_ADK = next(adapter for adapter in BUILT_IN if adapter.name == "google-adk")


class Scripted(BaseLlm):
    """Decides what a script says, by how many of its turns the conversation holds."""

    script: Any
    heard: Any

    async def generate_content_async(self, llm_request, stream=False):
        answered = [content for content in llm_request.contents if any(p.function_response for p in content.parts)]
        if answered:
            self.heard.extend(str(part.function_response.response) for part in answered[-1].parts)
        turn = len(answered)
        if turn < len(self.script.turns):
            parts = [
                types.Part(function_call=types.FunctionCall(id=f"call-{turn}-{index}", name=name, args=args))
                for index, (name, args) in enumerate(self.script.turns[turn])
            ]
        else:
            parts = [types.Part(text=self.script.says)]
        yield LlmResponse(content=types.Content(role="model", parts=parts))


class TestGoogleADK(AdapterConformance):
    adapter = GOOGLE_ADK

    def build(self, tools, script):
        heard = []

        async def meet(who: str) -> str:
            """Meet."""
            return await asyncio.to_thread(tools.meet, who)

        made = [meet if name == "meet" else getattr(tools, name) for name in script.tools]

        def told(tool, args, tool_context, error):
            return {"error": str(error)}

        agent = LlmAgent(
            name="support",
            model=Scripted(model="scripted", script=script, heard=heard),
            tools=made,
            on_tool_error_callback=told,
        )

        def run(mode):
            if mode == "async":
                return self._talk(agent, StreamingMode.NONE)
            return asyncio.run(self._talk(agent, StreamingMode.SSE if mode == "streaming" else StreamingMode.NONE))

        return BuiltAgent(run, heard)

    async def _talk(self, agent, streaming):
        runner = InMemoryRunner(agent=agent, app_name="app")
        session = await runner.session_service.create_session(app_name="app", user_id="ann")
        asked = types.Content(role="user", parts=[types.Part(text="do it")])
        said = ""
        async for event in runner.run_async(
            user_id="ann",
            session_id=session.id,
            new_message=asked,
            run_config=RunConfig(streaming_mode=streaming),
        ):
            if event.is_final_response() and event.content:
                said = "".join(part.text or "" for part in event.content.parts)
        return said

    def seams(self):
        return [
            FunctionTool.run_async,
            BaseTool.run_async,
            BaseTool.__init_subclass__.__func__
            if hasattr(BaseTool.__init_subclass__, "__func__")
            else BaseTool.__init_subclass__.__name__,
        ]
