"""Report formats by file ending, built-in ones and those of third parties."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from pytest_agentreplay.errors import SettingsError

Report: TypeAlias = Mapping[str, Any]
Renderer: TypeAlias = Callable[[Report], str]
FORMAT = "agentreplay.report/1"


def render_json(report: Report) -> str:
    """Render a report as JSON."""
    return json.dumps(report, indent=2, ensure_ascii=False) + "\n"


def render_html(report: Report) -> str:
    """Render a report as one HTML page that loads nothing."""
    from pytest_agentreplay.reports.html import page

    return page(report)


BUILT_IN: Mapping[str, Renderer] = {".json": render_json, ".html": render_html}


def renderer_for(name: str, others: Mapping[str, Renderer] = BUILT_IN) -> Renderer:
    """Find the renderer for a file's ending.

    Raises:
        SettingsError: for an ending that nothing renders.
    """
    ending = Path(name).suffix
    renderer = {**BUILT_IN, **others}.get(ending)
    if renderer is None:
        known = ", ".join(sorted({**BUILT_IN, **others}))
        raise SettingsError(f"no report format ends in {ending or 'nothing'}: {name}", next=f"end it in {known}")
    return renderer
