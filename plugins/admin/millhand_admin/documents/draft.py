"""The draft that a bill becomes: flat values, decimals as text, lines as JSON."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from millhand.contracts import DeliverRecord, Value
from millhand_admin.checking.duplicates import Seen
from millhand_admin.paper.fact import Fact
from millhand_admin.paper.paper import Kind, Line, Paper

RECORD = "record"
"""Role of the action: where drafts go."""
_KINDS = {Kind.INVOICE: "bill", Kind.CREDIT_NOTE: "credit_note"}


def draft(paper: Paper, seen: Seen) -> DeliverRecord:
    """Make the draft. Its key is the same for the same vendor, kind, number and amount."""
    identity = "|".join((seen.vendor, seen.kind, seen.number, seen.amount))
    return DeliverRecord(
        to=RECORD,
        kind=_KINDS[paper.kind],
        body=_body(paper, seen),
        idempotency_key=f"millhand-{sha256(identity.encode()).hexdigest()[:32]}",
    )


def _body(paper: Paper, seen: Seen) -> dict[str, Value]:
    totals = paper.totals
    body: dict[str, Value] = {
        "number": _text(paper.number),
        "series": _text(paper.series),
        "issued": _text(paper.issued),
        "due": _text(paper.due),
        "currency": _text(paper.currency),
        "vendor_name": _text(paper.seller.name),
        "vendor_tax_number": _text(paper.seller.tax_number),
        "orders": [order.value for order in paper.orders],
        "net": _text(totals.net),
        "tax": _text(totals.tax),
        "payable": _text(totals.payable or totals.gross),
        "document": seen.sha256,
        "lines": [json.dumps(_line(line), ensure_ascii=False) for line in paper.goods],
    }
    return body


def _line(line: Line) -> dict[str, str | None]:
    return {
        "item": _text(line.buyer_item or line.item),
        "description": _text(line.description),
        "quantity": _text(line.quantity),
        "unit": _text(line.unit),
        "price": _text(line.price),
        "net": _text(line.net),
        "tax_rate": _text(line.tax_rate),
    }


def _text(fact: Fact[Any] | None) -> str | None:
    return None if fact is None else str(fact.value)
