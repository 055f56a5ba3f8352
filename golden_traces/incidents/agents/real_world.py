"""Where the example tools would touch the world, and the record that one of them did.

In a replay no body of a tool runs. These bodies say so loudly if one does, and
leave a mark that survives an agent that swallows the exception.
"""

from __future__ import annotations

from typing import NoReturn

reached: list[str] = []
"""The tools whose bodies ran, in order; empty after every replay."""


def reach(tool: str) -> NoReturn:
    """Stand where a tool's body would charge a card, send a mail or run a command.

    Raises:
        AssertionError: always.
    """
    reached.append(tool)
    raise AssertionError(f"{tool} ran for real: a replay answers from the recording")
