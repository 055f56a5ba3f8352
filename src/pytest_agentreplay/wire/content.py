"""Blocks of a message taken apart: what was said, thought, called and given.

The same for every format whose messages are lists of blocks. Nothing here reads one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pytest_agentreplay.wire.exchanges import joined
from pytest_agentreplay.wire.fields import plain
from pytest_agentreplay.wire.model import Message, Role, ToolOutput, ToolUse


@dataclass(slots=True)
class Content:
    """Blocks taken apart.

    Attributes:
        rest: the blocks that are none of the others, as they are.
    """

    rest: list[Any] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    uses: list[ToolUse] = field(default_factory=list)
    outputs: list[ToolOutput] = field(default_factory=list)

    @property
    def reasoning(self) -> str | None:
        """The thoughts, a line each; None for none."""
        return joined(self.thoughts, "\n")

    @property
    def said(self) -> str | None:
        """The texts among the rest; None for none."""
        return joined(block.get("text") for block in self.rest if isinstance(block, dict))

    def message(self, role: Role, type_key: str | None) -> Message:
        """Make the message; a user's that holds nothing but outputs is the tools'.

        Args:
            role: as the format says.
            type_key: where the format's blocks say what they are; None where they don't.
        """
        if role == "user" and self.outputs and not self.rest:
            role = "tool"
        return Message(role, plain(self.rest, type_key), self.reasoning, tuple(self.uses), tuple(self.outputs))
