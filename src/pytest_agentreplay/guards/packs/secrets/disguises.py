"""Disguises: what a text would say of secrets if it weren't encoded, cut into pieces or spaced out.

Readings are given only of texts in which something of the kind is to be seen. Nothing
here finds secrets in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from pytest_agentreplay.guards.analysis.orders import decoded_runs
from pytest_agentreplay.guards.analysis.spelling import plain

_MOST: Final = 1 << 16  # characters of a text that are read again
_ESCAPED: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_SPACED: Final = re.compile(r"(?<!\S)\S(?:[ ._|]\S){15,200}(?!\S)")
_CUT: Final = re.compile(  # the beginning of a vendor's token, then its pieces
    r"(?<![A-Za-z0-9_-])(?:gh[pousr]_|github_pat_|gl[a-z]{2,5}-|xox[a-z]-|[sr]k_live_|sk-(?:ant-|proj-)?|AKIA|ASIA|AIza|npm_|pypi-|hf_|eyJ|SG\.)"
    r"[A-Za-z0-9_-]{0,80}(?:[\s\"'+,\\|-]{1,8}[A-Za-z0-9_-]{2,80}){1,16}"
)
_BETWEEN: Final = re.compile(r"[\s\"'+,\\|-]{1,8}")
_WORD: Final = re.compile(r"[A-Z]?[a-z]{2,}")


def readings(text: str) -> Iterator[str]:
    """Give what a text says without its disguises, each as a text of its own."""
    written = plain(text[:_MOST])
    if _ESCAPED.search(written):
        written = unquote(written)
        yield written
    yield from decoded_runs(written)
    for run in _SPACED.finditer(written):
        yield run[0][::2]
        yield run[0][2::2]  # a short word before it
    for run in _CUT.finditer(written):
        yield from _joined(_BETWEEN.split(run[0]))


def _joined(pieces: list[str]) -> Iterator[str]:
    """Join the pieces of a token; plain words end it."""
    token = pieces[0]
    for piece in pieces[1:]:
        if _WORD.fullmatch(piece):
            break
        token += piece
    if token != pieces[0]:
        yield token
