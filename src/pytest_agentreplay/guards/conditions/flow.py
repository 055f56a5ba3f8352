"""``flow``: what came from one place must not go to another.

A label sticks to words and to values. The result of a call that ``from`` names labels
what is in it; with ``secrets`` only the secrets in it. A later call carries the label
when its arguments contain

- a labelled text, also inside a longer one: of a text of more than four words any four
  in a row will do, a text of fewer than six letters and digits is too common;
- a value that a labelled text names, however short: an address, a host, an account, an
  id, a figure, a path, a name (see `tellings`).

What the user named, and what the trace knew before the label came (an earlier call's
argument, another tool's result), did not come from there: such values are not followed.
What a call that carried a labelled text returns is labelled in turn, so that a summary
made by a tool keeps the label.

Under ``secrets`` without ``tool`` a secret among the arguments is enough, wherever it
came from. What the model itself reworded is out of sight.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias

from pytest_agentreplay.guards.conditions.condition import Condition
from pytest_agentreplay.guards.conditions.egress import is_egress
from pytest_agentreplay.guards.conditions.tellings import anchor, aside, candidates_beside, tellings, whole_name
from pytest_agentreplay.guards.conditions.words import words
from pytest_agentreplay.guards.context import DecisionContext
from pytest_agentreplay.guards.history import History
from pytest_agentreplay.guards.patterns import ToolPattern
from pytest_agentreplay.guards.rules import Objection
from pytest_agentreplay.guards.values import leaves
from pytest_agentreplay.jsonable import MISSING, Value
from pytest_agentreplay.trace import MessageStep, Step, ToolStep

Gram: TypeAlias = tuple[str, ...]

_LONGEST: Final = 4  # words that are followed as one
_SHORTEST: Final = 6  # letters and digits that are followed at all
_TELLING: Final = 12  # letters of a single word that is worth following into what a call returned
_LONGEST_SHORT: Final = 120  # characters of a text of few words
_TOLD_BY_TOOLS: Final = frozenset(("tool", "function"))  # roles of messages that hold a tool's result


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
    return context.history.index(Labelled, origin).carried_in(context)


def _secrets(context: DecisionContext, origin: Origin) -> Iterator[str]:
    return (fact.text for fact in context.secrets if not origin.secrets or fact.kind in origin.secrets)


class Texts:
    """The texts of a call as all labels look for themselves in them.

    Attributes:
        words: of all of them.
    """

    def __init__(self, args: Any) -> None:
        self._texts = tuple([text for text in map(_text, leaves(args)) if text])
        self.words = frozenset(words("\n".join(self._texts)))

    @cached_property
    def found(self) -> list[tuple[str, Sequence[str]]]:
        """Each with its words."""
        return [(text, words(text)) for text in self._texts]

    @cached_property
    def aside(self) -> frozenset[str]:
        """What may be a value whatever word it stands beside; a name that is a whole text is none of it."""
        return aside(self._texts)

    @cached_property
    def names(self) -> frozenset[str]:
        """The names that are whole texts."""
        return frozenset(map(whole_name, self._texts))


class _LastCall:
    """The texts of the call that was asked about last: labels of many origins are looked for in the same."""

    def __init__(self) -> None:
        self._last: tuple[DecisionContext | None, Texts] = (None, Texts({}))

    def read(self, step: Step) -> None:
        """Take nothing from a step."""

    def texts_of(self, context: DecisionContext) -> Texts:
        """Give the texts of a call."""
        call, texts = self._last
        if call is not context:
            texts = Texts(context.args)
            self._last = (context, texts)
        return texts


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
        self._values = LabelledValues()
        self._asked: tuple[DecisionContext | None, bool] = (None, False)

    def read(self, step: Step) -> None:
        """Label what a call returned."""
        if type(step) is MessageStep:
            self._values.know([step.content] if step.message not in _TOLD_BY_TOOLS else [])
        if type(step) is not ToolStep:
            return
        self._values.know([step.args, step.raw_args])
        if step.result is MISSING and step.error is None:
            return
        returned = step.result if step.error is None else step.error.message
        carried = self._firsts and any(self._grams_in(words(_text(leaf))) for leaf in leaves(step.args or {}))
        if self._is_origin(step.tool):
            labelled = list(self._labelled(step, returned))
            self._values.label(labelled, whole=self._origin.secrets is not None)
            self._label(labelled)
        elif not carried:
            self._values.know([returned])
        if carried:
            self._label(text for text in leaves(returned) if _is_telling(text))

    def carried_in(self, context: DecisionContext) -> bool:
        """Tell of a call's arguments; the rules of one origin ask the same."""
        if not self._firsts and not self._values:
            return False
        call, carried = self._asked
        if call is not context:
            carried = self._is_in(context.history.index(_LastCall).texts_of(context), context.input)
            self._asked = (context, carried)
        return carried

    def _is_in(self, call: Texts, given: Value) -> bool:
        if self._origin.secrets is not None:
            given = MISSING  # a secret stays one, whoever said it
        if not self._firsts.isdisjoint(call.words):
            grams = {gram for _, written in call.found for gram in self._grams_in(written)}
            if any(not _is_said(gram, given) for gram in grams):
                return True
        return self._values.are_in(call, given)

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
                if len(gram) < _LONGEST:
                    self._values.note(" ".join(gram))

    def _grams_in(self, found: Sequence[str]) -> list[Gram]:
        if self._firsts.isdisjoint(found):
            return []
        return [
            gram
            for start, word in enumerate(found)
            if word in self._firsts
            for size, grams in self._grams.items()
            if (gram := tuple(found[start : start + size])) in grams
            and (size == _LONGEST or not self._values.were_known(" ".join(gram)))
        ]


class LabelledValues:
    """The values that labelled texts named before anybody else did."""

    def __init__(self) -> None:
        self._labelled: dict[str, int] = {}
        self._short: dict[str, int] = {}
        self._anchors: set[str] = set()
        self._are_names = False
        self._known: dict[str, int] = {}
        self._unread: list[tuple[int, list[Value]]] = []
        self._now = 0

    def __bool__(self) -> bool:
        return bool(self._labelled)

    def know(self, told: list[Value]) -> None:
        """Note what was told by others; it is read when somebody asks, since mostly nobody does."""
        self._now += 1
        self._unread.append((self._now, told))

    def label(self, texts: list[Value], *, whole: bool) -> None:
        """Note what labelled texts name.

        Args:
            texts: or numbers.
            whole: each of them is a value itself, whatever it looks like.
        """
        self._now += 1
        for text in map(_text, texts):
            for value in {*tellings(text), *([text.casefold()] if whole and len(text) >= _SHORTEST else [])}:
                self._labelled.setdefault(value, self._now)
                self._are_names = self._are_names or value.startswith("name ")
                self._anchors.add(anchor(value.removeprefix("name ")))

    def note(self, text: str) -> None:
        """Note a labelled text of few words, which is followed as a whole."""
        self._short.setdefault(text, self._now)

    def were_known(self, text: str) -> bool:
        """Tell whether a labelled text of few words was known before it was labelled."""
        self._read()
        return self._known.get(text, self._now + 1) <= self._short[text]

    def are_in(self, call: Texts, given: Value) -> bool:
        """Tell whether one of the values is in a call, and neither the user nor the trace named it before.

        Args:
            call: its texts.
            given: what the agent was asked.
        """
        if not self._labelled:
            return False
        candidates = call.aside | call.names if self._are_names else call.aside
        if not self._anchors.isdisjoint(call.words):
            candidates = candidates.union(*(candidates_beside(self._anchors, *each) for each in call.found))
        hits = {value for value in candidates if value in self._labelled}
        if not hits:
            return False
        self._read()
        never = self._now + 1
        hits = {value for value in hits if self._known.get(value, never) > self._labelled[value]}
        return bool(hits) and not hits <= _told_in(given)

    def _read(self) -> None:
        for at, told in self._unread:
            for text in (_text(leaf) for value in told for leaf in leaves(value)):
                for value in _told_by(text):
                    self._known.setdefault(value, at)
        self._unread.clear()


def _told_in(given: Value) -> set[str]:
    if given is MISSING or given is None:
        return set()
    return {value for leaf in leaves(given) for value in _told_by(_text(leaf))}


def _told_by(text: str) -> set[str]:
    """Give what a text names; a text of few words names itself."""
    short = words(text) if len(text) <= _LONGEST_SHORT else []
    return tellings(text) | {whole_name(text), " ".join(short[:_LONGEST])}


def _is_said(gram: Gram, given: Value) -> bool:
    if given is MISSING or given is None:
        return False
    sought = f" {' '.join(gram)} "
    return any(sought in f" {' '.join(words(_text(leaf)))} " for leaf in leaves(given))


def _grams(found: Sequence[str]) -> Iterator[Gram]:
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
