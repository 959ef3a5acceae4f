"""What a run saved and cost, line by line, each with the assumption that it stands on."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from millhand.ledger.score import Score
from millhand.messages import tr


class Prices(Protocol):
    """The scenario's ``economy:`` section, in its ``currency`` for each part."""

    @property
    def currency(self) -> str:
        """Three letters: EUR."""
        ...

    @property
    def scrapped_part(self) -> float:
        """What a part is worth that is thrown away."""
        ...

    @property
    def escaped_defect(self) -> float:
        """What a defective part costs that leaves the cell."""
        ...


class MoneyLine(Struct, frozen=True, kw_only=True):
    """One line: positive is saved, negative is spent."""

    name: str
    """Stable word for machines: ``escapes_prevented``."""
    title: str
    count: int
    each: float
    amount: float
    assumption: str


class Money(Struct, frozen=True, kw_only=True):
    """The lines and their sum."""

    currency: str
    lines: tuple[MoneyLine, ...]
    net: float


def money(score: Score, prices: Prices) -> Money:
    """Price a scored run."""
    scrap, escape = prices.scrapped_part, prices.escaped_defect
    lines = (
        _line(
            "escapes_prevented",
            tr("Escapes prevented"),
            score.caught,
            escape,
            tr(
                "Without inspection each of these defective parts would have left the cell, and "
                "one that does costs {price} later (economy.escaped_defect).",
                price=_price(escape, prices),
            ),
        ),
        _line(
            "scrap_avoided",
            tr("Scrap avoided"),
            score.good_undecided,
            scrap,
            tr(
                "Good parts that could not be decided were diverted for a person to look at; "
                "rejected they would have cost {price} each (economy.scrapped_part). The person's "
                "time is not counted.",
                price=_price(scrap, prices),
            ),
        ),
        _line(
            "escapes",
            tr("Cost of escapes"),
            score.escapes.count,
            -escape,
            tr("Each defective part let pass costs {price}.", price=_price(escape, prices)),
        ),
        _line(
            "false_rejects",
            tr("Cost of false rejects"),
            score.false_rejects.count,
            -scrap,
            tr("Each good part rejected is scrapped at {price}.", price=_price(scrap, prices)),
        ),
        _line(
            "unanswered",
            tr("Cost of late and missing answers"),
            score.good_unanswered,
            -scrap,
            tr(
                "Good parts without an answer in time took the PLC's default and are counted as "
                "scrapped at {price}.",
                price=_price(scrap, prices),
            ),
        ),
    )
    return Money(
        currency=prices.currency, lines=lines, net=round(sum(line.amount for line in lines), 2)
    )


def _line(name: str, title: str, count: int, each: float, assumption: str) -> MoneyLine:
    amount = round(count * each, 2)
    return MoneyLine(
        name=name, title=title, count=count, each=each, amount=amount + 0.0, assumption=assumption
    )


def _price(amount: float, prices: Prices) -> str:
    return f"{amount:.2f} {prices.currency}"
