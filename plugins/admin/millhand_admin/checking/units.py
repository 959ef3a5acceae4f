"""Units of quantity: many spellings, one code (UN/ECE Recommendation 20), and what converts."""

from __future__ import annotations

from decimal import Decimal

_SPELLINGS: dict[str, tuple[str, ...]] = {
    "C62": ("c62", "h87", "ea", "each", "pc", "pcs", "pce", "piece", "pieces", "unit", "units",
            "stk", "st", "cái", "chiếc", "cây", "con", "quả", "个", "件", "只", "支", "台", "根"),
    "SET": ("set", "sets", "bộ", "套"),
    "PR": ("pr", "pair", "pairs", "đôi", "双"),
    "BX": ("bx", "box", "boxes", "hộp", "thùng", "盒", "箱"),
    "ROL": ("rol", "ro", "roll", "rolls", "cuộn", "卷"),
    "KGM": ("kgm", "kg", "kgs", "kilogram", "kilograms", "ký", "千克", "公斤"),
    "GRM": ("grm", "g", "gram", "grams", "gam", "克"),
    "TNE": ("tne", "t", "ton", "tons", "tonne", "tonnes", "mt", "tấn", "吨"),
    "LBR": ("lbr", "lb", "lbs", "pound", "pounds"),
    "MTR": ("mtr", "m", "metre", "metres", "meter", "meters", "mét", "米"),
    "MMT": ("mmt", "mm", "毫米"),
    "CMT": ("cmt", "cm", "厘米"),
    "MTK": ("mtk", "m2", "m²", "sqm", "mét vuông", "平方米"),
    "MTQ": ("mtq", "m3", "m³", "cbm", "mét khối", "立方米"),
    "LTR": ("ltr", "l", "litre", "litres", "liter", "liters", "lít", "升"),
    "MLT": ("mlt", "ml", "毫升"),
    "HUR": ("hur", "h", "hr", "hrs", "hour", "hours", "giờ", "小时"),
    "DAY": ("day", "days", "ngày", "天"),
}  # fmt: skip
_CODES = {spelling: code for code, spellings in _SPELLINGS.items() for spelling in spellings}
_FACTORS: dict[str, tuple[str, Decimal]] = {
    "KGM": ("mass", Decimal(1)),
    "GRM": ("mass", Decimal("0.001")),
    "TNE": ("mass", Decimal(1000)),
    "LBR": ("mass", Decimal("0.45359237")),
    "MTR": ("length", Decimal(1)),
    "CMT": ("length", Decimal("0.01")),
    "MMT": ("length", Decimal("0.001")),
    "LTR": ("volume", Decimal(1)),
    "MLT": ("volume", Decimal("0.001")),
    "MTQ": ("volume", Decimal(1000)),
}


def unit_code(text: str) -> str | None:
    """Return the code of a unit as it is written, None where it is unknown."""
    return _CODES.get(text.strip().rstrip(".").casefold())


def convert(quantity: Decimal, unit: str, to: str) -> Decimal | None:
    """Convert a quantity between two units; None where they measure different things.

    Units that are unknown convert only to themselves.
    """
    one, other = unit_code(unit) or unit.casefold(), unit_code(to) or to.casefold()
    if one == other:
        return quantity
    if one in _FACTORS and other in _FACTORS and _FACTORS[one][0] == _FACTORS[other][0]:
        return quantity * _FACTORS[one][1] / _FACTORS[other][1]
    return None
