"""What papers call their values, in English (some German), Vietnamese and Chinese."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from millhand_admin.paper.paper import Kind
from millhand_admin.tagging.folding import fold, loose


class Label(StrEnum):
    """A word that announces a value."""

    NUMBER = "number"
    SERIES = "series"
    ISSUED = "issued"
    DUE = "due"
    ORDER = "order"
    DELIVERY = "delivery"
    TAX_NUMBER = "tax_number"
    SELLER = "seller"
    BUYER = "buyer"
    ACCOUNT = "account"
    CURRENCY = "currency"
    ADDRESS = "address"
    NAME = "name"
    LOT = "lot"
    NET = "net"
    TAX = "tax"
    GROSS = "gross"
    PAYABLE = "payable"
    WORDS = "words"


class Column(StrEnum):
    """A column of goods."""

    POSITION = "position"
    ITEM = "item"
    DESCRIPTION = "description"
    QUANTITY = "quantity"
    UNIT = "unit"
    PRICE = "price"
    NET = "net"
    TAX_RATE = "tax_rate"
    TAX_AMOUNT = "tax_amount"
    GROSS = "gross"
    LOT = "lot"


SUMS = frozenset({Label.NET, Label.TAX, Label.GROSS, Label.PAYABLE})

_LABELS: dict[Label, str] = {
    Label.NUMBER: (
        "invoice number|invoice no|invoice nr|invoice #|invoice id|tax invoice no|bill no|"
        "bill number|document no|document number|rechnungsnummer|rechnung nr|credit note no|"
        "order number|delivery note no|delivery note number|goods receipt no|"
        "no|number|reference no|"
        "số hóa đơn|hóa đơn số|số phiếu|số chứng từ|số|"
        "发票号码|发票号|发票编号|单据编号|单据号|编号|单号|号码|№"
    ),
    Label.SERIES: "ký hiệu|mẫu số ký hiệu|ký hiệu hóa đơn|serial|series|发票代码",
    Label.ISSUED: (
        "invoice date|date of issue|issue date|issued on|date issued|billing date|document date|"
        "rechnungsdatum|tax point|dated|date|ngày lập|ngày hóa đơn|ngày phát hành|ngày xuất|ngày|"
        "开票日期|开具日期|发票日期|单据日期|日期"
    ),
    Label.DUE: (
        "due date|payment due|pay by|due on|payable by|due|zahlbar bis|hạn thanh toán|"
        "ngày đến hạn|ngày thanh toán|付款期限|到期日期|到期日|付款日期"
    ),
    Label.ORDER: (
        "purchase order no|purchase order number|your order no|your order|order reference|order no|"
        "order ref|po number|po no|p o no|customer order|purchase order|ihre bestellung|po|"
        "đơn đặt hàng số|số đơn đặt hàng|số đơn hàng|đơn hàng số|theo đơn hàng|đơn hàng|"
        "采购订单号|订单编号|订单号码|订单号|合同号|采购单号"
    ),
    Label.DELIVERY: (
        "delivery note no|delivery note number|delivery no|despatch note|packing list no|"
        "số phiếu giao hàng|phiếu giao hàng số|phiếu giao hàng|phiếu xuất kho|送货单号|发货单号"
    ),
    Label.TAX_NUMBER: (
        "vat registration no|vat reg no|vat registration number|vat number|vat id no|vat id|vat no|"
        "tax number|tax id|tax no|tax registration no|ust idnr|tin|mã số thuế|ma so thue|mst|"
        "纳税人识别号|统一社会信用代码|税务登记号|税号"
    ),
    Label.SELLER: (
        "seller|supplier|vendor|sold by|issued by|from|remit to|đơn vị bán hàng|"
        "tên đơn vị bán hàng|người bán hàng|người bán|bên bán|nhà cung cấp|"
        "销售方名称|销售方|销货单位|供应商|供货单位|卖方|供方"
    ),
    Label.BUYER: (
        "bill to|billed to|invoice to|sold to|buyer|customer|client|ship to|deliver to|"
        "tên đơn vị mua hàng|đơn vị mua hàng|người mua hàng|người mua|bên mua|khách hàng|"
        "购买方名称|购买方|购货单位|客户名称|客户|买方|需方|收货单位"
    ),
    Label.ACCOUNT: (
        "iban|account no|account number|bank account|số tài khoản|stk|tài khoản|"
        "银行账号|账号|账户"
    ),
    Label.CURRENCY: "currency|loại tiền|đơn vị tiền tệ|đồng tiền thanh toán|币种|货币",
    Label.ADDRESS: "address|địa chỉ|地址",
    Label.NAME: "company name|name|tên đơn vị|tên công ty|名称|公司名称",
    Label.LOT: "lot no|lot|batch no|batch|heat no|charge|số lô|lô|批号|批次|炉号",
    Label.NET: (
        "subtotal|sub total|net total|total net|net amount|amount excl vat|total excl vat|"
        "total excl tax|total before tax|taxable amount|goods total|nettobetrag|"
        "cộng tiền hàng|tổng tiền hàng|tiền hàng|tổng tiền chưa thuế|"
        "不含税金额|不含税合计|合计金额|金额合计|小计|合计"
    ),
    Label.TAX: (
        "total vat|total tax|vat amount|tax amount|value added tax|sales tax|plus vat|vat|gst|tax|"
        "mwst|tiền thuế gtgt|tổng tiền thuế|cộng tiền thuế|tiền thuế|thuế gtgt|thuế suất gtgt|"
        "thuế suất|增值税额|合计税额|税额合计|增值税|税额|税率"
    ),
    Label.GROSS: (
        "grand total|invoice total|total amount|total incl vat|total incl tax|total including vat|"
        "gross total|total gross|gesamtbetrag|total|"
        "tổng cộng tiền thanh toán|tổng tiền thanh toán|tổng cộng thanh toán|tổng thanh toán|"
        "tổng cộng|价税合计|含税合计|含税总额|总计|总金额|合计总额"
    ),
    Label.PAYABLE: (
        "total amount due|total due|amount due|balance due|amount payable|to pay|please pay|"
        "số tiền phải trả|còn phải thanh toán|phải thanh toán|应付金额|应付总额|实付金额"
    ),
    Label.WORDS: "amount in words|in words|số tiền viết bằng chữ|bằng chữ|大写|金额大写",
}  # fmt: skip

_COLUMNS: dict[Column, str] = {
    Column.POSITION: "no|pos|item no|line|#|stt|tt|序号|行号|项次|项",
    Column.ITEM: (
        "article no|article|part no|part number|product code|item code|item|code|sku|ref|"
        "mã hàng|mã sản phẩm|mã số|mã vật tư|mã|货号|物料编码|产品编码|商品编码|物料号|编码|料号"
    ),
    Column.DESCRIPTION: (
        "description of goods|description|goods|product|details|designation|bezeichnung|"
        "tên hàng hóa dịch vụ|tên hàng hóa, dịch vụ|tên hàng hóa|tên hàng|diễn giải|hàng hóa|"
        "货物或应税劳务名称|货物名称|商品名称|品名|名称|项目名称|描述"
    ),
    Column.QUANTITY: "quantity|qty|menge|số lượng|sl|数量",
    Column.UNIT: "uom|unit|units|u m|đơn vị tính|đvt|单位|计量单位",
    Column.PRICE: "unit price|price|rate|unit cost|einzelpreis|đơn giá|giá|单价",
    Column.NET: (
        "line total|net amount|amount|line amount|total|value|"
        "thành tiền|số tiền|金额|不含税金额|小计"
    ),
    Column.TAX_RATE: "vat %|vat rate|tax rate|vat|tax %|thuế suất|% thuế|thuế|税率",
    Column.TAX_AMOUNT: "vat amount|tax amount|tiền thuế|税额",
    Column.GROSS: "gross|total incl vat|tổng tiền|价税合计|含税金额",
    Column.LOT: "lot no|lot|batch|heat no|số lô|lô|批号|批次|炉号",
}  # fmt: skip

_KINDS: dict[Kind, str] = {
    Kind.CREDIT_NOTE: "credit note|credit memo|hóa đơn điều chỉnh giảm|红字发票|贷项通知单",
    Kind.DELIVERY_NOTE: (
        "delivery note|despatch advice|packing list|phiếu giao hàng|phiếu xuất kho|送货单|发货单"
    ),
    Kind.GOODS_RECEIPT: (
        "goods receipt|goods received note|receiving report|phiếu nhập kho|入库单|收货单"
    ),
    Kind.INVOICE: (
        "tax invoice|commercial invoice|invoice|rechnung|hóa đơn giá trị gia tăng|hóa đơn gtgt|"
        "hóa đơn bán hàng|hóa đơn|增值税专用发票|增值税普通发票|发票"
    ),
    Kind.ORDER: "purchase order|đơn đặt hàng|采购订单|订购单",
}
_SHORT = 4


@dataclass(frozen=True, slots=True)
class Found:
    """A label in a text: from ``start`` to before ``end``."""

    start: int
    end: int
    label: str


class _Finder:
    """Finds the longest phrases, from left to right."""

    def __init__(self, phrases: dict[str, str]) -> None:
        pairs = [(phrase, label) for label, all_ in phrases.items() for phrase in all_.split("|")]
        pairs.sort(key=lambda pair: -len(pair[0]))
        self._pairs = pairs
        groups = (f"(?P<p{number}>{loose(phrase)})" for number, (phrase, _) in enumerate(pairs))
        self._pattern = re.compile("|".join(groups))

    def __call__(self, text: str) -> list[Found]:
        found = []
        for match in self._pattern.finditer(fold(text)):
            phrase, label = self._pairs[int(str(match.lastgroup)[1:])]
            said = text[match.start() : match.end()]
            # Short words without their marks are other words: công is no cộng.
            if len(phrase) > _SHORT or phrase.isascii() or said.casefold() == phrase:
                found.append(Found(match.start(), match.end(), label))
        return found


_find_label = _Finder({key.value: phrases for key, phrases in _LABELS.items()})
_find_column = _Finder({key.value: phrases for key, phrases in _COLUMNS.items()})
_KIND_PATTERNS = tuple(
    (kind, re.compile("|".join(loose(phrase) for phrase in phrases.split("|"))))
    for kind, phrases in _KINDS.items()
)


def labels_in(text: str) -> list[Found]:
    """Return the labels in a text."""
    return _find_label(text)


def columns_in(text: str) -> list[Found]:
    """Return the heads of columns in a text."""
    return _find_column(text)


def kind_in(text: str) -> Kind | None:
    """Return what kind of paper a title names; the first in the text wins, at a tie the longest."""
    folded = fold(text)
    found = [
        (match.start(), -(match.end() - match.start()), place, kind)
        for place, (kind, pattern) in enumerate(_KIND_PATTERNS)
        if (match := pattern.search(folded)) is not None
    ]
    return min(found)[3] if found else None
