"""What was ordered and received and is not billed yet. Immutable; booking makes a new one."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from pydantic import Field

from millhand.errors import InternalError
from millhand_admin.checking.tax_numbers import normalised
from millhand_admin.matching.keys import number_key
from millhand_admin.paper.fact import Part
from millhand_admin.paper.paper import Line, Paper, Text

ZERO = Decimal(0)


class OpenLine(Part):
    """Goods that somebody may bill."""

    id: str
    unit: str = ""
    quantity: Decimal = Field(ge=0)
    billed: Decimal = Field(default=ZERO, ge=0)

    @property
    def open(self) -> Decimal:
        """How much is left to bill, not less than 0."""
        return max(ZERO, self.quantity - self.billed)


class OrderLine(OpenLine):
    """A line of an order, with how much of it was billed already."""

    order: str
    number: str
    vendor: str = ""
    item: str = ""
    description: str = ""
    price: Decimal | None = None
    tax_rate: Decimal | None = None


class ReceiptLine(OpenLine):
    """A line of goods that came in, with how much of it was billed already."""

    receipt: str
    order: str = ""
    order_line: str = ""
    item: str = ""
    lot: str = ""
    blocked: str = Field(default="", description="Why it must not be paid, such as an open NCR.")

    @property
    def open(self) -> Decimal:
        """How much is left to bill; nothing of what is blocked."""
        return ZERO if self.blocked else max(ZERO, self.quantity - self.billed)


class OpenItems(Part):
    """All open lines."""

    orders: tuple[OrderLine, ...] = ()
    receipts: tuple[ReceiptLine, ...] = ()

    def with_order(self, paper: Paper) -> OpenItems:
        """Add an order's lines; one that is there already stays as it is."""
        return self.model_copy(update={"orders": _added(self.orders, order_lines(paper))})

    def with_receipt(self, paper: Paper) -> OpenItems:
        """Add the lines of a receipt of goods; one that is there already stays as it is."""
        return self.model_copy(update={"receipts": _added(self.receipts, receipt_lines(paper))})

    def blocked(self, lot: str, why: str) -> OpenItems:
        """Block the receipts of a lot (``why`` says the reason), or release them (empty)."""
        key = number_key(lot)
        return self.model_copy(
            update={
                "receipts": tuple(
                    line.model_copy(update={"blocked": why})
                    if line.lot and number_key(line.lot) == key
                    else line
                    for line in self.receipts
                )
            }
        )

    def booked(
        self, orders: Iterable[tuple[str, Decimal]], receipts: Iterable[tuple[str, Decimal]]
    ) -> OpenItems:
        """Return what is left after billing quantities of lines, by id.

        Raises:
            InternalError: more of a receipt would be billed than came in, or a line is unknown.
        """
        billed = _summed(orders)
        taken = _summed(receipts)
        known = {line.id for line in (*self.orders, *self.receipts)}
        if not (billed.keys() | taken.keys()) <= known:
            raise InternalError("a line was allocated that is not there")
        for line in self.receipts:
            if line.billed + taken.get(line.id, ZERO) > line.quantity:
                raise InternalError(f"receipt line {line.id} would be allocated twice")
        return OpenItems(
            orders=tuple(
                line.model_copy(update={"billed": line.billed + billed[line.id]})
                if line.id in billed
                else line
                for line in self.orders
            ),
            receipts=tuple(
                line.model_copy(update={"billed": line.billed + taken[line.id]})
                if line.id in taken
                else line
                for line in self.receipts
            ),
        )


def _added(old: tuple[OpenLine, ...], new: Iterable[OpenLine]) -> tuple[OpenLine, ...]:
    known = {line.id for line in old}
    return (*old, *(line for line in new if line.id not in known))


def _summed(pairs: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for id_, quantity in pairs:
        if quantity < 0:
            raise InternalError("a negative quantity was allocated")
        total[id_] = total.get(id_, ZERO) + quantity
    return total


def order_lines(paper: Paper) -> list[OrderLine]:
    """Return the lines of an order that say a quantity."""
    order = _text(paper.number)
    tax_number = paper.seller.tax_number
    return [
        OrderLine(
            id=f"{order}/{_text(line.number) or number}",
            order=order,
            number=_text(line.number) or str(number),
            vendor="" if tax_number is None else normalised(tax_number.value),
            item=_text(line.item),
            description=_text(line.description),
            unit=_text(line.unit),
            quantity=abs(line.quantity.value),
            price=unit_price(line),
            tax_rate=None if line.tax_rate is None else line.tax_rate.value,
        )
        for number, line in enumerate(paper.goods, start=1)
        if line.quantity is not None
    ]


def receipt_lines(paper: Paper) -> list[ReceiptLine]:
    """Return the lines of a receipt of goods or delivery note that say a quantity."""
    receipt = _text(paper.number)
    order = _text(paper.orders[0]) if paper.orders else ""
    return [
        ReceiptLine(
            id=f"{receipt}/{_text(line.number) or number}",
            receipt=receipt,
            order=_text(line.order) or order,
            order_line=_text(line.order_line),
            item=_text(line.item),
            lot=_text(line.lot),
            unit=_text(line.unit),
            quantity=abs(line.quantity.value),
        )
        for number, line in enumerate(paper.goods, start=1)
        if line.quantity is not None
    ]


def unit_price(line: Line) -> Decimal | None:
    """Return the price of one unit, after the line's own reductions."""
    quantity = None if line.quantity is None else line.quantity.value
    if line.price is None:
        if line.net is None or not quantity:
            return None
        return line.net.value / quantity
    per = line.price_quantity.value if line.price_quantity and line.price_quantity.value else 1
    price = line.price.value / per
    if line.allowance is not None and quantity:
        price -= line.allowance.value / quantity
    return price


def _text(fact: Text | None) -> str:
    return "" if fact is None else fact.value
