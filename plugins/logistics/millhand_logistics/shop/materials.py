"""From when each operation has its material: stock and deliveries, to the most urgent first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from millhand_logistics.shop.model import Order, Shop

_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Shortage:
    """A need that no stock and no delivery covers."""

    order: str
    operation: str
    material: str
    missing: float


def available(shop: Shop) -> tuple[dict[tuple[str, str], datetime], list[Shortage]]:
    """Give each operation its material, orders by due date, release and number.

    Returns:
        By order and operation the moment from which all its material is there, where it must wait
        for a delivery; and the needs that nothing covers.
    """
    supply = {name: _supply(shop, name) for name in shop.materials}
    from_when: dict[tuple[str, str], datetime] = {}
    short: list[Shortage] = []
    for order in sorted(shop.orders, key=lambda order: _urgency(shop, order)):
        for operation in order.operations:
            if operation.started is not None or operation.finished is not None:
                continue  # its material has been taken from the stock already
            for name, quantity in operation.needs.items():
                at, missing = _take(supply[name], quantity)
                if missing > 0:
                    short.append(Shortage(order.id, operation.id, name, missing))
                elif at is not None:
                    key = (order.id, operation.id)
                    from_when[key] = max(at, from_when.get(key, at))
    return from_when, short


def _urgency(shop: Shop, order: Order) -> tuple[datetime, datetime, str]:
    moments = [_LAST if m is None else shop.moment(m) for m in (order.due, order.release)]
    return moments[0], moments[1], order.id


def _supply(shop: Shop, name: str) -> list[tuple[datetime | None, float]]:
    material = shop.materials[name]
    receipts = sorted((shop.moment(r.at), r.quantity) for r in material.receipts)
    return [(None, material.on_hand), *receipts]


def _take(
    supply: list[tuple[datetime | None, float]], quantity: float
) -> tuple[datetime | None, float]:
    """Take from the earliest; return when the last of it is there, and what is missing."""
    last: datetime | None = None
    for index, (at, left) in enumerate(supply):
        taken = min(left, quantity)
        if taken <= 0:
            continue
        supply[index] = (at, left - taken)
        quantity -= taken
        last = at
        if quantity <= 1e-9:
            return last, 0.0
    return last, quantity
