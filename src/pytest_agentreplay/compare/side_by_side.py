"""Two trajectories side by side, around the place where they part. ASCII marks, no colours.

Nothing here knows why they part.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence

from pytest_agentreplay.compare.calls import Call, render_call
from pytest_agentreplay.compare.divergence import Divergence
from pytest_agentreplay.jsonable import MISSING, equal


def side_by_side(
    golden: Sequence[Call], run: Sequence[Call], divergence: Divergence, *, width: int = 100, context: int = 3
) -> str:
    """Show golden calls on the left and the run's on the right, a ``>`` before the row where they part.

    Args:
        golden: the golden calls.
        run: the calls of the run.
        divergence: where they part, by its indices; the end of a side that has none.
        width: columns in all, 40 at least.
        context: rows before and after the place.
    """
    left_at = len(golden) if divergence.golden_index is None else divergence.golden_index
    right_at = len(run) if divergence.run_index is None else divergence.run_index
    column = (max(width, 40) - 5) // 2
    rows = [(" ", "golden", "run")]
    if max(left_at, right_at) > context:
        rows.append((" ", "..." if left_at > context else "", "..." if right_at > context else ""))
    for offset in range(-min(context, max(left_at, right_at)), context + 1):
        telling = _differing(golden, left_at, run, right_at) if offset == 0 else ()
        left = _cell(golden, left_at + offset, column, telling, is_there=offset == 0)
        right = _cell(run, right_at + offset, column, telling, is_there=offset == 0)
        if left or right:
            rows.append((">" if offset == 0 else " ", left, right))
    if max(len(golden) - left_at, len(run) - right_at) > context + 1:
        rows.append((" ", _more(golden, left_at + context + 1), _more(run, right_at + context + 1)))
    return "\n".join(f"{mark} {_padded(left, column)} | {right}".rstrip() for mark, left, right in rows)


def _differing(golden: Sequence[Call], left: int, run: Sequence[Call], right: int) -> Collection[str]:
    """List the arguments that the two calls where the trajectories part don't share."""
    if left >= len(golden) or right >= len(run) or golden[left].tool != run[right].tool:
        return ()
    expected, actual = golden[left].args or {}, run[right].args or {}
    return {name for name in expected | actual if not equal(expected.get(name, MISSING), actual.get(name, MISSING))}


def _cell(calls: Sequence[Call], index: int, column: int, telling: Collection[str], *, is_there: bool) -> str:
    if 0 <= index < len(calls):
        return _cut(render_call(calls[index], column, telling), column)
    return "(end)" if is_there and index >= len(calls) else ""


def _more(calls: Sequence[Call], start: int) -> str:
    rest = len(calls) - start
    return f"... {rest} more" if rest > 0 else ""


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def _cut(text: str, column: int) -> str:
    if sum(map(_columns, text)) <= column:
        return text
    kept, used = "", 0
    for char in text:
        used += _columns(char)
        if used > column - 3:
            break
        kept += char
    return kept + "..."


def _padded(text: str, column: int) -> str:
    return text + " " * (column - sum(map(_columns, text)))
