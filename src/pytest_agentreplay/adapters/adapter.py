"""What an adapter is: a framework's package, and what puts seams into its classes.

Nothing here knows a framework, or when seams are wanted.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from pytest_agentreplay.errors import AgentReplayError

_ABSENT: Any = object()


class AdapterError(AgentReplayError):
    """A framework is not what its adapter expects, so its tools would run around the boundary."""


class Patches:
    """What was replaced, and the way back."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def replace(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Replace an attribute of a class or module by what is made of it.

        Args:
            owner: what is looked up when the framework calls: a class, or a module by its global name.
            name: the attribute; inherited ones are replaced in `owner` alone.
            make: gives the replacement, from the function that calls get today.

        Raises:
            AdapterError: when there is no such attribute.
        """
        own = vars(owner).get(name, _ABSENT)
        original = getattr(owner, name, _ABSENT)
        if original is _ABSENT:
            where = getattr(owner, "__qualname__", None) or owner.__name__
            raise AdapterError(
                f"{where} has no {name}",
                next="install a version of the framework that the documentation names as tested, or report this",
            )
        setattr(owner, name, make(original))
        self._undo.append(lambda: delattr(owner, name) if own is _ABSENT else setattr(owner, name, own))

    def set_item(self, mapping: MutableMapping[Any, Any], key: Any, value: Any) -> None:
        """Put a value into a mapping, such as the environment's."""
        old = mapping.get(key, _ABSENT)
        mapping[key] = value
        self._undo.append(lambda: mapping.pop(key, None) if old is _ABSENT else mapping.__setitem__(key, old))

    def on_undo(self, undo: Callable[[], None]) -> None:
        """Note what else takes back."""
        self._undo.append(undo)

    def undo(self) -> None:
        """Put everything back, the last first; harmless when repeated."""
        while self._undo:
            self._undo.pop()()


@dataclass(frozen=True, slots=True)
class Adapter:
    """One framework's adapter.

    Attributes:
        name: shown as the source of the effects that the framework's hints give.
        package: the import package; seams are put in place when, and only when, it is imported.
        install: puts them in place. Called with the package imported, once for every time that seams are wanted.
    """

    name: str
    package: str
    install: Callable[[Patches], None]
