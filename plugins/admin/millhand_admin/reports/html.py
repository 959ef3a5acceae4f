"""A report as one HTML page that needs nothing else."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment

from millhand.messages import tr
from millhand_admin.reports.report import Report

_SHOWN_IDS = 6
_TEMPLATE = Path(__file__).parent / "templates" / "report.html"


def as_html(report: Report) -> str:
    """Return the page."""
    template = Environment(autoescape=True, trim_blocks=True).from_string(
        _TEMPLATE.read_text(encoding="utf-8")
    )
    return template.render(report=report, shown=_SHOWN_IDS, nothing=tr("Nothing to tell."))
