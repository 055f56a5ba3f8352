"""Problems: what a validation found wrong in a document, in words a user can act on.

A problem is a path inside the document, the fact, and the one remedy. They come
in the order of the file. Nothing here knows of YAML, files or line numbers; it
serves every format whose models derive from `Record`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias, get_args

from pydantic import ValidationError

from pytest_agentreplay.checks import CheckError, brief, parse_path
from pytest_agentreplay.trace.steps import STEP_KINDS
from pytest_agentreplay.trace.verdicts import Record

Location: TypeAlias = tuple[str | int, ...]

_EXPECTED = {
    "string_type": "text",
    "string_unicode": "text without lone surrogates",
    "string_too_short": "a text that is not empty",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "list_type": "a list",
    "tuple_type": "a list",
    "greater_than_equal": "a number of at least {ge:g}",
    "less_than_equal": "a number of at most {le:g}",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a document.

    Attributes:
        path: the keys and indices that lead to it.
        fact: what is wrong.
        remedy: what would be right.
        unquoted: the remedy is to quote the scalar at `path`, as it is written there.
    """

    path: Location
    fact: str
    remedy: str
    unquoted: bool = False


def explain(error: ValidationError, document: Any, root: type[Record]) -> list[Problem]:
    """Turn a validation error into problems, in the order of the document and one a place."""
    found: dict[Location, Problem] = {}
    for item in error.errors(include_url=False):
        key = item.get("ctx", {}).get("key")
        path = _inside((*item["loc"], key) if key else item["loc"], document)
        # Of a union's members the last one speaks: the widest (a number rather than a whole number).
        found[path] = _problem(item, path, document, root)
    return sorted(found.values(), key=lambda problem: _place(problem.path, document))


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Find the known name that a mistyped one most likely means."""
    close = difflib.get_close_matches(name, sorted(known), n=1)
    return close[0] if close else None


def _inside(loc: Location, document: Any) -> Location:
    """Drop from an error's location what is no part of the document: tags of unions, gathered keys."""
    if loc[:1] == ("steps",):
        loc = (*loc[:2], *loc[3:])  # without the kind, by which the union of steps was told apart
    return _existing(document, loc)


def _existing(value: Any, parts: Location) -> Location:
    path: list[str | int] = []
    for part in parts:
        if part in value if isinstance(value, dict) else isinstance(value, list) and part in range(len(value)):
            value = value[part]
            path.append(part)
    return tuple(path)


def _place(path: Location, document: Any) -> tuple[int, ...]:
    """Where a path stands in its document, as sortable positions; a whole mapping stands after its parts."""
    places: list[int] = []
    value = document
    for part in path:
        places.append(part if isinstance(part, int) else list(value).index(part))
        value = value[part]
    return (*places, len(value)) if isinstance(value, (dict, list)) else tuple(places)


def _problem(item: Any, path: Location, document: Any, root: type[Record]) -> Problem:
    kind, found, context = item["type"], item["input"], item.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(path, document, root)
    if kind == "missing":
        return _missing_key(str(item["loc"][-1]), path)
    if kind == "step_kind":
        return _no_one_kind(path, found)
    if kind == "literal_error":
        return _not_among(path, found, context["expected"])
    if kind == "value_error" and isinstance(context.get("error"), CheckError):
        return _bad_check(path, context["error"], document)
    if kind in _EXPECTED:
        return _wrong_type(path, found, _EXPECTED[kind].format_map(context))
    remedy = context.get("next") or "compare it with the format's reference"
    return Problem(path, item["msg"].removeprefix("Value error, "), remedy)


def _unknown_key(path: Location, document: Any, root: type[Record]) -> Problem:
    key = str(path[-1])
    taken = set(_value_at(document, path[:-1]))
    known = [name for name in _known_keys(path[:-1], document, root) if name not in taken]
    guess = nearest(key, known)
    remedy = (
        f"did you mean `{guess}`?" if guess else f"take it out; what may stand here: {', '.join(known) or 'nothing'}"
    )
    return Problem(path, f"unknown key `{key}`", remedy)


def _missing_key(key: str, path: Location) -> Problem:
    if key == "check":
        return Problem(path, "a state check needs a check", "add one beside `after`, as `equals: 0`")
    return Problem(path, f"`{key}` is missing", f"add `{key}: ...`")


def _no_one_kind(path: Location, step: Any) -> Problem:
    one_of = f"{', '.join(STEP_KINDS[:-1])} or {STEP_KINDS[-1]}"
    if not isinstance(step, dict):
        return Problem(path, f"expected a step, found {_shown(step)}", f"write a mapping with one of {one_of}")
    kinds = [kind for kind in STEP_KINDS if kind in step]
    if kinds:
        return Problem(path, f"a step is of one kind, this one has {' and '.join(kinds)}", "make a step of each")
    guesses = [(key, guess) for key in step if (guess := nearest(str(key), STEP_KINDS))]
    remedy = f"did you mean `{guesses[0][1]}` where it says `{guesses[0][0]}`?" if guesses else f"add one of {one_of}"
    return Problem(path, f"a step has one of {one_of}, this one has none", remedy)


def _not_among(path: Location, found: Any, expected: str) -> Problem:
    options = [option.strip("'") for option in expected.replace(" or ", ", ").split(", ")]
    guess = nearest(found, options) if isinstance(found, str) else None
    remedy = f"did you mean {guess}?" if guess else f"write one of: {', '.join(options)}"
    return Problem(path, f"expected {_either(options)}, found {_shown(found)}", remedy)


def _either(options: list[str]) -> str:
    return " or ".join(options) if len(options) < 3 else f"one of {', '.join(options)}"


def _bad_check(path: Location, error: CheckError, document: Any) -> Problem:
    inner = tuple(part for part in parse_path(error.path) if isinstance(part, (str, int))) if error.path else ()
    return Problem((*path, *_existing(_value_at(document, path), inner)), error.problem, error.remedy)


def _wrong_type(path: Location, found: Any, expected: str) -> Problem:
    fact = f"expected {expected}, found {_shown(found)}"
    if expected == "text" and isinstance(found, (bool, int, float)):
        return Problem(path, fact, "", unquoted=True)
    if expected == "text" and found is None:
        return Problem(path, fact, "write a text, or take the key out")
    if expected == "a list" and isinstance(found, (str, int, float)):
        return Problem(path, fact, f"write a list: [{found}]")
    if isinstance(found, str) and expected.endswith("number") and found.replace(".", "", 1).isdigit():
        return Problem(path, fact, f"take the quotes off: {found}")
    return Problem(path, fact, f"write {expected}")


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    kind = "the number " if isinstance(value, (int, float)) and not isinstance(value, bool) else ""
    kind = "the text " if isinstance(value, str) else kind
    return f"{kind}{brief(value, 40)}"


def _value_at(document: Any, path: Location) -> Any:
    for part in path:
        document = document[part]
    return document


def _known_keys(path: Location, document: Any, root: type[Record]) -> list[str]:
    """List the keys that may stand in the mapping at a path."""
    candidates = [root]
    for part in path:
        fields = [
            field for model in candidates for name, field in model.model_fields.items() if part == (field.alias or name)
        ]
        candidates = _records(field.annotation for field in fields) if fields else candidates
    present = _value_at(document, path)
    fitting = [model for model in candidates if _required(model) <= set(present)] or candidates
    return list(fitting[0].file_keys()) if fitting else []


def _required(model: type[Record]) -> set[str]:
    return {name for name, field in model.model_fields.items() if field.is_required()} & set(model.file_keys())


def _records(annotations: Iterable[Any]) -> list[type[Record]]:
    found: list[type[Record]] = []
    for annotation in annotations:
        if isinstance(annotation, type) and issubclass(annotation, Record):
            found.append(annotation)
        else:
            found.extend(_records(get_args(annotation)))
    return found
