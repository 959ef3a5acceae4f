"""Invoices, orders, delivery notes and receipts of goods, all in one model.

Amounts are :class:`decimal.Decimal` in the paper's currency, quantities in the line's unit.
What a paper does not say is None; nothing is filled in.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from enum import StrEnum

from pydantic import Field

from millhand_admin.paper.fact import Fact, Method, Part, Unread

Text = Fact[str]
Number = Fact[Decimal]
Day = Fact[date]


class Kind(StrEnum):
    """What kind of paper it is."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    ORDER = "order"
    DELIVERY_NOTE = "delivery_note"
    GOODS_RECEIPT = "goods_receipt"
    CERTIFICATE = "certificate"
    UNKNOWN = "unknown"


class Form(StrEnum):
    """The form that it came in."""

    CII = "cii"
    """UN/CEFACT Cross Industry Invoice D16B: Factur-X, ZUGFeRD, XRechnung."""
    UBL = "ubl"
    """OASIS UBL 2.1: Peppol BIS, XRechnung."""
    VIETNAM = "vietnam"
    """Vietnamese e-invoice: Decree 123/2020/ND-CP, Circular 78/2021/TT-BTC."""
    PAGE = "page"
    """Read from pages: a text layer or a picture."""


class Party(Part):
    """A seller or a buyer."""

    name: Text | None = None
    tax_number: Text | None = None
    address: Text | None = None
    account: Text | None = Field(default=None, description="Bank account to pay into.")


class Line(Part):
    """One line of goods or services."""

    number: Text | None = None
    item: Text | None = Field(default=None, description="Article number, the seller's.")
    buyer_item: Text | None = Field(default=None, description="Article number, the buyer's.")
    description: Text | None = None
    quantity: Number | None = None
    unit: Text | None = None
    price: Number | None = Field(default=None, description="Of `price_quantity` units, no tax.")
    price_quantity: Number | None = Field(default=None, description="1 where left out.")
    allowance: Number | None = Field(default=None, description="Reductions less charges.")
    net: Number | None = Field(default=None, description="Amount of the line, without tax.")
    tax_rate: Number | None = Field(default=None, description="In percent.")
    tax_class: Text | None = Field(default=None, description="S, Z, E …; KCT, KKKNT in Vietnam.")
    order: Text | None = Field(default=None, description="The order that it belongs to.")
    order_line: Text | None = None
    receipt: Text | None = Field(default=None, description="The delivery that it belongs to.")
    lot: Text | None = Field(default=None, description="Lot, batch or heat number.")
    note: bool = Field(default=False, description="Only a remark: no goods, no amount.")


class Tax(Part):
    """What is due at one rate."""

    rate: Number | None = Field(default=None, description="In percent.")
    tax_class: Text | None = None
    base: Number | None = None
    amount: Number | None = None


class Totals(Part):
    """The sums at the end."""

    lines: Number | None = Field(default=None, description="Sum of the lines, without tax.")
    allowance: Number | None = None
    charge: Number | None = None
    net: Number | None = Field(default=None, description="Without tax.")
    tax: Number | None = None
    gross: Number | None = Field(default=None, description="With tax.")
    prepaid: Number | None = None
    rounding: Number | None = None
    payable: Number | None = None
    in_words: Text | None = None


class SealStatus(StrEnum):
    """What became of checking an electronic signature."""

    ABSENT = "absent"
    VALID = "valid"
    """Content and signer proven."""
    UNTRUSTED = "untrusted"
    """Content unchanged since it was signed; nobody we trust vouches for who signed."""
    WEAK = "weak"
    """Matches, with an algorithm that can be forged (SHA-1)."""
    INVALID = "invalid"
    """Changed after it was signed, or the signature does not cover what is read."""
    NOT_CHECKED = "not_checked"
    """The extra that checks signatures is not installed."""


class Seal(Part):
    """An electronic signature on the paper."""

    status: SealStatus
    signer: str = Field(default="", description="Subject of the certificate.")
    detail: str = ""


class Paper(Part):
    """One business paper."""

    kind: Kind
    form: Form
    number: Text | None = None
    series: Text | None = Field(
        default=None, description="Form and series, as in Vietnam: 1C26TAA."
    )
    issued: Day | None = None
    due: Day | None = None
    currency: Text | None = None
    seller: Party = Party()
    buyer: Party = Party()
    orders: tuple[Text, ...] = ()
    deliveries: tuple[Text, ...] = ()
    corrects: Text | None = Field(default=None, description="The paper that this one corrects.")
    lines: tuple[Line, ...] = ()
    taxes: tuple[Tax, ...] = ()
    totals: Totals = Totals()
    seals: tuple[Seal, ...] = ()
    unread: tuple[Unread, ...] = ()
    pages: int = Field(default=0, description="0 for a paper without pages.")

    @property
    def goods(self) -> tuple[Line, ...]:
        """The lines that are more than a remark."""
        return tuple(line for line in self.lines if not line.note)

    def facts(self) -> Iterator[tuple[str, Fact[object]]]:
        """Yield every value with its path in the model: ``lines.0.quantity``."""
        yield from _facts("", self)

    @property
    def least_confidence(self) -> float:
        """The confidence of the weakest value that counts, 1 where there is none."""
        return min((fact.confidence for _, fact in self.key_facts()), default=1.0)

    def key_facts(self) -> Iterator[tuple[str, Fact[object]]]:
        """Yield the values on which money depends: no names, descriptions or addresses.

        What a line is of is compared with the order, so its article number is none of them.
        """
        for path, fact in self.facts():
            if path.rpartition(".")[2] not in _TOLD or path == "number":
                yield path, fact


_TOLD = frozenset({"name", "address", "description", "unit", "number", "item", "buyer_item",
                   "in_words", "tax_class", "lot"})  # fmt: skip
"""Last words of the paths of values that are told and not reckoned with."""


def _facts(path: str, value: object) -> Iterator[tuple[str, Fact[object]]]:
    if isinstance(value, Fact):
        yield path, value
    elif isinstance(value, Part):
        for name in type(value).model_fields:
            yield from _facts(f"{path}.{name}" if path else name, getattr(value, name))
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from _facts(f"{path}.{number}", item)


def derived(value: Decimal, text: str = "") -> Number:
    """Return a number that was computed from others of the paper."""
    return Number(value=value, text=text, method=Method.DERIVED)
