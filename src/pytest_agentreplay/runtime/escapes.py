"""Escapes: what a run attempts on the world around its tools, and what is told of an attempt that was stopped.

Plain data. Nothing here knows how attempts come to be known, or which are permitted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final, Literal, TypeAlias

from pytest_agentreplay.errors import EscapeError

EscapeKind: TypeAlias = Literal["connection", "process", "file"]

_OPTION: Final = {"connection": "allow_hosts", "process": "allow_processes", "file": "allow_paths"}

_MODEL_HOSTS: Final = (
    *("api.openai.com", "*.openai.azure.com", "*.services.ai.azure.com", "api.anthropic.com", "openrouter.ai"),
    *("generativelanguage.googleapis.com", "*aiplatform.googleapis.com", "bedrock-runtime*.amazonaws.com"),
    *("api.mistral.ai", "api.groq.com", "api.deepseek.com", "api.x.ai", "api.cohere.com", "api.together.xyz"),
)
"""Hosts of model providers: a connection to one is told another remedy, and is stopped like any other."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One thing that an event reaches for.

    Attributes:
        kind: what the run is sealed against.
        what: in words, for the reader.
        target: the host, program or absolute path.
        port: of a connection, where it has one.
        is_socket: the target of a connection is a path.
    """

    kind: EscapeKind
    what: str
    target: str
    port: int | None = None
    is_socket: bool = False


@dataclass(frozen=True, slots=True)
class Escape:
    """An attempt that was stopped.

    Attributes:
        kind: what the run is sealed against.
        what: in words: ``connect to api.stripe.com:443``, ``run ['git', 'push']``, ``write /etc/passwd``.
        place: the innermost frame of the user's code: ``shop/api.py:41 in charge``.
        target: what the marker's option would have to name: the host, the program or the path.
    """

    kind: EscapeKind
    what: str
    place: str
    target: str
    _error: EscapeError = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_error", self._make_error())

    def error(self) -> EscapeError:
        """Give the one exception that stops it and is told of it, with the option that would permit it."""
        return self._error

    def _make_error(self) -> EscapeError:
        permit = f"@pytest.mark.agent_replay({_OPTION[self.kind]}=[{self.target!r}])"
        remedy = f"make it a tool, or permit it: {permit}"
        if self.kind == "connection" and any(fnmatchcase(self.target.lower(), host) for host in _MODEL_HOSTS):
            remedy = (
                "the trace has no recording of its model: make one with --agent-record=rewrite,\n"
                "or ask the model for real, every tool stubbed: @pytest.mark.agent_replay(model='live')"
            )
        return EscapeError(f"the agent left its sealed run: {self.what}", at=self.place, next=remedy)
