"""The door to PyYAML: text in, parser events out.

Decides what is text at all and which parser reads it: libyaml's where it is
installed, else PyYAML's own. Knows nothing of what the events mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import yaml
from yaml.scanner import ScannerError

from pytest_agentreplay.yaml_codec.problems import Refusal, YamlError, place_of

try:
    from yaml._yaml import CParser
except ImportError:  # an install without libyaml
    CParser = None  # type: ignore[assignment, misc]

MAX_TEXT: Final = 64 * 1024 * 1024
# PyYAML's own parser takes minutes for what libyaml reads in a second.
_MAX_PURE: Final = 4 * 1024 * 1024
_MAX_TAG_DIRECTIVES: Final = 100
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_UNREADABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Line breaks in YAML 1.1, which PyYAML reads; characters like any other in YAML 1.2 and JSON.
_OLD_BREAKS: Final = ("\x85", "\u2028", "\u2029")

INVALID_ESCAPE: Final = "invalid Unicode character escape"

NextEvent: TypeAlias = Callable[[], Any]


def decode(source: str | bytes) -> str:
    """Turn what a file holds into text, without its byte order mark.

    Raises:
        YamlError: when it is too large or no UTF-8.
    """
    if len(source) > MAX_TEXT:
        raise YamlError(f"more than {MAX_TEXT >> 20} MiB of text", "move large payloads into files beside it")
    if isinstance(source, bytes):
        return _decode_bytes(source).removeprefix("\ufeff")
    if not source.isascii() and (half := _SURROGATE.search(source)):
        line, column = place_of(source, half.start())
        raise YamlError(f"half of a surrogate pair, U+{ord(half.group()):04X}", "save it as UTF-8", line, column)
    return source.removeprefix("\ufeff")


def _decode_bytes(source: bytes) -> str:
    try:
        return source.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = place_of(source[: error.start].decode("utf-8"), error.start)
        raise YamlError(f"byte 0x{source[error.start]:02x} is no UTF-8", "save it as UTF-8", line, column) from None


def open_events(text: str, *, pure: bool = False) -> NextEvent:
    """Start to parse, and return the function that gives the next event.

    Args:
        text: without a byte order mark.
        pure: read with PyYAML's own parser, which knows the surrogate escapes of JSON.

    Raises:
        yaml.YAMLError: here or from the returned function, at the first syntax error.
        Unreadable: for a character that has two readings.
        Refusal: for a text that is made to take for ever.
    """
    _refuse_old_breaks(text)
    _refuse_tag_directives(text)
    if pure or CParser is None:
        return _open_pure(text)
    return CParser(text).get_event


class Unreadable(Refusal):
    """A character that JSON may hold and YAML may not, or not without doubt."""


def start_of(event: Any) -> int:
    """Return the index of a node's first character, or of its anchor."""
    index: int = event.start_mark.index
    return index


def end_of(event: Any) -> int:
    """Return the index behind a node's last character; behind the blank lines below a block."""
    index: int = event.end_mark.index
    return index


def _refuse_old_breaks(text: str) -> None:
    if text.isascii():
        return
    for char in _OLD_BREAKS:
        if char in text:
            code = ord(char)
            problem = f"the character U+{code:04X}, which some readers of YAML take for a line break"
            raise Unreadable(problem, f'write it as "\\u{code:04x}" in double quotes', text.index(char))


def _refuse_tag_directives(text: str) -> None:
    # libyaml compares each with all before it; they define tags, which are refused anyway.
    if "%TAG" in text and text.count("\n%TAG") + text.count("\r%TAG") > _MAX_TAG_DIRECTIVES:
        raise Refusal("too many %TAG directives", "leave them out: values are JSON", text.index("%TAG"))


def unreadable(text: str) -> Unreadable:
    """Say which character it was that the parser refused."""
    found = _UNREADABLE.search(text)
    if found is None:
        return Unreadable("a character that YAML doesn't allow", "save it as UTF-8", 0)
    code = ord(found.group())
    remedy = f'write it as "\\u{code:04x}" in double quotes'
    return Unreadable(f"the character U+{code:04X}, which YAML doesn't allow", remedy, found.start())


def _open_pure(text: str) -> NextEvent:
    if CParser is not None and len(text) > _MAX_PURE:
        raise Unreadable(f"surrogate escapes in more than {_MAX_PURE >> 20} MiB", "write the characters themselves", 0)
    parser: Any = yaml.SafeLoader(text)

    def next_event() -> Any:
        try:
            event = parser.get_event()
        except (ValueError, OverflowError):  # an escape beyond U+10FFFF
            raise ScannerError(None, None, INVALID_ESCAPE, parser.get_mark()) from None
        if type(event) is yaml.ScalarEvent and not event.value.isascii():
            event.value = _join_surrogates(event.value)
        return event

    return next_event


def _join_surrogates(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
