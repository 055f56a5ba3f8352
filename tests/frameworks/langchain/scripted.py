"""A chat model that decides what a script says, and notes what it was told of its tools' results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import Field


class ScriptedModel(BaseChatModel):
    """Decides turn by turn, by how many of its own turns the conversation holds already.

    Attributes:
        turns: calls, as (tool, arguments), turn by turn.
        says: its last words.
        heard: the results that it was told in the latest turn, over all runs.
    """

    turns: Sequence[Sequence[tuple[str, dict[str, Any]]]] = ()
    says: str = "done"
    heard: list[str] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **kwargs: Any) -> ScriptedModel:
        """Take any tools: the script knows them."""
        return self

    def _generate(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        turn = sum(isinstance(message, AIMessage) for message in messages)
        latest: list[str] = []
        for message in reversed(messages):
            if not isinstance(message, ToolMessage):
                break
            latest.append(f"{message.name} {message.status}: {message.content}")
        self.heard.extend(reversed(latest))
        decided = self.turns[turn] if turn < len(self.turns) else ()
        calls = [
            {"name": name, "args": dict(args), "id": f"call_{turn}_{n}", "type": "tool_call"}
            for n, (name, args) in enumerate(decided)
        ]
        message = AIMessage(content="" if calls else self.says, tool_calls=calls)
        return ChatResult(generations=[ChatGeneration(message=message)])
