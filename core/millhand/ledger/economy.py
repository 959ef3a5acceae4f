"""What a run saved and cost, line by line, each with the assumption that it stands on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import Struct

from millhand.ledger.score import Score
from millhand.messages import tr

if TYPE_CHECKING:
    from millhand.scenario.economy import Economy
    from millhand.scenario.economy import Money as Price


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
    """The lines and their sum, in ``currency``."""

    currency: str
    lines: tuple[MoneyLine, ...]
    net: float


def money(score: Score | None, economy: Economy, more: Iterable[MoneyLine] = ()) -> Money | None:
    """Price a run. A price that the scenario does not state leaves its lines out.

    Args:
        score: the parts against the truth; None where nobody knows it.
        economy: prices.
        more: lines of what is bound to no part.
    """
    lines = [*([] if score is None else _lines_of_parts(score, economy)), *more]
    if score is None and not lines:
        return None
    return Money(
        currency=economy.currency,
        lines=tuple(lines),
        net=round(sum(line.amount for line in lines), 2),
    )


def _lines_of_parts(score: Score, economy: Economy) -> list[MoneyLine]:
    scrap = economy.scrapped_part
    return [
        *_lines_of_defects(score, economy.escaped_defect),
        *_lines_of_good_parts(score, scrap, economy.false_reject or scrap),
    ]


def _lines_of_defects(score: Score, escape: Price | None) -> list[MoneyLine]:
    if escape is None:
        return []
    return [
        _line(
            "escapes_prevented",
            tr("Escapes prevented"),
            score.caught,
            escape,
            tr("Without inspection each of these defective parts would have left the cell."),
        ),
        _line(
            "escapes",
            tr("Cost of escapes"),
            -score.escapes.count,
            escape,
            tr("Each defective part that was let pass reaches the customer."),
        ),
    ]


def _lines_of_good_parts(
    score: Score, scrap: Price | None, false_reject: Price | None
) -> list[MoneyLine]:
    lines = []
    if scrap is not None:
        lines.append(
            _line(
                "scrap_avoided",
                tr("Scrap avoided"),
                score.good_undecided,
                scrap,
                tr(
                    "Good parts that could not be decided were diverted for a person to look at "
                    "instead of being rejected. The person's time is not counted."
                ),
            )
        )
    if false_reject is not None:
        lines += [
            _line(
                "false_rejects",
                tr("Cost of false rejects"),
                -score.false_rejects.count,
                false_reject,
                tr("Each good part that was rejected is lost."),
            ),
            _line(
                "unanswered",
                tr("Cost of late and missing answers"),
                -score.good_unanswered,
                false_reject,
                tr("Good parts without an answer in time took their default and count as lost."),
            ),
        ]
    return lines


def _line(name: str, title: str, count: int, price: Price, assumption: str) -> MoneyLine:
    """Build a line; a negative ``count`` is spent."""
    basis = tr("Price: {basis}.", basis=price.assumption.rstrip(".")) if price.assumption else ""
    return MoneyLine(
        name=name,
        title=title,
        count=abs(count),
        each=price.amount,
        amount=round(count * price.amount, 2),
        assumption=f"{assumption} {basis}".strip(),
    )
