"""The snapshot that a test compares a state with: masked, redacted, and kept as YAML.

Nothing here knows pytest, or how a value becomes JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from syrupy.assertion import SnapshotAssertion
from syrupy.location import PyTestLocation

from pytest_agentreplay.jsonable import Value
from pytest_agentreplay.redaction import Redactor
from pytest_agentreplay.snapshots.collection import SnapshotFileError, StateSnapshotExtension
from pytest_agentreplay.snapshots.masks import Masks

if TYPE_CHECKING:
    from syrupy.extensions.base import AbstractSyrupyExtension
    from syrupy.session import SnapshotSession


@dataclass(frozen=True, slots=True)
class StateForm:
    """How a state is brought into the form of a snapshot.

    Attributes:
        to_json: writes any value as JSON.
        redactor: what has to go, before anything else.
        masks: what is volatile.
    """

    to_json: Callable[[Any], Value]
    redactor: Redactor
    masks: Masks

    def of(self, state: Any, paths: Iterable[str]) -> Value:
        """Give a state as it is compared and kept."""
        return self.masks.mask(self.redactor.session().redact(self.to_json(state)), paths)


class StateSnapshot(SnapshotAssertion):
    """A snapshot of an agent's state; `assert state == state_snapshot`, several times in one test.

    Args:
        form: how states are brought into form.
        given: what syrupy's own assertion takes.
    """

    def __init__(self, form: StateForm, **given: Any) -> None:
        self._form = form
        self._paths: tuple[str, ...] = ()
        super().__init__(**given)

    def __call__(self, *, mask: Iterable[str] = (), **options: Any) -> StateSnapshot:
        """Change how the next state is compared.

        Args:
            mask: paths into the state whose values are no part of it, as ``messages[*].id``.
            options: syrupy's own: ``name=``, ``exclude=``, ``include=``, ``matcher=``, ``diff=``...
        """
        self._paths = (mask,) if isinstance(mask, str) else tuple(mask)
        super().__call__(**options)
        return self

    def __eq__(self, state: object) -> bool:
        paths, self._paths = self._paths, ()
        is_equal = super().__eq__(self._form.of(state, paths))
        failure = self.executions[self.num_executions - 1].exception
        if isinstance(failure, SnapshotFileError):  # syrupy would show it as a difference
            raise failure.with_traceback(None)
        return is_equal

    __hash__ = None  # type: ignore[assignment] # as syrupy's own: it equals what it is compared with

    def with_defaults(self, **changes: Any) -> StateSnapshot:
        """Make one with other defaults, of syrupy's own options."""
        kept = ("session", "extension_class", "test_location", "update_snapshots", "update_new_snapshots_only")
        given = {name: getattr(self, name) for name in (*kept, "include", "exclude", "matcher")}
        return StateSnapshot(self._form, **(given | {name: value for name, value in changes.items() if value}))


def state_snapshot(
    item: Any,
    session: SnapshotSession,
    form: StateForm,
    *,
    extension: type[AbstractSyrupyExtension] = StateSnapshotExtension,
) -> StateSnapshot:
    """Make the snapshots of one test.

    Args:
        item: the test, as pytest has it.
        session: syrupy's own.
        form: how states are brought into form.
        extension: how they are kept.
    """
    option = session.pytest_session.config.option
    return StateSnapshot(
        form,
        session=session,
        extension_class=extension,
        test_location=PyTestLocation(item),
        update_snapshots=option.update_snapshots,
        update_new_snapshots_only=option.update_new_snapshots_only,
    )
