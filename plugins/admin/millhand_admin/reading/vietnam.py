"""The Vietnamese e-invoice of Decree 123/2020/ND-CP and Circular 78/2021/TT-BTC.

Element names are those of Decision 1450/QD-TCT (2021), part II. An invoice comes alone (``HDon``)
or in a message to the tax office (``TDiep``), which may hold several.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from xml.etree.ElementTree import Element

from millhand_admin.paper.fact import Unread
from millhand_admin.paper.paper import Form, Kind, Line, Number, Paper, Party, Tax, Text, Totals
from millhand_admin.reading.xml_tree import Node, sum_of

_NOTE, _DISCOUNT = "4", "3"
"""``TChat``: 1 goods and services, 2 promotion, 3 trade discount, 4 remark."""
_DELIVERY_FORM = "6"
"""``KHMSHDon`` 6: delivery note (phiếu xuất kho)."""


def is_vietnamese(root: Element) -> bool:
    """Tell whether this is a Vietnamese e-invoice, or a message with some."""
    return root.tag in {"HDon", "TDiep"} and next(_invoices(root), None) is not None


def read_vietnamese(root: Element) -> list[Paper]:
    """Map each invoice in the document to a paper."""
    return [_invoice(one) for one in _invoices(root)]


def _invoices(root: Element) -> Iterator[Element]:
    found = [root] if root.tag == "HDon" else root.findall("DLieu/HDon")
    return (one for one in found if one.find("DLHDon") is not None)


def _invoice(element: Element) -> Paper:
    node = Node(element, "HDon", {})
    head = node.one("DLHDon/TTChung") or node
    content = node.one("DLHDon/NDHDon") or node
    form = head.text("KHMSHDon")
    series = head.text("KHHDon")
    currency = head.text("DVTTe")
    return Paper(
        kind=_kind(form),
        form=Form.VIETNAM,
        number=head.text("SHDon"),
        series=series
        if series is None or form is None
        else series.having(form.value + series.value),
        issued=head.day("NLap"),
        due=None,
        currency=currency,
        seller=_party(content.one("NBan")),
        buyer=_party(content.one("NMua")),
        orders=_orders(head),
        corrects=head.text("TTHDLQuan/SHDCLQuan"),
        lines=tuple(_line(one) for one in content.all("DSHHDVu/HHDVu")),
        taxes=tuple(_tax(one) for one in content.all("TToan/THTTLTSuat//LTSuat")),
        totals=_totals(content),
        unread=tuple(node.unread),
    )


def _kind(form: Text | None) -> Kind:
    return Kind.DELIVERY_NOTE if form is not None and form.value == _DELIVERY_FORM else Kind.INVOICE


def _party(node: Node | None) -> Party:
    if node is None:
        return Party()
    return Party(
        name=node.text("Ten", "HVTNMHang"),
        tax_number=node.text("MST"),
        address=node.text("DChi"),
        account=node.text("STKNHang"),
    )


def _orders(head: Node) -> tuple[Text, ...]:
    """Order numbers in the free fields (``TTKhac``): there is no other place for them."""
    found = []
    for one in head.all("TTKhac/TTin"):
        name, value = one.text("TTruong"), one.text("DLieu")
        if name is not None and value is not None and _names_an_order(name.value):
            found.append(value)
    return tuple(found)


def _names_an_order(name: str) -> bool:
    return name.casefold() in {"po", "po number", "số đơn hàng", "so don hang", "đơn đặt hàng"}


def _line(node: Node) -> Line:
    nature = node.text("TChat")
    kind = "" if nature is None else nature.value
    rate, tax_class = _rate(node, "TSuat")
    net = node.number("ThTien")
    if kind == _DISCOUNT and net is not None and net.value > 0:
        net = net.having(-net.value)  # a discount is written without its sign
    return Line(
        number=node.text("STT"),
        item=node.text("MHHDVu"),
        description=node.text("THHDVu"),
        quantity=node.number("SLuong"),
        unit=node.text("DVTinh"),
        price=node.number("DGia"),
        allowance=node.number("STCKhau"),
        net=net,
        tax_rate=rate,
        tax_class=tax_class,
        lot=node.text("SLo"),
        note=kind == _NOTE,
    )


def _rate(node: Node, steps: str) -> tuple[Number | None, Text | None]:
    """Read ``10%``, ``KHAC:7.5%``; ``KCT`` (exempt) and ``KKKNT`` (not declared) mean no tax."""
    found = node.text(steps)
    if found is None:
        return None, None
    words = found.value.upper().removeprefix("KHAC:").strip()
    if words in {"KCT", "KKKNT"}:
        return found.having(Decimal(0)), found.having(words)
    digits = words.removesuffix("%").strip()
    if not digits.replace(".", "", 1).isdecimal() or len(digits) > 12:
        node.unread.append(Unread(what="a rate", text=found.text, path=found.path))
        return None, None
    return found.having(Decimal(digits)), None


def _tax(node: Node) -> Tax:
    rate, tax_class = _rate(node, "TSuat")
    return Tax(
        rate=rate, tax_class=tax_class, base=node.number("ThTien"), amount=node.number("TThue")
    )


def _totals(content: Node) -> Totals:
    sums = content.one("TToan")
    if sums is None:
        return Totals()
    fees = [one.number("TPhi") for one in sums.all("DSLPhi/LPhi")]
    gross = sums.number("TgTTTBSo")
    return Totals(
        net=sums.number("TgTCThue"),
        tax=sums.number("TgTThue"),
        charge=sum_of([fee for fee in fees if fee is not None]),
        allowance=sums.number("TTCKTMai"),
        gross=gross,
        payable=gross,
        in_words=sums.text("TgTTTBChu"),
    )
