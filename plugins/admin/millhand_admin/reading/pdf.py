"""PDF: the e-invoice embedded in it (PDF/A-3), or the characters on its pages (PDFium).

Nothing in the file is carried out: no script, no form, no action, no link. What the limits forbid
is refused before its pages are opened.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from millhand.messages import tr
from millhand_admin.paper.fact import Box, Method
from millhand_admin.reading.bomb import refuse_bombs
from millhand_admin.reading.limits import Limits, UnreadableDocument
from millhand_admin.reading.page import Page, Word, lines_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pypdfium2 import PdfDocument, PdfPage

_MM = 25.4 / 72
_JUMP = 0.5
"""A gap of this many heights between two characters ends a word."""


@contextmanager
def opened_pdf(data: bytes, limits: Limits) -> Iterator[PdfDocument]:
    """Open a PDF within the limits.

    Raises:
        UnreadableDocument: ``bomb``, ``encrypted``, ``malformed``, ``too_many_pages``,
            ``missing_library``.
    """
    refuse_bombs(data, limits)
    try:
        import pypdfium2
    except ImportError as error:
        raise UnreadableDocument(
            tr("PDF files cannot be read: {why}.", why=error),
            fault="missing_library",
            mend=tr("Install millhand-admin[pdf]."),
        ) from error
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        encrypted = "password" in str(error).casefold()
        raise UnreadableDocument(
            tr("The PDF cannot be opened: {why}.", why=error),
            fault="encrypted" if encrypted else "malformed",
            mend=tr("Ask for a file without a password.") if encrypted else "",
        ) from error
    try:
        if len(document) > limits.pages:
            raise UnreadableDocument(
                tr("It has {pages} pages; {limit} are allowed.", pages=len(document),
                   limit=limits.pages),
                fault="too_many_pages",
            )  # fmt: skip
        yield document
    finally:
        document.close()


def embedded_xml(document: PdfDocument, limits: Limits) -> list[tuple[str, bytes]]:
    """Return the XML files that the PDF carries, by name.

    Raises:
        UnreadableDocument: ``too_many_files``, ``too_large``.
    """
    import pypdfium2.raw as raw

    count = document.count_attachments()
    if count > limits.attachments:
        raise UnreadableDocument(
            tr("It carries {count} files; {limit} are allowed.", count=count,
               limit=limits.attachments),
            fault="too_many_files",
        )  # fmt: skip
    found = []
    for index in range(count):
        attachment = document.get_attachment(index)
        name = attachment.get_name()
        if not name.casefold().endswith(".xml"):
            continue
        size = ctypes.c_ulong()
        if not raw.FPDFAttachment_GetFile(attachment.raw, None, 0, size):
            continue
        if size.value > limits.xml_mb * 2**20:
            raise UnreadableDocument(
                tr("The embedded {name} is too large.", name=name[:80]), fault="too_large"
            )
        found.append((name, bytes(attachment.get_data())))
    return found


def text_pages(document: PdfDocument, limits: Limits) -> list[Page]:
    """Read the characters of every page; a page without any has no lines.

    Raises:
        UnreadableDocument: ``page_too_large``, ``too_much_text``.
    """
    pages: list[Page] = []
    left = limits.characters
    for index in range(len(document)):
        page = _opened_page(document, index, limits)
        text = page.get_textpage()
        try:
            left -= text.count_chars()
            if left < 0:
                raise UnreadableDocument(
                    tr("It holds more than {limit} characters.", limit=limits.characters),
                    fault="too_much_text",
                )
            width, height = page.get_size()
            words = list(_words(page, text))
            aspect = height / width
            pages.append(
                Page(
                    number=index + 1,
                    aspect=aspect,
                    lines=lines_of(words, aspect),
                    method=Method.TEXT_LAYER,
                    note="PDFium",
                )
            )
        finally:
            text.close()
            page.close()
    return pages


def page_picture(
    document: PdfDocument, number: int, limits: Limits, *, dots_per_inch: float = 200
) -> NDArray[np.uint8]:
    """Draw page ``number`` (from 1) in grey: ``(height, width) uint8``.

    Raises:
        UnreadableDocument: ``page_too_large``.
    """
    import numpy as np

    page = _opened_page(document, number - 1, limits)
    try:
        width, height = page.get_size()
        scale = dots_per_inch / 72
        most = (limits.pixels / (width * height)) ** 0.5
        bitmap = page.render(scale=min(scale, most), grayscale=True, may_draw_forms=False)
        pixels = np.array(bitmap.to_numpy(), dtype=np.uint8)
        return pixels[..., 0] if pixels.ndim == 3 else pixels
    finally:
        page.close()


def _opened_page(document: PdfDocument, index: int, limits: Limits) -> PdfPage:
    import pypdfium2

    try:
        page = document.get_page(index)
    except pypdfium2.PdfiumError as error:
        raise UnreadableDocument(
            tr("Page {number} is damaged: {why}.", number=index + 1, why=error), fault="malformed"
        ) from error
    width, height = page.get_size()
    if min(width, height) <= 0 or max(width, height) * _MM > limits.page_mm:
        page.close()
        raise UnreadableDocument(
            tr("Page {number} is {width:.0f} by {height:.0f} mm.", number=index + 1,
               width=width * _MM, height=height * _MM),
            fault="page_too_large",
        )  # fmt: skip
    return page


def _words(page: PdfPage, text: object) -> Iterator[Word]:
    """Yield words: characters with no space and no jump between them."""
    run: list[tuple[str, float, float, float, float]] = []
    for character in _characters(page, text):
        if run and (character is None or _apart(run[-1], character)):
            yield _word(run)
            run = []
        if character is not None:
            run.append(character)
    if run:
        yield _word(run)


def _apart(
    one: tuple[str, float, float, float, float], other: tuple[str, float, float, float, float]
) -> bool:
    height = max(one[4] - one[2], 1e-6)
    return (
        other[1] - one[3] > _JUMP * height
        or other[3] < one[1]
        or abs((other[2] + other[4]) - (one[2] + one[4])) / 2 > _JUMP * height
    )


def _word(run: list[tuple[str, float, float, float, float]]) -> Word:
    box = Box(
        left=_inside(min(one[1] for one in run)),
        top=_inside(min(one[2] for one in run)),
        right=_inside(max(one[3] for one in run)),
        bottom=_inside(max(one[4] for one in run)),
    )
    return Word("".join(one[0] for one in run), box)


def _inside(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _characters(
    page: PdfPage, text: object
) -> Iterator[tuple[str, float, float, float, float] | None]:
    """Yield each character as it is seen: text, left, top, right, bottom; None for a space.

    Coordinates are fractions of the page as it is shown, turned upright. ``_apart`` compares them
    without regard to the page's aspect, which is near enough along one line.
    """
    import pypdfium2.raw as raw

    handle = text.raw  # type: ignore[attr-defined]
    place = _Placing(page)
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    for index in range(text.count_chars()):  # type: ignore[attr-defined]
        code = raw.FPDFText_GetUnicode(handle, index)
        letter = chr(code) if 0 < code < 0x110000 else " "
        if letter.isspace() or not letter.isprintable():
            yield None
            continue
        if not raw.FPDFText_GetLooseCharBox(handle, index, (rect := raw.FS_RECTF())):
            raw.FPDFText_GetCharBox(handle, index, left, right, bottom, top)
            rect = raw.FS_RECTF(left.value, top.value, right.value, bottom.value)
        yield (letter, *place(rect.left, rect.bottom, rect.right, rect.top))


class _Placing:
    """From a page's own coordinates (points, from the lower left) to fractions as it is shown."""

    def __init__(self, page: PdfPage) -> None:
        self._left, self._bottom, right, top = page.get_cropbox()
        self._width = max(right - self._left, 1e-6)
        self._height = max(top - self._bottom, 1e-6)
        self._turn = page.get_rotation()

    def __call__(
        self, left: float, bottom: float, right: float, top: float
    ) -> tuple[float, float, float, float]:
        x0, x1 = (left - self._left) / self._width, (right - self._left) / self._width
        y0, y1 = 1 - (top - self._bottom) / self._height, 1 - (bottom - self._bottom) / self._height
        match self._turn:
            case 90:
                return 1 - y1, x0, 1 - y0, x1
            case 180:
                return 1 - x1, 1 - y1, 1 - x0, 1 - y0
            case 270:
                return y0, 1 - x1, y1, 1 - x0
        return x0, y0, x1, y1
