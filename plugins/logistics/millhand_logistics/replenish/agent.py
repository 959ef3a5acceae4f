"""The agent ``logistics.replenish``: proposes orders from a list of stock and past demand.

Pure: the list is a document that an ERP system, or a person, lays into a folder each week. A person
approves the proposal: the agent is meant for the mode *advise*.
"""

from __future__ import annotations

from typing import ClassVar

from millhand.contracts import (
    ActionKind,
    CustomEvent,
    Decision,
    DeliverRecord,
    Highlight,
    Models,
    Needs,
    Observation,
    TriggerKind,
    Value,
)
from millhand.errors import ConfigError
from millhand.messages import tr
from millhand_logistics.replenish.config import ReplenishConfig
from millhand_logistics.replenish.order import Proposal, propose_all
from millhand_logistics.replenish.reading import read_list

DOCUMENT, ORDERS, RISK = "document", "orders", "logistics.stock_risk"
_SHOWN = 20


class ReplenishAgent:
    """Proposes what to order, article by article, with the risk of running out and the reason."""

    Config: ClassVar[type[ReplenishConfig]] = ReplenishConfig

    def __init__(self, config: ReplenishConfig) -> None:
        self._config = config

    def needs(self) -> Needs:
        """A list that arrives; a place that takes the proposal."""
        return Needs(
            triggers=frozenset({TriggerKind.DOCUMENT}),
            actions={ORDERS: ActionKind.DELIVER_RECORD},
        )

    def decide(self, observation: Observation, models: Models) -> Decision:
        """Propose, or say what is wrong with the list."""
        del models
        document = observation.documents[DOCUMENT]
        try:
            stock, demand = read_list(
                document.content, document.ref.name, most=self._config.most_articles
            )
        except ConfigError as error:
            return Decision(reason=str(error))
        proposals = propose_all(stock, demand)
        orders = [one for one in proposals if one.order > 0]
        value = sum(one.value for one in orders)
        reason = tr(
            "{orders} of {articles} articles to order, for {value:,.2f}",
            orders=len(orders),
            articles=len(proposals),
            value=value,
        )
        risky = [one for one in proposals if one.risk >= self._config.tell_from]
        return Decision(
            reason=reason,
            scores={"orders": float(len(orders)), "value": value, "at_risk": float(len(risky))},
            actions=(_order(orders, document.ref.sha256),) if orders else (),
            events=tuple(
                CustomEvent(name=RISK, data={"article": one.article, "risk": round(one.risk, 4)})
                for one in risky[:_SHOWN]
            ),
            explanations=(Highlight(fields=_told([*orders, *risky])),),
        )


def _order(orders: list[Proposal], sha256: str) -> DeliverRecord:
    body: dict[str, Value] = {
        "article": [one.article for one in orders],
        "quantity": [one.order for one in orders],
        "value": [one.value for one in orders],
        "risk": [round(one.risk, 4) for one in orders],
        "why": [one.why for one in orders],
    }
    return DeliverRecord(to=ORDERS, kind="order_proposal", body=body, idempotency_key=sha256)


def _told(proposals: list[Proposal]) -> dict[str, Value]:
    fields: dict[str, Value] = {}
    for one in proposals:
        if len(fields) == _SHOWN:
            break
        fields[one.article] = one.why
    return fields
