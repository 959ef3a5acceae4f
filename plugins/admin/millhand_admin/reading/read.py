"""From bytes to papers or pages, by the surest way there is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from millhand.messages import tr
from millhand_admin.paper.paper import Paper
from millhand_admin.reading.einvoice import read_einvoice
from millhand_admin.reading.limits import Limits, UnreadableDocument
from millhand_admin.reading.ocr.reader import PageReader
from millhand_admin.reading.page import Page
from millhand_admin.reading.pdf import embedded_xml, opened_pdf, page_picture, text_pages
from millhand_admin.reading.picture import grey_picture
from millhand_admin.reading.sniff import Content, sniff


@dataclass(frozen=True, slots=True)
class Reading:
    """What a document gave: papers from an e-invoice, or else pages with their text."""

    content: Content
    papers: tuple[Paper, ...] = ()
    pages: tuple[Page, ...] = ()
    notes: tuple[str, ...] = ()
    """What was met on the way and passed over, for a person."""


def read(
    data: bytes,
    limits: Limits | None = None,
    trusted: Path | None = None,
    reader: PageReader | None = None,
) -> Reading:
    """Read a document, digital first. Pure: same bytes and limits, same reading.

    Args:
        data: the document.
        limits: what may be opened.
        trusted: PEM file of authorities that may vouch for signers.
        reader: recognises pages without characters and pictures; they stay empty without it.

    Raises:
        UnreadableDocument: it is not read; ``fault`` says why.
    """
    limits = limits or Limits()
    if len(data) > limits.file_mb * 2**20:
        raise UnreadableDocument(
            tr("The document is larger than {limit} MB.", limit=limits.file_mb), fault="too_large"
        )
    content = sniff(data)
    match content:
        case Content.XML:
            return Reading(content, papers=tuple(read_einvoice(data, limits, trusted)))
        case Content.PDF:
            return _read_pdf(data, limits, trusted, reader)
        case Content.PICTURE:
            if reader is None:
                return Reading(content)
            return Reading(content, pages=(reader.read(grey_picture(data, limits), 1),))
    raise _refused(content)


def _read_pdf(
    data: bytes, limits: Limits, trusted: Path | None, reader: PageReader | None
) -> Reading:
    notes: list[str] = []
    with opened_pdf(data, limits) as document:
        count = len(document)
        for name, content in embedded_xml(document, limits):
            try:
                papers = read_einvoice(content, limits, trusted)
            except UnreadableDocument as error:
                notes.append(f"{name}: {error.message}")
                continue
            papers = [paper.model_copy(update={"pages": count}) for paper in papers]
            return Reading(Content.PDF, papers=tuple(papers), notes=tuple(notes))
        pages = text_pages(document, limits)
        if reader is not None:
            pages = [
                page if page.lines
                else reader.read(page_picture(document, page.number, limits), page.number)
                for page in pages
            ]  # fmt: skip
        return Reading(Content.PDF, pages=tuple(pages), notes=tuple(notes))


def _refused(content: Content) -> UnreadableDocument:
    match content:
        case Content.EMPTY:
            return UnreadableDocument(tr("The document is empty."), fault="empty")
        case Content.ARCHIVE | Content.OFFICE:
            return UnreadableDocument(
                tr("Archives and Office files are not opened: they may bring macros or bombs."),
                fault="archive",
                mend=tr("Ask for a PDF or an e-invoice."),
            )
    return UnreadableDocument(
        tr("It is neither PDF, e-invoice nor picture."),
        fault="unknown_form",
        mend=tr("Ask for a PDF or an e-invoice."),
    )
