"""How much a bill may differ from what was ordered and received, for each side apart."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from millhand_admin.paper.fact import Part


class Side(Part):
    """What is tolerated in one direction. Both bounds must hold."""

    percent: Decimal = Field(default=Decimal(0), ge=0, le=100)
    at_most: Decimal | None = Field(default=None, ge=0, description="In the currency, for a line.")

    def allows(self, difference: Decimal, base: Decimal, money: Decimal) -> bool:
        """Tell whether a difference is tolerated.

        Args:
            difference: how much it differs, 0 or more.
            base: of what ``percent`` is taken.
            money: what the difference costs.
        """
        if difference > abs(base) * self.percent / 100:
            return False
        return self.at_most is None or abs(money) <= self.at_most


class Tolerance(Part):
    """More and less than agreed are different things: who gains by it."""

    over: Side = Side()
    under: Side = Side()

    def allows(self, difference: Decimal, base: Decimal, money: Decimal) -> bool:
        """Tell whether a signed difference is tolerated."""
        side = self.over if difference >= 0 else self.under
        return side.allows(abs(difference), base, money)


_SMALL = Side(percent=Decimal("0.5"), at_most=Decimal(5))
_ANY = Side(percent=Decimal(100))


class MatchPolicy(Part):
    """What the house tolerates. By default billing more is tight, and billing less is free."""

    quantity: Tolerance = Tolerance(over=Side(), under=_ANY)
    price: Tolerance = Tolerance(over=_SMALL, under=_ANY)
    tax: Tolerance = Tolerance(over=Side(), under=Side())
    receipt_needed: bool = Field(default=True, description="Bill only what was received.")
    order_needed: bool = Field(default=True, description="Bill only what was ordered.")
