"""``agent-replay lint``: checks golden traces and policies without running an agent.

Says every problem of every file, with its place. Nothing here knows what makes a
good trace or policy; that is the formats' and the findings' work.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pytest_agentreplay import yaml_codec
from pytest_agentreplay.cassettes.errors import CassetteError
from pytest_agentreplay.checks import render_path
from pytest_agentreplay.cli.findings import Finding, Location, Severity, findings
from pytest_agentreplay.cli.sources import DEFAULT_DIRECTORY, STDIN, read_stdin
from pytest_agentreplay.cli.terminal import Outcome
from pytest_agentreplay.errors import PolicyFormatError, SettingsError, TraceFormatError, describe
from pytest_agentreplay.jsonable import decode
from pytest_agentreplay.storage.names import find_traces, format_of
from pytest_agentreplay.storage.trace_files import load_trace
from pytest_agentreplay.trace import Trace
from pytest_agentreplay.trace.document import parse_document, parse_trace
from pytest_agentreplay.trace.problems import explain

_POLICY = "agentreplay.policy/"
_WHOLE = "the whole document"
_QUOTE = "put it in quotes"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a file.

    Attributes:
        at: ``file:line:column``, or the file alone.
        path: inside the document.
        remedy: the one next step.
    """

    severity: Severity
    at: str
    path: str
    fact: str
    remedy: str

    def __str__(self) -> str:
        return describe(f"{self.at}: {self.severity}: {self.fact}", {"path": self.path, "next": self.remedy})


def run(options: argparse.Namespace) -> Outcome:
    """Check the files.

    Raises:
        SettingsError: when a path doesn't exist, or there is nothing to check.
    """
    files = _files(options.paths)
    problems = [problem for name in files for problem in check(name)]
    count = Counter(problem.severity for problem in problems)
    found = ", ".join(_count(count[severity], severity) for severity in ("error", "warning"))
    summary = f"{_count(len(files), 'file')} checked: {found}"
    data = {
        "files": len(files),
        "errors": count["error"],
        "warnings": count["warning"],
        "problems": [_as_json(problem) for problem in problems],
    }
    return Outcome("\n".join([*map(str, problems), summary]), data, 1 if count["error"] else 0)


def check(name: str) -> list[Problem]:
    """Check one file, or standard input for ``-``; errors before warnings.

    Args:
        name: the file, as problems are to name it.
    """
    source = "<stdin>" if name == STDIN else name
    try:
        data = read_stdin() if name == STDIN else Path(name).read_bytes()
    except OSError as error:
        fact = f"can't be read: {(error.strerror or str(error)).lower()}"
        return [Problem("error", source, _WHOLE, fact, "make the file readable")]
    if (format_of(data) or "").startswith(_POLICY):
        return _check_policy(data, source)
    try:
        trace = load_trace(name) if Path(name).is_file() else parse_trace(data, source)
    except TraceFormatError as error:
        return [_first(error, source), *_others(error, data, source)]
    return _sorted(_placed(_in_trace(trace), data, source))


def _check_policy(data: bytes, source: str) -> list[Problem]:
    from pytest_agentreplay.api.policies import parse_policy, policy_problems
    from pytest_agentreplay.cli.policy_findings import policy_findings

    try:
        policy = parse_policy(data, source)
    except PolicyFormatError as error:
        others = policy_problems(data)[1:] if "more" in error.details else ()
        found = (Finding("error", one.path, one.fact, one.remedy or _QUOTE) for one in others)
        return [_first(error, source), *_placed(found, data, source)]
    return _sorted(_placed(policy_findings(policy, datetime.now(UTC).date()), data, source))


def _in_trace(trace: Trace) -> Iterator[Finding]:
    yield from findings(trace)
    if trace.policies and trace.path is not None:  # of standard input nobody knows where it lies
        from pytest_agentreplay.cli.policy_findings import named_policies

        yield from named_policies(trace, trace.path.parent)
    yield from _cassette(trace)


def _cassette(trace: Trace) -> Iterator[Finding]:
    name = trace.run.cassette if trace.run is not None else None
    if name is None or trace.path is None:
        return
    from pytest_agentreplay.cassettes import load_cassette

    try:
        load_cassette(trace.path.parent / name, trace=trace.path)
    except CassetteError as error:
        remedy = error.details.get("next", "record it with --agent-record=rewrite")
        yield Finding("error", ("run", "cassette"), f"the cassette {name} can't be used: {_reason(error)}", remedy)


def _reason(error: CassetteError) -> str:
    return error.fact.removeprefix("the cassette can't be used: ")


def _sorted(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: problem.severity)


def _placed(found: Iterable[Finding], data: bytes, source: str) -> Iterator[Problem]:
    for one in found:
        yield Problem(one.severity, _at(source, data, one.path), render_path(one.path) or _WHOLE, one.fact, one.remedy)


def _first(error: TraceFormatError | PolicyFormatError, source: str) -> Problem:
    details = error.details
    remedy = details.get("next", "")
    return Problem("error", details.get("at", source), details.get("path", _WHOLE), error.fact, remedy)


def _others(error: TraceFormatError, data: bytes, source: str) -> Iterator[Problem]:
    """Say what else is wrong in a file whose first problem is told already."""
    if "more" not in error.details:
        return
    content = decode(parse_document(data, source))
    try:
        Trace.model_validate(content)
    except ValidationError as invalid:
        for one in explain(invalid, content, Trace)[1:]:
            path = render_path(one.path) or _WHOLE
            yield Problem("error", _at(source, data, one.path), path, one.fact, one.remedy or _QUOTE)


def _at(source: str, data: bytes, path: Location) -> str:
    line, column = yaml_codec.locate(data.decode("utf-8", "replace"), path)
    return f"{source}:{line}:{column}"


def _as_json(problem: Problem) -> dict[str, Any]:
    file, line, column = problem.at, None, None
    head, *numbers = problem.at.rsplit(":", 2)
    if len(numbers) == 2 and all(number.isdecimal() for number in numbers):
        file, line, column = head, int(numbers[0]), int(numbers[1])
    rest = {key: text for key, text in asdict(problem).items() if key != "at"}
    return {"file": file, "line": line, "column": column, **rest}


def _files(paths: Iterable[str]) -> list[str]:
    """List the files to check, each once."""
    names: dict[str, None] = {}
    for given in list(paths) or [DEFAULT_DIRECTORY]:
        path = Path(given)
        if given == STDIN:
            names[given] = None
        elif path.is_dir():
            names.update(dict.fromkeys(map(str, find_traces(path))))
        elif path.exists() or path.is_symlink():
            names[str(path)] = None
        else:
            raise SettingsError(f"there is no {given}", next="name the trace files or directories to check")
    if not names:
        where = ", ".join(paths) or DEFAULT_DIRECTORY
        raise SettingsError(f"no golden trace in {where}", next="name a directory that holds *.yaml files")
    return list(names)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
