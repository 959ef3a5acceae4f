"""How made-up papers look on a page: words, places, fonts. Each is one house's way.

``TUNED`` are those that the reader was made with; ``HELD_OUT`` are for benchmarks and nothing was
tuned on them.
"""

from __future__ import annotations

from dataclasses import dataclass

from millhand_admin.made.lettering import CHINESE
from millhand_admin.paper.paper import Kind


@dataclass(frozen=True, slots=True)
class Wording:
    """What one house calls things in one language."""

    titles: dict[Kind, str]
    number: str
    issued: str
    due: str
    order: str
    seller: str
    """Empty: the seller is the letter's head, without a word."""
    buyer: str
    tax_number: str
    columns: dict[str, str]
    net: str
    tax: str
    """With ``{rate}``."""
    gross: str
    lot: str
    day: str
    """As ``strftime`` takes it."""
    point: str
    group: str


@dataclass(frozen=True, slots=True)
class Layout:
    """One house's way."""

    name: str
    words: dict[str, Wording]
    columns: tuple[tuple[str, float], ...]
    """Name and width, as a fraction of the line."""
    latin: tuple[str, ...]
    chinese: tuple[str, ...]
    size: int = 26
    ruled: bool = True
    side_by_side: bool = False
    """Seller and buyer stand beside each other."""
    row_of_heads: bool = False
    """Number, dates and order stand below their labels in a row; else beside them in lines."""


def _titles(invoice: str, credit: str, order: str, delivery: str, receipt: str) -> dict[Kind, str]:
    return {Kind.INVOICE: invoice, Kind.CREDIT_NOTE: credit, Kind.ORDER: order,
            Kind.DELIVERY_NOTE: delivery, Kind.GOODS_RECEIPT: receipt}  # fmt: skip


_EN = _titles("INVOICE", "CREDIT NOTE", "PURCHASE ORDER", "DELIVERY NOTE", "GOODS RECEIPT")
_VI = _titles("HÓA ĐƠN GIÁ TRỊ GIA TĂNG", "HÓA ĐƠN ĐIỀU CHỈNH GIẢM", "ĐƠN ĐẶT HÀNG",
              "PHIẾU GIAO HÀNG", "PHIẾU NHẬP KHO")  # fmt: skip
_ZH = _titles("增值税专用发票", "红字发票", "采购订单", "送货单", "入库单")
_NAMES = ("item", "description", "quantity", "unit", "price", "net", "tax_rate")


def _columns(*words: str) -> dict[str, str]:
    return dict(zip(_NAMES, words, strict=True))


PLAIN = Layout(
    name="plain",
    words={
        "en": Wording(
            _EN, "Invoice no.:", "Invoice date:", "Due date:", "Your order:", "", "Bill to:",
            "VAT ID:",
            _columns("Item", "Description", "Qty", "Unit", "Unit price", "Amount", "VAT"),
            "Subtotal", "VAT {rate} %", "Total", "Lot", "%d/%m/%Y", ".", ",",
        ),
        "vi": Wording(
            _VI, "Số hóa đơn:", "Ngày lập:", "Hạn thanh toán:", "Số đơn hàng:",
            "Đơn vị bán hàng:", "Đơn vị mua hàng:", "Mã số thuế:",
            _columns("Mã hàng", "Tên hàng hóa", "Số lượng", "ĐVT", "Đơn giá", "Thành tiền",
                     "Thuế suất"),
            "Cộng tiền hàng", "Thuế GTGT {rate}%", "Tổng cộng tiền thanh toán", "Số lô",
            "%d/%m/%Y", ",", ".",
        ),
        "zh": Wording(
            _ZH, "发票号码：", "开票日期：", "付款期限：", "订单号：", "销售方：", "购买方：",
            "纳税人识别号：",
            _columns("货号", "货物名称", "数量", "单位", "单价", "金额", "税率"),
            "合计金额", "增值税 {rate}%", "价税合计", "批号", "%Y年%m月%d日", ".", ",",
        ),
    },
    columns=(("item", 0.15), ("description", 0.31), ("quantity", 0.11), ("unit", 0.08),
             ("price", 0.13), ("net", 0.13), ("tax_rate", 0.09)),
    latin=("NotoSans-Regular.ttf",),
    chinese=CHINESE,
)  # fmt: skip
TABLE_OF_HEADS = Layout(
    name="heads",
    words={
        "en": Wording(
            _EN, "Invoice number", "Date of issue", "Payment due", "PO number", "Seller",
            "Customer", "Tax ID",
            _columns("Code", "Goods", "Quantity", "UoM", "Price", "Total", "Tax %"),
            "Net amount", "Tax {rate} %", "Grand total", "Batch", "%d %b %Y", ",", ".",
        ),
        "vi": Wording(
            _VI, "Số", "Ngày", "Ngày đến hạn", "Đơn hàng số", "Bên bán", "Khách hàng", "MST",
            _columns("Mã số", "Tên hàng hóa, dịch vụ", "SL", "Đơn vị tính", "Giá", "Số tiền",
                     "Thuế"),
            "Cộng tiền hàng", "Tiền thuế {rate}%", "Tổng thanh toán", "Lô",
            "ngày %d tháng %m năm %Y", ",", ".",
        ),
        "zh": Wording(
            _ZH, "发票号", "日期", "到期日", "采购订单号", "供应商", "客户", "税号",
            _columns("编码", "品名", "数量", "计量单位", "单价", "金额", "税率"),
            "不含税金额", "税额 {rate}%", "总计", "批次", "%Y-%m-%d", ".", ",",
        ),
    },
    columns=(("item", 0.14), ("description", 0.30), ("unit", 0.12), ("quantity", 0.11),
             ("price", 0.12), ("tax_rate", 0.08), ("net", 0.13)),
    latin=("DejaVuSans.ttf", "NotoSans-Regular.ttf"),
    chinese=CHINESE,
    size=24,
    ruled=False,
    side_by_side=True,
    row_of_heads=True,
)  # fmt: skip
TUNED = (PLAIN, TABLE_OF_HEADS)


# --- held out: written once, looked at by nobody while the reader was made ---

_CJK_SANS = ("NotoSansCJK-Regular.ttc", *CHINESE)
_CJK_SERIF = ("NotoSerifCJK-Regular.ttc", *CHINESE)
LEDGER = Layout(
    name="ledger",
    words={
        "en": Wording(
            _EN, "Invoice #", "Issue date", "Pay by", "Order ref", "Supplier:", "Invoice to:",
            "VAT Reg. No.",
            _columns("Part no.", "Product", "Qty", "Unit", "Price", "Line total", "VAT rate"),
            "Net total", "Plus VAT {rate}%", "Amount due", "Batch no.", "%d-%m-%Y", ".", ",",
        ),
        "vi": Wording(
            _VI, "Số phiếu:", "Ngày xuất:", "Hạn thanh toán:", "Theo đơn hàng:",
            "Người bán hàng:", "Người mua hàng:", "Mã số thuế:",
            _columns("Mã vật tư", "Diễn giải", "Số lượng", "Đơn vị", "Đơn giá", "Thành tiền",
                     "% thuế"),
            "Tổng tiền hàng", "Thuế suất {rate}%", "Tổng tiền thanh toán", "Số lô",
            "%d.%m.%Y", ",", ".",
        ),
        "zh": Wording(
            _ZH, "单据编号：", "开具日期：", "付款日期：", "合同号：", "卖方：", "买方：",
            "税务登记号：",
            _columns("商品编码", "商品名称", "数量", "单位", "单价", "金额", "税率"),
            "小计", "税额合计 {rate}%", "应付金额", "炉号", "%Y/%m/%d", ".", ",",
        ),
    },
    columns=(("quantity", 0.10), ("unit", 0.09), ("item", 0.16), ("description", 0.30),
             ("tax_rate", 0.10), ("price", 0.11), ("net", 0.14)),
    latin=("NotoSerif-Regular.ttf", "DejaVuSerif.ttf"),
    chinese=_CJK_SERIF,
    size=25,
)  # fmt: skip
COMPACT = Layout(
    name="compact",
    words={
        "en": Wording(
            _EN, "Document no:", "Dated:", "Due:", "PO No:", "", "Sold to:", "Tax No:",
            _columns("SKU", "Details", "Qty", "UOM", "Unit cost", "Amount", "Tax rate"),
            "Sub total", "Sales tax {rate}%", "Invoice total", "Heat no.", "%d %B %Y", ".", ",",
        ),
        "vi": Wording(
            _VI, "Hóa đơn số:", "Ngày phát hành:", "Ngày thanh toán:", "Đơn đặt hàng số:",
            "Nhà cung cấp:", "Bên mua:", "MST:",
            _columns("Mã sản phẩm", "Tên hàng", "SL", "ĐVT", "Đơn giá", "Thành tiền",
                     "Thuế suất"),
            "Tiền hàng", "Tiền thuế GTGT {rate}%", "Tổng cộng thanh toán", "Lô",
            "%d-%m-%Y", ",", ".",
        ),
        "zh": Wording(
            _ZH, "发票编号：", "发票日期：", "到期日期：", "采购单号：", "供货单位：", "收货单位：",
            "统一社会信用代码：",
            _columns("料号", "描述", "数量", "单位", "单价", "金额", "税率"),
            "不含税合计", "增值税额 {rate}%", "含税总额", "批号", "%Y年%m月%d日", ".", ",",
        ),
    },
    columns=(("item", 0.16), ("description", 0.33), ("price", 0.11), ("quantity", 0.10),
             ("unit", 0.07), ("tax_rate", 0.10), ("net", 0.13)),
    latin=("DejaVuSansCondensed.ttf", "DejaVuSans.ttf"),
    chinese=_CJK_SANS,
    size=24,
    ruled=False,
    side_by_side=True,
)  # fmt: skip
HELD_OUT = (LEDGER, COMPACT)
