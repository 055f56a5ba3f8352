"""Tools and a fixture for tests that look at what a replayed agent is answered."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NoReturn

import pytest
from pydantic import BaseModel

from pytest_agentreplay import tool


class RefusedError(Exception):
    """A user's error whose constructor may not run in replay."""

    def __init__(self, code: int, /, *, retry: bool) -> None:
        raise AssertionError("made with its __init__")


@dataclass
class Item:
    sku: str
    tags: list[str]


class Order(BaseModel):
    id: str
    at: datetime
    items: list[Item]


class Color(enum.Enum):
    RED = "red"


def real() -> NoReturn:
    raise AssertionError("a real tool ran")


@tool(effect="read")
def read(key, limit=10, *, meta=None):
    real()


@tool(effect="write")
def write(key, value=None):
    real()


@tool(effect="read")
def other(key):
    real()


@tool(effect="read")
def many(*keys, **options):
    real()


@tool(effect="read")
def item(key) -> Item:
    real()


@tool(effect="read")
def maybe(key) -> Item | None:
    real()


@tool(effect="read")
def order(key) -> Order:
    real()


@tool(effect="read")
def orders(key) -> list[Order]:
    real()


@tool(effect="read")
def color(key) -> Color:
    real()


@tool(effect="read")
def day(key) -> date:
    real()


@tool(effect="read")
def stream(key):
    real()
    yield


@tool(effect="read")
async def astream(key):
    real()
    yield


@tool(effect="read")
async def aread(key):
    real()


@tool(name="model", effect="read")
def model_tool(key):
    real()


class Client:
    @tool(effect="read")
    def get(self, key):
        real()

    @classmethod
    @tool(effect="read")
    def of(cls, key):
        real()

    @staticmethod
    @tool(effect="read")
    def by(key):
        real()


def step(tool_name: str, args: str, outcome: str = "result: 1", more: str = "") -> str:
    """One step of a trace, as a line of YAML."""
    return f"  - {{tool: {tool_name}, args: {{{args}}}{', ' if outcome else ''}{outcome}{more}}}\n"


@pytest.fixture
def replay(agent_replay, tmp_path):
    """Replay code against steps; gives the run."""

    def replay(steps: list[str], agent: Any, head: str = "", **kwargs: Any) -> Any:
        path = tmp_path / "made.yaml"
        body = "steps:\n" + "".join(steps) if steps else "steps: []\n"
        path.write_text("format: agentreplay.trace/1\n" + head + body, encoding="utf-8")
        return agent_replay(path, lambda: agent() and None, **kwargs)

    return replay
