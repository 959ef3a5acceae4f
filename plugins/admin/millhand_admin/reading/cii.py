"""UN/CEFACT Cross Industry Invoice (D16B and later): Factur-X, ZUGFeRD 2, XRechnung."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from millhand_admin.paper.paper import Form, Kind, Line, Number, Paper, Party, Tax, Text, Totals
from millhand_admin.reading.xml_tree import Node, sum_of

_URN = "urn:un:unece:uncefact:data:standard:"
_NAMES = {
    "rsm": f"{_URN}CrossIndustryInvoice:100",
    "ram": f"{_URN}ReusableAggregateBusinessInformationEntity:100",
    "udt": f"{_URN}UnqualifiedDataType:100",
    "qdt": f"{_URN}QualifiedDataType:100",
}
_ROOT = f"{{{_NAMES['rsm']}}}CrossIndustryInvoice"
_CREDIT_NOTES = frozenset({"81", "83", "261", "381", "396", "532"})
"""Codes of UNTDID 1001 that EN 16931 maps to a credit note."""
_DAY = "udt:DateTimeString"


def is_cii(root: Element) -> bool:
    """Tell whether this is a Cross Industry Invoice."""
    return root.tag == _ROOT


def read_cii(root: Element) -> Paper:
    """Map a Cross Industry Invoice to a paper."""
    node = Node(root, "CrossIndustryInvoice", _NAMES)
    head = node.one("rsm:ExchangedDocument") or node
    deal = node.one("rsm:SupplyChainTradeTransaction") or node
    agreement = deal.one("ram:ApplicableHeaderTradeAgreement") or deal
    delivery = deal.one("ram:ApplicableHeaderTradeDelivery") or deal
    settlement = deal.one("ram:ApplicableHeaderTradeSettlement") or deal
    code = head.text("ram:TypeCode")
    credit = code is not None and code.value in _CREDIT_NOTES
    return Paper(
        kind=Kind.CREDIT_NOTE if credit else Kind.INVOICE,
        form=Form.CII,
        number=head.text("ram:ID"),
        issued=head.day(f"ram:IssueDateTime/{_DAY}"),
        due=settlement.day(f"ram:SpecifiedTradePaymentTerms/ram:DueDateDateTime/{_DAY}"),
        currency=settlement.text("ram:InvoiceCurrencyCode"),
        seller=_party(agreement.one("ram:SellerTradeParty"), settlement),
        buyer=_party(agreement.one("ram:BuyerTradeParty"), None),
        orders=_texts(agreement, "ram:BuyerOrderReferencedDocument/ram:IssuerAssignedID"),
        deliveries=_texts(
            delivery,
            "ram:DespatchAdviceReferencedDocument/ram:IssuerAssignedID",
            "ram:ReceivingAdviceReferencedDocument/ram:IssuerAssignedID",
            "ram:DeliveryNoteReferencedDocument/ram:IssuerAssignedID",
        ),
        corrects=settlement.text("ram:InvoiceReferencedDocument/ram:IssuerAssignedID"),
        lines=tuple(_line(one) for one in deal.all("ram:IncludedSupplyChainTradeLineItem")),
        taxes=tuple(_tax(one) for one in settlement.all("ram:ApplicableTradeTax")),
        totals=_totals(settlement),
        unread=tuple(node.unread),
    )


def _texts(node: Node, *ways: str) -> tuple[Text, ...]:
    found = [one.text(".") for steps in ways for one in node.all(steps)]
    return tuple(text for text in found if text is not None)


def _party(node: Node | None, settlement: Node | None) -> Party:
    if node is None:
        return Party()
    means = "ram:SpecifiedTradeSettlementPaymentMeans/ram:PayeePartyCreditorFinancialAccount"
    account = None
    if settlement is not None:
        account = settlement.text(f"{means}/ram:IBANID", f"{means}/ram:ProprietaryID")
    return Party(
        name=node.text("ram:Name", "ram:SpecifiedLegalOrganization/ram:TradingBusinessName"),
        tax_number=_tax_number(node),
        address=node.text("ram:PostalTradeAddress/ram:LineOne"),
        account=account,
    )


def _tax_number(node: Node) -> Text | None:
    """Prefer the VAT number (scheme VA) to the local tax number (FC)."""
    found = {
        one.element.get("schemeID", ""): one.text(".")
        for one in node.all("ram:SpecifiedTaxRegistration/ram:ID")
    }
    legal = node.text("ram:SpecifiedLegalOrganization/ram:ID")
    return found.get("VA") or next(iter(found.values()), None) or legal


def _line(node: Node) -> Line:
    agreement = node.one("ram:SpecifiedLineTradeAgreement") or node
    settlement = node.one("ram:SpecifiedLineTradeSettlement") or node
    quantity = "ram:SpecifiedLineTradeDelivery/ram:BilledQuantity"
    price = "ram:NetPriceProductTradePrice"
    order = "ram:BuyerOrderReferencedDocument"
    return Line(
        number=node.text("ram:AssociatedDocumentLineDocument/ram:LineID"),
        item=node.text("ram:SpecifiedTradeProduct/ram:SellerAssignedID"),
        buyer_item=node.text("ram:SpecifiedTradeProduct/ram:BuyerAssignedID"),
        description=node.text(
            "ram:SpecifiedTradeProduct/ram:Name", "ram:SpecifiedTradeProduct/ram:Description"
        ),
        quantity=node.number(quantity),
        unit=node.attribute(quantity, "unitCode"),
        price=agreement.number(f"{price}/ram:ChargeAmount"),
        price_quantity=agreement.number(f"{price}/ram:BasisQuantity"),
        allowance=_allowance(settlement),
        net=settlement.number(
            "ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount"
        ),
        tax_rate=settlement.number("ram:ApplicableTradeTax/ram:RateApplicablePercent"),
        tax_class=settlement.text("ram:ApplicableTradeTax/ram:CategoryCode"),
        order=agreement.text(f"{order}/ram:IssuerAssignedID"),
        order_line=agreement.text(f"{order}/ram:LineID"),
        receipt=node.text(
            "ram:SpecifiedLineTradeDelivery/ram:DespatchAdviceReferencedDocument"
            "/ram:IssuerAssignedID"
        ),
        lot=node.text("ram:SpecifiedTradeProduct/ram:IndividualTradeProductInstance/ram:BatchID"),
    )


def _allowance(node: Node) -> Number | None:
    """Return reductions less charges of a line."""
    found: list[Number] = []
    for one in node.all("ram:SpecifiedTradeAllowanceCharge"):
        amount = one.number("ram:ActualAmount")
        charge = one.text("ram:ChargeIndicator/udt:Indicator")
        if amount is not None:
            charged = charge is not None and charge.value.casefold() == "true"
            found.append(amount.having(-amount.value if charged else amount.value))
    return sum_of(found)


def _tax(node: Node) -> Tax:
    return Tax(
        rate=node.number("ram:RateApplicablePercent"),
        tax_class=node.text("ram:CategoryCode"),
        base=node.number("ram:BasisAmount"),
        amount=node.number("ram:CalculatedAmount"),
    )


def _totals(node: Node) -> Totals:
    sums = node.one("ram:SpecifiedTradeSettlementHeaderMonetarySummation")
    if sums is None:
        return Totals()
    return Totals(
        lines=sums.number("ram:LineTotalAmount"),
        allowance=sums.number("ram:AllowanceTotalAmount"),
        charge=sums.number("ram:ChargeTotalAmount"),
        net=sums.number("ram:TaxBasisTotalAmount"),
        tax=_tax_total(sums, node.text("ram:InvoiceCurrencyCode")),
        gross=sums.number("ram:GrandTotalAmount"),
        prepaid=sums.number("ram:TotalPrepaidAmount"),
        rounding=sums.number("ram:RoundingAmount"),
        payable=sums.number("ram:DuePayableAmount"),
    )


def _tax_total(sums: Node, currency: Text | None) -> Number | None:
    """Return the tax in the invoice's currency; it may also stand there in the accounts' own."""
    code = "" if currency is None else currency.value
    found = {one.element.get("currencyID", code): one for one in sums.all("ram:TaxTotalAmount")}
    chosen = found.get(code) or next(iter(found.values()), None)
    return None if chosen is None else chosen.number(".")
