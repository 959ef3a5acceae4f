"""Has this paper been here before? By its bytes, or by vendor, number and amount."""

from __future__ import annotations

from pydantic import Field

from millhand.messages import tr
from millhand_admin.checking.finding import Finding, Severity
from millhand_admin.checking.tax_numbers import normalised
from millhand_admin.matching.keys import number_key
from millhand_admin.paper.fact import Part
from millhand_admin.paper.paper import Paper


class Seen(Part):
    """What is remembered of a paper."""

    sha256: str = Field(description="Of the document's bytes.")
    vendor: str
    number: str
    amount: str
    kind: str

    @classmethod
    def of(cls, paper: Paper, sha256: str) -> Seen:
        """Take what identifies a paper."""
        seller = paper.seller
        vendor = (
            normalised(seller.tax_number.value)
            if seller.tax_number is not None
            else "" if seller.name is None else seller.name.value.casefold()
        )  # fmt: skip
        total = paper.totals.payable or paper.totals.gross
        number = paper.number
        series = "" if paper.series is None else paper.series.value
        return cls(
            sha256=sha256,
            vendor=vendor,
            number="" if number is None else number_key(series + number.value),
            amount="" if total is None else f"{total.value.normalize():f}",
            kind=paper.kind.value,
        )


def check_duplicate(new: Seen, before: tuple[Seen, ...]) -> Finding | None:
    """Compare with what was seen before.

    The same bytes, or the same vendor, kind, number and amount, are rejected. The same vendor,
    kind and number with another amount are looked at by a person.
    """
    for old in before:
        if old.sha256 == new.sha256:
            return Finding(rule="duplicate.bytes", severity=Severity.REJECT,
                           text=tr("This very document was here before."))  # fmt: skip
    for old in before:
        same = (old.vendor, old.kind, old.number) == (new.vendor, new.kind, new.number)
        if not same or not new.number or not new.vendor:
            continue
        if old.amount == new.amount:
            text = tr("{number} of this vendor was here before.", number=new.number)
            return Finding(rule="duplicate.number", severity=Severity.REJECT, text=text)
        text = tr("{number} of this vendor was here before, over {amount}.", number=new.number,
                  amount=old.amount)  # fmt: skip
        return Finding(rule="duplicate.amount", severity=Severity.REVIEW, text=text)
    return None
