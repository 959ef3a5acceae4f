"""Routes as they are driven, and a checker of its own for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import time

from msgspec import Struct

from millhand_logistics.routes.model import Day, Stop


class Visit(Struct, frozen=True, kw_only=True):
    """One stop of a route, in seconds after the day's local midnight."""

    stop: str
    arrive: int
    begin: int
    leave: int


class Route(Struct, frozen=True, kw_only=True):
    """What one vehicle drives."""

    vehicle: str
    leave: int
    visits: tuple[Visit, ...]
    back: int
    distance_m: int


class Routes(Struct, frozen=True, kw_only=True):
    """A day's routes with what they cost, in millionths of the currency."""

    routes: tuple[Route, ...]
    left_out: tuple[str, ...]
    """Stops that are not served, because that costs less than serving them."""
    cost: int
    iterations: int = 0


@dataclass(frozen=True, slots=True)
class Legs:
    """Metres and seconds between named places: ``depot:works``, ``stop:C1``, ``vehicle:van``."""

    metres: Mapping[tuple[str, str], int]
    seconds: Mapping[tuple[str, str], int]


def faults(day: Day, legs: Legs, planned: Routes, earliest: Mapping[str, int]) -> list[str]:
    """Return everything that is wrong with routes; empty where they can be driven.

    Args:
        day: what was to be planned.
        legs: the way between places.
        planned: the routes.
        earliest: by vehicle, when it can leave.
    """
    stops = {stop.id: stop for stop in day.stops}
    served = Counter(visit.stop for route in planned.routes for visit in route.visits)
    left_out = set(planned.left_out)
    found = [f"{name} is served twice" for name, times in served.items() if times > 1]
    for stop in day.stops:
        if stop.id not in served and stop.skip_cost is None:
            found.append(f"{stop.id} is not served")
        if (stop.id in served) == (stop.id in left_out):
            found.append(f"{stop.id} is wrongly listed")
    for route in planned.routes:
        found += _times(day, legs, route, stops, earliest[route.vehicle])
        found += _loads(day, route, stops)
        found += _on_board(day, route)
    return found


def _times(
    day: Day, legs: Legs, route: Route, stops: Mapping[str, Stop], earliest: int
) -> Iterator[str]:
    vehicle = day.vehicles[route.vehicle]
    here = f"depot:{vehicle.start}" if vehicle.position is None else f"vehicle:{route.vehicle}"
    at, metres = route.leave, 0
    if at < earliest:
        yield f"{route.vehicle} leaves before it can"
    for visit in route.visits:
        there = f"stop:{visit.stop}"
        at += legs.seconds[here, there]
        metres += legs.metres[here, there]
        if visit.arrive < at or visit.begin < visit.arrive:
            yield f"{route.vehicle} is at {visit.stop} before it can be"
        stop = stops[visit.stop]
        if stop.windows and not any(
            _clock(w.begins) <= visit.begin <= _clock(w.ends) for w in stop.windows
        ):
            yield f"{visit.stop} is served outside its windows"
        if visit.leave < visit.begin + int(stop.service):
            yield f"{visit.stop} is left too early"
        here, at = there, visit.leave
    end = f"depot:{vehicle.end or vehicle.start}"
    if route.back < at + legs.seconds[here, end] or route.back > _clock(vehicle.shift.ends):
        yield f"{route.vehicle} is not back in its shift"
    if route.distance_m != metres + legs.metres[here, end]:
        yield f"{route.vehicle} drives another distance"


def _clock(clock: time) -> int:
    return clock.hour * 3600 + clock.minute * 60 + clock.second


def _loads(day: Day, route: Route, stops: Mapping[str, Stop]) -> Iterator[str]:
    for kind, most in day.vehicles[route.vehicle].capacity.items():
        load = sum(stops[v.stop].delivery.get(kind, 0.0) for v in route.visits)
        worst = load
        for visit in route.visits:
            load += stops[visit.stop].pickup.get(kind, 0.0)
            load -= stops[visit.stop].delivery.get(kind, 0.0)
            worst = max(worst, load)
        if worst > most + 1e-6:
            yield f"{route.vehicle} carries {worst:g} {kind}"


def _on_board(day: Day, route: Route) -> Iterator[str]:
    for name, vehicle in day.vehicles.items():
        if name == route.vehicle:
            continue
        for visit in route.visits:
            if visit.stop in vehicle.carries:
                yield f"{route.vehicle} serves {visit.stop}, whose goods {name} carries"
