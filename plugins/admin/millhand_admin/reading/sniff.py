"""What a document is, by its first bytes; a name or a declared type proves nothing."""

from __future__ import annotations

from enum import StrEnum


class Content(StrEnum):
    """What the bytes are."""

    XML = "xml"
    PDF = "pdf"
    PICTURE = "picture"
    ARCHIVE = "archive"
    """A zip or another archive; also Word and Excel files, which may bring macros."""
    OFFICE = "office"
    """An old Office file, which may bring macros."""
    TEXT = "text"
    UNKNOWN = "unknown"
    EMPTY = "empty"


_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"BM")
_ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BOMS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_PDF_WITHIN = 1024


def sniff(data: bytes) -> Content:
    """Tell what ``data`` is."""
    head = data[:_PDF_WITHIN]
    if not head.strip():
        return Content.EMPTY
    if head.startswith(_PICTURES) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return Content.PICTURE
    if head.startswith(_ARCHIVES):
        return Content.ARCHIVE
    if head.startswith(_OLE):
        return Content.OFFICE
    if b"%PDF-" in head:
        return Content.PDF
    if head.lstrip().startswith(b"<"):
        return Content.XML  # whatever encoding it declares
    text = _text(head)
    if text is None:
        return Content.UNKNOWN
    return Content.XML if text.lstrip().startswith("<") else Content.TEXT


def _text(head: bytes) -> str | None:
    for mark, encoding in _BOMS.items():
        if head.startswith(mark):
            return head[len(mark) :].decode(encoding, errors="ignore")
    if b"\0" in head:
        return None
    try:
        return head.decode("utf-8")
    except UnicodeDecodeError as error:
        return head[: error.start].decode("utf-8") if error.start > len(head) - 4 else None
