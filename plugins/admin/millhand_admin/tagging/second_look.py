"""A second reading of the places that matter and that nothing on the paper proves.

Numbers of papers and dates have no sum that proves them; amounts that do not add up were misread
somewhere. Another recogniser looks at just these places. Where it agrees, the value is surer; where
it does not, a person decides. Of several readings of an amount the one is taken that makes the
line's arithmetic hold, if there is only one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from itertools import product
from typing import Any

from millhand_admin.checking.sums import coin
from millhand_admin.matching.keys import number_key
from millhand_admin.paper.fact import Box, Fact, Method
from millhand_admin.paper.paper import Line, Number, Paper
from millhand_admin.tagging.assurance import HOLDS, assured
from millhand_admin.tagging.heads import day
from millhand_admin.tagging.numbers import POINTS, meant, mended, numbers_in

Ask = Callable[[Fact[Any]], list[str]]
"""Other readings of the place where a value stands."""
AGREED = 0.997
"""Of what two recognisers read alike; counted together with :data:`assurance.CHECK_DIGIT`."""
DISAGREED = 0.5
MENDED = 0.99
"""Of an amount that was misread first and of which one reading makes the arithmetic hold."""
_MOST_LINES = 12
"""Lines that are looked at again: a page with more of them wrong is not worth it."""
_EQUATION = ("quantity", "price", "net")


def looked_again(paper: Paper, ask: Ask) -> Paper:
    """Return the paper after a second look at what is unproven."""
    changes: dict[str, object] = {}
    for name in ("number", "issued", "due", "series"):
        fact = getattr(paper, name)
        if fact is not None:
            changes[name] = _compared(fact, ask)
    changes["orders"] = tuple(_compared(one, ask) for one in paper.orders)
    unit = coin("" if paper.currency is None else paper.currency.value)
    changes["lines"] = tuple(_lines(paper, unit, ask))
    paper = _found(paper.model_copy(update=changes), unit, ask)
    return assured(_totals(paper, unit, ask))


def _found(paper: Paper, unit: Decimal, ask: Ask) -> Paper:
    """A sum that could not be read, where another reading of it is what the others come to."""
    for one in paper.unread:
        wanted = _wanted(paper, one.what)
        if wanted is None or one.page is None:
            continue
        box = None if one.box is None else _wider(one.box)
        place = Fact[Decimal](value=wanted, text=one.text, method=Method.OCR, page=one.page,
                              box=box, confidence=MENDED)  # fmt: skip
        if any(abs(value - wanted) <= unit for value in _readings(place, ask)[1:]):
            totals = paper.totals.model_copy(update={one.what.removeprefix("totals."): place})
            left = tuple(other for other in paper.unread if other is not one)
            paper = paper.model_copy(update={"totals": totals, "unread": left})
    return paper


def _wider(box: Box) -> Box:
    """A misread amount often has lost letters on either side."""
    wide = box.right - box.left
    return box.model_copy(
        update={"left": max(box.left - wide, 0.0), "right": min(box.right + wide, 1.0)}
    )


def _wanted(paper: Paper, what: str) -> Decimal | None:
    """What a missing sum must be."""
    net, tax, gross = paper.totals.net, paper.totals.tax, paper.totals.gross
    match what:
        case "totals.gross" if net is not None and tax is not None:
            return net.value + tax.value
        case "totals.net" if gross is not None and tax is not None:
            return gross.value - tax.value
        case "totals.tax" if gross is not None and net is not None:
            return gross.value - net.value
    return None


def _compared(fact: Fact[Any], ask: Ask) -> Fact[Any]:
    if fact.method is not Method.OCR:
        return fact
    texts = [text for text in ask(fact) if text.strip()]
    if not texts:
        return fact
    same = any(_same(fact.value, fact.text, text) for text in texts)
    sure = max(fact.confidence, AGREED) if same else min(fact.confidence, DISAGREED)
    return fact.model_copy(update={"confidence": min(sure, HOLDS)})


def _same(value: object, first: str, other: str) -> bool:
    if isinstance(value, date):
        return day(other) == value or _digits(first) == _digits(other) != ""
    key = number_key(str(value))
    return bool(key) and key in number_key(other)


def _digits(text: str) -> str:
    return "".join(letter for letter in text if letter.isascii() and letter.isdigit())


def _lines(paper: Paper, unit: Decimal, ask: Ask) -> Iterator[Line]:
    wrong = [number for number, line in enumerate(paper.lines) if not _holds(line, unit)]
    for number, line in enumerate(paper.lines):
        if number in wrong and len(wrong) <= _MOST_LINES:
            yield _line(line, unit, ask)
        else:
            yield line


def _holds(line: Line, unit: Decimal) -> bool:
    if line.quantity is None or line.price is None or line.net is None:
        return line.price is None and line.net is None
    return abs(line.quantity.value * line.price.value - line.net.value) <= unit


def _line(line: Line, unit: Decimal, ask: Ask) -> Line:
    facts = [getattr(line, name) for name in _EQUATION]
    if any(fact is None or fact.method is not Method.OCR for fact in facts):
        return line
    readings = [_readings(fact, ask) for fact in facts]
    right = {
        combination
        for combination in product(*readings)
        if abs(combination[0] * combination[1] - combination[2]) <= unit and combination[2]
    }
    if len(right) != 1:
        return line
    (values,) = right
    return line.model_copy(
        update={
            name: _mended(fact, value)
            for name, fact, value in zip(_EQUATION, facts, values, strict=True)
        }
    )


def _readings(fact: Number, ask: Ask) -> list[Decimal]:
    found = [fact.value]
    for text in ask(fact) if fact.method is Method.OCR else ():
        for number in numbers_in(text) or numbers_in(mended(text) or ""):
            for point in POINTS:
                value = meant(number, point)
                if value is not None:
                    found.append(value)
    return found


def _mended(fact: Number, value: Decimal) -> Number:
    if fact.value == value:
        return fact
    return fact.model_copy(update={"value": value, "confidence": MENDED})


def _totals(paper: Paper, unit: Decimal, ask: Ask) -> Paper:
    """Look again at net, tax and gross where they do not add up."""
    totals = paper.totals
    if totals.net is None or totals.tax is None or totals.gross is None:
        return paper
    net, tax, gross = totals.net, totals.tax, totals.gross
    if abs(net.value + tax.value - gross.value) <= unit:
        return paper
    right = {
        combination
        for combination in product(*(_readings(one, ask) for one in (net, tax, gross)))
        if abs(combination[0] + combination[1] - combination[2]) <= unit and combination[2]
    }
    if len(right) != 1:
        return paper
    (values,) = right
    names = ("net", "tax", "gross")
    changes = {
        name: _mended(fact, value)
        for name, fact, value in zip(names, (net, tax, gross), values, strict=True)
    }
    return paper.model_copy(update={"totals": totals.model_copy(update=changes)})
