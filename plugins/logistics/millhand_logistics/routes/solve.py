"""Planning routes with PyVRP, from nothing or from the routes so far.

Work is bounded by iterations: the same day, effort and seed give the same routes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from itertools import pairwise
from typing import Any

from millhand.errors import ConfigError, InternalError
from millhand.messages import tr
from millhand_logistics.routes.model import Day, Place, Stop, Window
from millhand_logistics.routes.network import Ints, matrices
from millhand_logistics.routes.plan import Legs, Route, Routes, Visit, faults

MICRO = 1_000_000
"""Parts of the currency in which costs are counted."""
_THOUSANDTHS = 1000
_FORBIDDEN = 1 << 26
"""Metres and seconds of a way that a vehicle must not go: no day has it, and its price fits."""
_DEAREST = 100_000.0
"""PyVRP's largest penalty, where a metre costs 1."""
_WHOLE_DAY = Window.model_validate({"from": "00:00", "to": "23:59:59"})


def plan_routes(
    day: Day, iterations: int = 1000, seed: int = 0, before: Routes | None = None
) -> Routes:
    """Plan a day's routes.

    Args:
        day: depots, vehicles where they are, and the stops that are left.
        iterations: of PyVRP's iterated local search.
        seed: of the search.
        before: the routes so far; what is planned is never worse than what is left of them,
            where that can still be driven.

    Raises:
        ConfigError: PyVRP is not installed, or the stops cannot all be served.
    """
    try:
        import pyvrp
    except ImportError as error:
        raise ConfigError(
            tr("PyVRP is not installed."),
            mend=tr("Run: pip install 'millhand-logistics[routes]'."),
        ) from error
    return _Planner(day, pyvrp).plan(iterations, seed, before)


@dataclass(frozen=True, slots=True)
class _Client:
    """A stop in one of its windows."""

    stop: Stop
    window: Window


class _Planner:
    def __init__(self, day: Day, pyvrp: Any) -> None:
        self._day = day
        self._pyvrp = pyvrp
        self._vehicles = list(day.vehicles)
        self._kinds = day.kinds
        self._carried = frozenset(s for v in day.vehicles.values() for s in v.carries)
        self._clients = [
            _Client(stop, window)
            for stop in day.stops
            for window in (stop.windows or (_WHOLE_DAY,))
        ]
        self._places: list[Place] = [*day.depots.values()]
        on_road = {n: v.position for n, v in day.vehicles.items() if v.position is not None}
        self._on_road = {name: len(self._places) + i for i, name in enumerate(on_road)}
        self._places += on_road.values()
        self._first_client = len(self._places)
        self._places += [client.stop.at for client in self._clients]
        self._metres, self._seconds = matrices(self._places, day.travel)
        self._earliest = {name: self._free(name) for name in self._vehicles}
        self._data = self._problem()

    def plan(self, iterations: int, seed: int, before: Routes | None) -> Routes:
        """Search, check, and return."""
        stop = self._pyvrp.stop.MaxIterations(iterations)
        start = None if before is None else self._warm(before)
        result = self._pyvrp.solve(
            self._data,
            stop,
            seed=seed,
            collect_stats=False,
            params=self.params(),
            initial_solution=start,
        )
        best = result.best
        if not best.is_feasible():
            raise self._unable(best)
        found = self._routes(best, int(result.cost()), result.num_iterations)
        wrong = faults(self._day, self._legs(found), found, self._earliest)
        if wrong:
            raise InternalError(f"the routes are wrong: {'; '.join(wrong[:5])}")
        return found

    def params(self) -> Any:
        """Return PyVRP's own settings, its dearest penalty raised to how finely money is counted.

        A penalty is money for a second or a thousandth of a load; at most 100,000 of them would be
        less than some hundred metres cost, and the search would not leave what cannot be driven.
        """
        vehicles = self._day.vehicles.values()
        metre = max(vehicle.per_km * MICRO / 1000 for vehicle in vehicles)
        second = max(vehicle.per_hour * MICRO / 3600 for vehicle in vehicles)
        penalty = self._pyvrp.PenaltyParams(max_penalty=_DEAREST * max(metre, second, 1.0))
        return self._pyvrp.SolveParams(penalty=penalty)

    def _legs(self, planned: Routes) -> Legs:
        """Return the way between the named places of routes, for the checker."""
        names = [f"depot:{name}" for name in self._day.depots]
        names += [f"vehicle:{name}" for name in self._on_road]
        names += [f"stop:{client.stop.id}" for client in self._clients]
        number = {name: i for i, name in enumerate(names)}
        metres: dict[tuple[str, str], int] = {}
        seconds: dict[tuple[str, str], int] = {}
        for route in planned.routes:
            vehicle = self._day.vehicles[route.vehicle]
            on_road = route.vehicle in self._on_road
            way = [f"vehicle:{route.vehicle}" if on_road else f"depot:{vehicle.start}"]
            way += [f"stop:{visit.stop}" for visit in route.visits]
            way.append(f"depot:{vehicle.end or vehicle.start}")
            for leg in pairwise(way):
                i, k = number[leg[0]], number[leg[1]]
                metres[leg], seconds[leg] = int(self._metres[i, k]), int(self._seconds[i, k])
        return Legs(metres, seconds)

    # --- the problem ---

    def _free(self, name: str) -> int:
        vehicle = self._day.vehicles[name]
        begin = _seconds(vehicle.shift.begins)
        if vehicle.free_at is None:
            return begin
        moment = vehicle.free_at
        zone = self._day.time_zone
        local = moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)
        days = (local.date() - self._day.day).days
        return max(begin, days * 86400 + _seconds(local.time()))

    def _problem(self) -> Any:
        pyvrp, day = self._pyvrp, self._day
        locations = [pyvrp.Location(x=place[1], y=place[2]) for place in self._places]
        depots = [pyvrp.Depot(location=i) for i in range(self._first_client)]
        groups: list[Any] = []
        clients = []
        for i, client in enumerate(self._clients):
            clients.append(self._client(i, client, groups))
        profiles: dict[frozenset[str], tuple[Ints, Ints]] = {}
        types = [self._type(name, profiles) for name in day.vehicles]
        return pyvrp.ProblemData(
            locations,
            clients,
            depots,
            types,
            [metres for metres, _ in profiles.values()],
            [seconds for _, seconds in profiles.values()],
            groups,
        )

    def _client(self, i: int, client: _Client, groups: list[Any]) -> Any:
        stop, several = client.stop, len(client.stop.windows) > 1
        first = i == 0 or self._clients[i - 1].stop.id != stop.id
        if several and first:
            groups.append(self._pyvrp.ClientGroup(required=stop.skip_cost is None))
        if several:
            groups[-1].add_client(i)
        return self._pyvrp.Client(
            location=self._first_client + i,
            delivery=self._load(stop.delivery),
            pickup=self._load(stop.pickup),
            service_duration=int(stop.service),
            tw_early=_seconds(client.window.begins),
            tw_late=_seconds(client.window.ends),
            prize=0 if stop.skip_cost is None else round(stop.skip_cost * MICRO),
            required=stop.skip_cost is None and not several,
            group=len(groups) - 1 if several else None,
            name=stop.id,
        )

    def _type(self, name: str, profiles: dict[frozenset[str], tuple[Ints, Ints]]) -> Any:
        """Describe a vehicle; each has a map on which it may not go to others' goods."""
        vehicle, day = self._day.vehicles[name], self._day
        depots = list(day.depots)
        others = self._carried - frozenset(vehicle.carries)
        if others not in profiles:
            profiles[others] = self._map(others) if others else (self._metres, self._seconds)
        return self._pyvrp.VehicleType(
            capacity=self._load(vehicle.capacity),
            start_depot=self._on_road.get(name, depots.index(vehicle.start)),
            end_depot=depots.index(vehicle.end or vehicle.start),
            fixed_cost=round(vehicle.fixed_cost * MICRO),
            tw_early=self._earliest[name],
            tw_late=max(_seconds(vehicle.shift.ends), self._earliest[name]),
            unit_distance_cost=round(vehicle.per_km * MICRO / 1000),
            unit_duration_cost=round(vehicle.per_hour * MICRO / 3600),
            profile=list(profiles).index(others),
            name=name,
        )

    def _map(self, forbidden: frozenset[str]) -> tuple[Ints, Ints]:
        metres, seconds = self._metres.copy(), self._seconds.copy()
        for i, client in enumerate(self._clients):
            if client.stop.id in forbidden:
                at = self._first_client + i
                metres[:, at] = seconds[:, at] = _FORBIDDEN
                metres[at, at] = seconds[at, at] = 0
        return metres, seconds

    def _load(self, loads: Mapping[str, float]) -> list[int]:
        return [round(loads.get(kind, 0.0) * _THOUSANDTHS) for kind in self._kinds]

    # --- there and back ---

    def _warm(self, before: Routes) -> Any:
        """Return what is left of the routes so far, stops that are new put out of them."""
        number = {client.stop.id: i for i, client in reversed(list(enumerate(self._clients)))}
        routes = []
        for route in before.routes:
            if route.vehicle not in self._vehicles:
                continue
            visits = [self._same(v, number) for v in route.visits if v.stop in number]
            if visits:
                kind = self._vehicles.index(route.vehicle)
                routes.append(self._pyvrp.Route(self._data, visits, kind))
        return self._pyvrp.Solution(self._data, routes)

    def _same(self, visit: Visit, number: Mapping[str, int]) -> int:
        """Return the stop in the window in which it was to be served."""
        for i, client in enumerate(self._clients):
            begins, ends = _seconds(client.window.begins), _seconds(client.window.ends)
            if client.stop.id == visit.stop and begins <= visit.begin <= ends:
                return i
        return number[visit.stop]

    def _routes(self, best: Any, cost: int, iterations: int) -> Routes:
        routes = tuple(self._route(route) for route in best.routes())
        served = {visit.stop for route in routes for visit in route.visits}
        left = tuple(stop.id for stop in self._day.stops if stop.id not in served)
        return Routes(routes=routes, left_out=left, cost=cost, iterations=iterations)

    def _route(self, route: Any) -> Route:
        visits = []
        for activity in route.schedule():
            if not activity.is_client():
                continue
            begin = int(activity.start_time)
            visits.append(
                Visit(
                    stop=self._clients[activity.idx].stop.id,
                    arrive=begin - int(activity.wait_duration),
                    begin=begin,
                    leave=int(activity.end_time),
                )
            )
        return Route(
            vehicle=self._vehicles[route.vehicle_type()],
            leave=int(route.start_time()),
            visits=tuple(visits),
            back=int(route.end_time()),
            distance_m=int(route.distance()),
        )

    def _unable(self, best: Any) -> ConfigError:
        short = tr("there is too little capacity") if best.has_excess_load() else ""
        late = tr("windows and shifts are too short") if best.has_time_warp() else ""
        missing = tr("some stops fit on no route") if not best.is_complete() else ""
        why = "; ".join(filter(None, [short, late, missing])) or tr("no routes were found")
        return ConfigError(
            tr("The stops cannot all be served: {why}.", why=why),
            mend=tr("Add a vehicle, widen windows, or give stops a skip_cost."),
        )


def _seconds(clock: time) -> int:
    return clock.hour * 3600 + clock.minute * 60 + clock.second
