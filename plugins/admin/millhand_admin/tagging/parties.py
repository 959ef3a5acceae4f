"""Who sells and who buys: blocks that a word announces, or the letter's head."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from millhand_admin.checking.tax_numbers import NumberCheck, check_tax_number, normalised
from millhand_admin.paper.fact import Fact
from millhand_admin.paper.paper import Party, Text
from millhand_admin.tagging.folding import fold
from millhand_admin.tagging.heads import identifier, name, tax_number, value_at
from millhand_admin.tagging.labels import Label, kind_in
from millhand_admin.tagging.pieces import Piece, Row

Role = Literal["seller", "buyer"]
_ROLES: dict[str, Role] = {Label.SELLER: "seller", Label.BUYER: "buyer"}
_NAMES: dict[str, str] = {Label.NAME: "name", Label.ADDRESS: "address"}
_COMPANY = re.compile(
    r"(?<![a-z])(?:ltd|limited|gmbh|inc|llc|corp|plc|ag|sdn|bhd|co)(?![a-z])|cong ty|公司|厂|works"
)
_LOOK_ALIKE = str.maketrans({"O": "0", "Q": "0", "I": "1", "L": "1", "Z": "2", "S": "5", "B": "8"})
_LETTERHEAD = 8
_MENDED = 0.9
"""Confidence of a tax number whose check digit holds only after look-alikes were mended."""


def parties(rows: Sequence[Row], ours: Sequence[str] = ()) -> tuple[Party, Party]:
    """Return seller and buyer.

    Args:
        rows: with :func:`~millhand_admin.tagging.labels.labels_in`, without the table.
        ours: our tax numbers: who has one of these buys.
    """
    anchors = [
        (at, piece, _ROLES[piece.label])
        for at, row in enumerate(rows)
        for piece in row
        if piece.label in _ROLES
    ]
    found: dict[Role, dict[str, Text]] = {"seller": {}, "buyer": {}}
    for at, number, piece in _labelled(rows):
        role = _role_of(at, piece, anchors)
        _take(rows, at, number, found, role, ours)
    if "name" not in found["seller"]:
        head = _letterhead(rows, anchors)
        if head is not None:
            found["seller"]["name"] = fact_of(head.text, head)
    return Party(**found["seller"]), Party(**found["buyer"])


def _labelled(rows: Sequence[Row]) -> Iterator[tuple[int, int, Piece]]:
    for at, row in enumerate(rows):
        for number, piece in enumerate(row):
            if piece.label:
                yield at, number, piece


def _take(
    rows: Sequence[Row], at: int, number: int, found: dict[Role, dict[str, Text]], role: Role,
    ours: Sequence[str],
) -> None:  # fmt: skip
    """Take the value of one label, unless there is one already."""
    label = rows[at][number].label
    if label == Label.TAX_NUMBER:
        got = value_at(rows, at, number, tax_number)
        if got is not None:
            value, sure = checked(got[0], got[1].confidence)
            if normalised(value) in {normalised(one) for one in ours}:
                role = "buyer"
            fact = fact_of(value, got[1]).model_copy(update={"confidence": sure})
            found[role].setdefault("tax_number", fact)
    elif label == Label.ACCOUNT:
        got = value_at(rows, at, number, identifier)
        if got is not None:
            text = re.sub(r"\s", "", got[1].text)
            found["seller"].setdefault("account", fact_of(text, got[1]))
    elif label in _ROLES or label in _NAMES:
        got = value_at(rows, at, number, name)
        if got is not None:
            found[role].setdefault(_NAMES.get(label, "name"), fact_of(got[0], got[1]))


def checked(text: str, sure: float) -> tuple[str, float]:
    """Return a tax number, mended where only then its check digit holds, and how sure."""
    plain = normalised(text)
    if check_tax_number(plain) is not NumberCheck.WRONG:
        return plain, sure
    digits = plain[:2] + plain[2:].translate(_LOOK_ALIKE)
    for other in (plain.translate(_LOOK_ALIKE), digits):
        if check_tax_number(other) is NumberCheck.RIGHT:
            return other, min(sure, _MENDED)
    return plain, sure


def fact_of(value: str, piece: Piece) -> Text:
    """Return a text of a page as a fact."""
    return Fact[str](
        value=value, text=piece.text, method=piece.page.method, confidence=piece.confidence,
        page=piece.page.number, box=piece.page.shown(piece.box),
    )  # fmt: skip


def _role_of(at: int, piece: Piece, anchors: Sequence[tuple[int, Piece, Role]]) -> Role:
    """The last block announced above; among two side by side, the nearer."""
    if piece.label in _ROLES:
        return _ROLES[piece.label]
    above = [one for one in anchors if one[0] <= at and one[1].page is piece.page]
    if not above:
        return "seller"
    last = max(row for row, _, _ in above)
    # Side by side where another block is announced on nearly the same line.
    level = [one for one in above if last - one[0] <= 1]
    middle = piece.box.left
    return min(level, key=lambda one: (abs(one[1].box.left - middle), -one[0]))[2]


def _letterhead(rows: Sequence[Row], anchors: Sequence[tuple[int, Piece, Role]]) -> Piece | None:
    end = min((at for at, _, role in anchors if role == "buyer"), default=_LETTERHEAD)
    pieces = [
        piece
        for row in rows[: min(end, _LETTERHEAD)]
        for place, piece in enumerate(row)
        if not piece.label and kind_in(piece.text) is None and name(piece.text)
        and not (place and row[place - 1].label)
    ]  # fmt: skip
    return next((one for one in pieces if _COMPANY.search(fold(one.text))),
                pieces[0] if pieces else None)  # fmt: skip
