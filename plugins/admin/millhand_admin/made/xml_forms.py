"""Made-up papers as e-invoice XML: UBL, CII and the Vietnamese form."""

from __future__ import annotations

from decimal import Decimal
from xml.sax.saxutils import escape

from millhand_admin.made.paper import MadeLine, MadePaper, MadeParty
from millhand_admin.paper.paper import Kind

_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
_CII = "urn:un:unece:uncefact:data:standard:"
_UBL_KINDS = {
    Kind.INVOICE: ("Invoice", "InvoiceLine", "InvoicedQuantity", "Accounting", "Accounting"),
    Kind.CREDIT_NOTE: ("CreditNote", "CreditNoteLine", "CreditedQuantity", "Accounting",
                       "Accounting"),
    Kind.ORDER: ("Order", "OrderLine", "Quantity", "Seller", "Buyer"),
    Kind.DELIVERY_NOTE: ("DespatchAdvice", "DespatchLine", "DeliveredQuantity", "Despatch",
                         "Delivery"),
    Kind.GOODS_RECEIPT: ("ReceiptAdvice", "ReceiptLine", "ReceivedQuantity", "Despatch",
                         "Delivery"),
}  # fmt: skip


def _tag(name: str, content: object, attributes: str = "") -> str:
    if content is None or content == "":
        return ""
    return f"<{name}{attributes}>{escape(str(content))}</{name}>"


def _money(amount: Decimal) -> str:
    return f"{amount:f}"


# --- UBL ---


def as_ubl(paper: MadePaper) -> bytes:
    """Write UBL 2.1."""
    root, line_tag, quantity_tag, seller, buyer = _UBL_KINDS[paper.kind]
    money = f' currencyID="{paper.currency}"'
    with_amounts = paper.kind in {Kind.INVOICE, Kind.CREDIT_NOTE, Kind.ORDER}
    parts = [
        _tag("cbc:ID", paper.number),
        _tag("cbc:IssueDate", paper.issued),
        _tag("cbc:DueDate", paper.due),
        _tag("cbc:DocumentCurrencyCode", paper.currency),
        f"<cac:OrderReference>{_tag('cbc:ID', paper.order)}</cac:OrderReference>"
        if paper.order
        else "",
        "<cac:DespatchDocumentReference>"
        f"{_tag('cbc:ID', paper.delivery)}</cac:DespatchDocumentReference>"
        if paper.delivery
        else "",
        _ubl_party(f"cac:{seller}SupplierParty", paper.seller),
        _ubl_party(f"cac:{buyer}CustomerParty", paper.buyer),
    ]
    if paper.seller.account and with_amounts:
        parts.append(
            "<cac:PaymentMeans><cac:PayeeFinancialAccount>"
            f"{_tag('cbc:ID', paper.seller.account)}"
            "</cac:PayeeFinancialAccount></cac:PaymentMeans>"
        )
    if with_amounts:
        parts.append(_ubl_taxes(paper, money))
        sums = "AnticipatedMonetaryTotal" if paper.kind is Kind.ORDER else "LegalMonetaryTotal"
        parts.append(f"<cac:{sums}>")
        for name, amount in (
            ("LineExtension", paper.net),
            ("TaxExclusive", paper.net),
            ("TaxInclusive", paper.gross),
            ("Payable", paper.gross),
        ):
            parts.append(_tag(f"cbc:{name}Amount", _money(amount), money))
        parts.append(f"</cac:{sums}>")
    for number, line in enumerate(paper.lines, start=1):
        body = _ubl_line(paper, line, number, quantity_tag, money if with_amounts else "")
        if paper.kind is Kind.ORDER:
            body = f"<cac:LineItem>{body}</cac:LineItem>"
        parts.append(f"<cac:{line_tag}>{body}</cac:{line_tag}>")
    names = f'xmlns="{_UBL}{root}-2" xmlns:cac="{_UBL}CommonAggregateComponents-2"'
    names += f' xmlns:cbc="{_UBL}CommonBasicComponents-2"'
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return f"{head}<{root} {names}>{''.join(parts)}</{root}>".encode()


def _ubl_party(tag: str, party: MadeParty) -> str:
    return (
        f"<{tag}><cac:Party><cac:PostalAddress>{_tag('cbc:StreetName', party.address)}"
        f"{_tag('cbc:CityName', party.city)}</cac:PostalAddress>"
        f"<cac:PartyTaxScheme>{_tag('cbc:CompanyID', party.tax_number)}</cac:PartyTaxScheme>"
        f"<cac:PartyLegalEntity>{_tag('cbc:RegistrationName', party.name)}</cac:PartyLegalEntity>"
        f"</cac:Party></{tag}>"
    )


def _ubl_taxes(paper: MadePaper, money: str) -> str:
    parts = [_tag("cbc:TaxAmount", _money(paper.tax), money)]
    for rate, (base, tax) in paper.taxes.items():
        parts.append(
            f"<cac:TaxSubtotal>{_tag('cbc:TaxableAmount', _money(base), money)}"
            f"{_tag('cbc:TaxAmount', _money(tax), money)}<cac:TaxCategory>"
            f"{_tag('cbc:ID', 'S')}{_tag('cbc:Percent', rate)}</cac:TaxCategory></cac:TaxSubtotal>"
        )
    return f"<cac:TaxTotal>{''.join(parts)}</cac:TaxTotal>"


def _ubl_line(paper: MadePaper, line: MadeLine, number: int, quantity: str, money: str) -> str:
    lot = (
        "<cac:ItemInstance><cac:LotIdentification>"
        f"{_tag('cbc:LotNumberID', line.lot)}</cac:LotIdentification></cac:ItemInstance>"
        if line.lot
        else ""
    )
    net = _tag("cbc:LineExtensionAmount", _money(line.net(paper.currency)), money) if money else ""
    price = f"<cac:Price>{_tag('cbc:PriceAmount', line.price, money)}</cac:Price>" if money else ""
    order = (
        f"<cac:OrderLineReference>{_tag('cbc:LineID', number)}</cac:OrderLineReference>"
        if paper.kind is not Kind.ORDER
        else ""
    )
    return (
        _tag("cbc:ID", number)
        + _tag(f"cbc:{quantity}", line.quantity, f' unitCode="{line.unit}"')
        + net
        + order
        + f"<cac:Item>{_tag('cbc:Name', line.description)}"
        + "<cac:SellersItemIdentification>"
        + f"{_tag('cbc:ID', line.item)}</cac:SellersItemIdentification>"
        + f"<cac:ClassifiedTaxCategory>{_tag('cbc:ID', 'S')}"
        + f"{_tag('cbc:Percent', line.tax_rate)}</cac:ClassifiedTaxCategory>{lot}</cac:Item>{price}"
    )


# --- CII ---


def as_cii(paper: MadePaper) -> bytes:
    """Write a Cross Industry Invoice, as Factur-X embeds it."""
    code = "381" if paper.kind is Kind.CREDIT_NOTE else "380"
    lines = "".join(_cii_line(paper, line, n) for n, line in enumerate(paper.lines, start=1))
    taxes = "".join(
        "<ram:ApplicableTradeTax>"
        + _tag("ram:CalculatedAmount", _money(tax))
        + _tag("ram:TypeCode", "VAT")
        + _tag("ram:BasisAmount", _money(base))
        + _tag("ram:CategoryCode", "S")
        + _tag("ram:RateApplicablePercent", rate)
        + "</ram:ApplicableTradeTax>"
        for rate, (base, tax) in paper.taxes.items()
    )
    account = paper.seller.account and (
        "<ram:SpecifiedTradeSettlementPaymentMeans><ram:PayeePartyCreditorFinancialAccount>"
        f"{_tag('ram:IBANID', paper.seller.account)}</ram:PayeePartyCreditorFinancialAccount>"
        "</ram:SpecifiedTradeSettlementPaymentMeans>"
    )
    body = (
        f"<rsm:ExchangedDocument>{_tag('ram:ID', paper.number)}{_tag('ram:TypeCode', code)}"
        f"<ram:IssueDateTime>{_cii_day(paper.issued)}</ram:IssueDateTime></rsm:ExchangedDocument>"
        f"<rsm:SupplyChainTradeTransaction>{lines}<ram:ApplicableHeaderTradeAgreement>"
        f"{_cii_party('ram:SellerTradeParty', paper.seller)}"
        f"{_cii_party('ram:BuyerTradeParty', paper.buyer)}"
        f"{_cii_reference('ram:BuyerOrderReferencedDocument', paper.order)}"
        "</ram:ApplicableHeaderTradeAgreement><ram:ApplicableHeaderTradeDelivery>"
        f"{_cii_reference('ram:DespatchAdviceReferencedDocument', paper.delivery)}"
        "</ram:ApplicableHeaderTradeDelivery><ram:ApplicableHeaderTradeSettlement>"
        f"{_tag('ram:InvoiceCurrencyCode', paper.currency)}{account}{taxes}"
        + (
            "<ram:SpecifiedTradePaymentTerms><ram:DueDateDateTime>"
            f"{_cii_day(paper.due)}</ram:DueDateDateTime></ram:SpecifiedTradePaymentTerms>"
            if paper.due
            else ""
        )
        + "<ram:SpecifiedTradeSettlementHeaderMonetarySummation>"
        + _tag("ram:LineTotalAmount", _money(paper.net))
        + _tag("ram:TaxBasisTotalAmount", _money(paper.net))
        + _tag("ram:TaxTotalAmount", _money(paper.tax), f' currencyID="{paper.currency}"')
        + _tag("ram:GrandTotalAmount", _money(paper.gross))
        + _tag("ram:DuePayableAmount", _money(paper.gross))
        + "</ram:SpecifiedTradeSettlementHeaderMonetarySummation>"
        "</ram:ApplicableHeaderTradeSettlement></rsm:SupplyChainTradeTransaction>"
    )
    names = (
        f'xmlns:rsm="{_CII}CrossIndustryInvoice:100" '
        f'xmlns:ram="{_CII}ReusableAggregateBusinessInformationEntity:100" '
        f'xmlns:udt="{_CII}UnqualifiedDataType:100"'
    )
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return f"{head}<rsm:CrossIndustryInvoice {names}>{body}</rsm:CrossIndustryInvoice>".encode()


def _cii_day(day: object) -> str:
    text = str(day).replace("-", "")
    return f'<udt:DateTimeString format="102">{text}</udt:DateTimeString>'


def _cii_party(tag: str, party: MadeParty) -> str:
    return (
        f"<{tag}>{_tag('ram:Name', party.name)}<ram:PostalTradeAddress>"
        f"{_tag('ram:LineOne', party.address)}{_tag('ram:CityName', party.city)}"
        f"{_tag('ram:CountryID', party.country)}</ram:PostalTradeAddress>"
        "<ram:SpecifiedTaxRegistration>"
        + _tag("ram:ID", party.tax_number, ' schemeID="VA"')
        + f"</ram:SpecifiedTaxRegistration></{tag}>"
    )


def _cii_reference(tag: str, number: str) -> str:
    return f"<{tag}>{_tag('ram:IssuerAssignedID', number)}</{tag}>" if number else ""


def _cii_line(paper: MadePaper, line: MadeLine, number: int) -> str:
    lot = (
        "<ram:IndividualTradeProductInstance>"
        f"{_tag('ram:BatchID', line.lot)}</ram:IndividualTradeProductInstance>"
        if line.lot
        else ""
    )
    return (
        "<ram:IncludedSupplyChainTradeLineItem><ram:AssociatedDocumentLineDocument>"
        f"{_tag('ram:LineID', number)}</ram:AssociatedDocumentLineDocument>"
        f"<ram:SpecifiedTradeProduct>{_tag('ram:SellerAssignedID', line.item)}"
        f"{_tag('ram:Name', line.description)}{lot}</ram:SpecifiedTradeProduct>"
        "<ram:SpecifiedLineTradeAgreement><ram:BuyerOrderReferencedDocument>"
        f"{_tag('ram:LineID', number)}</ram:BuyerOrderReferencedDocument>"
        "<ram:NetPriceProductTradePrice>"
        f"{_tag('ram:ChargeAmount', line.price)}</ram:NetPriceProductTradePrice>"
        "</ram:SpecifiedLineTradeAgreement><ram:SpecifiedLineTradeDelivery>"
        + _tag("ram:BilledQuantity", line.quantity, f' unitCode="{line.unit}"')
        + "</ram:SpecifiedLineTradeDelivery><ram:SpecifiedLineTradeSettlement>"
        f"<ram:ApplicableTradeTax>{_tag('ram:TypeCode', 'VAT')}{_tag('ram:CategoryCode', 'S')}"
        f"{_tag('ram:RateApplicablePercent', line.tax_rate)}</ram:ApplicableTradeTax>"
        "<ram:SpecifiedTradeSettlementLineMonetarySummation>"
        f"{_tag('ram:LineTotalAmount', _money(line.net(paper.currency)))}"
        "</ram:SpecifiedTradeSettlementLineMonetarySummation></ram:SpecifiedLineTradeSettlement>"
        "</ram:IncludedSupplyChainTradeLineItem>"
    )


# --- Vietnam ---


def as_vietnamese(paper: MadePaper) -> bytes:
    """Write the Vietnamese form (Decision 1450/QD-TCT); ``series`` is such as ``1C26TAA``."""
    form, series = paper.series[:1] or "1", paper.series[1:]
    order = paper.order and (
        "<TTKhac><TTin><TTruong>Số đơn hàng</TTruong><KDLieu>string</KDLieu>"
        f"{_tag('DLieu', paper.order)}</TTin></TTKhac>"
    )
    lines = "".join(
        "<HHDVu><TChat>1</TChat>"
        + _tag("STT", number)
        + _tag("MHHDVu", line.item)
        + _tag("THHDVu", line.description)
        + _tag("DVTinh", line.unit)
        + _tag("SLuong", line.quantity)
        + _tag("DGia", line.price)
        + _tag("ThTien", _money(line.net(paper.currency)))
        + _tag("TSuat", f"{line.tax_rate}%")
        + "</HHDVu>"
        for number, line in enumerate(paper.lines, start=1)
    )
    rates = "".join(
        f"<LTSuat>{_tag('TSuat', f'{rate}%')}{_tag('ThTien', _money(base))}"
        f"{_tag('TThue', _money(tax))}</LTSuat>"
        for rate, (base, tax) in paper.taxes.items()
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<HDon><DLHDon Id="data"><TTChung>'
        "<PBan>2.0.0</PBan><THDon>Hóa đơn giá trị gia tăng</THDon>"
        f"{_tag('KHMSHDon', form)}{_tag('KHHDon', series)}{_tag('SHDon', paper.number)}"
        f"{_tag('NLap', paper.issued)}{_tag('DVTTe', paper.currency)}<TGia>1</TGia>"
        f"<HTTToan>TM/CK</HTTToan>{order}</TTChung><NDHDon>"
        f"{_vietnamese_party('NBan', paper.seller)}{_vietnamese_party('NMua', paper.buyer)}"
        f"<DSHHDVu>{lines}</DSHHDVu><TToan><THTTLTSuat>{rates}</THTTLTSuat>"
        f"{_tag('TgTCThue', _money(paper.net))}{_tag('TgTThue', _money(paper.tax))}"
        f"{_tag('TgTTTBSo', _money(paper.gross))}</TToan></NDHDon></DLHDon></HDon>"
    ).encode()


def _vietnamese_party(tag: str, party: MadeParty) -> str:
    return (
        f"<{tag}>{_tag('Ten', party.name)}{_tag('MST', party.tax_number)}"
        f"{_tag('DChi', party.address)}{_tag('STKNHang', party.account)}</{tag}>"
    )
