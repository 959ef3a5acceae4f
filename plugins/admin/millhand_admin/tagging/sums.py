"""The sums of a paper: net, taxes, gross, what is to be paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from millhand_admin.paper.fact import Fact, Method, Unread
from millhand_admin.paper.paper import Number, Tax, Totals
from millhand_admin.tagging.labels import SUMS, Label
from millhand_admin.tagging.numbers import meant, mended, numbers_in, percent_in
from millhand_admin.tagging.pieces import Piece, Row

_BELOW = 2


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount beside its label, before it is known how numbers are written."""

    label: Label
    said: str
    """The label as it stands there."""
    texts: tuple[str, ...]
    rate: Decimal | None
    piece: Piece

    def value(self, point: str) -> Decimal | None:
        """Return the amount: the last number."""
        return meant(self.texts[-1], point) if self.texts else None

    def fact(self, point: str) -> Number | None:
        """Return it with its place."""
        value = self.value(point)
        return None if value is None else _fact(value, self.piece)


@dataclass(frozen=True, slots=True)
class Sums:
    """All amounts with a label of a sum, from above."""

    amounts: tuple[Amount, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is none."""
        return not any(one.texts for one in self.amounts)

    def wrong(self, point: str) -> int:
        """How many have a number that is none where ``point`` is the decimal point."""
        return sum(bool(one.texts) and one.value(point) is None for one in self.amounts)

    def unread(self, totals: Totals, point: str) -> tuple[Unread, ...]:
        """Return the amounts that a label announces and that are no numbers, of missing sums."""
        return tuple(
            Unread(
                what=f"totals.{one.label.value}", text=one.piece.text, page=one.piece.page.number,
                box=one.piece.page.shown(one.piece.box),
            )
            for one in self.amounts
            if one.value(point) is None and _might_be(one.piece)
            and (one.label is not Label.TAX or one.rate is None)
            and getattr(totals, one.label.value) is None
        )  # fmt: skip

    def totals(self, point: str) -> Totals:
        """Return the sums."""
        net = self._best(Label.NET, point)
        gross = self._best(Label.GROSS, point)
        payable = self._best(Label.PAYABLE, point)
        tax = self._tax(point)
        if net is None and gross is not None:
            # "Total" may be the sum before tax, where a "grand total" follows.
            others = [one for one in self._all(Label.GROSS) if one is not gross]
            net = next((one for one in others if _less(one, gross, point)), None)
        return Totals(
            net=None if net is None else net.fact(point),
            tax=tax,
            gross=None if gross is None else gross.fact(point),
            payable=None if payable is None else payable.fact(point),
        )

    def taxes(self, point: str) -> tuple[Tax, ...]:
        """Return the tax at each rate that is named."""
        found: dict[Decimal, Tax] = {}
        for one in self._all(Label.TAX):
            if one.rate is None or one.rate in found:
                continue
            base = meant(one.texts[0], point) if len(one.texts) > 1 else None
            found[one.rate] = Tax(
                rate=_fact(one.rate, one.piece),
                base=None if base is None else _fact(base, one.piece),
                amount=one.fact(point),
            )
        return tuple(found.values())

    def _tax(self, point: str) -> Number | None:
        rated = [one for one in self._all(Label.TAX) if one.rate is not None and one.texts]
        plain = [one for one in self._all(Label.TAX) if one.rate is None and one.texts]
        if plain:
            return max(plain, key=lambda one: len(one.said)).fact(point)
        facts = [one.fact(point) for one in rated]
        known = [fact for fact in facts if fact is not None]
        if len(known) == 1 and len(facts) == 1:
            return known[0]
        if not known or len(known) != len(facts):
            return None
        return Number(
            value=sum((fact.value for fact in known), Decimal(0)), method=Method.DERIVED,
            confidence=min(fact.confidence for fact in known), page=known[0].page,
            box=known[0].box,
        )  # fmt: skip

    def _all(self, label: Label) -> list[Amount]:
        return [one for one in self.amounts if one.label is label]

    def _best(self, label: Label, point: str) -> Amount | None:
        found = [one for one in self._all(label) if one.value(point) is not None]
        return max(found, key=lambda one: len(one.said)) if found else None


def _less(one: Amount, other: Amount, point: str) -> bool:
    mine, its = one.value(point), other.value(point)
    return mine is not None and its is not None and mine < its


def _fact(value: Decimal, piece: Piece) -> Number:
    return Fact[Decimal](
        value=value, text=piece.text, method=piece.page.method, confidence=piece.confidence,
        page=piece.page.number, box=piece.page.shown(piece.box),
    )  # fmt: skip


def sums_of(rows: Sequence[Row]) -> Sums:
    """Find the sums in some lines."""
    amounts = []
    for at, row in enumerate(rows):
        for label, pieces in _segments(row):
            amount = _amount(label, pieces) or _amount(label, _under(rows, at, label))
            if amount is not None:
                amounts.append(amount)
    return Sums(tuple(_merged(amounts)))


def _segments(row: Row) -> list[tuple[Piece, list[Piece]]]:
    """Each label of a sum on a line with what follows it, up to the next label."""
    found: list[tuple[Piece, list[Piece]]] = []
    for piece in row:
        if piece.label:
            found.append((piece, []))
        elif found:
            found[-1][1].append(piece)
    return [one for one in found if one[0].label in SUMS]


def _amount(label: Piece, pieces: Sequence[Piece]) -> Amount | None:
    rate = next((rate for one in pieces if (rate := percent_in(one.text)) is not None), None)
    texts: list[str] = []
    last = None
    for piece in pieces:
        numbers = numbers_in(piece.text) or numbers_in(mended(piece.text) or "")
        if numbers:
            texts += numbers
            last = piece
    if last is None and rate is None and not any(map(_might_be, pieces)):
        return None
    doubtful = next((one for one in reversed(pieces) if _might_be(one)), None)
    place = last or doubtful or pieces[0]
    return Amount(Label(label.label), label.text, tuple(texts), rate, place)


def _might_be(piece: Piece) -> bool:
    """Tell whether a text may be an amount that was misread."""
    return any(letter.isdigit() for letter in piece.text)


def _under(rows: Sequence[Row], at: int, label: Piece) -> list[Piece]:
    for row in rows[at + 1 : at + 1 + _BELOW]:
        found = [
            piece for piece in row
            if piece.page is label.page and not piece.label
            and min(piece.box.right, label.box.right) > max(piece.box.left, label.box.left)
        ]  # fmt: skip
        if found:
            return found
        if any(piece.label for piece in row):
            break
    return []


def _merged(amounts: Sequence[Amount]) -> list[Amount]:
    """Join a rate and the tax that follows on the same line: ``VAT rate 10 %  VAT 12.00``."""
    merged: list[Amount] = []
    for one in amounts:
        before = merged[-1] if merged else None
        if (
            before is not None and before.label is one.label is Label.TAX and not before.texts
            and one.rate is None and before.piece.row == one.piece.row
        ):  # fmt: skip
            merged[-1] = Amount(one.label, one.said, one.texts, before.rate, one.piece)
        else:
            merged.append(one)
    return merged
