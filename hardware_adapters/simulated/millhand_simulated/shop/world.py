"""The shop of one planner: machines that work off the lists that they were given last.

Pure: time is handed in, nothing here reads a clock. Times are seconds after the opening.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from millhand_simulated.shop.config import JobShopConfig, Operation, Order
from millhand_simulated.shop.fate import breakdowns, is_down, true_time
from millhand_simulated.shop.loads import Loads
from millhand_simulated.shop.moves import moved

Key = tuple[str, str]
"""Order and operation."""
STEP_S = 6.0


@dataclass(slots=True)
class Run:
    """An operation at work, or done."""

    key: Key
    machine: str
    setup_begin: float
    begin: float
    """When its set-up, if any, was over."""
    left: float
    """Seconds of work still to do, set-up included."""
    work: float
    end: float | None = None


@dataclass(slots=True)
class _Station:
    lists: list[Key] = field(default_factory=list)
    family: str | None = None
    at_work: Run | None = None


class World:
    """A shop that is run by lists."""

    def __init__(self, config: JobShopConfig) -> None:
        self._config = config
        self.now = 0.0
        self.orders: dict[str, Order] = {order.id: order for order in config.shop.orders}
        self.runs: list[Run] = []
        self.moves = 0
        self.plans = 0
        self.loads = Loads()
        self.down = {name: breakdowns(config, name) for name in config.shop.machines}
        self._stations = {
            name: _Station(family=machine.family) for name, machine in config.shop.machines.items()
        }
        self._done: dict[Key, float] = {}
        self._begun: set[Key] = set()

    # --- what planners do ---

    def take(self, lists: Mapping[str, Sequence[Key]]) -> None:
        """Work by these lists from now on; what has begun goes on. Unknown names are passed over.

        An operation that is in no list, or that its machine cannot do, waits for the next plan.
        """
        before = {name: list(station.lists) for name, station in self._stations.items()}
        for name, station in self._stations.items():
            station.lists = [
                key
                for key in lists.get(name, ())
                if key not in self._begun and name in self._alternatives(key)
            ]
        if self.plans:
            self.moves += moved(before, {n: s.lists for n, s in self._stations.items()})
        self.plans += 1

    def come_in(self, order: Order) -> None:
        """Accept an order that came in."""
        self.orders.setdefault(order.id, order)

    # --- time ---

    def advance(self, to: float) -> None:
        """Let time pass."""
        while self.now < to:
            step = min(STEP_S, to - self.now)
            for name, station in self._stations.items():
                self._work(name, station, step)
            self.now += step
        if self._config.transports:
            self._ask_for_transports()

    def _work(self, name: str, station: _Station, step: float) -> None:
        if station.at_work is None:
            self._begin(name, station)
        run = station.at_work
        if run is None or is_down(self.down[name], self.now):
            return
        run.left -= step
        if run.left <= 0:
            run.end = self.now + step
            self._done[run.key] = run.end
            self.loads.at[run.key[0]] = name
            station.at_work = None

    def _begin(self, name: str, station: _Station) -> None:
        """Begin the next of the list, once what it waits for is done and the machine is up."""
        while station.lists and station.lists[0] in self._begun:
            station.lists.pop(0)
        if not station.lists or is_down(self.down[name], self.now):
            return
        key = station.lists[0]
        if not all(self._done.get(k, math.inf) <= self.now for k in self._waits_for(key)):
            return
        if self._config.transports and not self.loads.there(key[0], name):
            return
        station.lists.pop(0)
        operation = self._operation(key)
        setup = self._setup(name, station.family, operation.family)
        work = true_time(self._config, *key, operation.alternatives[name])
        run = Run(key, name, self.now, self.now + setup, setup + work, work)
        station.at_work, station.family = run, operation.family or station.family
        self._begun.add(key)
        self.loads.begin(key[0])
        self.runs.append(run)

    def _ask_for_transports(self) -> None:
        """Ask for the load of each operation that could begin but for its load."""
        for name, station in self._stations.items():
            for key in station.lists:
                before = self._waits_for(key)
                ready = bool(before) and all(k in self._done for k in before)
                if ready and key not in self._begun:
                    self.loads.want(key[0], name, self.now)

    # --- what is so ---

    @property
    def finished(self) -> bool:
        """Whether every operation of every order is done."""
        return len(self._done) == sum(len(o.operations) for o in self.orders.values())

    def completion(self, order: Order) -> float | None:
        """Return when an order was done; None while it is not."""
        ends = [self._done.get((order.id, o.id)) for o in order.operations]
        return max((e for e in ends if e is not None), default=None) if all(ends) else None

    def bound(self) -> list[tuple[str, str, str]]:
        """Return operations whose load was brought to a machine, or is on its way: with it."""
        found = []
        for order, machine in self.loads.bound().items():
            left = (o.id for o in self.orders[order].operations if (order, o.id) not in self._begun)
            following = next(left, None)
            if following is not None:
                found.append((order, following, machine))
        return found

    def waiting(self) -> dict[str, list[Key]]:
        """Return what lies before each machine."""
        return {name: list(station.lists) for name, station in self._stations.items()}

    def _operation(self, key: Key) -> Operation:
        return next(o for o in self.orders[key[0]].operations if o.id == key[1])

    def _alternatives(self, key: Key) -> dict[str, float]:
        order = self.orders.get(key[0])
        found = next((o for o in order.operations if o.id == key[1]), None) if order else None
        return found.alternatives if found else {}

    def _waits_for(self, key: Key) -> list[Key]:
        operations = self.orders[key[0]].operations
        at = next(i for i, o in enumerate(operations) if o.id == key[1])
        after = operations[at].after
        if after is None:
            return [(key[0], operations[at - 1].id)] if at else []
        return [(key[0], name) for name in after]

    def _setup(self, machine: str, before: str | None, after: str | None) -> float:
        if before is None or after is None or before == after:
            return 0.0
        time = 0.0
        for setup in self._config.shop.setups:
            fits = (
                setup.machine in {None, machine}
                and setup.before in {None, before}
                and setup.after in {None, after}
            )
            if fits:
                time = setup.time
        return time
