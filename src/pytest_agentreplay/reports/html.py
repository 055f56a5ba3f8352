"""The HTML report: a session's replays on one page that loads nothing.

For whoever opens the artifact of a failed CI run: numbers first, then what
diverged and why, then every call. What it shows was written by strangers: each
value is escaped, and the page forbids itself scripts and requests. Nothing here
knows how a report came about.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any, Final

from pytest_agentreplay.reports.style import STYLE

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_FAILED: Final = frozenset({"diverged", "failed", "error"})
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
{head}
</head>
<body>
<main>
{main}
</main>
</body>
</html>
"""
_SHORT: Final = 90
_LONG: Final = 900
_LONG_LINES: Final = 14
_TILES: Final = (
    ("run", "golden traces run"),
    ("diverged", "diverged"),
    ("not_checked", "not checked"),
    ("answered", "tool calls answered"),
    ("withheld", "writes withheld"),
    ("escapes", "escapes"),
)
_PARTED: Final = '<span class="badge bad">first divergence</span>'
_BAD_TILES: Final = frozenset({"diverged", "escapes"})
_ANSWERED_BY: Final = {
    "recording": "answered from the recording",
    "answers": "answered from replay.answers",
    "live": "ran for real",
    "nothing": "not answered",
}


def page(report: Mapping[str, Any]) -> str:
    """Render a report as a self-contained page.

    Args:
        report: in the form ``agentreplay.report/1``.
    """
    traces = report["traces"]
    failed = [trace for trace in traces if _is_failed(trace)]
    passed = [trace for trace in traces if not _is_failed(trace)]
    headline = _headline(report["summary"])
    body = [
        f"<h1>{_text(headline)}</h1>",
        _tiles(report["summary"]),
        _section("What diverged", failed),
        _section("What held" if failed else "Golden traces", passed),
    ]
    head = (
        f'<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(headline)}</title>\n<style>{STYLE}</style>"
    )
    main = "\n".join(filter(None, body))
    return _PAGE.format(head=head, main=main)


def _is_failed(trace: Mapping[str, Any]) -> bool:
    return trace["outcome"] in _FAILED or trace["failure"] is not None


def _headline(summary: Mapping[str, Any]) -> str:
    run, diverged = summary["run"], summary["diverged"]
    if not run:
        return "No golden trace was replayed"
    traces = f"golden trace{'s' * (run != 1)}"
    return f"{diverged} of {run} {traces} diverged" if diverged else f"{run} {traces} replayed, none diverged"


def _tiles(summary: Mapping[str, Any]) -> str:
    tiles = []
    for key, label in _TILES:
        bad = ' class="bad"' if key in _BAD_TILES and summary[key] else ""
        tiles.append(f"<div{bad}><dt>{label}</dt><dd>{_text(summary[key])}</dd></div>")
    withheld = summary["withheld"]
    told = (
        f'<p class="prevented">{_text(withheld)} write call{"s" * (withheld != 1)} of the agents under test '
        "never reached the world: each was answered from its golden trace, or refused.</p>"
        if withheld
        else ""
    )
    return f'<dl class="tiles">{"".join(tiles)}</dl>\n{told}'


def _section(title: str, traces: Iterable[Mapping[str, Any]]) -> str:
    shown = "\n".join(_trace(trace) for trace in traces)
    return f"<section><h2>{_text(title)}</h2>\n{shown}\n</section>" if shown else ""


def _trace(trace: Mapping[str, Any]) -> str:
    failed = _is_failed(trace)
    name = trace["path"] or trace["trace"]
    calls = sum("tool" in row for row in trace["timeline"])
    numbers = f"{calls} call{'s' * (calls != 1)}, {trace['withheld']} write{'s' * (trace['withheld'] != 1)} withheld"
    inside = [*(_failure(trace) if failed else ()), *_remarks(trace), _timeline(trace)]
    return (
        f'<details class="trace {"failed" if failed else "held"}"{" open" if failed else ""}>'
        f'<summary><span class="badge {"bad" if failed else "good"}">{_text(trace["outcome"])}</span>'
        f"<h3>{_text(trace['title'] or trace['trace'])}</h3>"
        f'<span class="meta">{_text(trace["kind"])} · <code>{_text(name)}</code> · {_text(numbers)}</span></summary>\n'
        + "\n".join(filter(None, inside))
        + "</details>"
    )


def _failure(trace: Mapping[str, Any]) -> Iterator[str]:
    first = next(iter(trace["divergences"]), None)
    if first is not None:
        cause = f"<p>{_text(first['cause'])}</p>" if first["cause"] else ""
        yield f'<div class="divergence"><h4>{_text(first["headline"])}</h4>{cause}{_sides(first)}</div>'
        yield _others(trace["divergences"][1:])
    if trace["failure"] is not None:
        is_open = " open" if first is None else ""
        yield f"<details{is_open}><summary>The failure in full</summary><pre>{_text(trace['failure'])}</pre></details>"


def _sides(divergence: Mapping[str, Any]) -> str:
    found = [f"<li>{_difference(one)}</li>" for one in divergence["differences"]]
    listed = f'<ul class="differences">{"".join(found)}</ul>' if found else ""
    sides = [
        f"<div><dt>{side}</dt><dd>{_side(divergence[side], as_text=side == 'expected')}</dd></div>"
        for side in ("expected", "actual")
        if side in divergence
    ]
    return listed + (f'<dl class="values">{"".join(sides)}</dl>' if sides else "")


def _side(value: Any, *, as_text: bool) -> str:
    """Show a call as its tool and its arguments, anything else as it is; a check that was expected is a text."""
    if isinstance(value, Mapping) and set(value) in ({"tool", "args"}, {"tool", "raw_args"}):
        return f"<code>{_text(value['tool'])}</code> {_value(value.get('args', value.get('raw_args')))}"
    return _value(value, as_text=as_text)


def _difference(one: Mapping[str, Any]) -> str:
    sides = [_value(one[side]) if side in one else "<em>nothing</em>" for side in ("expected", "actual")]
    return f"<code>{_text(one['path'] or 'the value')}</code> was expected to be {sides[0]} and was {sides[1]}"


def _others(divergences: Iterable[Mapping[str, Any]]) -> str:
    items = [f"<li>{_text(one['headline'])}: {_text(one['cause'])}</li>" for one in divergences]
    if not items:
        return ""
    return f"<details><summary>{len(items)} more, likely in its wake</summary><ul>{''.join(items)}</ul></details>"


def _remarks(trace: Mapping[str, Any]) -> Iterator[str]:
    if trace["unclassified"]:
        tools = ", ".join(f"<code>{_text(tool)}</code>" for tool in trace["unclassified"])
        yield f'<p class="remark">Counted as writes, since nobody said what they do: {tools}.</p>'
    if trace["drift"]:
        places = ", ".join(f"<code>{_text(address)}</code>" for address in trace["drift"])
        yield f'<p class="remark">Tool drift, other answers today than recorded: {places}.</p>'
    if set(trace["verdicts"]) - {"allow"}:
        counts = ", ".join(f"{_text(count)} {_text(decision)}" for decision, count in sorted(trace["verdicts"].items()))
        yield f'<p class="remark">Verdicts: {counts}.</p>'


def _timeline(trace: Mapping[str, Any]) -> str:
    parted = _parting_row(trace)
    rows = [_row(row, parted=index == parted) for index, row in enumerate(trace["timeline"])]
    if trace["divergences"] and parted is None:
        rows.append(f'<li class="parted"><p class="head"><code>end</code> {_PARTED}</p></li>')
    if not rows:
        return '<p class="remark">The agent called no tool.</p>'
    return f'<h4>What the agent did</h4><ol class="steps">{"".join(rows)}</ol>'


def _parting_row(trace: Mapping[str, Any]) -> int | None:
    """Find the row at which the run first parted: the call by its index, which counts calls alone, else the address."""
    for first in trace["divergences"][:1]:
        calls = [place for place, row in enumerate(trace["timeline"]) if "tool" in row]
        if first.get("run_index") is not None:
            return calls[first["run_index"]] if first["run_index"] < len(calls) else None
        return next((place for place, row in enumerate(trace["timeline"]) if row["address"] == first["address"]), None)
    return None


def _row(row: Mapping[str, Any], *, parted: bool) -> str:
    labels = list(_labels(row)) if "tool" in row else []
    if parted:
        labels.append(_PARTED)
    values = [
        f"<div><dt>{label}</dt><dd>{_value(row[key], as_text=key == 'error')}</dd></div>"
        for key, label in (("args", "arguments"), ("result", "result"), ("error", "error"), ("state", "state"))
        if key in row
    ]
    head = f'<p class="head"><code>{_text(row["address"])}</code> {" ".join(labels)}</p>'
    item = '<li class="parted">' if parted else "<li>"
    return f'{item}{head}<dl class="values">{"".join(values)}</dl></li>'


def _labels(row: Mapping[str, Any]) -> Iterator[str]:
    effect, answered = row["effect"], row["answered_by"]
    source = ", nobody said what it does" if row["effect_from"] == "unclassified" else ""
    if effect != "write":
        yield f'<span class="badge">{_text(effect)}{source}</span>'
    elif answered == "live":
        yield f'<span class="badge bad">write ran{source}</span>'
    else:
        yield f'<span class="badge withheld">write withheld{source}</span>'
    yield f'<span class="meta">{_text(_ANSWERED_BY.get(answered, answered))}</span>'


def _value(value: Any, *, as_text: bool = False) -> str:
    """Show a value: in the line if it is short, folded if it is long."""
    if isinstance(value, str) and (as_text or "\n" in value):
        text = value
    else:
        text = json.dumps(value, ensure_ascii=False)
        if len(text) > _SHORT and not isinstance(value, str):
            text = json.dumps(value, ensure_ascii=False, indent=2)
    if len(text) <= _SHORT and "\n" not in text:
        return f"<code>{_text(text)}</code>"
    shown = f"<pre>{_text(text)}</pre>"
    if len(text) <= _LONG and text.count("\n") < _LONG_LINES:
        return shown
    start = " ".join(text[:_SHORT].split())
    return f"<details><summary><code>{_text(start)}</code>… {len(text):,} characters</summary>{shown}</details>"


def _text(value: object) -> str:
    """Escape a text; what a page can't hold, or what would turn the text around it, is shown by its code."""
    return escape("".join(map(_printable, str(value))))


def _printable(char: str) -> str:
    return char if char.isprintable() or char in "\n\t" else char.encode("unicode_escape").decode("ascii")
