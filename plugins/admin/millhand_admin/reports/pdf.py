"""A report as PDF, A4."""

from __future__ import annotations

import io
from typing import Any

from millhand.errors import ConfigError
from millhand.messages import tr
from millhand_admin.reports.fonts import LATIN, marked_up
from millhand_admin.reports.report import Report, Section

_SHOWN_IDS = 6
_GREY = "#667388"


def as_pdf(report: Report) -> bytes:
    """Return the file's bytes; the same report gives the same bytes.

    Raises:
        ConfigError: reportlab or a font is missing.
    """
    try:
        from reportlab.lib.pagesizes import A4
        from reportlab.platypus import SimpleDocTemplate
    except ImportError as error:
        raise ConfigError(
            tr("PDF cannot be written: {why}.", why=error),
            mend=tr("Install millhand-admin[reports]."),
        ) from error
    stream = io.BytesIO()
    document = SimpleDocTemplate(
        stream, pagesize=A4, leftMargin=56, rightMargin=56, topMargin=56, bottomMargin=56,
        title=report.title, author="Millhand", invariant=1,
    )  # fmt: skip
    styles = _styles()
    story: list[Any] = [_text(report.title, styles["title"])]
    for section in report.sections:
        story += _section(section, styles)
    document.build(story, onFirstPage=_numbered, onLaterPages=_numbered)
    return stream.getvalue()


def _styles() -> dict[str, Any]:
    from reportlab.lib.styles import ParagraphStyle

    body = ParagraphStyle("body", fontName=LATIN, fontSize=9.5, leading=13.5, spaceAfter=3,
                          wordWrap="CJK")  # fmt: skip
    return {
        "body": body,
        "title": ParagraphStyle("title", parent=body, fontSize=15, leading=20, spaceAfter=8),
        "heading": ParagraphStyle("heading", parent=body, fontSize=11.5, leading=16, spaceBefore=6),
        "blank": ParagraphStyle("blank", parent=body, fontSize=8.5, textColor=_GREY, spaceBefore=6),
    }


def _text(text: str, style: Any) -> Any:
    from reportlab.platypus import Paragraph

    return Paragraph(marked_up(text), style)


def _section(section: Section, styles: dict[str, Any]) -> list[Any]:
    from reportlab.platypus import HRFlowable, Paragraph, Spacer

    parts: list[Any] = [
        _text(section.title, styles["heading"]),
        HRFlowable(width="100%", thickness=0.5, color="#c8d0da", spaceAfter=4),
    ]
    for one in section.sentences:
        shown = ", ".join(one.ids[:_SHOWN_IDS])
        if len(one.ids) > _SHOWN_IDS:
            shown += f" … [{len(one.ids)}]"
        ids = f' <font size="7" color="{_GREY}">{marked_up(f"[{shown}]")}</font>'
        parts.append(Paragraph(marked_up(one.text) + ids, styles["body"]))
    if not section.sentences and not section.blanks:
        parts.append(_text(tr("Nothing to tell."), styles["blank"]))
    for blank in section.blanks:
        parts += [
            _text(blank.label, styles["blank"]),
            Spacer(1, 14),
            HRFlowable(width="100%", thickness=0.5, color="#98a3b3"),
        ]
    return parts


def _numbered(canvas: Any, document: Any) -> None:
    canvas.saveState()
    canvas.setFont(LATIN, 8)
    canvas.setFillColor(_GREY)
    canvas.drawRightString(document.pagesize[0] - 56, 30, str(canvas.getPageNumber()))
    canvas.restoreState()
