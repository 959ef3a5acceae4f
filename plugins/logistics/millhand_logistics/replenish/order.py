"""What to order: reorder point, order-up-to level, the risk of running out, and why."""

from __future__ import annotations

import math
from collections.abc import Mapping

from msgspec import Struct

from millhand.messages import tr
from millhand_logistics.replenish.candidates import Floats
from millhand_logistics.replenish.forecast import Outlook, outlooks
from millhand_logistics.replenish.model import Article, Stock


class Proposal(Struct, frozen=True, kw_only=True):
    """What is proposed for an article. Quantities in pieces, periods as in the store's file."""

    article: str
    method: str
    """The forecast that counted most."""
    position: float
    """On hand and on order, less what is promised."""
    expected: float
    """Demand until what is ordered next time has arrived."""
    reorder_below: float
    """Position below which an order is due, for the service asked."""
    risk: float
    """Probability of running out before an order placed now arrives, if nothing more came."""
    risk_if_waiting: float
    """The same until an order placed next time arrives."""
    order: float
    """Pieces to order now; 0: none."""
    value: float
    """Money for the order."""
    why: str
    """Why this order now, what waiting would risk, and what makes it as large as it is."""


def propose_all(stock: Stock, demand: Mapping[str, Floats]) -> list[Proposal]:
    """Propose orders for all articles, the most urgent first.

    Reviewed every ``review`` periods, an order covers demand until the one after it has arrived:
    lead time and review together. Where the position is below what that demand stays within with
    the probability ``service``, it is filled up to that, and the mean demand of a review more.
    """
    until = {a.id: max(a.lead_time + stock.review, 1) for a in stock.articles}
    arrival = {a.id: max(a.lead_time, 1) for a in stock.articles}
    ahead = outlooks(demand, until, stock.season)
    soon = outlooks(demand, arrival, stock.season)
    found = [
        _propose(stock, article, until[article.id], ahead[article.id], soon[article.id])
        for article in stock.articles
    ]
    return sorted(found, key=lambda p: (-p.risk, -p.risk_if_waiting, p.article))


def _propose(stock: Stock, article: Article, span: int, ahead: Outlook, soon: Outlook) -> Proposal:
    point, position = ahead.upto(stock.service), article.position
    order, binding = 0.0, ""
    if position < point:
        level = point + ahead.mean / span * stock.review
        order, binding = _packed(article, level - position)
    risk, waiting = soon.beyond(position), ahead.beyond(position)
    return Proposal(
        article=article.id,
        method=ahead.method,
        position=position,
        expected=ahead.mean,
        reorder_below=point,
        risk=risk,
        risk_if_waiting=waiting,
        order=order,
        value=order * article.price,
        why=_why(stock, ahead, position, point, waiting, order, binding),
    )


def _packed(article: Article, wanted: float) -> tuple[float, str]:
    """Return whole packs of at least the minimum, and which of the two made it larger."""
    needed = max(wanted, article.minimum)
    order = math.ceil(needed / article.pack - 1e-9) * article.pack
    if article.minimum > wanted:
        return order, tr("the least that can be ordered is {n:g}", n=article.minimum)
    if order - wanted > 0.5 * article.pack:
        return order, tr("a pack holds {n:g}", n=article.pack)
    return order, ""


def _why(
    stock: Stock,
    ahead: Outlook,
    position: float,
    point: float,
    waiting: float,
    order: float,
    binding: str,
) -> str:
    if ahead.method == "none":
        return tr("no demand was ever seen")
    if order == 0:
        return tr(
            "{position:g} last beyond the {point:.0f} that demand stays within",
            position=position,
            point=point,
        )
    said = tr(
        "{position:g} are below the {point:.0f} that demand until the next arrival stays within "
        "{service:.0%} of the time; waiting until the next order would run out with a probability "
        "of {risk:.0%}",
        position=position,
        point=point,
        service=stock.service,
        risk=waiting,
    )
    return "; ".join(filter(None, (said, binding)))
