"""Texts and numbers as they are written: plain, quoted, or as a literal block.

Plain only where a reader of YAML 1.1 and one of 1.2 both see text. Knows
nothing of collections or layout, but for the one fact of standing in a flow.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

import yaml

from pytest_agentreplay.yaml_codec.scalars import is_literal

_CHARS: Final = " -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff"
_ODD: Final = re.compile(f"[^{_CHARS}]")
_ODD_IN_LITERAL: Final = re.compile(f"[^\t\n{_CHARS}]|[ \t](?:\n|\\Z)")
_PLAIN_START: Final = re.compile(r"[\w/.$(+]")
_NOT_PLAIN: Final = re.compile(r":(?: |\Z)| #|\s\Z|\A\.\.\.")
_NOT_PLAIN_IN_FLOW: Final = re.compile(r"[,?\[\]{}]")  # `?`: to PyYAML's own parser
# Beyond PyYAML's own list: the numbers of YAML 1.2's core schema, and the short booleans of 1.1.
_LITERAL_ELSEWHERE: Final = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+|[yYnN]"
)
_RESOLVERS: Final = yaml.SafeLoader.yaml_implicit_resolvers


def write_scalar(value: Any, *, in_flow: bool = False) -> str:
    """Write null, a boolean, a number or a text on one line."""
    kind = type(value)
    if kind is str:
        return write_text(value, in_flow=in_flow)
    if kind is float:
        # 1e+16 is text to YAML 1.1, 1.0e+16 a number to it and to JSON.
        written = repr(value)
        return written if "." in written else written.replace("e", ".0e")
    return json.dumps(value)


def write_text(text: str, *, in_flow: bool = False) -> str:
    """Write a text on one line: plain, else in the quotes that need no escapes."""
    if _ODD.search(text):
        return _ODD.sub(lambda found: f"\\u{ord(found.group()):04x}", json.dumps(text, ensure_ascii=False))
    if _is_plain(text, in_flow):
        return text
    if ('"' in text or "\\" in text) and "'" not in text:
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=False)


def fits_literal(text: str) -> bool:
    """Tell whether a literal block holds the text exactly, after any editor's cleaning of trailing blanks."""
    return "\n" in text and not text.isspace() and not _ODD_IN_LITERAL.search(text)


def write_literal(text: str, pad: str) -> list[str]:
    """Write the header and the lines of a literal block; `pad` is two blanks more than its parent's indentation."""
    indicator = "2" if text[0] in " \t\n" else ""
    lines = text.split("\n")
    chomping = "-"
    if text.endswith("\n"):
        lines.pop()
        chomping = "+" if text.endswith("\n\n") else ""
    return [f"|{indicator}{chomping}", *(pad + line if line else "" for line in lines)]


def _is_plain(text: str, in_flow: bool) -> bool:
    if not _PLAIN_START.match(text) or _NOT_PLAIN.search(text):
        return False
    if in_flow and _NOT_PLAIN_IN_FLOW.search(text):
        return False
    if is_literal(text) or _LITERAL_ELSEWHERE.fullmatch(text):
        return False
    return not any(pattern.match(text) for _, pattern in _RESOLVERS.get(text[0], ()))
