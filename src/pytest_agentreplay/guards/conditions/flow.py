"""``flow``: what came from one place must not go to another.

A label sticks to words. The result of a call that ``from`` names labels the texts and
numbers in it; with ``secrets`` only the secrets in it. A later call carries the label
when its arguments contain a labelled text, also inside a longer one; of a text of more
than four words any four in a row will do. What a call that carried it returns is
labelled in turn, so that an encoding or a summary made by a tool keeps the label.

Under ``secrets`` without ``tool`` a secret among the arguments is enough, wherever it
came from. Texts of fewer than six letters and digits are too common to be followed. What
the model itself reworded or encoded is out of sight.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from pytest_agentreplay.guards.conditions.condition import Condition
from pytest_agentreplay.guards.conditions.egress import is_egress
from pytest_agentreplay.guards.conditions.words import words
from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.guards.history import History
from pytest_agentreplay.guards.patterns import ToolPattern
from pytest_agentreplay.guards.rules import Objection
from pytest_agentreplay.guards.values import leaves
from pytest_agentreplay.jsonable import MISSING, Value
from pytest_agentreplay.trace import Step, ToolStep

Gram: TypeAlias = tuple[str, ...]

_LONGEST: Final = 4  # words that are followed as one
_SHORTEST: Final = 6  # letters and digits that are followed at all
_TELLING: Final = 12  # letters of a single word that is worth following into what a call returned


@dataclass(frozen=True, slots=True)
class Origin:
    """Where labels come from.

    Attributes:
        tools: of which tools' results; None for any.
        secrets: kinds of secrets, empty for any kind; None for everything in a result.
    """

    tools: tuple[str, ...] | None
    secrets: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Target:
    """Where labels must not go.

    Attributes:
        tools: names or patterns; None for any.
        effect: ``read``, ``write`` or ``egress``; None for any.
    """

    tools: tuple[str, ...] | None
    effect: str | None


def compile_flow(origin: Origin, target: Target) -> Condition:
    """Hold where a call takes what is labelled to where it must not go."""
    is_target = ToolPattern(target.tools) if target.tools is not None else None
    reason = f"the call carries {_what(origin)}"

    def condition(context: DecisionContext) -> Objection | None:
        if is_target is not None and not is_target(context.tool):
            return None
        if not _carries(context, origin) or not _has_effect(context, target.effect):
            return None
        return Objection(reason)

    return condition


def _what(origin: Origin) -> str:
    what = "data" if origin.secrets is None else f"a secret ({', '.join(origin.secrets) or 'of any kind'})"
    return what if origin.tools is None else f"{what} that came from {', '.join(origin.tools)}"


def _has_effect(context: DecisionContext, effect: str | None) -> bool:
    if effect == "egress":
        return is_egress(context)
    return effect is None or context.effect == effect


def _carries(context: DecisionContext, origin: Origin) -> bool:
    if origin.secrets is not None and origin.tools is None and any(_secrets(context, origin)):
        return True
    return context.history.index(Labelled, origin).carried_by(context.args)


def _secrets(context: DecisionContext, origin: Origin) -> Iterator[str]:
    return (fact.text for fact in context.secrets if not origin.secrets or fact.kind in origin.secrets)


class Labelled:
    """What a label sticks to.

    Args:
        origin: where the label comes from.
    """

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._is_origin = ToolPattern(origin.tools) if origin.tools is not None else lambda tool: True
        self._firsts: set[str] = set()
        self._grams: dict[int, set[Gram]] = {}

    def read(self, step: Step) -> None:
        """Label what a call returned."""
        if type(step) is not ToolStep or (step.result is MISSING and step.error is None):
            return
        returned = step.result if step.error is None else step.error.message
        if self._is_origin(step.tool):
            self._label(self._labelled(step, returned))
        if self.carried_by(step.args or {}):
            self._label(text for text in leaves(returned) if _is_telling(text))

    def carried_by(self, args: Any) -> bool:
        """Tell whether arguments contain what is labelled."""
        if not self._firsts:
            return False
        return any(self._is_in(words(_text(leaf))) for leaf in leaves(args))

    def _labelled(self, step: ToolStep, returned: Value) -> Iterable[Value]:
        if self._origin.secrets is None:
            return leaves(returned)
        # As if it were an argument: what is a secret is the analysers' to say.
        seen = DecisionContext(step.tool, {"result": returned}, effect=step.effect, history=History())
        return _secrets(seen, self._origin)

    def _label(self, values: Iterable[Value]) -> None:
        for value in values:
            for gram in _grams(words(_text(value))):
                self._firsts.add(gram[0])
                self._grams.setdefault(len(gram), set()).add(gram)

    def _is_in(self, found: Sequence[str]) -> bool:
        if self._firsts.isdisjoint(found):
            return False
        return any(
            tuple(found[start : start + size]) in grams
            for start, word in enumerate(found)
            if word in self._firsts
            for size, grams in self._grams.items()
        )


def _grams(found: list[str]) -> Iterator[Gram]:
    """Give what is followed of a text: all of it, or any four of its words in a row."""
    for start in range(max(1, len(found) - _LONGEST + 1)):
        gram = tuple(found[start : start + _LONGEST])
        if sum(map(len, gram)) >= _SHORTEST:
            yield gram


def _is_telling(value: Value) -> bool:
    found = words(_text(value))
    return len(found) >= _LONGEST or any(len(word) >= _TELLING for word in found)


def _text(value: Value) -> str:
    kind = type(value)
    return str(value) if kind is str else repr(value) if kind is int or kind is float else ""
