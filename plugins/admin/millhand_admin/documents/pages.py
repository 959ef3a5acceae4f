"""From the pages of a document to papers: tagged, and looked at again where nothing proves it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from millhand_admin.paper.fact import Fact, Method
from millhand_admin.paper.paper import Paper
from millhand_admin.reading.crops import Crops
from millhand_admin.reading.ocr.reader import Reader
from millhand_admin.reading.page import Page
from millhand_admin.tagging.form import paper_of
from millhand_admin.tagging.second_look import looked_again


def papers_of(
    pages: Sequence[Page], crops: Crops, reader: Reader | None, ours: Sequence[str]
) -> list[Paper]:
    """Return the papers that some pages hold, in order.

    Args:
        pages: of one document.
        crops: pieces of its pages.
        reader: gives a second opinion on scans.
        ours: our own tax numbers.
    """
    papers = []
    for group in _groups(pages, ours):
        paper = paper_of(group, ours)
        if paper is None:
            continue
        if reader is not None and any(page.method is Method.OCR for page in group):
            paper = looked_again(paper, _Asked(crops, reader))
        papers.append(paper)
    return papers


def _groups(pages: Sequence[Page], ours: Sequence[str]) -> list[list[Page]]:
    """A page that is a paper of its own, with another number, begins one."""
    groups: list[list[Page]] = []
    before: str | None = None
    for page in pages:
        alone = paper_of([page], ours) if len(pages) > 1 else None
        number = None if alone is None or alone.number is None else alone.number.value
        if groups and (number is None or number == before):
            groups[-1].append(page)
        else:
            groups.append([page])
        before = number or before
    return groups


class _Asked:
    """Asks another recogniser what stands at a place."""

    def __init__(self, crops: Crops, reader: Reader) -> None:
        self._crops = crops
        self._reader = reader

    def __call__(self, fact: Fact[Any]) -> list[str]:
        crop = self._crops.of(fact)
        page = None if fact.page is None else self._crops.page(fact.page)
        if crop is None or page is None:
            return []
        return self._reader.opinions(crop, page.note, fact.text)
