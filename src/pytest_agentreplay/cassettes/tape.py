"""The tape: a cassette's interactions, each given out once.

The n-th identical request gets the n-th answer, found in an index of hashes, so
that a request costs the same however long the cassette is. Threads may share a
tape. Nothing here knows how requests are intercepted, or what a run is.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict, deque
from collections.abc import Collection, Iterator
from itertools import islice, zip_longest

from pytest_agentreplay.cassettes.errors import UnrecordedModelCallError
from pytest_agentreplay.cassettes.interactions import HttpRequest, HttpResponse, Interaction
from pytest_agentreplay.cassettes.keys import form_of, key_of
from pytest_agentreplay.cassettes.reading import Cassette
from pytest_agentreplay.jsonable import MISSING, Value, canonical, equal
from pytest_agentreplay.redaction import PlaceholderMatcher, Redactor, holds_placeholder
from pytest_agentreplay.redaction.placeholders import PLACEHOLDER
from pytest_agentreplay.wire import ModelReply, ModelRequest, explain

_EMBEDDINGS = ("/embeddings", "/embed", ":embedContent", ":batchEmbedContents", ":predict")
"""Ends of paths whose answers an agent goes by, although no model speaks in them."""
_NEIGHBOURS = 4
_SHOWN_CHANGES = 6
_SHOWN_TEXT = 80


class Tape:
    """Answers requests from a cassette.

    Args:
        cassette: what was recorded.
        redactor: recognises what the cassette holds a placeholder for.
        drop: names of body fields that don't count.

    Attributes:
        asked: requests to the model so far, those without an answer included.
    """

    def __init__(self, cassette: Cassette, redactor: Redactor, drop: Collection[str] = ()) -> None:
        self.cassette = cassette
        self.asked = 0
        self._drop = drop
        self._redactor = redactor
        self._matcher = PlaceholderMatcher(redactor)
        self._lock = threading.Lock()
        self._left: dict[int, Interaction] = dict(enumerate(cassette.interactions))
        self._by_key: defaultdict[str, deque[int]] = defaultdict(deque)
        self._by_target: defaultdict[str, deque[int]] = defaultdict(deque)
        self._last: dict[str, Interaction] = {}
        self._redacted: list[int] = []
        for index, one in self._left.items():
            self._by_key[key_of(one.request, drop)].append(index)
            if one.request.asked is None:
                self._by_target[one.request.target].append(index)
            elif holds_placeholder(one.request.value):
                self._redacted.append(index)

    def answer(self, request: HttpRequest) -> tuple[HttpResponse, ModelReply | None] | None:
        """Give the answer to a request, and what the model said in it.

        Returns:
            None for a request that asks nothing of a model and whose like was never recorded.

        Raises:
            UnrecordedModelCallError: when a request to the model, or for an embedding, has no answer left.
        """
        with self._lock:
            found = self._take(request) if request.asked is not None else self._take_any(request)
            if found is None and request.asked is not None:
                raise self._unrecorded(request)
            if found is None and request.target in self._by_target:
                raise self._unrecorded_embedding(request)
        if found is None:
            return None
        reply = found.reply() if request.asked is not None else None
        self._matcher.served(found.response.body.decode("utf-8", "replace"))
        return found.response.as_played(), reply

    def _take(self, request: HttpRequest) -> Interaction | None:
        self.asked += 1
        index = self._next_of(self._by_key.get(key_of(request, self._drop)))
        return self._left.pop(self._stands_for(request) if index is None else index, None)

    def _next_of(self, waiting: deque[int] | None) -> int | None:
        while waiting:
            index = waiting.popleft()
            if index in self._left:
                return index
        return None

    def _stands_for(self, request: HttpRequest) -> int:
        """Find the first recorded request, redacted, that stands for one that isn't; -1 for none."""
        if not self._redacted:
            return -1
        incoming = form_of(request, self._drop)
        for index in self._redacted:
            one = self._left.get(index)
            if one is None or one.request.target != request.target:
                continue
            if self._matcher.matches(form_of(one.request, self._drop), incoming):
                return index
        return -1

    def _take_any(self, request: HttpRequest) -> Interaction | None:
        """Answer what asks no model, as telemetry: by its body, else by where it goes, the last one again."""
        if request.target not in self._by_target:
            return None
        index = self._next_of(self._by_key.get(key_of(request, self._drop)))
        if index is None and not request.path.endswith(_EMBEDDINGS):
            index = self._next_of(self._by_target[request.target])
        if index is not None:
            self._last[request.target] = self._left.pop(index)
        elif request.path.endswith(_EMBEDDINGS):
            return None
        return self._last.get(request.target)

    # -- what is told ------------------------------------------------------------------------

    @property
    def recorded(self) -> int:
        """How many requests to the model the cassette holds."""
        return sum(one.request.asked is not None for one in self.cassette.interactions)

    def unplayed(self) -> list[ModelRequest]:
        """List the recorded requests to the model that nobody made, in order."""
        with self._lock:
            return [one.request.asked for _, one in sorted(self._left.items()) if one.request.asked is not None]

    def unplayed_error(self) -> UnrecordedModelCallError | None:
        """Tell of requests to the model that were recorded and never made; None when all were."""
        unplayed = self.unplayed()
        if not unplayed:
            return None
        made = self.recorded - len(unplayed)
        return UnrecordedModelCallError(
            f"the agent made {made} of {self.recorded} recorded model calls",
            cassette=self.cassette.shown,
            missing=f"the first that it did not make: {described(unplayed[0])}",
            next="mend the agent; if it is right: record it again with --agent-record=rewrite",
        )

    def _unrecorded(self, request: HttpRequest) -> UnrecordedModelCallError:
        incoming = request.asked
        assert incoming is not None
        details = {"cassette": self.cassette.shown, "asked": described(incoming)}
        if key_of(request, self._drop) in self._by_key:
            details["closest"] = "an equal request, whose recorded answers were all given already"
        elif near := self._nearest(request, incoming):
            number, changes = near
            details["closest"] = f"model call {number} of {self.recorded} in the cassette"
            more = [f"{len(changes) - _SHOWN_CHANGES} more"] if len(changes) > _SHOWN_CHANGES else []
            details["changed"] = "\n".join([*changes[:_SHOWN_CHANGES], *more])
        else:
            details["closest"] = "none: all recorded answers were given already"
        details["next"] = "mend the agent; if it is right: record it again with --agent-record=rewrite"
        fact = f"model#{self.asked} was asked what its cassette has no answer to"
        return UnrecordedModelCallError(fact, **details)

    def _unrecorded_embedding(self, request: HttpRequest) -> UnrecordedModelCallError:
        recorded = (one.request for one in self.cassette.interactions if one.request.target == request.target)
        changes = min((self._other_changes(one, request) for one in recorded), key=len, default=[])
        return UnrecordedModelCallError(
            f"no recorded answer fits what was asked at {request.target}",
            cassette=self.cassette.shown,
            changed="\n".join(changes[:_SHOWN_CHANGES]) or "nothing: all its recorded answers were given already",
            next="mend the agent; if it is right: record it again with --agent-record=rewrite",
        )

    def _nearest(self, request: HttpRequest, incoming: ModelRequest) -> tuple[int, list[str]] | None:
        """Find the recorded request, of those that are next, that differs least."""
        plain = self._without_tags(request).asked or incoming
        compared: list[tuple[int, list[str]]] = []
        for number, one in self._coming(incoming.dialect):
            recorded = self._without_tags(one.request).asked
            assert recorded is not None
            compared.append((number, explain(recorded, plain) or self._other_changes(one.request, request)))
        return min(compared, key=lambda pair: len(pair[1]), default=None)

    def _without_tags(self, request: HttpRequest) -> HttpRequest:
        """Give a request redacted and its placeholders by kind alone, so that what was redacted is no change."""
        text = canonical(self._redactor.session().redact(request.value))
        value = json.loads(PLACEHOLDER.sub(r"[redacted:\1]", text))
        return HttpRequest(request.method, request.url, value, request.headers)

    def _other_changes(self, recorded: HttpRequest, incoming: HttpRequest) -> list[str]:
        """Name what differs beside messages, tools and settings."""
        if recorded.target != incoming.target:
            return [f"sent to: {recorded.target} -> {incoming.target}"]
        before, after = form_of(recorded, self._drop), form_of(incoming, self._drop)
        return [f"{path or 'the body'}: {_short(old)} -> {_short(new)}" for path, old, new in differing(before, after)]

    def _coming(self, dialect: str) -> Iterator[tuple[int, Interaction]]:
        numbers: dict[int, int] = {}
        for index, one in enumerate(self.cassette.interactions):
            if one.request.asked is not None:
                numbers[index] = len(numbers) + 1
        left = ((numbers[index], one) for index, one in sorted(self._left.items()) if index in numbers)
        same = ((number, one) for number, one in left if one.request.asked and one.request.asked.dialect == dialect)
        return islice(same, _NEIGHBOURS)


def differing(old: Value, new: Value, path: str = "") -> Iterator[tuple[str, Value, Value]]:
    """Give the places where two values part, each with what is there; `MISSING` for nothing."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in [*old, *(name for name in new if name not in old)]:
            place = f"{path}.{name}" if path else name
            yield from differing(old.get(name, MISSING), new.get(name, MISSING), place)
    elif isinstance(old, list) and isinstance(new, list):
        for index, (one, other) in enumerate(zip_longest(old, new, fillvalue=MISSING)):
            yield from differing(one, other, f"{path}[{index}]")
    elif (old is MISSING) != (new is MISSING) or (old is not new and not equal(old, new)):
        yield path, old, new


def _short(value: Value) -> str:
    text = "nothing" if value is MISSING else canonical(value)
    return text if len(text) <= _SHOWN_TEXT else text[: _SHOWN_TEXT - 3] + "..."


def described(request: ModelRequest) -> str:
    """Describe a request to the model in a line: the model, and what it was told last."""
    if not request.messages:
        return f"{request.model}, with no message"
    last = request.messages[-1]
    if last.tool_outputs:
        names = ", ".join(output.name or "a tool" for output in last.tool_outputs)
        return f"{request.model}, after the result of {names}"
    text = " ".join(str(last.content or "").split())
    short = text if len(text) <= _SHOWN_TEXT else text[: _SHOWN_TEXT - 3] + "..."
    return f"{request.model}, after the {last.role} message {short!r}"
