"""A made-up paper: what is true of it, before it takes any form."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from millhand_admin.paper.paper import Kind

_MINOR_UNITS = {"VND": 0, "JPY": 0}


@dataclass(frozen=True, slots=True)
class MadeParty:
    """A company that does not exist."""

    name: str
    tax_number: str
    address: str
    city: str
    country: str
    account: str = ""


@dataclass(frozen=True, slots=True)
class MadeLine:
    """A line of goods."""

    item: str
    description: str
    quantity: Decimal
    unit: str
    price: Decimal
    tax_rate: Decimal
    lot: str = ""

    def net(self, currency: str) -> Decimal:
        """Amount without tax, rounded to the currency's smallest coin."""
        return rounded(self.quantity * self.price, currency)


@dataclass(frozen=True, slots=True)
class MadePaper:
    """An invoice, an order, a delivery note or a receipt of goods."""

    kind: Kind
    number: str
    issued: date
    currency: str
    seller: MadeParty
    buyer: MadeParty
    lines: tuple[MadeLine, ...]
    due: date | None = None
    order: str = ""
    delivery: str = ""
    language: str = "en"
    series: str = ""
    wrong_tax: Decimal = Decimal(0)
    """Added to the tax that is printed: a seeded mistake."""

    @property
    def net(self) -> Decimal:
        """Sum of the lines."""
        return sum((line.net(self.currency) for line in self.lines), Decimal(0))

    @property
    def taxes(self) -> dict[Decimal, tuple[Decimal, Decimal]]:
        """Rate to base and tax."""
        bases: dict[Decimal, Decimal] = {}
        for line in self.lines:
            bases[line.tax_rate] = bases.get(line.tax_rate, Decimal(0)) + line.net(self.currency)
        return {
            rate: (base, rounded(base * rate / 100, self.currency)) for rate, base in bases.items()
        }

    @property
    def tax(self) -> Decimal:
        """Tax as it is printed."""
        return sum((tax for _, tax in self.taxes.values()), Decimal(0)) + self.wrong_tax

    @property
    def gross(self) -> Decimal:
        """Net and tax."""
        return self.net + self.tax

    def but(self, **changes: object) -> MadePaper:
        """Return the same paper with something else in it."""
        return replace(self, **changes)  # type: ignore[arg-type]


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Round half up to the smallest coin."""
    digits = _MINOR_UNITS.get(currency, 2)
    return amount.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
