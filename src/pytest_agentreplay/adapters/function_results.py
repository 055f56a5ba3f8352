"""Results of tools that are Python functions underneath: rebuilt from the function's return annotation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytest_agentreplay.jsonable import Value
from pytest_agentreplay.runtime.values import ResultCodec
from pytest_agentreplay.tools.framework_calls import FrameworkCall
from pytest_agentreplay.tools.spec import ToolSpec


class FunctionCall(FrameworkCall):
    """A call whose result is what a Python function returned, before the framework has made anything of it.

    Attributes:
        function: the function; its return annotation rebuilds results that are not JSON.
        tool: what errors call it.
    """

    __slots__ = ("function", "tool")
    function: Callable[..., Any]
    tool: str

    def encode(self, result: Any) -> Value:
        """Write the function's result as JSON.

        Raises:
            ToolError: when it is neither JSON nor rebuilt by the return annotation.
        """
        return self._codec().encode(result)

    def decode(self, recorded: Value) -> Any:
        """Rebuild the function's result.

        Raises:
            ToolError: when the recorded value doesn't fit the return annotation.
        """
        return self._codec().decode(recorded)

    def _codec(self) -> ResultCodec:
        return ResultCodec(ToolSpec(self.tool, self.function, kind="function"))
