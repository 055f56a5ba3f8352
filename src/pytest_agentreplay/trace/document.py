"""Trace documents: a golden trace as text, and as the JSON that the text stands for.

What can't be read is told by file, line, column, path, fact and remedy. Nothing
here touches the disk; payloads that live beside a file are handed in.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

from pydantic import ValidationError

from pytest_agentreplay import yaml_codec
from pytest_agentreplay.checks import brief, render_path
from pytest_agentreplay.errors import TraceFormatError
from pytest_agentreplay.jsonable import MISSING, BlobRef, MarkError, NotJsonError, decode, encode
from pytest_agentreplay.trace.expect import CallLimit, StateCheck
from pytest_agentreplay.trace.model import FORMAT, Trace
from pytest_agentreplay.trace.problems import Location, Problem, explain, nearest
from pytest_agentreplay.trace.refusals import WHOLE, refusal
from pytest_agentreplay.trace.schema import trace_schema
from pytest_agentreplay.trace.verdicts import Record, Verdict

__all__ = [
    "build_trace",
    "document_order",
    "parse_document",
    "parse_trace",
    "render_trace",
    "to_document",
    "trace_schema",
    "unwritable",
]

ReadBlob: TypeAlias = Callable[[str], Any]
"""Gives the payload of a digest, or raises a ValueError that says why it can't."""

_FAMILY = re.compile(r"agentreplay\.trace/(\d+)")
_ESCAPED_DOLLAR = re.compile(r"\\(?:x24|u0024|U00000024)")


def parse_trace(text: str | bytes, source: str = "<trace>", *, read_blob: ReadBlob | None = None) -> Trace:
    """Parse a trace.

    Args:
        text: YAML, as section 2 of the format has it; bytes are UTF-8.
        source: the file's name, for errors.
        read_blob: gives the payloads that live beside the file; without it they stay `BlobRef`.

    Raises:
        TraceFormatError: for the first problem in the text, with how many there are.
    """
    return build_trace(parse_document(text, source), text, source, read_blob=read_blob)


def parse_document(text: str | bytes, source: str = "<trace>") -> dict[str, Any]:
    """Parse a trace's text as far as YAML and the ``format`` line go.

    Raises:
        TraceFormatError: when the text is no YAML, or no trace of this format version.
    """
    try:
        document = yaml_codec.parse(text)
    except yaml_codec.YamlError as error:
        raise _yaml_problem(error, source) from None
    problem = _format_problem(document)
    if problem:
        raise refusal(TraceFormatError, [problem], text, source)
    result: dict[str, Any] = document
    return result


def build_trace(
    document: dict[str, Any], text: str | bytes, source: str = "<trace>", *, read_blob: ReadBlob | None = None
) -> Trace:
    """Make the trace of a parsed document; `text` is read only for where its problems are.

    Raises:
        TraceFormatError: as `parse_trace` does.
    """
    try:
        content = _decoded(document, text, read_blob)
        return Trace.model_validate(content)
    except MarkError as error:
        remedy = "write it so, or wrap the mapping in {$literal: ...} if it means itself"
        problems = [Problem(error.path, error.problem, remedy)]
    except _BlobProblem as error:
        problems = [error.problem]
    except ValidationError as error:
        problems = explain(error, content, Trace)
    raise refusal(TraceFormatError, problems, text, source)


def render_trace(trace: Trace) -> str:
    """Write a trace as YAML that parses to the same trace.

    Raises:
        TraceFormatError: when the trace holds what a file can't.
    """
    try:
        return yaml_codec.render(to_document(trace))
    except yaml_codec.YamlError as error:
        raise unwritable(error) from None


def to_document(trace: Trace) -> dict[str, Any]:
    """Turn a trace into plain JSON, keys in the format's order; what was not set is left out.

    Raises:
        TraceFormatError: when the trace holds what is not JSON.
    """
    content = {"format": FORMAT, **_fields(trace)}
    try:
        document: dict[str, Any] = encode(content)
    except NotJsonError as error:
        path = render_path(error.path)
        raise TraceFormatError(
            f"a trace can't hold {error.type_name}", path=path, next="turn it into JSON values first"
        ) from None
    except RecursionError:
        raise TraceFormatError("a trace can't hold a value that is nested so deep", next="store it flatter") from None
    return document


def unwritable(error: yaml_codec.YamlError) -> TraceFormatError:
    """Say what of a trace YAML can't hold."""
    return TraceFormatError(f"a trace can't hold {error.problem}", path=render_path(error.path), next=error.remedy)


def document_order() -> tuple[str, ...]:
    """List the top-level keys of a trace in the order in which they are written."""
    return Trace.file_keys()


def _fields(record: Record) -> dict[str, Any]:
    values = record.__dict__
    given = record.model_fields_set
    nothing = _where_none_says_nothing(type(record))
    return {
        name: _plain(values[name])
        for name in type(record).model_fields
        if name in given and values[name] is not MISSING and not (values[name] is None and name in nothing)
    }


@cache
def _where_none_says_nothing(record: type[Record]) -> frozenset[str]:
    """List the fields in which None is the same as leaving the key out, as it is not in a payload."""
    fields = record.model_fields.items()
    return frozenset(name for name, field in fields if field.default is None and field.annotation is not Any)


def _plain(value: Any) -> Any:
    """Replace records, also in the lists and mappings that hold them, by what a file says for them."""
    if isinstance(value, Record):
        return _short(value)
    if isinstance(value, tuple) or (isinstance(value, list) and value and isinstance(value[0], Record)):
        return [_plain(item) for item in value]
    if isinstance(value, dict) and value and isinstance(next(iter(value.values())), Record):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _short(record: Record) -> Any:
    fields = _fields(record)
    if isinstance(record, Verdict) and set(fields) == {"decision"}:
        return record.decision
    if isinstance(record, CallLimit) and fields == {"max": 0}:
        return "never"
    if isinstance(record, StateCheck):
        check = fields.pop("check")
        return {**fields, **(check if isinstance(check, dict) and check else {"equals": check})}
    return fields


def _format_problem(document: Any) -> Problem | None:
    first_line = f"start the file with the line `format: {FORMAT}`"
    if document is None:
        return Problem((), "there is nothing in it", first_line)
    if not isinstance(document, dict):
        return Problem((), f"a trace is a mapping, this is {_kind_of_root(document)}", first_line)
    if "format" not in document:
        guess = nearest("format", [str(key) for key in document])
        remedy = f"did you mean `format` where it says `{guess}`?" if guess else first_line
        return Problem((), "`format` is missing", remedy)
    found = document["format"]
    if found == FORMAT and isinstance(found, str):
        return None
    return Problem(("format",), *_other_format(found))


def _kind_of_root(document: Any) -> str:
    return "a list" if isinstance(document, list) else brief(document, 40)


def _other_format(found: Any) -> tuple[str, str]:
    if not isinstance(found, str):
        return f"expected the text {FORMAT}, found {brief(found, 40)}", f"write `format: {FORMAT}`"
    version = _FAMILY.fullmatch(found)
    if version and int(version[1]) > 1:
        return (
            f"{found} is newer than the {FORMAT} that is read here",
            "upgrade this package, or record the trace again",
        )
    if found.startswith("agentreplay.policy/"):
        return (
            "this is a policy, not a trace",
            "this version has no guard to judge by it: keep policies out of the trace directories",
        )
    return f"{brief(found, 60)} is no trace format", f"write `format: {FORMAT}`"


def _decoded(document: dict[str, Any], text: str | bytes, read_blob: ReadBlob | None) -> Any:
    if not _has_dollar(text):
        return document
    content = decode(document)
    return _filled(content, read_blob, ()) if read_blob and _has_blob(text) else content


def _has_dollar(text: str | bytes) -> bool:
    if isinstance(text, bytes):
        return b"$" in text or (b"\\" in text and bool(_ESCAPED_DOLLAR.search(text.decode("utf-8", "replace"))))
    return "$" in text or ("\\" in text and bool(_ESCAPED_DOLLAR.search(text)))


def _has_blob(text: str | bytes) -> bool:
    return (b"blob" in text) if isinstance(text, bytes) else "blob" in text


class _BlobProblem(Exception):  # noqa: N818 - never leaves this file
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.fact)
        self.problem = problem


def _filled(value: Any, read_blob: ReadBlob, path: Location) -> Any:
    if type(value) is BlobRef:
        try:
            return read_blob(value.digest)
        except ValueError as error:
            remedy = "restore the file from version control, or record the trace again"
            raise _BlobProblem(Problem((*path, "$blob"), str(error), remedy)) from None
    if type(value) is dict:
        return {key: _filled(item, read_blob, (*path, key)) for key, item in value.items()}
    if type(value) is list:
        return [_filled(item, read_blob, (*path, index)) for index, item in enumerate(value)]
    return value


def _yaml_problem(error: yaml_codec.YamlError, source: str) -> TraceFormatError:
    at = f"{source}:{error.line}:{error.column}"
    return TraceFormatError(error.problem, at=at, path=render_path(error.path) or WHOLE, next=error.remedy)
