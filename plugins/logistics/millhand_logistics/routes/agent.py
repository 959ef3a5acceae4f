"""The agent ``logistics.routes``: plans a day of deliveries, and plans it anew on the road.

A day arrives as a document, in the morning and again whenever something has changed: vehicles
then have a position and what they carry, served stops are left out, new ones are in it. The routes
so far are the agent's memory, and the search begins with what is left of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time
from typing import ClassVar

from millhand.contracts import (
    ActionKind,
    CustomEvent,
    Decision,
    DeliverRecord,
    Gantt,
    Highlight,
    Models,
    Needs,
    Observation,
    TriggerKind,
    Value,
)
from millhand.errors import ConfigError
from millhand.messages import tr
from millhand_logistics.routes.config import RoutesConfig
from millhand_logistics.routes.map import route_map
from millhand_logistics.routes.memory import from_memory, to_memory
from millhand_logistics.routes.model import Day
from millhand_logistics.routes.plan import Routes
from millhand_logistics.routes.reading import day_bytes
from millhand_logistics.routes.solve import MICRO, plan_routes

DOCUMENT, ROUTES, PLANNED = "document", "routes", "logistics.routes"
_SHOWN = 20


class RoutesAgent:
    """Plans routes by PyVRP; hands over times, a map, and who now serves what another one did."""

    Config: ClassVar[type[RoutesConfig]] = RoutesConfig

    def __init__(self, config: RoutesConfig) -> None:
        self._config = config

    def needs(self) -> Needs:
        """A day that arrives; a place that takes the routes."""
        return Needs(
            triggers=frozenset({TriggerKind.DOCUMENT}),
            actions={ROUTES: ActionKind.DELIVER_RECORD},
        )

    def decide(self, observation: Observation, models: Models) -> Decision:
        """Plan, or say why not; then the routes so far stay as they are."""
        del models
        document = observation.documents[DOCUMENT]
        before = from_memory(observation.memory)
        try:
            day = day_bytes(document.content, document.ref.name)
            planned = plan_routes(day, self._config.iterations, self._config.seed, before)
        except ConfigError as error:
            return Decision(reason=str(error))
        moves = dict(_moves(before, planned))
        scores = {
            "cost": planned.cost / MICRO,
            "vehicles": float(len(planned.routes)),
            "left_out": float(len(planned.left_out)),
            "moved": float(len(moves)),
        }
        return Decision(
            reason=_words(planned, moves),
            scores=scores,
            actions=(_record(day, planned, document.ref.sha256),),
            events=(CustomEvent(name=PLANNED, data={**scores}),),
            explanations=(_bars(day, planned), Highlight(fields=_shown(moves))),
            memory=to_memory(planned),
        )


def _words(planned: Routes, moves: dict[str, str]) -> str:
    served = sum(len(route.visits) for route in planned.routes)
    parts = [
        tr(
            "{stops} stops by {vehicles} vehicles for {cost:,.2f}",
            stops=served,
            vehicles=len(planned.routes),
            cost=planned.cost / MICRO,
        )
    ]
    if moves:
        parts.append(tr("{count} stops change their vehicle", count=len(moves)))
    if planned.left_out:
        parts.append(tr("left out: {stops}", stops=", ".join(planned.left_out[:_SHOWN])))
    return "; ".join(parts)


def _moves(before: Routes | None, planned: Routes) -> Iterator[tuple[str, str]]:
    """Yield the stops that another vehicle serves than was planned."""
    was = {
        visit.stop: route.vehicle
        for route in (before.routes if before is not None else ())
        for visit in route.visits
    }
    for route in planned.routes:
        for visit in route.visits:
            other = was.get(visit.stop, route.vehicle)
            if other != route.vehicle:
                yield visit.stop, f"{other} → {route.vehicle}"


def _shown(moves: dict[str, str]) -> dict[str, Value]:
    return dict(list(moves.items())[:_SHOWN])


def _bars(day: Day, planned: Routes) -> Gantt:
    midnight = datetime.combine(day.day, time(), tzinfo=day.time_zone)
    return Gantt(
        origin_utc_ns=int(midnight.astimezone(UTC).timestamp()) * 1_000_000_000,
        bars=tuple(
            (route.vehicle, visit.stop, float(visit.arrive), float(visit.leave))
            for route in planned.routes
            for visit in route.visits
        ),
    )


def _record(day: Day, planned: Routes, sha256: str) -> DeliverRecord:
    rows = [(route.vehicle, visit) for route in planned.routes for visit in route.visits]
    body: dict[str, Value] = {
        "vehicle": [vehicle for vehicle, _ in rows],
        "stop": [visit.stop for _, visit in rows],
        "arrive": [_clock(visit.arrive) for _, visit in rows],
        "leave": [_clock(visit.leave) for _, visit in rows],
        "left_out": list(planned.left_out),
        "map": route_map(day, planned),
    }
    return DeliverRecord(to=ROUTES, kind="routes", body=body, idempotency_key=sha256)


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
