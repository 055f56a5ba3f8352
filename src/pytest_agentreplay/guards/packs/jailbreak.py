"""The pack `jailbreak`: known wordings that talk a model out of its rules.

| rule | objects to |
| --- | --- |
| ``jailbreak/argument`` | a prompt to a sub-agent or a model tool that holds one |
| ``jailbreak/input`` | a call made on an input, or a user's message, that holds one |

Text that only speaks of such wordings is left alone. Nothing here asks a model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from itertools import islice
from typing import Any, Final, NamedTuple

from pytest_agentreplay.guards.analysis import signals
from pytest_agentreplay.guards.analysis.jailbreaks import JAILBREAKS
from pytest_agentreplay.guards.analysis.orders import OrderFinder
from pytest_agentreplay.guards.analysis.phrases import OVERRIDES
from pytest_agentreplay.guards.analysis.texts import last_key, texts_of
from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.guards.packs.options import refuse_unknown
from pytest_agentreplay.guards.rules import Objection, Rule
from pytest_agentreplay.jsonable import MISSING, Missing, Value
from pytest_agentreplay.redaction.keys import words
from pytest_agentreplay.trace import MessageStep, Step

VERSION: Final = 1

_PROMPTS: Final = words(
    "prompt prompts system system_prompt instruction instructions task goal objective user_prompt system_message"
    " user_message persona directive assignment agent_prompt task_description llm_input"
)
_SAYINGS: Final = words(
    "message messages content text query question input request context body description user_input utterance"
    " chat_history history ask"
)
_MODEL_TOOL: Final = re.compile(
    r"(?i)(?:^|[^a-z])(?:llm|model|models|ask|agent|subagent|sub|chat|prompt|complete|completion|completions|generate"
    r"|generation|delegate|gpt\w*"
    r"|claude|gemini|openai|anthropic|assistant|task|spawn|infer|inference|converse|handoff|bot|ai)(?:[^a-z]|$)"
)
_GRANTED: Final = re.compile(
    r"(?im)^\W{0,4}(?:assistant|ai|bot|model|chatgpt|gpt|claude|a)\s?:\s{0,3}"
    r"(?:sure|of course|certainly|absolutely|yes|here(?:'s| is| are)|no problem|gladly|happy to)\b"
)
_MOST_GRANTED: Final = 8
_SHOWN: Final = "shows the model many answers that grant everything"
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NAMES: Final = frozenset(phrase.name for phrase in OVERRIDES)


def rules(options: Mapping[str, Any]) -> list[Rule]:
    """Make the pack's rules; it takes no options.

    Raises:
        ValueError: for any option.
    """
    refuse_unknown("jailbreak", options, {})
    return [
        Rule("jailbreak/argument", _argument, version=VERSION, prepare=_prepare),
        Rule("jailbreak/input", _input, version=VERSION),
    ]


def _prepare() -> None:
    signals.prepare()
    _finder().find("")


@cache
def _finder() -> OrderFinder:
    return OrderFinder((*OVERRIDES, *JAILBREAKS), general=True)


@lru_cache(maxsize=1024)
def _is_model_tool(tool: str) -> bool:
    return _MODEL_TOOL.search(_CAMEL.sub("_", tool)) is not None


def _argument(context: DecisionContext) -> Objection | None:
    asks_model = _is_model_tool(context.tool)
    if not asks_model and _PROMPTS.isdisjoint(context.args) and "messages" not in context.args:
        return None
    for at, text in context.texts:
        key = last_key(at)
        if key in _PROMPTS or ((asks_model or "messages[" in at) and key in _SAYINGS):
            for order in _finder().find(text):
                return Objection(f"{at} {order.phrase.name} ({order.excerpt!r})")
            if _shows_obedience(text):
                return Objection(f"{at} {_SHOWN}")
    return None


def _shows_obedience(text: str) -> bool:
    """Tell whether a text holds a long conversation in which a model grants one wish after the other."""
    return next(islice(_GRANTED.finditer(text), _MOST_GRANTED - 1, None), None) is not None


class _Said(NamedTuple):
    """What a user's text says to the model; the user may have taken back only what the user said before."""

    what: str
    taken_back: bool


class UserLabels:
    """What the user's messages so far say to the model; the run's input is read when it is first asked about."""

    def __init__(self) -> None:
        self.order: _Said | None = None
        self._input: Value | Missing = MISSING
        self._in_input: _Said | None = None

    def read(self, step: Step) -> None:
        """Take in one step."""
        if type(step) is MessageStep and step.message in ("user", "human"):
            self.order = _worst(step.content) or self.order

    def of_input(self, value: Value | Missing) -> _Said | None:
        """Give an order in the run's input."""
        if value is not self._input:
            self._input, self._in_input = value, _worst(value)
        return self._in_input


def _worst(value: Value | Missing) -> _Said | None:
    if value is MISSING or value is None:
        return None
    texts = [text for _, text in texts_of(value, "")]
    found = [
        _Said(f"{order.phrase.name} ({order.excerpt!r})", order.phrase.name in _NAMES)
        for text in texts
        for order in _finder().find(text)
    ]
    found += [_Said(_SHOWN, taken_back=False) for text in texts if _shows_obedience(text)]
    return min(found, key=lambda said: said.taken_back, default=None)


def _input(context: DecisionContext) -> Objection | None:
    labels = context.history.index(UserLabels)
    order = labels.of_input(context.input) or labels.order
    if order is None:
        return None
    # A user may well take back what the user said; only what no honest user says stops a write.
    plainly = not order.taken_back and context.effect == "write"
    return Objection(f"the user's text {order.what}", severity="high" if plainly else "medium")
