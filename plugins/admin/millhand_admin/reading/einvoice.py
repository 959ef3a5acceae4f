"""E-invoice XML of any form that is understood, to papers."""

from __future__ import annotations

from pathlib import Path

from millhand.messages import tr
from millhand_admin.paper.paper import Paper
from millhand_admin.reading.cii import is_cii, read_cii
from millhand_admin.reading.limits import Limits, UnreadableDocument
from millhand_admin.reading.seal import seals
from millhand_admin.reading.ubl import is_ubl, read_ubl
from millhand_admin.reading.vietnam import is_vietnamese, read_vietnamese
from millhand_admin.reading.xml_tree import local_name, parse_xml


def read_einvoice(data: bytes, limits: Limits, trusted: Path | None = None) -> list[Paper]:
    """Read the papers of an e-invoice, with what its signatures are worth.

    Raises:
        UnreadableDocument: the faults of :func:`parse_xml`, or ``unknown_form``.
    """
    root = parse_xml(data, limits)
    content = "."
    if is_cii(root):
        papers = [read_cii(root)]
    elif is_ubl(root):
        papers = [read_ubl(root)]
    elif is_vietnamese(root):
        papers = read_vietnamese(root)
        content = "DLHDon" if root.tag == "HDon" else "DLieu/HDon/DLHDon"
    else:
        raise UnreadableDocument(
            tr("{name} is no e-invoice that is understood.", name=local_name(root)[:60]),
            fault="unknown_form",
            mend=tr("Understood are Factur-X (CII), UBL and the Vietnamese TT78 format."),
        )
    found = seals(data, content, trusted)
    return [paper.model_copy(update={"seals": found}) for paper in papers]
