"""Snapshot files: the states of one test module, in one YAML mapping by name.

Syrupy decides which snapshots there are, when they are written and which are no
longer used; this is how they are kept. The ending is ``.yml``: every ``.yaml``
under a directory of golden traces is taken for one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from syrupy.data import Snapshot, SnapshotCollection
from syrupy.extensions.base import AbstractSyrupyExtension
from syrupy.utils import exclusive_file_lock, replace_atomic, snapshot_file_lock_enabled

from pytest_agentreplay.errors import AgentReplayError
from pytest_agentreplay.jsonable import Value, encode, equal
from pytest_agentreplay.yaml_codec import YamlError, parse, render

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from syrupy.types import PropertyFilter, PropertyMatcher, PropertyPath

_HEADER: Final = "# States of agents, written by `pytest --snapshot-update`.\n"
_NUMBER: Final = re.compile(r"([0-9]+)")


class SnapshotFileError(AgentReplayError):
    """A snapshot file can't be read, or a state can't be written to one."""


class StateSnapshotExtension(AbstractSyrupyExtension):
    """Keeps states as readable YAML; made by syrupy, also in the controller of pytest-xdist."""

    file_extension = "yml"

    def serialize(
        self,
        data: Any,
        *,
        exclude: PropertyFilter | None = None,
        include: PropertyFilter | None = None,
        matcher: PropertyMatcher | None = None,
    ) -> str:
        """Write a state as YAML.

        Raises:
            SnapshotFileError: when it can't be, since it is too deep.
        """
        try:
            return render(encode(_filtered(data, (), exclude, include, matcher)))
        except YamlError as error:
            raise SnapshotFileError(f"a state can't be written: {error.problem}", next=error.remedy) from None

    def matches(self, *, serialized_data: Any, snapshot_data: Any) -> bool:
        """Tell whether two states are equal; 2 and 2.0 are."""
        return bool(serialized_data == snapshot_data) or equal(parse(serialized_data), parse(snapshot_data))

    def diff_snapshots(self, serialized_data: Any, snapshot_data: Any) -> str:
        """Write the difference of two states, for a test that keeps that."""
        return render(str(super().diff_snapshots(serialized_data, snapshot_data)))

    def read_snapshot_collection(self, *, snapshot_location: str) -> SnapshotCollection:
        """Read the snapshots of a file for the search for unused ones: one that can't be read holds none."""
        try:
            return _collection(snapshot_location, _read(snapshot_location))
        except SnapshotFileError:
            return SnapshotCollection(location=snapshot_location)  # the test that asserts on it tells why

    def read_snapshot_data_from_location(
        self, *, snapshot_location: str, snapshot_name: str, session_id: str
    ) -> str | None:
        """Read one snapshot; None where there is none.

        Raises:
            SnapshotFileError: when its file can't be read.
        """
        states = _read(snapshot_location)
        return render(states[snapshot_name]) if snapshot_name in states else None

    @classmethod
    def write_snapshot_collection(
        cls, *, snapshot_collection: SnapshotCollection, name_order: dict[str, int] | None = None
    ) -> None:
        """Add snapshots to their file, which several workers may do at once."""
        states = {snapshot.name: parse(str(snapshot.data)) for snapshot in snapshot_collection}
        _change(snapshot_collection.location, lambda present: present | states)

    def delete_snapshots(self, *, snapshot_location: str, snapshot_names: AbstractSet[str]) -> None:
        """Take snapshots out of their file, and the file away with the last one."""

        def without(present: dict[str, Value]) -> dict[str, Value]:
            return {name: state for name, state in present.items() if name not in snapshot_names}

        _change(snapshot_location, without)


def _filtered(
    data: Value,
    path: PropertyPath,
    exclude: PropertyFilter | None,
    include: PropertyFilter | None,
    matcher: PropertyMatcher | None,
) -> Value:
    """Apply a test's own filters and matcher, as syrupy's other extensions do."""
    value: Any = data if matcher is None else matcher(data=data, path=path)
    if type(value) not in (dict, list):
        return value if type(value) is type(data) or value is None else _shown(value)
    entries = value.items() if type(value) is dict else enumerate(value)
    kept = {
        key: _filtered(item, (*path, (key, type(item))), exclude, include, matcher)
        for key, item in entries
        if not (exclude and exclude(prop=key, path=path)) and (not include or include(prop=key, path=path))
    }
    return kept if type(value) is dict else list(kept.values())


def _shown(replacement: Any) -> Value:
    """Write what a matcher put in the place of a value: JSON as it is, syrupy's own stand-ins as their text."""
    return replacement if type(replacement) in (bool, int, float, str) else repr(replacement)


def _collection(location: str, states: dict[str, Value]) -> SnapshotCollection:
    collection = SnapshotCollection(location=location)
    for name in states:
        collection.add(Snapshot(name=name))
    return collection


def _read(location: str) -> dict[str, Value]:
    """Read a file's states; empty where there is no file."""
    try:
        found = Path(location).stat()
    except FileNotFoundError:
        return {}
    return _parsed(location, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=128)
def _parsed(location: str, changed: int, size: int) -> dict[str, Value]:
    """Parse a file once for every change of it: a module's tests all read the same one."""
    try:
        states = parse(Path(location).read_text(encoding="utf-8"))
    except (YamlError, UnicodeDecodeError) as error:
        place = f"{location}:{error.line}:{error.column}" if isinstance(error, YamlError) else location
        problem = error.problem if isinstance(error, YamlError) else "it is not UTF-8"
        raise SnapshotFileError(
            f"the snapshots can't be read: {problem}", at=place, next="mend the file, or delete it and update"
        ) from None
    if type(states) is not dict:
        raise SnapshotFileError(
            "the snapshots can't be read: they are no mapping", at=location, next="delete the file and update"
        )
    return states


def _change(location: str, change: Callable[[dict[str, Value]], dict[str, Value]]) -> None:
    with _alone(location):
        states = change(_read(location))
        if not states:
            Path(location).unlink(missing_ok=True)
            return
        ordered = {name: states[name] for name in sorted(states, key=_by_number)}
        written = Path(f"{location}.tmp")
        written.write_text(_HEADER + render(ordered), encoding="utf-8", newline="\n")
        replace_atomic(written, location)


@contextmanager
def _alone(location: str) -> Iterator[None]:
    if snapshot_file_lock_enabled():
        with exclusive_file_lock(location):
            yield
    else:
        yield


def _by_number(name: str) -> list[tuple[str, int]]:
    """Sort ``test_it.2`` before ``test_it.10``."""
    return [(part, 0) if index % 2 == 0 else ("", int(part)) for index, part in enumerate(_NUMBER.split(name))]
