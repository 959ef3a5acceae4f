"""From a shop to a problem in ticks, and back to moments and names."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import ceil, floor

import numpy as np

from millhand.errors import ConfigError
from millhand.messages import tr
from millhand_logistics.schedule.problem import (
    Fixed,
    Ints,
    Machine,
    Objective,
    Operation,
    Order,
    Problem,
)
from millhand_logistics.schedule.tables import NO_FAMILY
from millhand_logistics.shop.calendars import working
from millhand_logistics.shop.checks import waits_for
from millhand_logistics.shop.materials import available
from millhand_logistics.shop.model import Operation as ShopOperation
from millhand_logistics.shop.model import Order as ShopOrder
from millhand_logistics.shop.model import Setup, Shop

_LONGEST = timedelta(days=5 * 366)
OperationKey = tuple[str, str]
"""Order and operation."""


@dataclass(frozen=True)
class Floor:
    """A shop at a moment as a problem: what is to be planned, and what each number stands for."""

    problem: Problem
    keys: tuple[OperationKey, ...]
    """Order and operation of each operation of the problem."""
    machines: tuple[str, ...]
    origin: datetime
    """Moment of tick 0, UTC."""
    now: int
    """The present, in ticks."""
    tick_s: float
    left_out: dict[str, str] = field(default_factory=dict)
    """Orders that are not planned, with the reason."""
    hopeless: dict[str, datetime] = field(default_factory=dict)
    """Orders that would be late in an empty shop, with the earliest moment they could be done."""

    def moment(self, tick: int) -> datetime:
        """Return the moment of a tick, UTC."""
        return self.origin + timedelta(seconds=tick * self.tick_s)

    def price(self, cost: int) -> float:
        """Return a plan's cost in the goal's prices, which are of an hour."""
        return cost / 1000 * self.tick_s / 3600

    def index(self, order: str, operation: str) -> int:
        """Return the number of an operation.

        Raises:
            KeyError: it is not planned.
        """
        return self._numbers[order, operation]

    @property
    def _numbers(self) -> dict[OperationKey, int]:
        return {key: i for i, key in enumerate(self.keys)}


def floor_of(shop: Shop, now: datetime | None = None) -> Floor:
    """Turn a shop into the problem that stands at ``now``.

    Operations that are finished are left out, those that have started stay where they are, those
    that are pinned are given their place. Orders that are held or short of material are left out
    with the reason.

    Raises:
        ConfigError: nothing is left to plan, pins overlap or have passed, or a calendar has too
            little working time.
    """
    return _Compiler(shop, now).floor()


class _Compiler:
    def __init__(self, shop: Shop, now: datetime | None) -> None:
        self._shop = shop
        written = None if shop.now is None else shop.moment(shop.now)
        self._now = (now or written or datetime.now(UTC)).astimezone(UTC)
        self._tick = shop.tick
        self._machines = tuple(shop.machines)
        self._families = {name: i for i, name in enumerate(shop.families)}
        self._from_when, short = available(shop)
        self._left_out = {order.id: why for order in shop.orders if (why := self._held(order))}
        for s in short:
            self._left_out.setdefault(
                s.order,
                tr(
                    "{operation} lacks {missing:g} {unit} of {material}.",
                    operation=s.operation,
                    missing=s.missing,
                    unit=shop.materials[s.material].unit,
                    material=s.material,
                ),
            )
        self._open = [order for order in shop.orders if self._is_open(order)]
        self._origin = self._earliest()
        self._end = self._now

    # --- moments ---

    def _earliest(self) -> datetime:
        """Return a moment before everything that counts, so that no tick is negative."""
        moments = [self._now]
        for order in self._open:
            if order.due is not None:
                moments.append(self._shop.moment(order.due))
            moments += [
                self._shop.moment(o.started.at)
                for o in order.operations
                if o.started is not None and o.finished is None
            ]
        first = min(moments)
        return first.replace(second=0, microsecond=0)

    def _ticks(self, moment: datetime) -> float:
        return (moment - self._origin).total_seconds() / self._tick

    def _at_or_after(self, moment: datetime) -> int:
        return ceil(self._ticks(moment) - 1e-9)

    def _at_or_before(self, moment: datetime) -> int:
        return floor(self._ticks(moment) + 1e-9)

    def _span(self, seconds: float) -> int:
        return max(1, ceil(seconds / self._tick - 1e-9))

    # --- orders ---

    def _held(self, order: ShopOrder) -> str:
        if order.hold is not None:
            return tr("Held: {why}", why=order.hold)
        lot = self._shop.lots.get(order.lot or "")
        if lot is not None and lot.hold is not None:
            return tr("Lot {lot} is held: {why}", lot=order.lot, why=lot.hold)
        return ""

    def _is_open(self, order: ShopOrder) -> bool:
        under_way = any(o.started is not None and o.finished is None for o in order.operations)
        if order.id in self._left_out and not under_way:
            return False
        return any(o.finished is None for o in order.operations)

    def _kept(self, order: ShopOrder) -> list[ShopOperation]:
        """Return what is to be planned: of an order that is held only what has already begun."""
        left = [o for o in order.operations if o.finished is None]
        if order.id in self._left_out:
            return [o for o in left if o.started is not None]
        return left

    def floor(self) -> Floor:
        """Make the problem."""
        if not self._open:
            raise ConfigError(
                tr("There is nothing to plan: every order is finished or held."),
                mend=tr("Add orders, or release what is held."),
            )
        calendars = self._calendars()
        operations, keys = self._operations(calendars)
        _refuse_overlaps(operations, keys, self._machines)
        goal = self._shop.goal
        problem = Problem(
            tuple(operations),
            tuple(self._order(order) for order in self._open),
            tuple(
                Machine(
                    name,
                    ready=self._at_or_after(self._now),
                    family=self._family(self._set_up_for(name)),
                    intervals=tuple(calendars[i]),
                )
                for i, name in enumerate(self._machines)
            ),
            self._setups(),
            Objective(goal.makespan, goal.tardiness, goal.flow, goal.setup),
        )
        floor = Floor(
            problem=problem,
            keys=tuple(keys),
            machines=self._machines,
            origin=self._origin,
            now=self._at_or_after(self._now),
            tick_s=self._tick,
            left_out=self._left_out,
        )
        floor.hopeless.update(_hopeless(floor))
        return floor

    def _order(self, order: ShopOrder) -> Order:
        due = None if order.due is None else self._at_or_before(self._shop.moment(order.due))
        return Order(order.id, due, round(order.weight * 1000))

    def _set_up_for(self, machine: str) -> str | None:
        """Return the family that a machine is set up for: that of the last work begun on it."""
        begun = [
            (self._shop.moment(operation.started.at), operation.family)
            for order in self._shop.orders
            for operation in order.operations
            if operation.started is not None
            and operation.started.machine == machine
            and operation.family is not None
        ]
        if begun:
            return max(begun, key=lambda one: one[0])[1]
        return self._shop.machines[machine].family

    def _family(self, name: str | None) -> int:
        return NO_FAMILY if name is None else self._families[name]

    def _operations(
        self, calendars: list[list[tuple[int, int]]]
    ) -> tuple[list[Operation], list[OperationKey]]:
        found: list[Operation] = []
        keys: list[OperationKey] = []
        for j, order in enumerate(self._open):
            kept = self._kept(order)
            numbers = {o.id: len(found) + k for k, o in enumerate(kept)}
            waits = _waits_among(order, set(numbers))
            for operation in kept:
                alternatives = tuple(
                    (self._machines.index(name), self._span(seconds))
                    for name, seconds in operation.alternatives.items()
                )
                found.append(
                    Operation(
                        f"{order.id}/{operation.id}",
                        j,
                        alternatives,
                        tuple(sorted(numbers[name] for name in waits[operation.id])),
                        family=self._family(operation.family),
                        whole=not operation.interruptible,
                        release=self._release(order, operation),
                        fixed=self._fixed(order, operation, calendars),
                    )
                )
                keys.append((order.id, operation.id))
        return found, keys

    def _release(self, order: ShopOrder, operation: ShopOperation) -> int:
        moments = [self._now]
        if order.release is not None:
            moments.append(self._shop.moment(order.release))
        if (order.id, operation.id) in self._from_when:
            moments.append(self._from_when[order.id, operation.id])
        return self._at_or_after(max(moments))

    def _fixed(
        self, order: ShopOrder, operation: ShopOperation, calendars: list[list[tuple[int, int]]]
    ) -> Fixed | None:
        now = self._at_or_after(self._now)
        if operation.started is not None:
            m = self._machines.index(operation.started.machine)
            start = self._at_or_before(self._shop.moment(operation.started.at))
            time = self._span(operation.alternatives[operation.started.machine])
            if operation.remaining is not None:
                end = _worked(calendars[m], now, self._span(operation.remaining))[1]
            else:
                end = max(_worked(calendars[m], start, time)[1], now + 1)
            return Fixed(m, min(start, now), end)
        if operation.pinned is not None:
            m = self._machines.index(operation.pinned.machine)
            start = self._at_or_after(self._shop.moment(operation.pinned.at))
            if start < now:
                raise ConfigError(
                    tr(
                        "{order}/{id} is pinned to a time that has passed.",
                        order=order.id,
                        id=operation.id,
                    ),
                    mend=tr("Remove the pin, or say that it has started."),
                )
            time = self._span(operation.alternatives[operation.pinned.machine])
            begin, end = _worked(calendars[m], start, time)
            return Fixed(m, begin, end)
        return None

    # --- machines ---

    def _calendars(self) -> list[list[tuple[int, int]]]:
        """Return each machine's working intervals, long enough for all work in a row."""
        work = sum(max(o.alternatives.values()) for order in self._open for o in self._kept(order))
        work += sum(s.time for s in self._shop.setups) + 86400.0
        work += max((s.time for s in self._shop.setups), default=0.0) * sum(
            len(order.operations) for order in self._open
        )
        latest = max(
            (self._shop.moment(o.release) for o in self._open if o.release is not None),
            default=self._now,
        )
        latest = max([latest, self._now, *self._from_when.values()])
        return [self._intervals(name, latest, work) for name in self._machines]

    def _intervals(self, name: str, latest: datetime, work: float) -> list[tuple[int, int]]:
        machine = self._shop.machines[name]
        if machine.calendar is None and not machine.down:
            return []
        days = 14
        while True:
            last = latest + timedelta(days=days)
            found = working(self._shop, name, self._origin - timedelta(days=7), last)
            room = sum(
                (end - max(begin, latest)).total_seconds() for begin, end in found if end > latest
            )
            if room >= work:
                break
            days *= 2
            if timedelta(days=days) > _LONGEST:
                raise ConfigError(
                    tr("The calendar of {machine} has too little working time.", machine=name),
                    mend=tr("Add shifts, or correct its closed times and breakdowns."),
                )
        ticks = [(self._at_or_after(b), self._at_or_before(e)) for b, e in found]
        return [(begin, end) for begin, end in ticks if begin < end]

    def _setups(self) -> Ints:
        n = len(self._families)
        times = np.zeros((len(self._machines), n, n), np.int64)
        for setup in self._shop.setups:
            self._fill(times, setup)
        times[:, range(n), range(n)] = 0
        return times

    def _fill(self, times: Ints, setup: Setup) -> None:
        machines = (
            range(len(self._machines))
            if setup.machine is None
            else [self._machines.index(setup.machine)]
        )
        every = range(len(self._families))
        before = every if setup.before is None else [self._families[setup.before]]
        after = every if setup.after is None else [self._families[setup.after]]
        times[np.ix_(list(machines), list(before), list(after))] = self._span(setup.time)


def _worked(intervals: list[tuple[int, int]], moment: int, time: int) -> tuple[int, int]:
    """Return when interruptible work begins and ends in plain Python, as the builder does."""
    begin: int | None = None
    for start, end in intervals:
        at = max(moment, start)
        if end <= at:
            continue
        begin = at if begin is None else begin
        if end - at >= time:
            return begin, at + time
        time -= end - at
        moment = end
    return (moment if begin is None else begin), moment + time


def _waits_among(order: ShopOrder, kept: set[str]) -> dict[str, set[str]]:
    """Return what each kept operation waits for among those kept."""
    waits = waits_for(order)
    return {name: waits[name] & kept for name in kept}


def _refuse_overlaps(
    operations: list[Operation], keys: list[OperationKey], machines: tuple[str, ...]
) -> None:
    fixed = sorted(
        (o.fixed.machine, o.fixed.start, o.fixed.end, i)
        for i, o in enumerate(operations)
        if o.fixed is not None
    )
    for (m, _, end, i), (n, start, _, k) in pairwise(fixed):
        if m == n and start < end:
            raise ConfigError(
                tr(
                    "{first} and {second} have places on {machine} that overlap.",
                    first="/".join(keys[i]),
                    second="/".join(keys[k]),
                    machine=machines[m],
                ),
                mend=tr("Move or remove one of the pins."),
            )


def _hopeless(floor: Floor) -> dict[str, datetime]:
    """Find orders that would be late in an empty shop, breaks left out of account."""
    t = floor.problem.tables
    earliest = np.where(t.fixed == 1, t.fixed_end, t.release + t.quickest)
    done = np.zeros(t.orders, np.int64)
    np.maximum.at(done, t.order, earliest + t.tail)
    late = np.flatnonzero((t.due >= 0) & (done > t.due))
    return {floor.problem.orders[j].name: floor.moment(int(done[j])) for j in late}
