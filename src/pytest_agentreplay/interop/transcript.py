"""What an import yields: traces, what was odd about them, and what was refused.

The same for every format. Nothing here knows any of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_agentreplay.trace import Trace

if TYPE_CHECKING:
    from pytest_agentreplay.cassettes import Interaction


@dataclass(frozen=True, slots=True)
class Note:
    """Something odd in a transcript that was imported all the same.

    Attributes:
        place: the document and the path inside it, as ``runs.jsonl:3 messages[4]``.
        fact: one line, lower case; names, ids and keys only, never content.
    """

    place: str
    fact: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that became no trace.

    Attributes:
        place: the document and the path inside it.
        why: the fact, one line.
        remedy: the one next step.
    """

    place: str
    why: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Imported:
    """The outcome of importing one document.

    Attributes:
        traces: suggested file name without ending, and trace; names are unique within the document
            whatever the case, and hold only ASCII letters, digits, ``_`` and ``-``.
        traffic: by trace name, the HTTP traffic with the model that the run can be replayed from,
            as interactions of `cassettes`.
    """

    traces: list[tuple[str, Trace]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    traffic: dict[str, Sequence[Interaction]] = field(default_factory=dict)
