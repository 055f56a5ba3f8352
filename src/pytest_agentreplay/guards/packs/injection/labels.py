"""Labels: which results of a trace give orders to a model, and which values those orders are about.

Every result is read once, when it is added. What is kept of a suspicious one is
the passage around its orders: its addresses, names, amounts, paths and ids. The
user's own words are kept too, since a value that the user named is nobody
else's. Nothing here judges a call.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

from pytest_agentreplay.guards.analysis.injections import INJECTIONS
from pytest_agentreplay.guards.analysis.orders import Order, OrderFinder, decoded_runs
from pytest_agentreplay.guards.analysis.phrases import OVERRIDES
from pytest_agentreplay.guards.analysis.spelling import hides_text, plain
from pytest_agentreplay.guards.analysis.texts import texts_of
from pytest_agentreplay.guards.packs.injection.wishes import Wish, Wishes, find_demands
from pytest_agentreplay.jsonable import MISSING, Value
from pytest_agentreplay.trace import MessageStep, Step, ToolStep

_BEFORE: Final = 200  # characters of a passage before its first order, in its line, the sentence before it included
_AFTER: Final = 2000  # and behind its last one
_MOST_DEMANDS: Final = 64
_SHORTEST_TEXT: Final = 12
_MOST_PASSAGES: Final = 64
_MOST_ATOMS: Final = 4096
_MOST_LOOKED_FOR: Final = 256  # atoms, one by one in a text
_LONGEST_VALUE: Final = 400

_ATOM: Final = re.compile(
    r"(?i)[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+"  # an e-mail address
    r"|(?:https?|ftp|wss?)://[^\s\"'<>`)\]}]+"
    r"|(?:[\w-]+\.)+[a-z]{2,24}(?:/[^\s\"'<>`)\]}]*)?"  # a host, a file, a dotted name
    r"|(?:~|\.{1,2})?(?:/[\w.@%+-]+)+/?|[a-z]:\\[^\s\"'<>`]+"
    r"|[@#][\w-]{2,}"
    r"|\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b"  # an account number
    r"|\+?[0-9][0-9 ().-]{6,}[0-9]"
    r"|[0-9]+(?:[.,][0-9]+)*"
    r"|\b\w*[0-9_]\w*\b"
)
_SENTENCE_END: Final = re.compile(r"[.!?][\s\"')]+")
_USERS_ROLES: Final = frozenset(("user", "human", "system", "developer"))


class Passage(NamedTuple):
    """A suspicious passage of a result.

    Attributes:
        address: the step whose result it is in.
        text: in lower case.
        orders: what it says to a model; empty where it is only hidden.
        strong: whether it is suspicious without anything following from it.
        grave: whether more than one wording, or one that is hardly anything else, gives it away.
    """

    address: str
    text: str
    orders: tuple[Order, ...]
    strong: bool
    grave: bool = True

    @property
    def why(self) -> str:
        """What is suspicious, in words."""
        if not self.orders:
            return "hides text that nobody sees"
        first = min(self.orders, key=lambda order: not order.phrase.strong)
        return f"{first.phrase.name} ({first.excerpt!r})"


@cache
def _finder() -> OrderFinder:
    return OrderFinder((*OVERRIDES, *INJECTIONS))


class ResultLabels:
    """What the results so far say to a model.

    Attributes:
        passages: the suspicious ones, the last ones of many.
        atoms: addresses, amounts, ids... of those passages, with the passage that each is of.
        wishes: sentences in the imperative.
        pending: a strong passage after which nothing was written yet.
    """

    def __init__(self) -> None:
        self.passages: list[Passage] = []
        self.atoms: dict[str, Passage] = {}
        self.pending: Passage | None = None
        self.wishes = Wishes()
        self.demands: list[Wish] = []
        self._users: list[str] = []

    def read(self, step: Step) -> None:
        """Take in one step."""
        if type(step) is MessageStep:
            if step.message in _USERS_ROLES:
                self._users += [folded(text) for _, text in texts_of(step.content, "")]
            elif step.message in ("tool", "function"):
                self._label(step.address or "a message", step.content)
        elif type(step) is ToolStep:
            if step.effect == "write":
                self.pending = None
            result = step.result if step.result is not MISSING else step.error.message if step.error else None
            self._label(step.address or step.tool, result)

    def said_by_user(self, value: str) -> bool:
        """Tell whether the user's messages name a value."""
        return any(names(text, value) for text in self._users)

    def may_name(self, text: str) -> bool:
        """Tell whether a folded text could hold any of the atoms: sooner told than what its own are."""
        return len(self.atoms) > _MOST_LOOKED_FOR or not text.isascii() or any(atom in text for atom in self.atoms)

    @property
    def users_words(self) -> str:
        """What the user's messages say, joined."""
        return "\n".join(self._users)

    def _label(self, address: str, result: Value) -> None:
        for _, text in texts_of(result, ""):
            if len(text) < _SHORTEST_TEXT:
                continue
            self.wishes.add(address, text)
            self.demands = [*self.demands, *find_demands(address, text)][-_MOST_DEMANDS:]
            for passage in find_passages(address, text):
                if not any(self._is_users(order) for order in passage.orders):
                    self._keep(passage)

    def _is_users(self, order: Order) -> bool:
        return any(folded(order.excerpt) in text for text in self._users)

    def _keep(self, passage: Passage) -> None:
        self.passages = [*self.passages[1 - _MOST_PASSAGES :], passage]
        for atom in atoms_of(passage.text):
            self.atoms.pop(atom, None)
            self.atoms[atom] = passage
        while len(self.atoms) > _MOST_ATOMS:
            del self.atoms[next(iter(self.atoms))]
        if passage.strong:
            self.pending = passage


def find_passages(address: str = "", text: str = "") -> list[Passage]:
    """Find the suspicious passages of one text."""
    return list(_passages(address, text))


def _passages(address: str, text: str) -> Iterator[Passage]:
    if hides_text(text):
        yield Passage(address, folded(text[-_AFTER:]), (), strong=True)
    found = _finder().find(text)
    strong = any(order.phrase.strong for order in found)
    grave = strong or len(found) > 1
    if not grave and not any(order.phrase.to_model for order in found):
        return
    by_reading: dict[str, list[Order]] = {}
    for order in found:
        by_reading.setdefault(order.text, []).append(order)
    for read, orders in by_reading.items():
        start = _passage_start(read, min(order.start for order in orders))
        end = max(order.end for order in orders) + _AFTER
        as_written = (
            text[start:end] if len(read) == len(text) and read != text else ""
        )  # digits may be digits after all
        passage = "\n".join([read[start:end], *decoded_runs(read[start:end]), as_written])
        yield Passage(address, folded(passage), tuple(orders), strong, grave)


def _passage_start(text: str, position: int) -> int:
    first = max(0, position - _BEFORE)
    line = text.rfind("\n", first, position) + 1
    ends = [end.end() for end in _SENTENCE_END.finditer(text, max(first, line), position)]
    return ends[-2] if len(ends) > 1 else max(first, line)


def folded(text: str) -> str:
    """Fold a text for comparing: disguises off, case, runs of blanks."""
    return " ".join(plain(text).lower().split())


def atoms_of(text: str) -> Iterator[str]:
    """Give what in a text names somebody or something: addresses, hosts, paths, accounts, ids, amounts."""
    for match in _ATOM.finditer(text):
        atom = match[0].rstrip(".,;:!?").lower()
        if len(atom) > 1:
            yield atom


def names(text: str, value: str) -> bool:
    """Tell whether a folded text holds a folded value as whole words."""
    start = text.find(value)
    while start >= 0:
        end = start + len(value)
        if not (text[start - 1 : start].isalnum() and value[:1].isalnum()) and not (
            text[end : end + 1].isalnum() and value[-1:].isalnum()
        ):
            return True
        start = text.find(value, start + 1)
    return False
