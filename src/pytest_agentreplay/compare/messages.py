"""Messages: checks on what the agent said.

A check on text sees everything that was said as one text, one message a paragraph.
``any``, ``all`` and ``none`` ask the messages one by one: does one message meet one of the
checks, does every message meet every check, does no message meet any. The other
checks (``length``, ``equals``...) see the list of texts. Nothing here knows where
messages come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pytest_agentreplay.checks import CHECK_NAMES, Mismatch, brief, compile_check
from pytest_agentreplay.compare.judgement import Judgement
from pytest_agentreplay.jsonable import Value

_ABOUT_TEXT: Final = frozenset({"contains", "not_contains", "matches", "starts_with", "ends_with"})


def judge_messages(judgement: Judgement, spec: Any) -> None:
    """Hold what the agent said against a check."""
    if judgement.run.messages is None:
        judgement.not_observed("end", "what the agent said was not observed")
        return
    mismatch = _test(spec, [_text(message) for message in judgement.run.messages])
    if mismatch is not None:
        judgement.mismatch("output", "end", Mismatch("messages", mismatch.expected, mismatch.actual))


def _text(content: Value) -> str:
    """Return the text of a message: of content blocks, their texts."""
    if type(content) is str:
        return content
    if type(content) is list:
        return "\n".join(_text(block) for block in content)
    if type(content) is dict and "text" in content:
        return _text(content["text"])
    return "" if content is None else brief(content, 10_000)


def _test(spec: Any, texts: Sequence[str]) -> Mismatch | None:
    if type(spec) is not dict or not CHECK_NAMES.issuperset(spec) or not spec:
        return compile_check(spec).test(list(texts))
    for name, operand in spec.items():
        mismatch = _test_one(name, operand, texts)
        if mismatch is not None:
            return mismatch
    return None


def _test_one(name: str, operand: Any, texts: Sequence[str]) -> Mismatch | None:
    check = compile_check({name: operand})
    if name in _ABOUT_TEXT:
        return check.test("\n\n".join(texts))
    if name in ("any", "none"):
        met = any(compile_check({"any": operand}).holds(text) for text in texts)
        return None if met == (name == "any") else Mismatch("", str(check), list(texts))
    if name == "all":
        return next((mismatch for text in texts if (mismatch := check.test(text)) is not None), None)
    if name == "not":
        return None if _test(operand, texts) is not None else Mismatch("", str(check), list(texts))
    return check.test(list(texts))
