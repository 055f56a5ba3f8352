"""The error tree: everything this package raises on purpose.

    AgentReplayError                    the base of all but RunStopped
    |-- TraceFormatError                a trace file is not what the format says
    |-- PolicyFormatError               a policy file is not what the format says
    |-- SettingsError                   a flag, an ini key, an agent or a tool was named wrongly
    |-- ToolError                       a tool can't be wrapped, swapped or recorded
    |-- UnrecordedCallError             no recorded result answers a call
    |-- DivergenceError                 the run parted from its golden trace (also an AssertionError)
    |-- EscapeError                     a sealed run reached for the world around its tools
    `-- GuardBlocked                    the guard refused a tool call
    RunStopped                          a BaseException: the run is over, whatever the agent catches

An error states the fact first and then labelled lines: where, what is nearest,
and the one next step. Nothing here knows how any of them comes about.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LABEL_WIDTH = 8


def describe(fact: str, details: Mapping[str, str]) -> str:
    """Lay out a fact and its labelled details, one label a line, continuation lines indented."""
    lines = [fact]
    for label, text in details.items():
        first, *rest = text.splitlines() or [""]
        lines.append(f"  {label:<{_LABEL_WIDTH}} {first}".rstrip())
        lines.extend(f"  {'':<{_LABEL_WIDTH}} {line}".rstrip() for line in rest)
    return "\n".join(lines)


class AgentReplayError(Exception):
    """The base of the tree; catch it to catch everything that this package raises.

    Attributes:
        fact: what happened, one line.
        details: label -> text: ``at`` (file:line:column), ``path``, ``trace``, ``closest``, ``next``...
    """

    def __init__(self, fact: str = "", /, **details: str) -> None:
        super().__init__(fact)
        self.fact = fact
        self.details = details

    def __str__(self) -> str:
        return describe(self.fact, self.details)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(cls: type[Exception], args: tuple[Any, ...], attributes: dict[str, Any]) -> Exception:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(attributes)
    return error


class TraceFormatError(AgentReplayError):
    """A trace can't be read: ``details`` name file, line and column, the path inside, and the remedy."""


class PolicyFormatError(AgentReplayError):
    """A policy can't be read: ``details`` name file, line and column, the path inside, and the remedy."""


class SettingsError(AgentReplayError):
    """A flag, an ini key, an agent or a trace was named in a way that can't be used."""


class ToolError(AgentReplayError):
    """A tool can't be wrapped, swapped or recorded; ``next`` names the alternative."""


class UnrecordedCallError(AgentReplayError):
    """No recorded result answers a tool call.

    Attributes:
        tool: the tool that was called.
        tool_args: its arguments by parameter name.
    """

    tool: str = ""
    tool_args: Mapping[str, Any] | None = None


class DivergenceError(AgentReplayError, AssertionError):
    """The run under test parted from its golden trace.

    Attributes:
        divergence: the first `Divergence`, as data.
    """

    divergence: Any = None


class EscapeError(AgentReplayError):
    """A sealed run opened a connection, started a process or changed a file around its tools."""


class GuardBlocked(AgentReplayError):  # noqa: N818 - the public name says what happened, not what failed
    """The guard refused a tool call.

    Attributes:
        tool: the tool that was refused.
        verdict: the `Verdict` that refused it.
        reason: why, in a sentence.
    """

    def __init__(self, tool: str, verdict: Any = None, reason: str = "") -> None:
        super().__init__(f"the guard blocked {tool}" + (f": {reason}" if reason else ""))
        self.tool = tool
        self.verdict = verdict
        self.reason = reason


class RunStopped(BaseException):
    """The run is over: a limit was passed, or the run had ended before this call was made.

    A BaseException, so that an agent's ``except Exception`` lets it through.

    Attributes:
        reason: which limit, in a sentence.
    """

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
