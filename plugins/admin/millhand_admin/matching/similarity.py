"""How likely it is that a billed line and an ordered line mean the same goods."""

from __future__ import annotations

import unicodedata
from decimal import Decimal

from millhand_admin.checking.units import convert
from millhand_admin.matching.keys import confusion_key, number_key
from millhand_admin.matching.open_items import OrderLine, unit_price
from millhand_admin.paper.paper import Line

LIKELY = 0.5
"""Pairs below this are not taken for the same goods."""


def similarity(line: Line, order: OrderLine) -> float:
    """Return 0 (something else) to 1 (surely the same).

    Article numbers decide where both sides have one; else the words of the description, and the
    unit, which must convert.
    """
    unit = "" if line.unit is None else line.unit.value
    if unit and order.unit and convert(Decimal(1), unit, order.unit) is None:
        return 0.0
    items = [fact.value for fact in (line.item, line.buyer_item) if fact is not None]
    score = _item_score(items, order.item)
    if score is None:
        words = "" if line.description is None else line.description.value
        score = 0.9 * overlap(words, order.description)
    if score < LIKELY:
        return score
    return min(1.0, score * 0.9 + 0.05 * _same_line(line, order) + 0.05 * _near_price(line, order))


def _item_score(items: list[str], wanted: str) -> float | None:
    if not items or not wanted:
        return None
    if any(number_key(item) == number_key(wanted) for item in items):
        return 1.0
    if any(confusion_key(item) == confusion_key(wanted) for item in items):
        return 0.9
    return 0.0


def _same_line(line: Line, order: OrderLine) -> bool:
    return line.order_line is not None and line.order_line.value == order.number


def _near_price(line: Line, order: OrderLine) -> bool:
    price = unit_price(line)
    if price is None or not order.price:
        return False
    return abs(price - order.price) <= order.price / 50


def overlap(one: str, other: str) -> float:
    """Return the Dice overlap of two texts' character pairs, without accents and spaces."""
    first, second = _pairs(one), _pairs(other)
    if not first or not second:
        return 0.0
    return 2 * len(first & second) / (len(first) + len(second))


def _pairs(text: str) -> set[str]:
    folded = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in folded if letter.isalnum())
    return {plain[at : at + 2] for at in range(len(plain) - 1)} or ({plain} if plain else set())
