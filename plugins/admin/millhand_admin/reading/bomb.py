"""PDF files that unpack to far more than they are: found before a library unpacks them.

Every stream stands in the file as it is (streams cannot lie inside other streams), so each is
unpacked here in small pieces that are counted and thrown away. What cannot be seen that way is
refused: files that are encrypted, if only against printing, and streams packed twice.
"""

from __future__ import annotations

import re
import zlib

from millhand.messages import tr
from millhand_admin.reading.limits import Limits, UnreadableDocument

_STREAM = re.compile(rb"stream\r?\n")
_TWICE = re.compile(rb"/(?:FlateDecode|Fl|LZWDecode|LZW)\s*/(?:FlateDecode|Fl|LZWDecode|LZW)\b")
_INDIRECT = re.compile(rb"/Filter\s+\d+\s+\d+\s+R\b")
"""A list of filters elsewhere, perhaps inside a packed stream: nobody writes that but to hide."""
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_ENCRYPTED = re.compile(rb"/Encrypt\b")
_CHUNK, _PIECE = 1 << 14, 1 << 20


def refuse_bombs(data: bytes, limits: Limits) -> None:
    """Refuse a PDF whose streams unpack to too much.

    Raises:
        UnreadableDocument: ``bomb``, or ``encrypted``.
    """
    plain = _ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), data)
    if _ENCRYPTED.search(plain):
        raise UnreadableDocument(
            tr("The PDF is protected, so that what it holds cannot be looked at first."),
            fault="encrypted",
            mend=tr("Ask for a file without protection."),
        )
    if _TWICE.search(plain) or _INDIRECT.search(plain):
        raise UnreadableDocument(tr("A part of the PDF is packed twice."), fault="bomb")
    left = int(limits.unpacked_mb * 2**20)
    view = memoryview(data)
    for match in _STREAM.finditer(data):
        left -= _unpacked(view, match.end(), left)
        if left < 0:
            raise UnreadableDocument(
                tr("The PDF unpacks to more than {limit:.0f} MB.", limit=limits.unpacked_mb),
                fault="bomb",
            )


def _unpacked(view: memoryview, begin: int, most: int) -> int:
    """Return to how many bytes a stream unpacks, or any number above ``most``."""
    reader = zlib.decompressobj()
    total = 0
    for at in range(begin, len(view), _CHUNK):
        piece = bytes(view[at : at + _CHUNK])
        while piece:
            try:
                total += len(reader.decompress(piece, _PIECE))
            except zlib.error:
                return total
            if reader.eof or total > most:
                return total
            piece = reader.unconsumed_tail
    return total
