"""Policy documents: a policy as text.

What can't be read is told by file, line, column, path, fact and remedy. Nothing
here touches the disk.
"""

from __future__ import annotations

import re
from typing import Any

from pydantic import ValidationError

from pytest_agentreplay import yaml_codec
from pytest_agentreplay.checks import brief, render_path
from pytest_agentreplay.errors import PolicyFormatError
from pytest_agentreplay.guards.compile import CompileError, compile_policy
from pytest_agentreplay.guards.policy import Policy
from pytest_agentreplay.guards.spec import FORMAT, PolicySpec
from pytest_agentreplay.trace.problems import Problem, explain, nearest
from pytest_agentreplay.trace.refusals import WHOLE, refusal

_FAMILY = re.compile(r"agentreplay\.policy/(\d+)")


def parse_policy(text: str | bytes, source: str = "<policy>") -> Policy:
    """Parse a policy and compile its rules.

    Args:
        text: YAML, as section 6 of the format has it; bytes are UTF-8.
        source: the file's name, for errors.

    Raises:
        PolicyFormatError: for the first problem in the text, with how many there are.
    """
    problems = []
    try:
        document = yaml_codec.parse(text)
        problems = _format_problems(document)
        if not problems:
            return _built(document, source)
    except yaml_codec.YamlError as error:
        at = f"{source}:{error.line}:{error.column}"
        path = render_path(error.path) or WHOLE
        raise PolicyFormatError(error.problem, at=at, path=path, next=error.remedy) from None
    except ValidationError as error:
        problems = explain(error, document, PolicySpec)
    except CompileError as error:
        problems = [error.problem]
    raise refusal(PolicyFormatError, problems, text, source)


def policy_problems(text: str | bytes) -> list[Problem]:
    """List everything that is wrong in a policy, in the order of the document.

    Raises:
        PolicyFormatError: for a text that is no YAML.
    """
    try:
        document = yaml_codec.parse(text)
    except yaml_codec.YamlError as error:
        raise PolicyFormatError(error.problem, path=render_path(error.path) or WHOLE, next=error.remedy) from None
    problems = _format_problems(document)
    if problems:
        return problems
    try:
        _built(document, "")
    except ValidationError as error:
        return explain(error, document, PolicySpec)
    except CompileError as error:
        return [error.problem]
    return []


def _built(document: dict[str, Any], source: str) -> Policy:
    spec = PolicySpec.model_validate(document)
    return Policy(spec, compile_policy(spec), source)


def _format_problems(document: Any) -> list[Problem]:
    first_line = f"start the file with the line `format: {FORMAT}`"
    if document is None:
        return [Problem((), "there is nothing in it", first_line)]
    if not isinstance(document, dict):
        kind = "a list" if isinstance(document, list) else brief(document, 40)
        return [Problem((), f"a policy is a mapping, this is {kind}", first_line)]
    if "format" not in document:
        guess = nearest("format", document)
        remedy = f"did you mean `format` where it says `{guess}`?" if guess else first_line
        return [Problem((), "`format` is missing", remedy)]
    found = document["format"]
    return [] if found == FORMAT else [Problem(("format",), *_other_format(found))]


def _other_format(found: Any) -> tuple[str, str]:
    if not isinstance(found, str):
        return f"expected the text {FORMAT}, found {brief(found, 40)}", f"write `format: {FORMAT}`"
    version = _FAMILY.fullmatch(found)
    if version and int(version[1]) > 1:
        return f"{found} is newer than the {FORMAT} that is read here", "upgrade this package"
    if found.startswith("agentreplay.trace/"):
        return "this is a trace, not a policy", "load it with load_trace"
    return f"{brief(found, 60)} is no policy format", f"write `format: {FORMAT}`"
