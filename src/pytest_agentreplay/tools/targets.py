"""Targets: functions named by ``package.module:qualified.name``.

Nothing here knows what happens to what is found.
"""

from __future__ import annotations

from importlib import import_module
from inspect import getattr_static
from typing import Any, NamedTuple

from pytest_agentreplay.errors import SettingsError


class Target(NamedTuple):
    """What a name leads to.

    Attributes:
        value: as an attribute access gives it: a function, a bound method...
        name: the last part of the name.
        has_self: whether a call passes an instance or a class first; None where the name doesn't tell.
    """

    value: Any
    name: str
    has_self: bool | None


def find_target(text: str) -> Target:
    """Import a target.

    Raises:
        SettingsError: when the text, the module or the attribute is wrong, with the nearest there is.
    """
    module_name, colon, path = text.partition(":")
    parts = path.split(".")
    if not colon or not all(part.isidentifier() for part in (*module_name.split("."), *parts)):
        raise SettingsError(f"{text!r} names no function", next="write it as package.module:function, or :Class.method")
    owner = _import(module_name, text)
    for part in parts[:-1]:
        owner = _attribute(owner, part, text)
    value = _attribute(owner, parts[-1], text)
    return Target(value, parts[-1], _passes_self(owner, parts[-1]))


def _import(module_name: str, text: str) -> Any:
    try:
        return import_module(module_name)
    except Exception as error:  # a module may fail in any way while it is imported
        absent = isinstance(error, ModuleNotFoundError) and error.name is not None
        is_itself = absent and f"{module_name}.".startswith(f"{error.name}.")  # type: ignore[attr-defined]
        raise SettingsError(
            f"{text} can't be imported: {type(error).__name__}: {error}",
            next="set `pythonpath` in pytest's configuration, or install the package that holds it",
        ) from (None if is_itself else error)


def _attribute(owner: Any, name: str, text: str) -> Any:
    try:
        return getattr(owner, name)
    except AttributeError:
        from difflib import get_close_matches

        nearest = get_close_matches(name, dir(owner), n=1)
        details = {"closest": nearest[0]} if nearest else {}
        where = getattr(owner, "__name__", type(owner).__name__)
        raise SettingsError(f"{text}: {where} has no {name}", **details, next="name a function that is there") from None


def _passes_self(owner: Any, name: str) -> bool | None:
    if isinstance(owner, type):
        return not isinstance(getattr_static(owner, name), staticmethod)
    return None
