"""Companies that do not exist, with tax numbers whose check digits are right."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random

from millhand_admin.made.paper import MadeLine, MadePaper, MadeParty
from millhand_admin.paper.paper import Kind

US = {
    "en": MadeParty("Riverside Pump Works Ltd", "DE945807302", "Mill Lane 4", "Riverside", "DE"),
    "vi": MadeParty(
        "Công ty TNHH Cơ khí Bến Sông", "0308265908", "12 Đường Lê Lợi", "Biên Hòa", "VN"
    ),
    "zh": MadeParty("河岸水泵制造有限公司", "91345937MA24B2LDE0", "工业路 8 号", "宁波", "CN"),
}

SELLERS = {
    "en": (
        MadeParty("Northfield Castings GmbH", "DE224538323", "Foundry Road 17", "Hagen", "DE",
                  "DE89370400440532013000"),
        MadeParty("Alder & Sons Fasteners Ltd", "GB916701139", "Bolt Street 3", "Leeds", "GB",
                  "GB29NWBK60161331926819"),
    ),
    "vi": (
        MadeParty("Công ty Cổ phần Đúc Thép Sao Việt", "0386036341", "Khu công nghiệp Phố Nối",
                  "Hưng Yên", "VN", "0011004000123"),
        MadeParty("Công ty TNHH Ốc Vít Minh Phát", "0326142553", "45 Quốc lộ 1A", "Bình Dương",
                  "VN", "19001234567"),
    ),
    "zh": (
        MadeParty("宁波长江铸造有限公司", "91986232MAXF5MGEX0", "长江路 18 号", "宁波", "CN",
                  "6222020200112233"),
        MadeParty("上海明远紧固件有限公司", "91950264MAJFGHYW6F", "浦东大道 100 号", "上海", "CN",
                  "6228480402564890"),
    ),
}  # fmt: skip

_GOODS = {
    "en": (("CAST-110", "Impeller casting, grey iron", "KGM", "4.85"),
           ("BOLT-M8X25", "Hexagon bolt M8x25 zinc plated", "C62", "0.128"),
           ("SEAL-22", "Shaft seal 22 x 35 x 7", "C62", "3.40"),
           ("HOUS-7", "Pump housing, machined", "C62", "61.90"),
           ("OIL-46", "Hydraulic oil HLP 46", "LTR", "2.75")),
    "vi": (("GANG-110", "Phôi đúc gang xám", "kg", "42000"),
           ("BL-M8X25", "Bu lông lục giác M8x25 mạ kẽm", "cái", "1450"),
           ("PHOT-22", "Phớt trục 22 x 35 x 7", "cái", "38000"),
           ("VO-7", "Vỏ bơm gia công", "cái", "715000"),
           ("DAU-46", "Dầu thủy lực HLP 46", "lít", "56000")),
    "zh": (("ZT-110", "叶轮铸件 灰铸铁", "千克", "18.60"),
           ("LS-M8X25", "六角螺栓 M8x25 镀锌", "个", "0.55"),
           ("MF-22", "轴封 22 x 35 x 7", "个", "9.80"),
           ("BK-7", "泵壳 已加工", "个", "268.00"),
           ("YY-46", "液压油 HLP 46", "升", "15.50")),
}  # fmt: skip
_CURRENCY = {"en": "EUR", "vi": "VND", "zh": "CNY"}
_RATES = {"en": ("19", "7"), "vi": ("10", "8"), "zh": ("13", "6")}


def made_invoice(language: str, seed: int, *, kind: Kind = Kind.INVOICE) -> MadePaper:
    """Make up a paper of 1 to 8 lines; the same seed gives the same paper."""
    random = Random(f"{language}-{seed}")  # noqa: S311  no secret
    seller = random.choice(SELLERS[language])
    lines = tuple(_line(random, language) for _ in range(random.randint(1, 8)))
    issued = date(2026, 1, 5) + timedelta(days=random.randrange(300))
    prefix = {Kind.ORDER: "PO", Kind.DELIVERY_NOTE: "LS", Kind.GOODS_RECEIPT: "GR"}.get(kind, "INV")
    number = f"{random.randrange(10**8):08d}" if language == "vi" else (
        f"{prefix}-{random.randrange(10**5, 10**6)}"
    )  # fmt: skip
    return MadePaper(
        kind=kind,
        number=number,
        issued=issued,
        currency=_CURRENCY[language],
        seller=seller,
        buyer=US[language],
        lines=lines,
        due=issued + timedelta(days=random.choice((14, 30, 60))),
        order=f"PO-{random.randrange(10**4, 10**5)}",
        language=language,
        series="1C26TAA" if language == "vi" else "",
    )


def _line(random: Random, language: str) -> MadeLine:
    item, description, unit, price = random.choice(_GOODS[language])
    quantity = Decimal(random.randint(1, 5000))
    if unit in {"KGM", "kg", "千克", "LTR", "lít", "升"}:
        quantity = (quantity / 10).quantize(Decimal("0.1"))
    return MadeLine(
        item=item,
        description=description,
        quantity=quantity,
        unit=unit,
        price=Decimal(price),
        tax_rate=Decimal(random.choice(_RATES[language])),
        lot=f"H{random.randrange(10**4, 10**5)}" if random.random() < 0.3 else "",
    )
