"""OASIS UBL 2.1: invoice, credit note, order, despatch advice, receipt advice."""

from __future__ import annotations

from typing import NamedTuple
from xml.etree.ElementTree import Element

from millhand_admin.paper.paper import (
    Day,
    Form,
    Kind,
    Line,
    Number,
    Paper,
    Party,
    Tax,
    Text,
    Totals,
)
from millhand_admin.reading.xml_tree import Node, local_name, sum_of

_URN = "urn:oasis:names:specification:ubl:schema:xsd:"
_NAMES = {"cac": f"{_URN}CommonAggregateComponents-2", "cbc": f"{_URN}CommonBasicComponents-2"}


class _Document(NamedTuple):
    """How one kind of document names its lines and what is counted in them."""

    kind: Kind
    lines: str
    quantity: str
    body: str = "."


_DOCUMENTS = {
    "Invoice": _Document(Kind.INVOICE, "cac:InvoiceLine", "cbc:InvoicedQuantity"),
    "CreditNote": _Document(Kind.CREDIT_NOTE, "cac:CreditNoteLine", "cbc:CreditedQuantity"),
    "Order": _Document(Kind.ORDER, "cac:OrderLine", "cbc:Quantity", "cac:LineItem"),
    "DespatchAdvice": _Document(Kind.DELIVERY_NOTE, "cac:DespatchLine", "cbc:DeliveredQuantity"),
    "ReceiptAdvice": _Document(Kind.GOODS_RECEIPT, "cac:ReceiptLine", "cbc:ReceivedQuantity"),
}
_ACCOUNT = "cac:PaymentMeans/cac:PayeeFinancialAccount/cbc:ID"
_SELLERS = ("cac:AccountingSupplierParty", "cac:SellerSupplierParty", "cac:DespatchSupplierParty")
_BUYERS = ("cac:AccountingCustomerParty", "cac:BuyerCustomerParty", "cac:DeliveryCustomerParty")


def is_ubl(root: Element) -> bool:
    """Tell whether this is one of the UBL documents that are understood."""
    name = local_name(root)
    return name in _DOCUMENTS and root.tag == f"{{{_URN}{name}-2}}{name}"


def read_ubl(root: Element) -> Paper:
    """Map a UBL document to a paper."""
    name = local_name(root)
    form = _DOCUMENTS[name]
    node = Node(root, name, _NAMES)
    return Paper(
        kind=form.kind,
        form=Form.UBL,
        number=node.text("cbc:ID"),
        issued=node.day("cbc:IssueDate"),
        due=_due(node),
        currency=_currency(node),
        seller=_party(node, _SELLERS).model_copy(update={"account": node.text(_ACCOUNT)}),
        buyer=_party(node, _BUYERS),
        orders=_references(node, "cac:OrderReference/cbc:ID"),
        deliveries=_references(
            node, "cac:DespatchDocumentReference/cbc:ID", "cac:ReceiptDocumentReference/cbc:ID"
        ),
        corrects=node.text("cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID"),
        lines=tuple(_line(line, form) for line in node.all(form.lines)),
        taxes=tuple(_tax(one) for one in node.all("cac:TaxTotal/cac:TaxSubtotal")),
        totals=_totals(node),
        unread=tuple(node.unread),
    )


def _due(node: Node) -> Day | None:
    return node.day("cbc:DueDate", "cac:PaymentMeans/cbc:PaymentDueDate")


def _currency(node: Node) -> Text | None:
    found = node.text("cbc:DocumentCurrencyCode")
    return found or node.attribute(".//cbc:LineExtensionAmount", "currencyID")


def _references(node: Node, *ways: str) -> tuple[Text, ...]:
    found = [one.text(".") for steps in ways for one in node.all(steps)]
    return tuple(text for text in found if text is not None)


def _party(node: Node, ways: tuple[str, ...]) -> Party:
    for steps in ways:
        party = node.one(f"{steps}/cac:Party")
        if party is not None:
            return Party(
                name=party.text("cac:PartyLegalEntity/cbc:RegistrationName",
                                "cac:PartyName/cbc:Name"),
                tax_number=party.text("cac:PartyTaxScheme/cbc:CompanyID",
                                      "cac:PartyLegalEntity/cbc:CompanyID"),
                address=party.text("cac:PostalAddress/cbc:StreetName"),
            )  # fmt: skip
    return Party()


def _line(node: Node, form: _Document) -> Line:
    body = node.one(form.body) or node
    category = "cac:Item/cac:ClassifiedTaxCategory"
    return Line(
        number=body.text("cbc:ID"),
        item=body.text("cac:Item/cac:SellersItemIdentification/cbc:ID"),
        buyer_item=body.text("cac:Item/cac:BuyersItemIdentification/cbc:ID"),
        description=body.text("cac:Item/cbc:Name", "cac:Item/cbc:Description"),
        quantity=body.number(form.quantity),
        unit=body.attribute(form.quantity, "unitCode"),
        price=body.number("cac:Price/cbc:PriceAmount"),
        price_quantity=body.number("cac:Price/cbc:BaseQuantity"),
        allowance=_allowance(body),
        net=body.number("cbc:LineExtensionAmount"),
        tax_rate=body.number(f"{category}/cbc:Percent"),
        tax_class=body.text(f"{category}/cbc:ID"),
        order=body.text("cac:OrderLineReference/cac:OrderReference/cbc:ID"),
        order_line=body.text("cac:OrderLineReference/cbc:LineID"),
        receipt=body.text("cac:DespatchLineReference/cac:DocumentReference/cbc:ID",
                          "cac:ReceiptLineReference/cac:DocumentReference/cbc:ID"),
        lot=body.text("cac:Item/cac:ItemInstance/cac:LotIdentification/cbc:LotNumberID"),
    )  # fmt: skip


def _allowance(node: Node) -> Number | None:
    """Return reductions less charges of a line."""
    found: list[Number] = []
    for one in node.all("cac:AllowanceCharge"):
        amount, charge = one.number("cbc:Amount"), one.text("cbc:ChargeIndicator")
        if amount is not None:
            charged = charge is not None and charge.value.casefold() == "true"
            found.append(amount.having(-amount.value if charged else amount.value))
    return sum_of(found)


def _tax(node: Node) -> Tax:
    return Tax(
        rate=node.number("cac:TaxCategory/cbc:Percent", "cbc:Percent"),
        tax_class=node.text("cac:TaxCategory/cbc:ID"),
        base=node.number("cbc:TaxableAmount"),
        amount=node.number("cbc:TaxAmount"),
    )


def _totals(node: Node) -> Totals:
    sums = node.one("cac:LegalMonetaryTotal") or node.one("cac:AnticipatedMonetaryTotal")
    tax = next(
        (one for one in node.all("cac:TaxTotal") if one.one("cac:TaxSubtotal") is not None), None
    ) or node.one("cac:TaxTotal")
    if sums is None:
        return Totals()
    return Totals(
        lines=sums.number("cbc:LineExtensionAmount"),
        allowance=sums.number("cbc:AllowanceTotalAmount"),
        charge=sums.number("cbc:ChargeTotalAmount"),
        net=sums.number("cbc:TaxExclusiveAmount"),
        tax=None if tax is None else tax.number("cbc:TaxAmount"),
        gross=sums.number("cbc:TaxInclusiveAmount"),
        prepaid=sums.number("cbc:PrepaidAmount"),
        rounding=sums.number("cbc:PayableRoundingAmount"),
        payable=sums.number("cbc:PayableAmount"),
    )
