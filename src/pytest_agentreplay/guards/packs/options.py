"""Options: what a policy's `packs` may say about a pack, checked when the policy is read."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any


def refuse_unknown(pack: str, options: Mapping[str, Any], takes: Mapping[str, str]) -> None:
    """Refuse options that a pack has not.

    Raises:
        ValueError: naming the option, the nearest one and what the pack takes.
    """
    for name in options:
        if name not in takes:
            near = difflib.get_close_matches(str(name), takes, 1)
            has = ", ".join(f"{option} ({what})" for option, what in takes.items()) or "no options"
            closest = f"; did you mean {near[0]}?" if near else ""
            raise ValueError(f"the pack {pack} has no option {name!r}{closest}; it takes {has}")


def take_count(pack: str, options: Mapping[str, Any], name: str, default: int, least: int = 1) -> int:
    """Give a whole number.

    Raises:
        ValueError: naming the option and what it takes.
    """
    value = options.get(name, default)
    if type(value) is not int or value < least:
        raise ValueError(f"{pack}.{name} is {value!r}; it takes a whole number, {least} or more")
    return value


def take_texts(pack: str, options: Mapping[str, Any], name: str, what: str) -> tuple[str, ...] | None:
    """Give a list of texts; None where the option is not there.

    Raises:
        ValueError: naming the option and what it takes.
    """
    if name not in options:
        return None
    value = options[name]
    if (
        isinstance(value, str)
        or not isinstance(value, Iterable)
        or not all(type(item) is str and item for item in value)
    ):
        raise ValueError(f"{pack}.{name} is {value!r}; it takes a list of {what}")
    return tuple(value)
