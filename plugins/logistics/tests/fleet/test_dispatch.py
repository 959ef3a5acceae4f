"""Dispatch on vehicles that drive a node in each round: nobody meets, everything arrives, once."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millhand_logistics.fleet.assignment import assign
from millhand_logistics.fleet.dispatch import add_job, dispatch
from millhand_logistics.fleet.roads import Roads
from millhand_logistics.fleet.state import Book, Job, Request, Rules, Vehicle


def grid(columns: int, rows: int) -> Roads:
    nodes = [f"{x}-{y}" for x in range(columns) for y in range(rows)]
    ways = []
    for x in range(columns):
        for y in range(rows):
            for u, v in ((x + 1, y), (x, y + 1)):
                if u < columns and v < rows:
                    ways += [(f"{x}-{y}", f"{u}-{v}", 4.0), (f"{u}-{v}", f"{x}-{y}", 4.0)]
    return Roads(nodes, ways)


@dataclass
class Truck:
    """A vehicle that keeps to VDA 5050's rules of updates and moves one node in each round."""

    name: str
    node: str
    charge: float = 90.0
    order: str = ""
    update: int = 0
    sequence: int = 0
    way: list[tuple[str, int]] = field(default_factory=list)
    end: tuple[str, int] = ("", 0)
    actions: dict[int, tuple[str, str]] = field(default_factory=dict)
    loads: list[str] = field(default_factory=list)
    delivered: list[tuple[str, str]] = field(default_factory=list)
    charging: bool = False
    usable: bool = True
    deaf: bool = False
    taken: list[tuple[str, int]] = field(default_factory=list)

    def take(self, request: Request) -> None:
        if self.deaf or (request.order, request.update) == (self.order, self.update):
            return
        if request.order != self.order:
            assert not self.way, "a new order before the old one was done"
            assert request.path[0] == self.node
            self.order, self.sequence = request.order, request.first
            self.end = (request.path[0], request.first)
        else:
            assert request.update == self.update + 1
            assert (request.path[0], request.first) == self.end
        self.update = request.update
        self.taken.append((request.order, request.update))
        numbered = [(node, request.first + 2 * i) for i, node in enumerate(request.path)]
        self.way += numbered[1:]
        self.end = numbered[-1]
        if request.action:
            self.actions[self.end[1]] = (request.action, request.load)
        self._act()

    def move(self) -> None:
        if self.way and self.usable:
            self.node, self.sequence = self.way.pop(0)
            self.charge -= 0.2
            self.charging = False
            self._act()
        if self.charging:
            self.charge = min(100.0, self.charge + 5)

    def _act(self) -> None:
        if self.way or self.sequence not in self.actions:
            return
        action, load = self.actions.pop(self.sequence)
        if action == "pick":
            self.loads.append(load)
        elif action == "drop":
            self.loads.remove(load)
            self.delivered.append((load, self.node))
        else:
            self.charging = True

    def seen(self) -> Vehicle:
        return Vehicle(
            name=self.name,
            usable=self.usable,
            node=self.node,
            sequence=self.sequence,
            order=self.order,
            update=self.update,
            idle=not self.way,
            charge=self.charge,
            charging=self.charging,
        )


class Hall:
    """Trucks on roads, led by dispatch."""

    def __init__(self, roads: Roads, trucks: list[Truck], rules: Rules) -> None:
        self.roads = roads
        self.trucks = {truck.name: truck for truck in trucks}
        self.rules = rules
        self.book = Book("t")
        self.done: list[str] = []
        self.lose = 0.0
        """Share of messages that do not arrive."""
        self.rng = random.Random(7)

    def round(self) -> None:
        seen = {name: truck.seen() for name, truck in self.trucks.items()}
        found = dispatch(self.book, seen, self.roads, self.rules)
        self.done += [job.id for job in found.done]
        for request in found.requests:
            if self.rng.random() >= self.lose:
                self.trucks[request.vehicle].take(request)
        for truck in self.trucks.values():
            truck.move()
        places = [truck.node for truck in self.trucks.values()]
        assert len(set(places)) == len(places), "two vehicles on one node"

    def until_done(self, jobs: int, most: int) -> int:
        for rounds in range(most):
            if len(self.done) == jobs:
                return rounds
            self.round()
        raise AssertionError(f"{len(self.done)} of {jobs} jobs after {most} rounds")


def hall(columns: int, rows: int, trucks: int, seed: int = 1, **keys: object) -> Hall:
    roads = grid(columns, rows)
    nodes = list(roads.out)
    places = random.Random(seed).sample(nodes, trucks)
    chargers = frozenset(nodes[:: max(1, len(nodes) // 8)])
    rules = Rules(chargers=chargers, **keys)  # type: ignore[arg-type]
    return Hall(roads, [Truck(f"v{i:03d}", place) for i, place in enumerate(places)], rules)


def add_jobs(one: Hall, count: int, seed: int = 2) -> dict[str, str]:
    rng, nodes = random.Random(seed), list(one.roads.out)
    drops = {}
    for number in range(count):
        pick, drop = rng.sample(nodes, 2)
        assert add_job(one.book, Job(f"j{number}", pick, drop))
        drops[f"j{number}"] = drop
    assert not add_job(one.book, Job("j0", nodes[0], nodes[1]))
    return drops


def check_delivered(one: Hall, drops: dict[str, str]) -> None:
    delivered = [item for truck in one.trucks.values() for item in truck.delivered]
    assert sorted(delivered) == sorted(drops.items())
    assert not any(truck.loads for truck in one.trucks.values())
    for truck in one.trucks.values():
        assert len(truck.taken) == len(set(truck.taken)), "an order was taken twice"


@pytest.mark.parametrize(
    ("columns", "rows", "trucks"), [(3, 2, 1), (6, 4, 4), (8, 8, 16), (20, 20, 100)]
)
def test_all_jobs_are_done_and_nobody_meets(columns: int, rows: int, trucks: int) -> None:
    one = hall(columns, rows, trucks)
    drops = add_jobs(one, 2 * trucks)
    one.until_done(2 * trucks, 1500)
    check_delivered(one, drops)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 9), st.integers(1, 3))
def test_small_halls_of_any_kind_come_to_an_end(seed: int, trucks: int, look_ahead: int) -> None:
    one = hall(5, 4, trucks, seed, look_ahead=look_ahead)
    drops = add_jobs(one, 12, seed)
    one.until_done(12, 2500)
    check_delivered(one, drops)


def test_lost_messages_are_asked_again_under_the_same_ids() -> None:
    one = hall(6, 6, 6, tries=50)
    one.lose = 0.5
    drops = add_jobs(one, 18)
    one.until_done(18, 3000)
    check_delivered(one, drops)


def test_head_on_in_a_corridor_with_a_bay() -> None:
    names = ["a", "b", "c", "d", "e", "bay"]
    pairs = [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("c", "bay")]
    roads = Roads(names, [(s, e, 4.0) for p in pairs for s, e in (p, p[::-1])])
    one = Hall(roads, [Truck("v0", "a"), Truck("v1", "e")], Rules(look_ahead=1))
    add_job(one.book, Job("j0", "b", "e"))
    add_job(one.book, Job("j1", "d", "a"))
    one.until_done(2, 300)
    check_delivered(one, {"j0": "e", "j1": "a"})


def test_who_stands_idle_in_the_way_is_sent_aside() -> None:
    one = Hall(grid(4, 2), [Truck("v0", "0-0"), Truck("v1", "3-0")], Rules())
    add_job(one.book, Job("j0", "1-0", "3-0"))
    one.until_done(1, 100)
    assert one.trucks["v1"].node != "3-0"


def test_an_empty_battery_goes_to_charge_before_it_works() -> None:
    roads = grid(5, 1)
    one = Hall(roads, [Truck("v0", "0-0", charge=20.0)], Rules(chargers=frozenset({"4-0"})))
    add_job(one.book, Job("j0", "1-0", "0-0"))
    charged = False
    for _ in range(60):
        one.round()
        charged |= one.trucks["v0"].charging
        if not charged:
            assert not one.book.jobs["j0"].vehicle
    assert charged
    assert one.done == ["j0"]


def test_a_job_goes_back_when_its_vehicle_fails_and_stays_when_it_is_loaded() -> None:
    one = Hall(grid(6, 2), [Truck("v0", "0-0"), Truck("v1", "5-1")], Rules(look_ahead=1))
    # Far enough that no node of the way that it holds for ever is needed.
    add_job(one.book, Job("j0", "2-1", "4-1"))
    one.round()
    assert one.book.jobs["j0"].vehicle == "v0"
    one.trucks["v0"].usable = False
    one.until_done(1, 100)
    assert one.trucks["v1"].delivered == [("j0", "4-1")]
    other = Hall(grid(6, 2), [Truck("v0", "0-0"), Truck("v1", "5-1")], Rules())
    add_job(other.book, Job("j0", "0-0", "4-0"))
    while not other.trucks["v0"].loads:
        other.round()
    other.trucks["v0"].usable = False
    for _ in range(20):
        other.round()
    assert other.trucks["v1"].delivered == []
    assert other.book.jobs["j0"].vehicle == "v0"


def test_a_deaf_vehicle_loses_its_job() -> None:
    one = Hall(grid(6, 2), [Truck("v0", "0-0", deaf=True), Truck("v1", "5-1")], Rules(look_ahead=1))
    add_job(one.book, Job("j0", "2-1", "3-1"))
    one.until_done(1, 100)
    assert one.trucks["v1"].delivered == [("j0", "3-1")]


def test_blocked_nodes_are_driven_around() -> None:
    roads = grid(3, 3)
    one = Hall(roads, [Truck("v0", "0-1")], Rules(blocked=frozenset({"1-1"})))
    add_job(one.book, Job("j0", "0-1", "2-1"))
    seen = []
    while not one.done:
        one.round()
        seen.append(one.trucks["v0"].node)
    assert "1-1" not in seen


def test_no_more_is_released_than_the_look_ahead() -> None:
    one = hall(10, 1, 1, look_ahead=2)
    add_job(one.book, Job("j0", "0-0", "9-0"))
    for _ in range(40):
        one.round()
        assert len(one.trucks["v000"].way) <= 2


def test_the_same_look_leads_to_the_same_round() -> None:
    def orders() -> list[tuple[str, list[tuple[str, int]]]]:
        one = hall(8, 8, 12)
        add_jobs(one, 24)
        one.until_done(24, 1000)
        return [(name, truck.taken) for name, truck in one.trucks.items()]

    assert orders() == orders()


# --- assignment ---


@settings(deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 10_000))
def test_the_assignment_costs_what_scipy_finds(rows: int, columns: int, seed: int) -> None:
    optimize = pytest.importorskip("scipy.optimize")
    cost = np.random.default_rng(seed).integers(-50, 100, (rows, columns)).astype(float)
    pairs = assign(cost)
    best = cost[optimize.linear_sum_assignment(cost)].sum()
    assert sum(cost[pair] for pair in pairs) == best
    assert len(pairs) == min(rows, columns)
    assert len({column for _, column in pairs}) == len(pairs)


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 10_000))
def test_pairs_that_are_not_allowed_are_left_out(rows: int, columns: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    cost = np.where(rng.random((rows, columns)) < 0.4, np.inf, rng.random((rows, columns)))
    pairs = assign(cost)
    assert all(np.isfinite(cost[pair]) for pair in pairs)
    free_rows = set(range(rows)) - {row for row, _ in pairs}
    free_columns = set(range(columns)) - {column for _, column in pairs}
    assert not any(np.isfinite(cost[r, c]) for r in free_rows for c in free_columns)


def test_nothing_to_assign() -> None:
    assert assign(np.zeros((0, 3))) == []
    assert assign(np.full((2, 2), np.inf)) == []


# --- roads ---


def test_ways_around_avoid_what_they_must() -> None:
    roads = grid(4, 4)
    way = roads.way_around("0-0", "3-0", {"1-0", "2-1"})
    assert way is not None
    assert way[-1] == "3-0"
    assert not {"1-0", "2-1"} & set(way)
    assert len(way) == 9 or len(way) == 7
    assert roads.way_around("0-0", "3-0", {"1-0", "0-1"}) is None
    assert roads.distances_to("3-3")["0-0"] == 24.0
    assert roads.nearest("0-0", lambda node: node == "3-3") == "3-3"
    assert roads.nearest("0-0", lambda _node: False) is None
