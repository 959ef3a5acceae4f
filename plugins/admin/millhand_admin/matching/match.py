"""Three-way match: a bill against the open orders and receipts, many lines to many lines.

A billed line takes quantity from the ordered lines it is likest to, one after another until it is
covered; each such piece takes quantity from the receipts of that ordered line, the oldest first.
What finds no cover is a variance of its own kind: quantity, price and tax are never mixed. No
quantity of a receipt is given out twice, by construction (:meth:`OpenItems.booked` refuses it).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum

from pydantic import Field

from millhand.messages import tr
from millhand_admin.checking.tax_numbers import normalised
from millhand_admin.checking.units import convert
from millhand_admin.matching.keys import confusion_key, number_key
from millhand_admin.matching.open_items import (
    ZERO,
    OpenItems,
    OpenLine,
    OrderLine,
    ReceiptLine,
    unit_price,
)
from millhand_admin.matching.policy import MatchPolicy
from millhand_admin.matching.similarity import LIKELY, similarity
from millhand_admin.paper.fact import Part
from millhand_admin.paper.paper import Line, Paper


class VarianceKind(StrEnum):
    """In what a bill differs."""

    NO_ORDER = "no_order"
    """Nothing of the kind was ordered."""
    OVER_ORDERED = "over_ordered"
    """More is billed than is left of the order."""
    NOT_RECEIVED = "not_received"
    """More is billed than came in."""
    BLOCKED = "blocked"
    """It came in and must not be paid."""
    PRICE = "price"
    TAX = "tax"
    UNREAD = "unread"
    """Quantity or price of the line is not known."""


class Variance(Part):
    """One difference, with what it is worth."""

    kind: VarianceKind
    line: int = Field(description="Index of the billed line.")
    tolerated: bool = Field(description="Whether the policy bears it.")
    quantity: Decimal = Field(default=ZERO, description="In the bill's unit.")
    money: Decimal = Field(default=ZERO, description="In the bill's currency, without tax.")
    text: str = Field(description="For a person.")


class Allocation(Part):
    """A piece of a billed line, covered by an ordered line and by receipts."""

    line: int
    order_line: str
    quantity: Decimal = Field(gt=0, description="In the order's unit.")
    receipts: tuple[tuple[str, Decimal], ...] = ()
    exact: bool = Field(default=True, description="False: only look-alikes or words agree.")


class Match(Part):
    """What a bill came to."""

    allocations: tuple[Allocation, ...] = ()
    variances: tuple[Variance, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether every variance is tolerated and every number agrees exactly."""
        return all(one.tolerated for one in self.variances) and all(
            one.exact for one in self.allocations
        )

    def book(self, items: OpenItems) -> OpenItems:
        """Return what is left open after this bill."""
        return items.booked(
            ((one.order_line, one.quantity) for one in self.allocations),
            (pair for one in self.allocations for pair in one.receipts),
        )


def match(bill: Paper, items: OpenItems, policy: MatchPolicy) -> Match:
    """Match a bill. Pure and deterministic."""
    return _Matching(bill, items, policy).run()


class _Matching:
    """One run; what is left of every line is counted down here."""

    def __init__(self, bill: Paper, items: OpenItems, policy: MatchPolicy) -> None:
        self._bill = bill
        self._policy = policy
        self._orders = _eligible(bill, items.orders)
        self._receipts = items.receipts
        lines: tuple[OpenLine, ...] = (*self._orders, *items.receipts)
        self._open: dict[str, Decimal] = {line.id: line.open for line in lines}
        self._allocations: list[Allocation] = []
        self._variances: list[Variance] = []

    def run(self) -> Match:
        left = {
            index: line.quantity.value
            for index, line in enumerate(self._bill.lines)
            if not line.note and line.quantity is not None and line.quantity.value > 0
        }
        best: dict[int, OrderLine] = {}
        for _, index, order in self._candidates(left):
            best.setdefault(index, order)
            left[index] -= self._take(index, order, left[index])
        for index, line in enumerate(self._bill.lines):
            if line.note:
                continue
            if index not in left:
                self._unread(index, line)
            elif left[index] > 0:
                self._uncovered(index, line, left[index], best.get(index))
        return Match(allocations=tuple(self._allocations), variances=tuple(self._variances))

    def _candidates(self, left: dict[int, Decimal]) -> list[tuple[float, int, OrderLine]]:
        found = [
            (score, index, order)
            for index in left
            for order in self._orders
            if (score := similarity(self._bill.lines[index], order)) >= LIKELY
        ]
        return sorted(found, key=lambda one: (-one[0], one[1], one[2].id))

    # --- one piece ---

    def _take(self, index: int, order: OrderLine, wanted: Decimal) -> Decimal:
        """Cover as much of ``wanted`` (in the bill's unit) as the ordered line has left."""
        line = self._bill.lines[index]
        factor = _factor(line, order)
        quantity = min(wanted * factor, self._allowed(order, line, wanted * factor))
        if quantity <= 0:
            return ZERO
        self._open[order.id] -= quantity
        receipts = self._take_receipts(index, order, quantity)
        self._allocations.append(
            Allocation(
                line=index,
                order_line=order.id,
                quantity=quantity,
                receipts=receipts,
                exact=_exact(self._bill, line, order),
            )
        )
        self._compare_price(index, order, quantity, factor)
        self._compare_tax(index, order, quantity)
        return quantity / factor

    def _allowed(self, order: OrderLine, line: Line, wanted: Decimal) -> Decimal:
        """What is left of an ordered line, and what the policy lets be billed beyond it."""
        left = self._open[order.id]
        over = wanted - left
        if left <= 0 or over <= 0:
            return left
        price = unit_price(line) or ZERO
        tolerated = self._policy.quantity.over.allows(over, order.quantity, over * price)
        return wanted if tolerated else left

    def _take_receipts(
        self, index: int, order: OrderLine, quantity: Decimal
    ) -> tuple[tuple[str, Decimal], ...]:
        taken: list[tuple[str, Decimal]] = []
        left = quantity
        blocked: list[ReceiptLine] = []
        for receipt in self._receipts:
            if left <= 0:
                break
            if not _belongs(receipt, order):
                continue
            if receipt.blocked:
                blocked.append(receipt)
                continue
            rate = convert(Decimal(1), receipt.unit, order.unit) if receipt.unit else Decimal(1)
            if rate is None or self._open[receipt.id] <= 0:
                continue
            piece = min(left, self._open[receipt.id] * rate)
            own = min(piece / rate, self._open[receipt.id])
            self._open[receipt.id] -= own
            taken.append((receipt.id, own))
            left -= piece
        if left > 0 and self._policy.receipt_needed:
            self._missing_receipt(index, order, left, blocked)
        return tuple(taken)

    # --- variances ---

    def _missing_receipt(
        self, index: int, order: OrderLine, left: Decimal, blocked: list[ReceiptLine]
    ) -> None:
        line = self._bill.lines[index]
        quantity = left / _factor(line, order)
        money = quantity * (unit_price(line) or ZERO)
        tolerated = not blocked and self._policy.quantity.over.allows(left, order.quantity, money)
        if blocked:
            kind = VarianceKind.BLOCKED
            text = tr("Line {line}: {receipt} is blocked: {why}", line=index + 1,
                      receipt=blocked[0].receipt, why=blocked[0].blocked)  # fmt: skip
        else:
            kind = VarianceKind.NOT_RECEIVED
            text = tr("Line {line}: {quantity} of {order} did not come in.", line=index + 1,
                      quantity=_plain(quantity), order=order.id)  # fmt: skip
        self._add(kind, index, text, quantity=quantity, money=money, tolerated=tolerated)

    def _uncovered(
        self, index: int, line: Line, quantity: Decimal, order: OrderLine | None
    ) -> None:
        money = quantity * (unit_price(line) or ZERO)
        if order is None:
            text = tr("Line {line} was not ordered.", line=index + 1)
            self._add(VarianceKind.NO_ORDER, index, text, quantity=quantity, money=money,
                      tolerated=not self._policy.order_needed)  # fmt: skip
            return
        text = tr("Line {line}: {quantity} more than {order} has left.", line=index + 1,
                  quantity=_plain(quantity), order=order.id)  # fmt: skip
        self._add(VarianceKind.OVER_ORDERED, index, text, quantity=quantity, money=money)

    def _compare_price(
        self, index: int, order: OrderLine, quantity: Decimal, factor: Decimal
    ) -> None:
        billed = unit_price(self._bill.lines[index])
        if billed is None:
            self._add(VarianceKind.UNREAD, index, tr("Line {line} has no price.", line=index + 1))
            return
        if order.price is None:
            return
        difference = billed / factor - order.price
        if abs(difference * quantity) <= Decimal("0.005") or difference == 0:
            return
        money = difference * quantity
        text = tr("Line {line}: {billed} is billed, {agreed} was agreed.", line=index + 1,
                  billed=_plain(billed / factor), agreed=_plain(order.price))  # fmt: skip
        self._add(
            VarianceKind.PRICE,
            index,
            text,
            money=money,
            tolerated=self._policy.price.allows(difference, order.price, money),
        )

    def _compare_tax(self, index: int, order: OrderLine, quantity: Decimal) -> None:
        line = self._bill.lines[index]
        if line.tax_rate is None or order.tax_rate is None:
            return
        difference = line.tax_rate.value - order.tax_rate
        if not difference:
            return
        net = quantity * (order.price or ZERO)
        money = net * difference / 100
        text = tr("Line {line}: {billed} % tax, {agreed} % was agreed.", line=index + 1,
                  billed=line.tax_rate.value, agreed=order.tax_rate)  # fmt: skip
        tolerated = self._policy.tax.allows(difference, order.tax_rate, money)
        self._add(VarianceKind.TAX, index, text, money=money, tolerated=tolerated)

    def _unread(self, index: int, line: Line) -> None:
        if line.quantity is not None and line.quantity.value <= 0:
            text = tr("Line {line} takes something back.", line=index + 1)
        else:
            text = tr("Line {line} has no quantity.", line=index + 1)
        self._add(VarianceKind.UNREAD, index, text)

    def _add(
        self,
        kind: VarianceKind,
        index: int,
        text: str,
        *,
        quantity: Decimal = ZERO,
        money: Decimal = ZERO,
        tolerated: bool = False,
    ) -> None:
        self._variances.append(
            Variance(kind=kind, line=index, text=text, quantity=quantity, money=money,
                     tolerated=tolerated)
        )  # fmt: skip


# --- who may cover whom ---


def _eligible(bill: Paper, orders: tuple[OrderLine, ...]) -> tuple[OrderLine, ...]:
    """Lines of this vendor, and of the orders that the bill names where it names any."""
    tax_number = bill.seller.tax_number
    vendor = "" if tax_number is None else normalised(tax_number.value)
    same_vendor = [line for line in orders if not line.vendor or line.vendor == vendor]
    named = set(_orders_named(bill))
    if not named:
        return tuple(same_vendor)
    return tuple(line for line in same_vendor if confusion_key(line.order) in named)


def _orders_named(bill: Paper) -> Iterator[str]:
    for order in bill.orders:
        yield confusion_key(order.value)
    for line in bill.lines:
        if line.order is not None:
            yield confusion_key(line.order.value)


def _exact(bill: Paper, line: Line, order: OrderLine) -> bool:
    numbers = [one.value for one in (*bill.orders, *([line.order] if line.order else []))]
    agrees = not numbers or any(number_key(one) == number_key(order.order) for one in numbers)
    items = [fact.value for fact in (line.item, line.buyer_item) if fact is not None]
    if not items or not order.item:
        return agrees and not order.item
    return agrees and any(number_key(item) == number_key(order.item) for item in items)


def _belongs(receipt: ReceiptLine, order: OrderLine) -> bool:
    if receipt.order and confusion_key(receipt.order) != confusion_key(order.order):
        return False
    if receipt.order_line:
        return receipt.order_line == order.number
    return bool(receipt.item) and confusion_key(receipt.item) == confusion_key(order.item)


def _factor(line: Line, order: OrderLine) -> Decimal:
    """How many of the order's units one of the bill's is."""
    if line.unit is None or not order.unit:
        return Decimal(1)
    return convert(Decimal(1), line.unit.value, order.unit) or Decimal(1)


def _plain(number: Decimal) -> str:
    return f"{number.quantize(Decimal('0.0001')).normalize():f}"
